package grants

import (
	"fmt"
	"slices"
	"time"
)

// Extension is a lengthening of an open grant that its person asked for: a small request under
// the grant, decided by the same rule. At most one of a grant is not closed, the last one.
type Extension struct {
	At    time.Time     `json:"at"`
	By    time.Duration `json:"by"` // beyond the end that the grant has when it is decided
	Votes []Vote        `json:"votes,omitempty"`

	// Since version 2.
	Ordinal      int       `json:"ordinal,omitempty"` // 1, 2, …
	State        State     `json:"state,omitempty"`   // Asked, Pending, Closed
	AskedSeq     int64     `json:"asked_seq,omitempty"`
	Basis        Basis     `json:"basis,omitempty"`
	Voters       Voters    `json:"voters,omitzero"`
	PendingUntil time.Time `json:"pending_until,omitzero"`
	Outcome      Outcome   `json:"outcome,omitempty"` // Extended, Refused, Denied, Lapsed, Withdrawn
	Decided      time.Time `json:"decided,omitzero"`
	Reasons      []Reason  `json:"reasons,omitempty"`
	Ends         time.Time `json:"ends,omitzero"` // where it moved the grant's end to
}

// Question is what people vote on while the extension waits.
func (x Extension) Question(g Grant) Question {
	return Question{Person: g.Person, Voters: x.Voters, Votes: x.Votes}
}

// Wants is the end that the extension would give a grant at a time, were there no shift: never
// further from then than the role's maximum.
func (x Extension) Wants(g Grant, at time.Time) time.Time {
	return sooner(g.Ends.Add(x.By), at.Add(g.Role.Max))
}

// close ends what was asked for.
func (x *Extension) close(o Outcome, at time.Time) { x.State, x.Outcome, x.Decided = Closed, o, at }

// Extending returns the extension that is asked for and not decided yet.
func (g Grant) Extending() (Extension, bool) {
	if x := g.extending(); x != nil {
		return *x, true
	}
	return Extension{}, false
}

func (g Grant) extending() *Extension {
	if last := len(g.Extensions) - 1; last >= 0 && g.Extensions[last].State != Closed {
		return &g.Extensions[last]
	}
	return nil
}

// Extension returns one by its ordinal.
func (g Grant) Extension(ordinal int) (Extension, bool) {
	if ordinal < 1 || ordinal > len(g.Extensions) {
		return Extension{}, false
	}
	return g.Extensions[ordinal-1], true
}

// AskMore asks for an extension. It lapses when a request would, and with the grant.
func (g Grant) AskMore(by time.Duration, at time.Time) (Grant, error) {
	if x, waits := g.Extending(); waits {
		return g, fmt.Errorf("%w: extension %d of %s is %s", ErrNotNow, x.Ordinal, g.ID, x.State)
	}
	g, err := g.step(KindExtensionAsked, at)
	if err != nil {
		return g, err
	}
	if !g.Ends.After(at) {
		return g, fmt.Errorf("%w: %s ended at %s", ErrNotNow, g.ID, g.Ends.Format(time.RFC3339))
	}
	g.Extensions = append(g.Extensions, Extension{
		At: at, By: min(by, g.Role.Max), Ordinal: len(g.Extensions) + 1, State: Asked, PendingUntil: at.Add(g.Role.PendingFor),
	})
	return g, nil
}

// move takes a step of the extension that is not decided yet, on a copy.
func (g Grant) move(kind Kind, at time.Time) (Grant, *Extension, error) {
	g, err := g.step(kind, at)
	if err != nil {
		return g, nil, err
	}
	x := g.extending()
	if x == nil {
		return g, nil, fmt.Errorf("%w: %s has no extension that waits", ErrNotNow, g.ID)
	}
	return g, x, nil
}

// AwaitMore makes the extension wait for votes.
func (g Grant) AwaitMore(v Verdict, at time.Time) (Grant, error) {
	g, x, err := g.move(KindExtensionPending, at)
	if err != nil {
		return g, err
	}
	x.State, x.Basis, x.Reasons = Pending, v.Basis, v.Reasons
	if v.Decision == Await { // who has voted goes on waiting for the same
		x.Voters = v.Voters
	}
	return g, nil
}

// Extend moves the grant's end. From now on the grant stands on what the verdict stands on.
func (g Grant) Extend(v Verdict, at time.Time) (Grant, error) {
	g, x, err := g.move(KindExtended, at)
	if err != nil {
		return g, err
	}
	if !g.Ends.After(at) || !v.Ends.After(g.Ends) {
		return g, fmt.Errorf("%w: %s ends at %s", ErrNotNow, g.ID, g.Ends.Format(time.RFC3339))
	}
	x.close(Extended, at)
	x.Basis, x.Reasons, x.Ends = v.Basis, v.Reasons, v.Ends
	g.Duration = max(g.Duration, x.Wants(g, at).Sub(g.Opened)) // a shift that lengthens may still give it
	g.Basis, g.Shift, g.Read, g.Ends, g.Reasons = v.Basis, v.Shift, v.Read, v.Ends, v.Reasons
	return g, nil
}

// RefuseMore closes the extension with the reasons of the verdict. The grant goes on as it was.
func (g Grant) RefuseMore(v Verdict, at time.Time) (Grant, error) {
	g, x, err := g.move(KindExtensionRefused, at)
	if err != nil {
		return g, err
	}
	x.close(Refused, at)
	x.Reasons = v.Reasons
	return g, nil
}

// CastMore records a vote on the extension. One no denies it, and the grant goes on as it was.
func (g Grant) CastMore(v Vote) (Grant, error) {
	kind := KindExtensionVoted
	if !v.Yes {
		kind = KindExtensionDenied
	}
	g, x, err := g.move(kind, v.At)
	if err != nil {
		return g, err
	}
	if _, again := x.Question(g).VoteOf(v.Person); again || x.State != Pending {
		return g, fmt.Errorf("%w: %s has voted, or extension %d is %s", ErrNotNow, v.Person, x.Ordinal, x.State)
	}
	x.Votes = append(slices.Clone(x.Votes), v)
	if !v.Yes {
		x.close(Denied, v.At)
	}
	return g, nil
}

// LapseMore closes an extension that nobody decided in time.
func (g Grant) LapseMore(at time.Time) (Grant, error) {
	g, x, err := g.move(KindExtensionLapsed, at)
	if err == nil {
		x.close(Lapsed, at)
	}
	return g, err
}

// WithdrawMore closes an extension that its person no longer wants.
func (g Grant) WithdrawMore(at time.Time) (Grant, error) {
	g, x, err := g.move(KindExtensionWithdrawn, at)
	if err == nil {
		x.close(Withdrawn, at)
	}
	return g, err
}
