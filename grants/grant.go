package grants

import (
	"encoding/base32"
	"encoding/binary"
	"slices"
	"time"
)

// State is where a grant is in its life.
type State string

// A grant's life. To people it is a request until it is Open.
const (
	Asked   State = "asked"
	Pending State = "pending"
	Open    State = "open"
	Closing State = "closing" // revoking is intended; ends only on evidence
	Closed  State = "closed"
)

// Outcome says how a grant ended.
type Outcome string

// The outcomes. A grant that is Closing already has its outcome.
const (
	Refused    Outcome = "refused"
	Denied     Outcome = "denied"
	Lapsed     Outcome = "lapsed"
	Withdrawn  Outcome = "withdrawn"
	Expired    Outcome = "expired"
	ShiftEnded Outcome = "shift_ended"
	OffCall    Outcome = "off_call"
	PersonGone Outcome = "person_gone"
	Returned   Outcome = "returned"
	Revoked    Outcome = "revoked"
	Extended   Outcome = "extended" // of an extension only
)

// Basis is why a grant may be open.
type Basis string

// The bases. Only ByOffCallVotes is not bound to the shift.
const (
	ByOnCall       Basis = "on_call"        // on call at that second, and the role is automatic
	ByVotes        Basis = "votes"          // on call, and people said yes
	ByOffCallVotes Basis = "off_call_votes" // people said yes to someone who is not on call
)

// Vote is one person's yes or no to a pending grant.
type Vote struct {
	Person PersonKey `json:"person"`
	Yes    bool      `json:"yes"`
	At     time.Time `json:"at"`
	Claim            // what let this person vote
}

// Grant is one person's time-boxed use of one role, and the aggregate on which its votes
// and credentials hang. It keeps the role as it was when it was asked for, so that
// undoing never needs the configuration.
type Grant struct {
	V      int       `json:"v"`
	ID     string    `json:"id"`
	Seq    int64     `json:"seq"` // of the event that left this document
	State  State     `json:"state"`
	Person PersonKey `json:"person"`
	Role   Role      `json:"role"`

	Asked    time.Time     `json:"asked"`
	Duration time.Duration `json:"duration"`          // asked for, already within the role's maximum
	AskedSeq int64         `json:"asked_seq"`         // of the event beside which the typed reason lies
	Channel  string        `json:"channel,omitempty"` // where it was asked

	Basis        Basis     `json:"basis,omitempty"`
	Voters       Voters    `json:"voters,omitzero"` // who may say yes to this request
	PendingUntil time.Time `json:"pending_until,omitzero"`
	Votes        []Vote    `json:"votes,omitempty"`

	Opened time.Time `json:"opened,omitzero"`
	Shift  Shift     `json:"shift,omitzero"` // as known when it was last believed
	Read   time.Time `json:"read,omitzero"`  // when PagerDuty said so
	Ends   time.Time `json:"ends,omitzero"`

	Credentials []Credential `json:"credentials,omitempty"`
	Reveals     int          `json:"reveals,omitempty"`

	Outcome   Outcome   `json:"outcome,omitempty"`
	Ended     time.Time `json:"ended,omitzero"`
	EndedBy   PersonKey `json:"ended_by,omitempty"`
	Explained int64     `json:"explained_seq,omitempty"` // of the event beside which lies why it was denied
	Reasons   []Reason  `json:"reasons,omitempty"`       // of the last decision
	Closed    time.Time `json:"closed,omitzero"`

	Incident   string      `json:"incident,omitempty"` // kept empty until it is used, as is BreakGlass
	Extensions []Extension `json:"extensions,omitempty"`
	BreakGlass bool        `json:"break_glass,omitempty"`
}

// Version is the version of grants and events that this package writes. Version 2 knows extensions.
const Version = 2

// New is a request as it is first recorded.
func New(id string, person PersonKey, role Role, duration time.Duration, channel string, at time.Time) Grant {
	return Grant{
		V: Version, ID: id, State: Asked, Person: person, Role: role,
		Asked: at, Duration: min(duration, role.Max), Channel: channel,
	}
}

// Active reports whether the grant still takes part: it is asked for, pending, open or closing.
func (g Grant) Active() bool { return g.State != Closed }

// BoundToShift reports whether the grant must end with its person's shift.
func (g Grant) BoundToShift() bool { return g.Basis == ByOnCall || g.Basis == ByVotes }

// InState returns the credentials in a state, oldest first.
func (g Grant) InState(s CredentialState) []Credential {
	var in []Credential
	for _, c := range g.Credentials {
		if c.State == s {
			in = append(in, c)
		}
	}
	return in
}

// dead reports whether no credential is left that could still work.
func (g Grant) dead() bool {
	return !slices.ContainsFunc(g.Credentials, func(c Credential) bool { return c.State != Gone })
}

// clone copies what the aggregate holds by reference, so that a change never writes into
// the value it came from.
func (g Grant) clone() Grant {
	g.Votes = slices.Clone(g.Votes)
	g.Credentials = slices.Clone(g.Credentials)
	g.Extensions = slices.Clone(g.Extensions)
	g.Reasons = slices.Clone(g.Reasons)
	return g
}

// crockford is Crockford's base32 alphabet in lower case: its order is the order of its values.
var crockford = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// NewID makes a grant ID of 26 characters that sorts by time: 48 bits of milliseconds, then
// 80 random bits.
func NewID(at time.Time, random [10]byte) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(at.UnixMilli())<<16)
	copy(b[6:], random[:])
	return crockford.EncodeToString(b[:])
}

// ValidID reports whether s could be a grant ID.
func ValidID(s string) bool {
	b, err := crockford.DecodeString(s)
	return err == nil && len(b) == 16
}
