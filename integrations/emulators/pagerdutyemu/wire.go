package pagerdutyemu

import (
	"cmp"
	"encoding/json"
	"net/http"
	"time"
)

// answer is what goes back over the wire: a body to be written as JSON, or raw bytes.
type answer struct {
	status int
	body   any
	raw    []byte
	reset  time.Duration // makes the rate limit look used up for so long
}

// refusal is PagerDuty's error object.
func refusal(status, code int, message string, details ...string) answer {
	return answer{status: status, body: errorWire{Error: errorBody{Message: message, Code: code, Errors: details}}}
}

func (a answer) write(w http.ResponseWriter) {
	raw := a.raw
	if raw == nil {
		var err error
		if raw, err = json.Marshal(a.body); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_, _ = w.Write(raw) // a client that went away has no use for it
}

type errorWire struct {
	Error errorBody `json:"error"`
}

type errorBody struct {
	Message string   `json:"message"`
	Code    int      `json:"code"`
	Errors  []string `json:"errors,omitempty"`
}

type pageWire struct {
	Limit  int  `json:"limit"`
	Offset int  `json:"offset"`
	More   bool `json:"more"`
	Total  *int `json:"total"`
}

type onCallsWire struct {
	OnCalls []onCallWire `json:"oncalls"`
	pageWire
}

type onCallWire struct {
	Policy   referenceWire  `json:"escalation_policy"`
	Level    int            `json:"escalation_level"`
	Schedule *referenceWire `json:"schedule"`
	User     referenceWire  `json:"user"`
	Start    *string        `json:"start"`
	End      *string        `json:"end"`
}

type referenceWire struct {
	ID      string  `json:"id"`
	Type    string  `json:"type"`
	Summary string  `json:"summary"`
	Self    string  `json:"self"`
	HTMLURL *string `json:"html_url"`
}

type usersWire struct {
	Users []userWire `json:"users"`
	pageWire
}

type userWire struct {
	ID                string   `json:"id"`
	Type              string   `json:"type"`
	Summary           string   `json:"summary"`
	Self              string   `json:"self"`
	HTMLURL           *string  `json:"html_url"`
	Name              string   `json:"name"`
	Email             string   `json:"email"`
	TimeZone          string   `json:"time_zone"`
	Color             string   `json:"color"`
	AvatarURL         string   `json:"avatar_url"`
	Role              string   `json:"role"`
	Description       *string  `json:"description"`
	InvitationSent    bool     `json:"invitation_sent"`
	JobTitle          string   `json:"job_title"`
	CreatedViaSSO     bool     `json:"created_via_sso"`
	Teams             []string `json:"teams"`
	ContactMethods    []string `json:"contact_methods"`
	NotificationRules []string `json:"notification_rules"`
}

func (w *world) onCallWire(c OnCall, zone *time.Location, base string) onCallWire {
	policy, user, schedule := w.policies[c.Policy], w.users[c.User], w.schedules[c.Schedule]
	wire := onCallWire{
		Policy: reference("escalation_policy", c.Policy, policy.Name, base+"/escalation_policies/"),
		Level:  c.Level,
		User:   reference("user", c.User, user.Name, base+"/users/"),
		Start:  stamp(c.Start, zone),
		End:    stamp(c.End, zone),
	}
	switch {
	case c.Schedule == "":
	case schedule.V3:
		// A wire type that the other references have no equal of.
		v3 := reference("schedule_v3", c.Schedule, schedule.Name, base+"/v3/schedules/")
		v3.HTMLURL = &v3.Self
		wire.Schedule = &v3
	default:
		legacy := reference("schedule", c.Schedule, schedule.Name, base+"/schedules/")
		wire.Schedule = &legacy
	}
	return wire
}

func reference(kind, id, name, base string) referenceWire {
	return referenceWire{ID: id, Type: kind + "_reference", Summary: cmp.Or(name, id), Self: base + id}
}

// stamp writes a time as PagerDuty does, with the zone's offset; the zero time is null.
func stamp(t time.Time, zone *time.Location) *string {
	if t.IsZero() {
		return nil
	}
	s := t.In(zone).Format(time.RFC3339)
	return &s
}

func (u User) wire(zone, base string) userWire {
	return userWire{
		ID: u.ID, Type: "user", Summary: u.Name, Self: base + "/users/" + u.ID,
		Name: u.Name, Email: u.Email, TimeZone: cmp.Or(u.TimeZone, zone),
		Color: "purple", AvatarURL: base + "/avatars/blank.png", Role: "user", InvitationSent: u.InvitationSent,
		Teams: []string{}, ContactMethods: []string{}, NotificationRules: []string{},
	}
}
