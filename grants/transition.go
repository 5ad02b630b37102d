package grants

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrNotNow says that a grant's state does not allow a change: somebody else was first,
// or it is over.
var ErrNotNow = errors.New("the grant's state does not allow this")

// table is every way from one state to the next. What is not here cannot happen.
var table = map[Kind]map[State]State{
	KindPending:     {Asked: Pending, Pending: Pending},
	KindOpened:      {Asked: Open, Pending: Open},
	KindRefused:     {Asked: Closed, Pending: Closed},
	KindVoted:       {Pending: Pending},
	KindDenied:      {Pending: Closed},
	KindExplained:   {Closed: Closed},
	KindLapsed:      {Asked: Closed, Pending: Closed},
	KindWithdrawn:   {Asked: Closed, Pending: Closed},
	KindGonePerson:  {Asked: Closed, Pending: Closed},
	KindIssuing:     {Open: Open},
	KindLive:        {Open: Open},
	KindUndelivered: {Open: Open, Closing: Closing},
	KindRetiring:    {Open: Open, Closing: Closing},
	KindGone:        {Open: Open, Closing: Closing},
	KindShift:       {Open: Open},
	KindExtended:    {Open: Open},

	KindExtensionAsked:     {Open: Open},
	KindExtensionPending:   {Open: Open},
	KindExtensionRefused:   {Open: Open},
	KindExtensionVoted:     {Open: Open},
	KindExtensionDenied:    {Open: Open},
	KindExtensionLapsed:    {Open: Open},
	KindExtensionWithdrawn: {Open: Open},

	KindClosing: {Open: Closing},
	KindClosed:  {Open: Closed, Closing: Closed},
}

// outcomes of the kinds that close a grant at once and have only one.
var outcomes = map[Kind]Outcome{
	KindRefused: Refused, KindDenied: Denied, KindLapsed: Lapsed, KindWithdrawn: Withdrawn, KindGonePerson: PersonGone,
}

// Allowed reports whether a grant in the state can take the step, and where it leads.
func Allowed(kind Kind, from State) (to State, ok bool) {
	to, ok = table[kind][from]
	return to, ok
}

// step takes one row of the table on a copy.
func (g Grant) step(kind Kind, at time.Time) (Grant, error) {
	to, ok := Allowed(kind, g.State)
	if !ok {
		return g, fmt.Errorf("%w: %s is %s, not ready to be %s", ErrNotNow, g.ID, g.State, kind)
	}
	g = g.clone()
	from := g.State
	g.State = to
	if o, ok := outcomes[kind]; ok {
		g.Outcome, g.Ended = o, at
	}
	if to == Closed && from != Closed {
		g.Closed = at
	}
	return g, nil
}

// Wait makes the grant wait for votes.
func (g Grant) Wait(v Verdict, at time.Time) (Grant, error) {
	g, err := g.step(KindPending, at)
	if err != nil {
		return g, err
	}
	if g.PendingUntil.IsZero() {
		g.PendingUntil = at.Add(g.Role.PendingFor)
	}
	g.Basis, g.Voters, g.Reasons, g.Shift, g.Read = v.Basis, v.Voters, v.Reasons, v.Shift, v.Read
	return g, nil
}

// OpenUp opens the grant; its clock starts.
func (g Grant) OpenUp(v Verdict, at time.Time) (Grant, error) {
	g, err := g.step(KindOpened, at)
	if err != nil {
		return g, err
	}
	g.Basis, g.Reasons, g.Shift, g.Read = v.Basis, v.Reasons, v.Shift, v.Read
	g.Opened, g.Ends = at, v.Ends
	return g, nil
}

// Refuse closes a request with the reasons of the verdict.
func (g Grant) Refuse(v Verdict, at time.Time) (Grant, error) {
	g, err := g.step(KindRefused, at)
	g.Reasons = v.Reasons
	return g, err
}

// Cast records a vote. One no denies.
func (g Grant) Cast(v Vote) (Grant, error) {
	kind := KindVoted
	if !v.Yes {
		kind = KindDenied
	}
	if _, again := g.Question().VoteOf(v.Person); again {
		return g, fmt.Errorf("%w: %s has voted", ErrNotNow, v.Person)
	}
	g, err := g.step(kind, v.At)
	if err != nil {
		return g, err
	}
	g.Votes = append(g.Votes, v)
	if !v.Yes {
		g.EndedBy = v.Person
	}
	return g, nil
}

// ExplainFor is how long after a no its reason may still be told.
const ExplainFor = time.Hour

// Explain records that whoever denied the grant says why: once, and not long after. The sequence
// number of its event is filled in when that is written.
func (g Grant) Explain(by PersonKey, at time.Time) (Grant, error) {
	if g.Outcome != Denied || g.EndedBy != by || g.Explained != 0 || at.After(g.Ended.Add(ExplainFor)) {
		return g, fmt.Errorf("%w: %s was not denied by %s just now, or is explained", ErrNotNow, g.ID, by)
	}
	return g.step(KindExplained, at)
}

// Lapse closes a request that nobody decided in time.
func (g Grant) Lapse(at time.Time) (Grant, error) { return g.step(KindLapsed, at) }

// Withdraw closes a request that its person no longer wants.
func (g Grant) Withdraw(at time.Time) (Grant, error) {
	g, err := g.step(KindWithdrawn, at)
	g.EndedBy = g.Person
	return g, err
}

// LosePerson closes a request whose person is gone.
func (g Grant) LosePerson(at time.Time) (Grant, error) { return g.step(KindGonePerson, at) }

// Intend records that a credential is about to be issued.
func (g Grant) Intend(instance string, expires, at time.Time) (Grant, Credential, error) {
	g, err := g.step(KindIssuing, at)
	if err != nil {
		return g, Credential{}, err
	}
	if !g.Ends.After(at) {
		return g, Credential{}, fmt.Errorf("%w: %s ended at %s", ErrNotNow, g.ID, g.Ends.Format(time.RFC3339))
	}
	n := len(g.Credentials) + 1
	c := Credential{Ordinal: n, Name: CredentialName(instance, g.ID, n), State: Issuing, Since: at, Intended: at, Expires: expires}
	g.Credentials = append(g.Credentials, c)
	return g, c, nil
}

// Enliven records that a credential works and may be shown: only from Issuing, under an
// open grant that has time left. Retiring is never overwritten.
func (g Grant) Enliven(ordinal int, at time.Time) (Grant, error) {
	g, err := g.step(KindLive, at)
	if err != nil {
		return g, err
	}
	c, err := g.credential(ordinal, Issuing)
	if err != nil {
		return g, err
	}
	if !g.Ends.After(at) {
		return g, fmt.Errorf("%w: %s ended at %s", ErrNotNow, g.ID, g.Ends.Format(time.RFC3339))
	}
	c.State, c.Since, c.Issued, c.Answered = Live, at, at, true
	g.Reveals++
	return g, nil
}

// Retire records the intent to revoke a credential while its grant goes on, or after an
// issuing whose result nobody may see; answered tells that the issuer's answer to it was seen.
func (g Grant) Retire(ordinal int, answered bool, at time.Time) (Grant, error) {
	g, err := g.step(KindRetiring, at)
	if err != nil {
		return g, err
	}
	c, err := g.credential(ordinal, Issuing, Live)
	if err != nil {
		return g, err
	}
	c.State, c.Since, c.Answered = Retiring, at, c.Answered || answered
	return g, nil
}

// Undeliver retires a live credential whose secret may not have reached its person.
func (g Grant) Undeliver(ordinal int, at time.Time) (Grant, error) {
	g, err := g.step(KindUndelivered, at)
	if err != nil {
		return g, err
	}
	c, err := g.credential(ordinal, Live)
	if err != nil {
		return g, err
	}
	c.State, c.Since, c.Undelivered = Retiring, at, true
	return g, nil
}

// Answer records that the issuer's answer was seen for a credential that is already retiring.
func (g Grant) Answer(ordinal int, at time.Time) (Grant, error) {
	g, err := g.step(KindRetiring, at)
	if err != nil {
		return g, err
	}
	c, err := g.credential(ordinal, Retiring)
	if err != nil {
		return g, err
	}
	c.Answered = true
	return g, nil
}

// Bury records the evidence that a retiring credential is dead. Evidence that is too young
// to rule out a straggling answer, see Conclusive, is refused.
func (g Grant) Bury(ordinal int, evidence Finding, at time.Time) (Grant, error) {
	g, err := g.step(KindGone, at)
	if err != nil {
		return g, err
	}
	if !evidence.Dead() {
		return g, fmt.Errorf("burying %s: %q is no evidence", g.ID, evidence)
	}
	c, err := g.credential(ordinal, Retiring)
	if err != nil {
		return g, err
	}
	if !c.Conclusive(at) {
		return g, fmt.Errorf("burying %s: the call that issued it may still take effect", c.Name)
	}
	c.State, c.Since, c.Evidence, c.Proven = Gone, at, evidence, at
	return g, nil
}

// Follow moves the end of an open grant with its person's shift.
func (g Grant) Follow(shift Shift, read, at time.Time) (Grant, error) {
	g, err := g.step(KindShift, at)
	if err != nil {
		return g, err
	}
	g.Shift, g.Read = shift, read
	g.Ends = endOf(g.Opened.Add(g.Duration), shift)
	return g, nil
}

// End begins the end of an open grant: every credential is to be revoked. A grant with
// nothing left that could work is closed at once.
func (g Grant) End(outcome Outcome, by PersonKey, at time.Time) (Grant, Kind, error) {
	kind := KindClosing
	if g.dead() {
		kind = KindClosed
	}
	if g.State != Open { // Closing to Closed is Close's row, not ours
		return g, kind, fmt.Errorf("%w: %s is %s", ErrNotNow, g.ID, g.State)
	}
	g, err := g.step(kind, at)
	if err != nil {
		return g, kind, err
	}
	g.Outcome, g.Ended, g.EndedBy = outcome, at, by
	if x := g.extending(); x != nil { // there is nothing left to extend
		x.close(Lapsed, at)
	}
	for i := range g.Credentials {
		if c := &g.Credentials[i]; c.State == Issuing || c.State == Live {
			c.State, c.Since = Retiring, at
		}
	}
	return g, kind, nil
}

// Close ends a closing grant whose every credential is proven dead.
func (g Grant) Close(at time.Time) (Grant, error) {
	if !g.dead() {
		return g, fmt.Errorf("%w: %s has credentials that are not proven dead", ErrNotNow, g.ID)
	}
	if g.State != Closing {
		return g, fmt.Errorf("%w: %s is %s", ErrNotNow, g.ID, g.State)
	}
	return g.step(KindClosed, at)
}

// credential finds one that is in one of the states.
func (g Grant) credential(ordinal int, in ...CredentialState) (*Credential, error) {
	if ordinal < 1 || ordinal > len(g.Credentials) {
		return nil, fmt.Errorf("%w: %s has no credential %d", ErrNotNow, g.ID, ordinal)
	}
	c := &g.Credentials[ordinal-1]
	if !slices.Contains(in, c.State) {
		return nil, fmt.Errorf("%w: credential %s is %s", ErrNotNow, c.Name, c.State)
	}
	return c, nil
}
