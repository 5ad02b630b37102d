package service_test

import (
	"testing"
	"time"

	"nightlatch/grants"
)

// The target is asked before the call that issues takes effect, and answers after that call
// was answered: "absent" was true when it was seen, and proves nothing.
func TestEvidenceFromBeforeTheAnswerIsNoProof(t *testing.T) {
	story(t, func(w *world) {
		w.target.with(func(t *target) {
			t.effect, t.answer = 7500*time.Millisecond, 500*time.Millisecond
			t.cut = 4500 * time.Millisecond // asked at 6.75 s, answered at 9 s
		})
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		w.meanwhile(func() {
			if r, err := w.reveals(anna, g.ID); err == nil {
				t.Errorf("a secret left though the grant was returned: %v", r.Ordinal)
			}
		})
		w.passes(200 * time.Millisecond)
		if _, err := w.returns(anna, g.ID); err != nil {
			t.Fatal(err)
		}
		w.passes(2 * time.Minute)
		if g = w.waits(g.ID, grants.Closed); g.Credentials[0].Evidence != grants.AbsentFinding {
			t.Errorf("closed on %q", g.Credentials[0].Evidence)
		}
		if left := w.target.works(); len(left) > 0 {
			t.Errorf("the grant is closed and the target still opens for %v", left)
		}
		w.settles()
	})
}
