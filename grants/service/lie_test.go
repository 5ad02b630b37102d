package service_test

import (
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
		b := &beeper{}
		w.pagers, w.lying = []service.Pager{b}, true
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
		w.paged(b, "target/vault/1")
		if failing := w.ofKind(grants.KindFailing); failing != 1 {
			t.Errorf("%d events say that revoking fails, want one", failing)
		}

		w.lying = false
		w.restarts()
		w.passes(10 * time.Minute)
		if g = w.waits(g.ID, grants.Closed); g.Credentials[0].Evidence != grants.AbsentFinding {
			t.Errorf("closed on %q", g.Credentials[0].Evidence)
		}
		w.passes(time.Minute)
		w.paged(b, "target/vault/1", "target/vault/1 over")
		w.settles()
	})
}
