package service_test

import (
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// offline makes every role one whose services ask nobody.
func offline(w *world) {
	for i := range w.roles {
		w.roles[i].Verify = grants.Offline
	}
}

// A credential that nobody can cut is not called dead before it is, and that is no failure.
func TestAnOfflineCredentialOutlivesItsGrant(t *testing.T) {
	story(t, func(w *world) {
		offline(w)
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		r := w.shown(anna, g.ID)
		if left := time.Until(r.Expires); left > offlineFor {
			t.Fatalf("it is made for %s", left)
		}
		w.passes(5 * time.Second)
		_, err := w.revokes(ben, g.ID)
		w.must(err)
		w.passes(time.Until(r.Expires) + grants.ExpirySkew - time.Second)
		if g := w.sees(g.ID); g.State != grants.Closing || g.Credentials[0].State != grants.Retiring {
			t.Errorf("it still works, and the grant is %s and it is %s", g.State, g.Credentials[0].State)
		}
		if n, _ := w.board.last(g.ID, service.Card); n.Failing.Attempts != 0 || n.Does.Class != grants.AtExpiry {
			t.Errorf("the card says %+v of revoking, and %+v of the target", n.Failing, n.Does)
		}
		w.restarts() // what waits goes on waiting
		w.passes(2 * time.Second)
		if g := w.waits(g.ID, grants.Closed); g.Credentials[0].Evidence != grants.ExpiredFinding {
			t.Errorf("closed on %q", g.Credentials[0].Evidence)
		}
		for _, kind := range w.kinds(g.ID) {
			if kind == grants.KindFailing || kind == grants.KindRecovered {
				t.Errorf("waiting is recorded as %s", kind)
			}
		}
		if calls := w.target.asked("check"); calls > 4 {
			t.Errorf("the target was asked %d times for one credential", calls)
		}
		w.settles()
	})
}

// A program that fetches again gets a new one, and the one before ends by itself under the open grant.
func TestOfflineCredentialsEndOneByOne(t *testing.T) {
	story(t, func(w *world) {
		offline(w)
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		for range 4 {
			w.shown(anna, g.ID)
			w.passes(offlineFor + 2*grants.ExpirySkew)
		}
		for _, c := range w.sees(g.ID).Credentials {
			if c.State != grants.Gone || c.Evidence != grants.ExpiredFinding {
				t.Errorf("credential %d is %s, on %q", c.Ordinal, c.State, c.Evidence)
			}
		}
		first := w.shown(anna, g.ID)
		w.passes(3 * time.Second)
		start := time.Now()
		next, err := w.supersedes(anna, g.ID)
		w.must(err)
		if took := time.Since(start); next.Replaced != 1 || next.Lingering != 1 || took > time.Second {
			t.Errorf("replaced %d, lingering %d, after %s", next.Replaced, next.Lingering, took)
		}
		w.lives(first, false)
		w.passes(time.Hour)
		w.settles()
	})
}

// A target that still accepts a credential after its expiry is a failure like any other.
func TestAnOfflineCredentialThatDoesNotExpire(t *testing.T) {
	story(t, func(w *world) {
		offline(w)
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		w.shown(anna, g.ID)
		w.target.with(func(t *target) { t.undying = true })
		_, err := w.returns(anna, g.ID)
		w.must(err)
		w.passes(time.Minute)
		if n, _ := w.board.last(g.ID, service.Verdict); n.Failing.Attempts == 0 || n.Grant.State != grants.Closing {
			t.Errorf("the grant is %s, and revoking is said to be %+v", n.Grant.State, n.Failing)
		}
		w.target.with(func(t *target) { t.undying = false })
		w.passes(time.Hour)
		w.settles()
	})
}

func offlineScenarios() []scenario {
	return []scenario{
		{
			name:  "return, while a credential cannot be cut",
			world: offline,
			play: func(w *world, at time.Duration) {
				id := w.from(anna, orders)
				w.lasts(100 * time.Millisecond)
				opened := time.Now()
				_, _ = w.reveals(anna, id)
				w.moment(opened, offlineFor+grants.ExpirySkew, at)
				_, _ = w.returns(anna, id)
			},
		},
		{
			name:  "a replacement of what cannot be cut, at its expiry",
			world: offline,
			play: func(w *world, at time.Duration) {
				id := w.from(anna, orders)
				w.lasts(100 * time.Millisecond)
				opened := time.Now()
				_, _ = w.reveals(anna, id)
				w.moment(opened, offlineFor, at)
				_, _ = w.supersedes(anna, id)
			},
		},
		{
			name:  "restart while two credentials wait for their expiry",
			world: offline,
			first: func(w *world, at time.Duration) {
				id := w.from(anna, orders)
				w.lasts(100 * time.Millisecond)
				_, _ = w.reveals(anna, id)
				w.lasts(3 * time.Second)
				_, _ = w.supersedes(anna, id)
				w.lasts(time.Second)
				_, _ = w.returns(anna, id)
				w.lasts(around + at)
			},
		},
	}
}
