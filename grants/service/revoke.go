package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// callPatience bounds one call to an issuer. It is shorter than grants.IssuingPatience, so
// that a call that was given up is never taken for lost while it may still be answered.
const callPatience = 10 * time.Second

// retire revokes a grant's retiring credentials and records the evidence. The claim is a
// transaction of its own: it pushes the next attempt past this one, so that a crash in
// between costs a delay and never a double.
func (s *Service) retire(ctx context.Context, id string) error {
	now := s.now()
	var claimed due
	var work []grants.Credential
	g, err := s.update(ctx, id, func(_ *ledger.View, g grants.Grant, d due) (step, error) {
		claimed, work = d, nil
		next := g.NextAt(d.Decide, d.Call).Call
		if g.ID == "" || next.IsZero() || next.After(now) {
			return step{}, errNothing
		}
		work = g.InState(grants.Retiring)
		d.Call.NotBefore = now.Add(callPatience + time.Second)
		return step{due: &d}, nil
	})
	if err != nil || len(work) == 0 {
		return err
	}
	found, callErr := s.revokeAll(ctx, g, work)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.bury(ctx, id, claimed, now, work, found, callErr)
}

// revokeAll calls the issuer for each credential and asks for evidence. It returns what it found, in order.
func (s *Service) revokeAll(ctx context.Context, g grants.Grant, work []grants.Credential) ([]grants.Finding, error) {
	found := make([]grants.Finding, len(work))
	issuer, ok := s.Issuers[g.Role.Issuer]
	if !ok {
		return found, fmt.Errorf("issuer %q is not configured", g.Role.Issuer)
	}
	does := issuer.Describe(g.Role.Verify)
	var errs []error
	for i, c := range work {
		now := s.now()
		ctx, cancel := context.WithTimeout(ctx, callPatience/time.Duration(len(work)))
		err := issuer.Revoke(ctx, c.Name)
		if err != nil {
			err = fmt.Errorf("revoking %s: %w", c.Name, err)
		} else if found[i], err = issuer.Check(ctx, grants.Handle{Name: c.Name, Verify: g.Role.Verify, Expires: c.Expires}, now); err != nil {
			found[i], err = "", fmt.Errorf("checking %s: %w", c.Name, err)
		} else if !found[i].Dead() && !now.Before(does.Dies(c)) {
			err = fmt.Errorf("checking %s: revoked, and the target still finds it %s", c.Name, found[i])
		}
		cancel()
		errs = append(errs, err)
	}
	return found, errors.Join(errs...)
}

// bury records the evidence of what was found dead, and closes a closing grant whose last
// credential it was. What would not die is tried again, with back-off, for ever. Evidence counts
// as old as the call that brought it: what was absent then may have come to life since.
func (s *Service) bury(ctx context.Context, id string, d due, asked time.Time, work []grants.Credential, found []grants.Finding, callErr error) error {
	now := s.now()
	var lags []time.Duration
	_, err := s.update(ctx, id, func(_ *ledger.View, g grants.Grant, cur due) (step, error) {
		st := step{due: &cur}
		lags = nil
		wait, waiting := time.Time{}, 0
		for i, c := range work {
			if dies := s.does(g).Dies(c); !found[i].Dead() && !dies.IsZero() && g.Credentials[c.Ordinal-1].State == grants.Retiring {
				wait = sooner(wait, dies) // no failure: it was known that nobody can cut it
				waiting++
			}
			if !found[i].Dead() || g.Credentials[c.Ordinal-1].State != grants.Retiring {
				continue
			}
			if !c.Conclusive(asked) { // as it was when the target was asked
				if !g.Credentials[c.Ordinal-1].Answered {
					wait = sooner(wait, c.Intended.Add(grants.IssuingPatience))
					waiting++
				}
				continue
			}
			next, err := g.Bury(c.Ordinal, found[i], now)
			if err != nil {
				return st, err
			}
			lags = append(lags, lagOf(g, g.Credentials[c.Ordinal-1], now))
			g = next
			e := credentialEvent(grants.KindGone, c, "revoke", now)
			e.Evidence = found[i]
			st.moves = append(st.moves, move{g, e})
		}
		if len(g.InState(grants.Retiring)) > waiting {
			wait = time.Time{} // another one came meanwhile, and need not wait
		}
		outcome(&st, &cur, g, d, wait, callErr, now)
		if closed, err := g.Close(now); err == nil {
			e := bySystem(grants.KindClosed, "revoke", now)
			e.Outcome = closed.Outcome
			st.moves = append(st.moves, move{closed, e})
		} else if !errors.Is(err, grants.ErrNotNow) {
			return st, err
		}
		return st, nil
	})
	if callErr != nil {
		s.Log.Warn("revoking does not succeed, trying again", "grant", id, "error", callErr)
	}
	if err == nil {
		s.counts.proven(lags)
	}
	return err
}

// does is what the issuer of a grant can do; nothing when it is not configured.
func (s *Service) does(g grants.Grant) (d grants.Description) {
	if issuer, ok := s.Issuers[g.Role.Issuer]; ok {
		d = issuer.Describe(g.Role.Verify)
	}
	return d
}

// sooner is the earlier of two times, of which the first may be none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// outcome says when to try next, and makes the first failure and the recovery events.
func outcome(st *step, cur *due, g grants.Grant, before due, wait time.Time, callErr error, now time.Time) {
	switch {
	case callErr != nil:
		if before.Call.Attempts == 0 {
			e := bySystem(grants.KindFailing, "revoke", now)
			e.Grant, e.Detail = g.ID, "the target does not revoke; tried again until it does"
			st.events = append(st.events, e)
		}
		cur.Call = before.Call.After(callErr.Error(), now)
	default:
		if before.Call.Attempts > 0 {
			e := bySystem(grants.KindRecovered, "revoke", now)
			e.Grant, e.Count = g.ID, before.Call.Attempts
			st.events = append(st.events, e)
		}
		cur.Call = grants.Retry{NotBefore: wait}
	}
}
