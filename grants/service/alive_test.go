package service_test

import (
	"testing"
	"time"
)

// TestAliveWhateverFails: neither rest, nor PagerDuty's silence, nor a target that fails as slowly
// as it may, nor a jump of a grant's end makes the sweep look dead.
func TestAliveWhateverFails(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		fresh := func(most time.Duration) {
			t.Helper()
			if age := time.Since(w.svc.Alive()); age > most {
				t.Errorf("the last sign of life is %s old", age)
			}
		}
		w.passes(time.Hour)
		fresh(time.Second)

		g := w.opened(anna, orders, time.Hour)
		w.shown(anna, g.ID)
		w.target.with(func(t *target) { t.revoking = faults{Calls: -1, Delay: time.Minute, Err: errUnreachable} })
		w.pager.breaks(faults{Calls: -1, Delay: time.Minute, Err: errUnreachable})
		_, err := w.returns(anna, g.ID)
		w.must(err)
		for range 100 {
			w.passes(time.Second)
			fresh(12 * time.Second)
		}
	})
}

// TestAliveStopsWithOneWorker: one worker that hangs is missed, though its lane and all others
// go on: nobody else would take its grant.
func TestAliveStopsWithOneWorker(t *testing.T) {
	story(t, func(w *world) {
		if !w.opens().svc.Alive().Before(time.Now().Add(time.Nanosecond)) {
			t.Error("alive in the future")
		}
		g := w.opened(anna, orders, time.Hour)
		w.shown(anna, g.ID)
		hang, reached := make(chan struct{}), false
		w.target.with(func(t *target) { t.hang = func() { reached = true; <-hang } })
		_, err := w.returns(anna, g.ID)
		w.must(err)
		w.passes(time.Minute)
		if !reached {
			t.Fatal("nothing was revoked")
		}
		if age := time.Since(w.svc.Alive()); age < 50*time.Second {
			t.Errorf("the last sign of life is %s old, and a worker hangs for a minute", age)
		}
		close(hang)
		w.passes(2 * time.Second)
		if age := time.Since(w.svc.Alive()); age > time.Second {
			t.Errorf("the last sign of life is %s old, and nothing hangs any more", age)
		}
	})
}
