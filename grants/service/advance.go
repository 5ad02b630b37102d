package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// This file and revoke.go are Advance: a grant's next thing, whoever noticed that it is due.

// askPatience bounds one question to PagerDuty; a press waits for it.
const askPatience = 5 * time.Second

// settle decides about a request that is due for it, whether it was just asked for or has its votes.
func (s *Service) settle(ctx context.Context, id string) error {
	g, d, err := s.get(ctx, id)
	if err != nil {
		return err
	}
	now := s.now()
	due := g.NextAt(d.Decide, d.Call).Decide
	if due.IsZero() || due.After(now) {
		return nil // somebody else was here first
	}
	if lapsed(g, now) || lapsedMore(g, now) || g.State == grants.Open && !g.Ends.After(now) {
		return s.deadline(ctx, id)
	}
	return s.decide(ctx, g)
}

// deadline does what time alone brings: the end of an open grant, the lapse of a request, a
// credential whose issuing was never answered, one that its target has let expire.
func (s *Service) deadline(ctx context.Context, id string) error {
	now := s.now()
	_, err := s.update(ctx, id, func(_ *ledger.View, g grants.Grant, _ due) (step, error) {
		moves, err := overdue(g, now)
		if err == nil && len(moves) == 0 {
			err = errNothing
		}
		return step{moves: moves}, err
	})
	return err
}

// overdue makes the moves that time alone brings. Restart makes the same ones.
func overdue(g grants.Grant, now time.Time) ([]move, error) {
	if lapsed(g, now) {
		g, err := g.Lapse(now)
		e := bySystem(grants.KindLapsed, "sweep", now)
		e.Outcome = grants.Lapsed
		return []move{{g, e}}, err
	}
	if g.State == grants.Open && !g.Ends.After(now) {
		outcome := grants.Expired
		if g.BoundToShift() && !g.Shift.Until.IsZero() && !g.Shift.Until.After(g.Ends) {
			outcome = grants.ShiftEnded
		}
		return end(g, outcome, grants.Actor{System: "sweep"}, nil, now)
	}
	g, moves, err := overdueMore(g, now)
	if err != nil {
		return nil, err
	}
	for _, c := range g.Credentials {
		lost := c.State == grants.Issuing && !now.Before(c.Since.Add(grants.IssuingPatience))
		spent := c.State == grants.Live && !now.Before(c.Expires.Add(grants.ExpirySkew))
		if !lost && !spent {
			continue
		}
		if g, err = g.Retire(c.Ordinal, false, now); err != nil {
			return nil, err
		}
		moves = append(moves, move{g, credentialEvent(grants.KindRetiring, c, "sweep", now)})
	}
	if g.State == grants.Closing && len(moves) == 0 {
		g, err := g.Close(now)
		if errors.Is(err, grants.ErrNotNow) {
			return nil, nil // something is still to be revoked
		}
		if err != nil {
			return nil, err
		}
		e := bySystem(grants.KindClosed, "sweep", now)
		e.Outcome = g.Outcome
		moves = append(moves, move{g, e})
	}
	return moves, nil
}

// lapsed reports whether a request waited for too long: for its votes, or for a decision that could
// not be recorded.
func lapsed(g grants.Grant, now time.Time) bool {
	switch g.State {
	case grants.Asked:
		return !now.Before(g.Asked.Add(g.Role.PendingFor))
	case grants.Pending:
		return !now.Before(g.PendingUntil)
	}
	return false
}

func credentialEvent(kind grants.Kind, c grants.Credential, part string, now time.Time) grants.Event {
	e := bySystem(kind, part, now)
	e.Credential = c.Name
	return e
}

// decide asks who is on call, decides on the whole input, and records the verdict if the
// grant is still the one that was decided about.
func (s *Service) decide(ctx context.Context, g grants.Grant) error {
	person, err := s.identify(g.Person)
	if err != nil {
		return err
	}
	in := grants.Input{
		Grant: g.ID, Asked: g.Duration, Person: person, Role: g.Role, Basis: g.Basis, Votes: g.Votes,
		Settle: s.Settle, Config: s.offer.Load().digest, Concerned: s.concerns(g.Role, person),
	}
	length := g.Duration
	if x, more := g.Extending(); more {
		in.Asked, in.Basis, in.Votes, in.Extension, in.Ends = x.By, x.Basis, x.Votes, x.Ordinal, g.Ends
		in.Held, in.Stale = g.Basis, !s.offers(g.Role)
		length = x.Wants(g, s.now()).Sub(s.now())
	}
	if in.Scarce = s.tooScarce() != nil; !in.Scarce {
		in.Answer = s.ask(ctx, person, g.Role, length)
	}
	if ctx.Err() != nil {
		return ctx.Err() // we are stopping: that is not PagerDuty's silence
	}
	in.Now = s.now()
	verdict := grants.Decide(in)
	_, err = s.update(ctx, g.ID, func(_ *ledger.View, cur grants.Grant, d due) (step, error) {
		if cur.Seq != g.Seq {
			return step{}, errNothing // it moved on; if something is still due, it comes again
		}
		if in.Extension > 0 {
			return appliedMore(cur, d, in, verdict)
		}
		return applied(cur, d, in, verdict)
	})
	return err
}

// applied is the step that a verdict makes of a request.
func applied(g grants.Grant, d due, in grants.Input, v grants.Verdict) (step, error) {
	e := bySystem("", "decide", in.Now)
	e.Input, e.Verdict, e.Reasons, e.Config = &in, &v, v.Reasons, in.Config
	var err error
	switch v.Decision {
	case grants.Allow:
		e.Kind = grants.KindOpened
		g, err = g.OpenUp(v, in.Now)
	case grants.Await:
		e.Kind = grants.KindPending
		g, err = g.Wait(v, in.Now)
	case grants.Refuse:
		e.Kind, e.Outcome = grants.KindRefused, grants.Refused
		g, err = g.Refuse(v, in.Now)
	case grants.Later:
		first := d.Decide.Attempts == 0
		d.Decide = d.Decide.After(in.Answer.Why, in.Now)
		if !first {
			return step{due: &d}, nil
		}
		e.Kind = grants.KindPending // told once; the retries are no events
		same := v                   // the event has the verdict as it was decided
		same.Voters, same.Shift, same.Read = g.Voters, g.Shift, g.Read
		g, err = g.Wait(same, in.Now)
		return step{moves: []move{{g, e}}, due: &d}, err
	default:
		err = fmt.Errorf("unknown decision %q", v.Decision)
	}
	return step{moves: []move{{g, e}}, due: &due{}}, err
}

// ask asks PagerDuty, live, about a person and a role. Where the shift would cut the time
// that is asked for, what follows the present entry is read too: the same person may go on.
func (s *Service) ask(ctx context.Context, p grants.Person, role grants.Role, duration time.Duration) grants.Answer {
	if p.PagerDuty == "" && len(role.OnCall) == 0 {
		return grants.Answer{Known: true, Read: s.now()}
	}
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	live, err := s.entries(ctx, role.OnCall, []string{p.PagerDuty}, s.now().Add(duration))
	if err != nil {
		s.Log.Warn("asking PagerDuty who is on call", "role", role.Name, "person", string(p.Key), "error", err)
		return grants.Answer{Why: silence(err)}
	}
	live = s.bridged(live)
	return grants.Look(p, role, live, s.past(live), s.Settle, s.now())
}

// entries reads who is on call now, and what follows where one of the users would be off
// call before the time until.
func (s *Service) entries(ctx context.Context, sources []grants.Source, users []string, until time.Time) (grants.Snapshot, error) {
	live, err := s.OnCall.Entries(ctx, sources, time.Time{}, time.Time{})
	if err != nil {
		return live, err
	}
	now := s.now()
	for _, user := range users {
		shift, on := grants.ShiftAt(user, sources, live.Entries, now)
		if !on || shift.Until.IsZero() || !shift.Until.Before(until) {
			continue
		}
		ahead, err := s.OnCall.Entries(ctx, sources, now, now.Add(horizon))
		if err != nil {
			return live, err
		}
		for _, e := range ahead.Entries {
			if e.Start.After(live.Read) { // what covers now, the live answer said
				live.Entries = append(live.Entries, e)
			}
		}
		return live, nil
	}
	return live, nil
}

// silence names why PagerDuty did not answer, without its error's text: the reason is
// shown to people and recorded.
func silence(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "it did not answer in time"
	}
	return "it could not be reached or did not answer as it should"
}
