package service

import (
	"context"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// The times of a replacement.
const (
	twice          = 2 * time.Second        // presses closer than this are one
	slowPatience   = 4 * time.Second        // how long a slow target is waited for before the new secret
	slowLookAgain  = 100 * time.Millisecond // meanwhile
	replacedDetail = "its secret was seen"
)

// ends reports whether the showing ends a credential that may still work.
func (r Showing) ends(c grants.Credential) bool {
	return r.Replace && c.State == grants.Live || c.Ordinal == r.Ends
}

// retire makes the moves that end what the showing ends.
func (r Showing) retire(g grants.Grant, now time.Time) (grants.Grant, []move, error) {
	var moves []move
	for _, c := range g.Credentials {
		if !r.ends(c) || c.State != grants.Live && c.State != grants.Issuing {
			continue // one that is gone already needs no end
		}
		next, err := g.Retire(c.Ordinal, false, now) // one whose issuing was never answered has no answer now
		if err != nil {
			return g, nil, err
		}
		g = next
		e := credentialEvent(grants.KindRetiring, c, "reveal", now)
		if r.Replace {
			e.Actor, e.Detail = grants.Actor{Person: g.Person}, replacedDetail
		}
		moves = append(moves, move{g, e})
	}
	return g, moves, nil
}

// replace says how many credentials will be replaced. Where the target refuses them at once, they
// end with the transaction that intends the new one. Where it is slower, they end first, and
// the new secret waits for that, but not for ever: whoever presses this is in the middle of something.
func (s *Service) replace(ctx context.Context, g grants.Grant, issuer Issuer) (count int, err error) {
	count = len(g.InState(grants.Live))
	class := issuer.Describe(g.Role.Verify).Class
	if count == 0 || class == grants.Instant || class == grants.AtExpiry { // the last cannot be waited for
		return count, nil
	}
	now := s.now()
	_, err = s.update(ctx, g.ID, func(_ *ledger.View, g grants.Grant, _ due) (step, error) {
		_, moves, err := Showing{Replace: true}.retire(g, now)
		if err == nil && len(moves) == 0 {
			err = errNothing
		}
		return step{moves: moves}, err
	})
	if err != nil {
		return count, err
	}
	for end := now.Add(slowPatience); s.now().Before(end); {
		if g, _, err = s.get(ctx, g.ID); err != nil || len(g.InState(grants.Retiring)) == 0 {
			return count, err
		}
		if err := wait(ctx, slowLookAgain); err != nil {
			return count, err
		}
	}
	return count, nil
}
