package grants

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// CredentialState is where a credential is in its life.
type CredentialState string

// A credential's life, in order. Only Live works; only Gone is over.
const (
	Issuing  CredentialState = "issuing"
	Live     CredentialState = "live"
	Retiring CredentialState = "retiring"
	Gone     CredentialState = "gone"
)

// Credential is what an issuer made under a grant. Its secret is never kept.
type Credential struct {
	Ordinal     int             `json:"ordinal"`
	Name        string          `json:"name"` // its handle at the target, see CredentialName
	State       CredentialState `json:"state"`
	Since       time.Time       `json:"since"`                 // of the state
	Intended    time.Time       `json:"intended"`              // when issuing it was recorded
	Answered    bool            `json:"answered"`              // the issuer's answer to issuing was seen
	Issued      time.Time       `json:"issued,omitzero"`       // when it became live
	Undelivered bool            `json:"undelivered,omitempty"` // retired because its secret may not have reached its person
	Expires     time.Time       `json:"expires"`               // enforced by the target itself
	Evidence    Finding         `json:"evidence,omitzero"`     // of its death
	Proven      time.Time       `json:"proven,omitzero"`
}

// CredentialName names a credential at a target, at most 63 bytes: instance, grant and ordinal.
func CredentialName(instance, grant string, ordinal int) string {
	return fmt.Sprintf("%s-%s-%d", instance, grant, ordinal)
}

// EndOf says since when a credential no longer holds, and whether it ended with its grant, or alone: given back, replaced,
// or past its own expiry.
func (g Grant) EndOf(ordinal int) (at time.Time, withGrant bool) {
	c := g.Credentials[ordinal-1]
	switch at = c.Since; {
	case c.State == Live || !c.Expires.IsZero() && c.Expires.Before(at):
		at = c.Expires
	case c.State == Gone && !c.Proven.IsZero():
		at = c.Proven
	}
	if g.Outcome != "" && !at.Before(g.Ended) {
		return g.Ended, true
	}
	return at, false
}

// GrantOf takes the grant's ID out of a credential's name, if the name is one of the instance's.
func GrantOf(instance, name string) (grant string, ok bool) {
	rest, ok := strings.CutPrefix(name, instance+"-")
	grant, _, found := strings.Cut(rest, "-")
	return grant, ok && found && ValidID(grant)
}

// Class is how fast a target can be made to refuse a credential.
type Class string

// The classes of revocation.
const (
	Instant  Class = "instant"
	Seconds  Class = "seconds"
	Minutes  Class = "minutes"
	AtExpiry Class = "at_expiry"
)

// Description is what an issuer can do.
type Description struct {
	Least, Greatest time.Duration // lifetimes that the target accepts
	Class           Class
	Skew            time.Duration // how long after its expiry a credential of the class AtExpiry may still work
}

// Dies is when a credential that cannot be revoked is dead by itself; zero for one that can.
func (d Description) Dies(c Credential) time.Time {
	if d.Class != AtExpiry {
		return time.Time{}
	}
	return c.Expires.Add(d.Skew)
}

// Handle is what an issuer is told of a credential that it made.
type Handle struct {
	Name    string
	Verify  Verify // of the role
	Expires time.Time
}

// Order asks an issuer for a credential. Plan reads it too, before there is a name.
type Order struct {
	Name     string // the credential's name, and its handle from then on
	Grant    string
	Role     string
	Person   Person
	Audience string
	Scopes   []string
	Verify   Verify // of the role
	Now      time.Time
	Until    time.Time // the grant's end as known now
}

// Plan is what an issuer would make of an order.
type Plan struct {
	Sentence string    // what will be given, for the approver
	Until    time.Time // Until of the order, within the issuer's lifetimes
}

// Finding is what a target says of a credential.
type Finding string

// The findings. All but AliveFinding are evidence that a credential is dead.
const (
	AliveFinding   Finding = "live"
	RefusedFinding Finding = "refused" // the target was tried or asked, and refuses it
	AbsentFinding  Finding = "absent"  // not in the target's own list
	ExpiredFinding Finding = "expired" // its own expiry and the skew have passed
)

// Dead reports whether the finding proves that a credential is dead.
func (f Finding) Dead() bool {
	return f == RefusedFinding || f == AbsentFinding || f == ExpiredFinding
}

// ErrNotRenewable is an issuer's answer when its credentials can't be made to live longer.
var ErrNotRenewable = errors.New("not renewable")

// Secret is what opens a target. It prints as [redacted] everywhere; only Expose gives it out.
type Secret struct{ value string }

// NewSecret wraps a secret as soon as it exists.
func NewSecret(value string) Secret { return Secret{value} }

// Expose returns the secret itself, for the one view that shows it.
func (s Secret) Expose() string { return s.value }

const redacted = "[redacted]"

// String hides the secret.
func (s Secret) String() string { return redacted }

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return redacted }

// Format hides the secret from every verb of fmt.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText hides the secret from encoders and from slog.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
