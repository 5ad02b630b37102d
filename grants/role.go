package grants

import (
	"slices"
	"time"
)

// Automatic says when a role opens without a human's vote.
type Automatic string

// The values of Role.Automatic.
const (
	Never      Automatic = "never"
	WhenOnCall Automatic = "on_call"
)

// Verify says how the services that take a role's credentials learn that one is dead.
type Verify string

// The values of Role.Verify. An empty one is Introspect.
const (
	Introspect Verify = "introspect" // they ask Nightlatch
	Offline    Verify = "offline"    // they ask nobody, so it works until its own expiry
)

// Source is one line of what PagerDuty is asked: an escalation policy, all or some of
// its levels, or a schedule that stands in some policy.
type Source struct {
	Policy   string `json:"policy,omitempty"`
	Levels   []int  `json:"levels,omitempty"` // empty: every level
	Schedule string `json:"schedule,omitempty"`
}

// Covers reports whether an entry belongs to the source.
func (s Source) Covers(e Entry) bool {
	if s.Schedule != "" {
		return e.Schedule == s.Schedule
	}
	return s.Policy != "" && e.Policy == s.Policy && (len(s.Levels) == 0 || slices.Contains(s.Levels, e.Level))
}

// Voters are the people who may say yes to a request, and how many of them must.
type Voters struct {
	Users     []string `json:"users,omitempty"`     // Slack user IDs
	Usergroup string   `json:"usergroup,omitempty"` // Slack user group ID
	Policy    string   `json:"policy,omitempty"`    // whoever is on call for this escalation policy …
	Levels    []int    `json:"levels,omitempty"`    // … at these levels; empty: every level
	Count     int      `json:"count,omitempty"`     // how many must say yes; 0: nobody can
}

// Any reports whether someone can vote at all.
func (v Voters) Any() bool { return v.Count > 0 }

// Source is what PagerDuty is asked about these voters; ok is false when it is not.
func (v Voters) Source() (s Source, ok bool) {
	return Source{Policy: v.Policy, Levels: v.Levels}, v.Policy != ""
}

// Role is what may be asked for. A grant keeps the role as it was when it was asked for.
type Role struct {
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Runbook     string    `json:"runbook,omitempty"` // a link
	OnCall      []Source  `json:"on_call,omitempty"`
	Automatic   Automatic `json:"automatic"`
	Voters      Voters    `json:"voters,omitzero"`
	OffCall     Voters    `json:"off_call,omitzero"`
	Channel     string    `json:"channel,omitempty"` // Slack channel ID of the approvers' card

	Max        time.Duration `json:"max"`
	Default    time.Duration `json:"default"`
	PendingFor time.Duration `json:"pending_for"` // an undecided request lapses after this

	Issuer   string   `json:"issuer"`
	Verify   Verify   `json:"verify,omitempty"`
	Audience string   `json:"audience"`
	Scopes   []string `json:"scopes,omitempty"`
}
