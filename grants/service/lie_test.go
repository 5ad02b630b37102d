package service_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// A target that answers "revoked" and keeps the credential is not believed: the grant stays Closing until
// the target itself finds the credential dead.
func TestATargetThatLies(t *testing.T) {
	story(t, func(w *world) {
		w.lying = true
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		name := w.shown(anna, g.ID).Grant.Credentials[0].Name
		_, err := w.returns(anna, g.ID)
		w.must(err)
		w.passes(6 * time.Hour)

		if g = w.sees(g.ID); g.State != grants.Closing || g.Credentials[0].State != grants.Retiring {
			t.Errorf("the grant is %s, its credential %s", g.State, g.Credentials[0].State)
		}
		if got := w.target.works(); !cmp.Equal(got, []string{name}) {
			t.Errorf("the target opens for %v, and no longer for %s: the test proves nothing", got, name)
		}
		if n, _ := w.board.last(g.ID, service.Verdict); n.Failing.Attempts == 0 {
			t.Error("its person is not shown that revoking fails")
		}
		// Whoever is paged reads of it here: one cause, told once.
		if failing := count(w.kinds(g.ID), grants.KindFailing); failing != 1 {
			t.Errorf("%d events say that revoking fails, want one", failing)
		}

		w.lying = false
		w.restarts()
		w.passes(10 * time.Minute)
		if g = w.waits(g.ID, grants.Closed); g.Credentials[0].Evidence != grants.AbsentFinding {
			t.Errorf("closed on %q", g.Credentials[0].Evidence)
		}
		w.settles()
	})
}

func count(kinds []grants.Kind, kind grants.Kind) int {
	return len(slices.DeleteFunc(slices.Clone(kinds), func(k grants.Kind) bool { return k != kind }))
}
