package service_test

import (
	"os"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// outage is how many grants of each target end while one of the targets is down.
func outage() int {
	switch {
	case os.Getenv("NIGHTLATCH_FULL") != "":
		return 500
	case raceDetector:
		return 20
	}
	return 50
}

// A target that is down for an hour while many grants of it and of another end: those of the other
// end on time, its own are tried by so many calls at once and no more, and somebody is paged once.
func TestATargetThatIsDownHoldsUpNobody(t *testing.T) {
	story(t, func(w *world) {
		many, b := outage(), &beeper{}
		w.pagers, w.other = []service.Pager{b}, newTarget(t)
		w.limits = service.Limits{PerPerson: 2*many + 1, InAll: 2*many + 1}
		w.roles[0].Issuer, w.roles[0].Channel = "safe", ""
		w.opens()
		end := w.at(time.Hour)
		var safe, stuck []string
		for range many {
			for role, ids := range map[string]*[]string{orders: &safe, quiet: &stuck} {
				g := w.opened(anna, role, time.Until(end))
				w.shown(anna, g.ID)
				*ids = append(*ids, g.ID)
			}
		}
		w.passes(time.Until(end.Add(-time.Minute)))
		w.target.with(func(t *target) {
			t.revoking, t.most = faults{Calls: -1, Delay: 2 * time.Second, Err: errUnreachable}, 0
		})
		w.passes(time.Minute + 30*time.Second)
		count := func(ids []string, s grants.State) (n int) {
			for _, id := range ids {
				if w.sees(id).State == s {
					n++
				}
			}
			return n
		}
		if n := count(safe, grants.Closed); n != many {
			t.Errorf("half a minute after their end %d of the other target's %d grants are closed", n, many)
		}
		w.passes(time.Hour)
		if n := count(stuck, grants.Closing); n != many {
			t.Errorf("%d of %d grants of the target that is down are closing", n, many)
		}
		w.paged(b, "target/vault/1")
		w.target.with(func(t *target) { t.revoking = faults{} })
		w.passes(10 * time.Minute)
		if n := count(stuck, grants.Closed); n != many {
			t.Errorf("ten minutes after it is back %d of %d are closed", n, many)
		}
		w.paged(b, "target/vault/1", "target/vault/1 over")
		if w.target.most > 4 {
			t.Errorf("%d calls at once", w.target.most)
		}
		w.settles()
	})
}
