package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// Reveal mints a secret for the owner of an open grant, who must be on call at this second
// if the grant is bound to a shift. The intent is committed before the issuer is called,
// and the secret leaves only after Live is committed.
func (s *Service) Reveal(ctx context.Context, r Showing) (Revealed, error) {
	person, err := s.identify(r.Person)
	if err != nil {
		return Revealed{}, err
	}
	g, _, err := s.get(ctx, r.Grant)
	if err != nil {
		return Revealed{}, err
	}
	if refusal := s.mayReveal(g, person); refusal != nil {
		return Revealed{}, s.refuse(ctx, r.Origin, g.ID, refusal, s.now())
	}
	refusal := s.tooScarce()
	if refusal == nil {
		refusal = s.clockOff(g)
	}
	if refusal != nil {
		return Revealed{}, s.refuse(ctx, r.Origin, g.ID, refusal, s.now())
	}
	if s.issuingNow.has(g.ID) {
		return Revealed{}, ErrJustShown
	}
	if err := ready(g, r, s.Limits.Together, s.now()); err != nil {
		return Revealed{}, err // before PagerDuty is asked: it would be for nothing
	}
	shift, read, err := s.stillOnCall(ctx, g, person, r.Origin)
	if err != nil {
		return Revealed{}, err
	}
	issuer, ok := s.Issuers[g.Role.Issuer]
	if !ok {
		return Revealed{}, fmt.Errorf("%w: issuer %q is not configured", ErrIssuer, g.Role.Issuer)
	}
	if !s.issuingNow.add(g.ID) {
		return Revealed{}, ErrJustShown
	}
	defer s.issuingNow.remove(g.ID)
	replaced := 0
	if r.Replace {
		if replaced, err = s.replace(ctx, g, issuer); err != nil {
			return Revealed{}, err
		}
	}
	g, c, order, err := s.intend(ctx, r, person, issuer, shift, read)
	if err != nil {
		return Revealed{}, err
	}
	secret, err := issue(ctx, issuer, order)
	shown, err := s.enliven(ctx, g, c, secret, err)
	if shown.Replaced = replaced; issuer.Describe(g.Role.Verify).Class != grants.Instant {
		shown.Lingering = min(replaced, len(shown.Grant.InState(grants.Retiring)))
	}
	return shown, err
}

// mayReveal refuses whoever the grant does not belong to or who may no longer take part.
func (s *Service) mayReveal(g grants.Grant, p grants.Person) *Refusal {
	switch {
	case g.Person != p.Key:
		return &Refusal{Reasons: []grants.Reason{{Code: grants.NotYours}}}
	case p.Standing != grants.Member:
		return &Refusal{Reasons: []grants.Reason{{Code: grants.BadStanding, Detail: string(p.Standing)}}}
	case g.Basis == grants.ByOnCall && p.Frozen != "":
		return &Refusal{Role: &g.Role, Grant: &g, Reasons: []grants.Reason{{Code: grants.FrozenPerson, Detail: p.Frozen}}}
	case g.Reveals >= s.Limits.Reveals:
		return &Refusal{Role: &g.Role, Grant: &g, Reasons: []grants.Reason{{Code: grants.TooManyReveals, Count: g.Reveals}}}
	}
	return nil
}

// mostAhead is how far the clock may be off before nothing is issued any more: what is made would
// end at another time than it says.
const mostAhead = time.Minute

// clockOff refuses while the clock of this machine cannot be believed.
func (s *Service) clockOff(g grants.Grant) *Refusal {
	if s.Ahead == nil || s.Ahead().Abs() <= mostAhead {
		return nil
	}
	kick(s.alarmKick)
	return &Refusal{Role: &g.Role, Grant: &g, Reasons: []grants.Reason{{Code: grants.ClockOff, Detail: s.Ahead().Round(time.Second).String()}}}
}

// lookAtClock wakes somebody while the clock of this machine cannot be believed.
func (s *Service) lookAtClock(ctx context.Context) {
	if s.Ahead == nil {
		return
	}
	off := s.Ahead()
	if was := s.wrongClock; off.Abs() > mostAhead {
		s.wrongClock = true
		s.raise(ctx, alarm{Cause: causeClock, Since: s.now(), Summary: "The clock of the machine differs from Slack's by " + off.Abs().Round(time.Second).String() +
			". Nothing is issued while that is more than a minute: look at its time synchronisation."})
	} else if was {
		s.wrongClock = false
		s.calm(ctx, causeClock)
	}
}

// ready reports whether another credential may be minted now. It is asked before the wire
// and again inside the transaction of the intent.
func ready(g grants.Grant, r Showing, together time.Duration, now time.Time) error {
	if g.State != grants.Open || !g.Ends.After(now) {
		return ErrOver
	}
	var held []grants.Credential
	for _, c := range g.Credentials {
		if c.State != grants.Issuing && c.State != grants.Live {
			continue
		}
		wait := together
		if r.Replace && c.State == grants.Live {
			wait = min(together, twice)
		}
		if now.Sub(c.Intended) < wait {
			return ErrJustShown
		}
		if !r.ends(c) {
			held = append(held, c)
		}
	}
	if len(held) >= 2 {
		return &TwoLiveError{Grant: g, Oldest: held[0]}
	}
	return nil
}

// stillOnCall asks PagerDuty whether the person of a grant that is bound to a shift is on call at
// this second. Silence refuses a first reveal; a later one goes on until the known end. It
// returns what is now known of the shift.
func (s *Service) stillOnCall(ctx context.Context, g grants.Grant, p grants.Person, o Origin) (grants.Shift, time.Time, error) {
	if !g.BoundToShift() {
		return g.Shift, g.Read, nil
	}
	a := s.ask(ctx, p, g.Role, g.Ends.Sub(s.now()))
	switch {
	case ctx.Err() != nil:
		return g.Shift, g.Read, ctx.Err()
	case !a.Known && g.Reveals > 0:
		return g.Shift, g.Read, nil
	case !a.Known:
		reason := grants.Reason{Code: grants.CannotAsk, Detail: a.Why}
		return g.Shift, g.Read, s.refuse(ctx, o, g.ID, &Refusal{Role: &g.Role, Grant: &g, Reasons: []grants.Reason{reason}}, s.now())
	case a.OnCall:
		return a.Move(g.Shift), a.Read, nil
	}
	off, reason, err := s.confirmOff(ctx, g, p)
	if err != nil || !off {
		return g.Shift, g.Read, cmpErr(err, ErrBusy)
	}
	g, err = s.endOff(ctx, g.ID, reason)
	if err != nil {
		return g.Shift, g.Read, err
	}
	return g.Shift, g.Read, s.refuse(ctx, o, g.ID, &Refusal{Role: &g.Role, Grant: &g, Reasons: []grants.Reason{reason}}, s.now())
}

// cmpErr is the first error that is one.
func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// intend records that a credential is about to be issued, and what moved of the shift, in
// one transaction.
func (s *Service) intend(ctx context.Context, r Showing, p grants.Person, issuer Issuer, shift grants.Shift, read time.Time) (grants.Grant, grants.Credential, grants.Order, error) {
	var c grants.Credential
	var order grants.Order
	now := s.now()
	plan, err := s.planOf(ctx, r.Grant, p, issuer, shift, now)
	if err != nil {
		return grants.Grant{}, c, order, err
	}
	g, err := s.update(ctx, r.Grant, func(_ *ledger.View, g grants.Grant, _ due) (step, error) {
		var st step
		if err := ready(g, r, s.Limits.Together, now); err != nil {
			return st, err
		}
		if g.BoundToShift() && g.Shift != shift && !read.Before(g.Read) { // the poll may know it newer
			next, err := g.Follow(shift, read, now)
			if err != nil {
				return st, err
			}
			g = next
			st.moves = append(st.moves, move{g, bySystem(grants.KindShift, "reveal", now)})
		}
		if !g.Ends.After(now) {
			return st, ErrOver
		}
		g, retired, err := r.retire(g, now)
		if err != nil {
			return st, err
		}
		st.moves = append(st.moves, retired...)
		next, made, err := g.Intend(s.Ledger.Instance(), earlier(plan.Until, g.Ends), now)
		if err != nil {
			return st, err
		}
		g, c = next, made
		order = orderOf(g, p, now)
		order.Name, order.Until = c.Name, c.Expires
		e := byPerson(grants.KindIssuing, p.Key, now)
		e.Credential = c.Name
		st.moves = append(st.moves, move{g, e})
		return st, nil
	})
	if errors.Is(err, grants.ErrNotNow) {
		err = ErrOver
	}
	return g, c, order, err
}

// planOf asks the issuer what it would make, before there is an intent.
func (s *Service) planOf(ctx context.Context, id string, p grants.Person, issuer Issuer, shift grants.Shift, now time.Time) (grants.Plan, error) {
	g, _, err := s.get(ctx, id)
	if err != nil {
		return grants.Plan{}, err
	}
	if g.BoundToShift() && g.State == grants.Open {
		if next, err := g.Follow(shift, g.Read, now); err == nil {
			g = next
		}
	}
	if g.Ends.Sub(now) < issuer.Describe(g.Role.Verify).Least {
		return grants.Plan{}, ErrOver
	}
	plan, err := issuer.Plan(ctx, orderOf(g, p, now))
	if err != nil {
		return plan, fmt.Errorf("%w: %w", ErrIssuer, err)
	}
	return plan, nil
}

func orderOf(g grants.Grant, p grants.Person, now time.Time) grants.Order {
	return grants.Order{
		Grant: g.ID, Role: g.Role.Name, Person: p, Audience: g.Role.Audience, Scopes: g.Role.Scopes,
		Verify: g.Role.Verify, Now: now, Until: g.Ends,
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// issue calls the issuer, for less time than a credential may be Issuing.
func issue(ctx context.Context, issuer Issuer, order grants.Order) (grants.Secret, error) {
	ctx, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()
	return issuer.Issue(ctx, order)
}

// enliven records the result of issuing. Only a credential that became Live leaves.
func (s *Service) enliven(ctx context.Context, g grants.Grant, c grants.Credential, secret grants.Secret, issueErr error) (Revealed, error) {
	now := s.now()
	live := false
	g, err := s.update(ctx, g.ID, func(_ *ledger.View, g grants.Grant, _ due) (step, error) {
		live = false
		if issueErr == nil {
			next, err := g.Enliven(c.Ordinal, now)
			if err == nil {
				live = true
				return step{moves: []move{{next, credentialEvent(grants.KindLive, c, "reveal", now)}}}, nil
			}
			if !errors.Is(err, grants.ErrNotNow) {
				return step{}, err
			}
		}
		return undone(g, c, issueErr, now)
	})
	switch {
	case err != nil:
		return Revealed{}, err
	case live:
		return Revealed{Grant: g, Ordinal: c.Ordinal, Expires: c.Expires, Secret: secret}, nil
	case issueErr != nil:
		s.Log.Error("the target made no credential", "grant", g.ID, "role", g.Role.Name, "issuer", g.Role.Issuer, "error", issueErr)
		return Revealed{}, ErrIssuer
	}
	return Revealed{}, ErrOver
}

// undone retires a credential that nobody may see: issuing failed, or the grant ended
// meanwhile. An issuer that answered cannot act on it any more; one that gave an error may.
func undone(g grants.Grant, c grants.Credential, issueErr error, now time.Time) (step, error) {
	answered := issueErr == nil
	e := credentialEvent(grants.KindRetiring, c, "reveal", now)
	switch g.Credentials[c.Ordinal-1].State {
	case grants.Issuing:
		g, err := g.Retire(c.Ordinal, answered, now)
		return step{moves: []move{{g, e}}}, err
	case grants.Retiring:
		if !answered {
			return step{}, errNothing
		}
		g, err := g.Answer(c.Ordinal, now)
		return step{moves: []move{{g, e}}}, err
	}
	return step{}, errNothing
}

// Undelivered retires a credential at once whose secret Slack did not take: nobody may
// hold what nobody was surely shown.
func (s *Service) Undelivered(ctx context.Context, grant string, ordinal int, why string) error {
	now := s.now()
	_, err := s.update(ctx, grant, func(_ *ledger.View, g grants.Grant, _ due) (step, error) {
		if ordinal < 1 || ordinal > len(g.Credentials) {
			return step{}, ErrNoSuchGrant
		}
		c := g.Credentials[ordinal-1]
		if c.State != grants.Live {
			return step{}, errNothing
		}
		g, err := g.Undeliver(ordinal, now)
		e := credentialEvent(grants.KindUndelivered, c, "deliver", now)
		e.Detail = why
		return step{moves: []move{{g, e}}}, err
	})
	return err
}

// Active reports whether a credential of this name is Live in the ledger, under a grant
// that is open and has time left. This is what introspection answers, at once: it waits for no sweep.
func (s *Service) Active(ctx context.Context, name string) (bool, error) {
	id, ok := grants.GrantOf(s.Ledger.Instance(), name)
	if !ok {
		return false, nil
	}
	g, _, err := s.get(ctx, id)
	if errors.Is(err, ErrNoSuchGrant) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	now := s.now()
	for _, c := range g.InState(grants.Live) {
		if c.Name == name {
			return g.State == grants.Open && g.Ends.After(now) && c.Expires.After(now), nil
		}
	}
	return false, nil
}
