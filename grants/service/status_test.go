package service_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// status is how the service says that it is.
func (w *world) status() service.Status {
	w.t.Helper()
	st, err := w.svc.Status(w.ctx)
	w.must(err)
	return st
}

// lags are how many revocations took at most a second, and how many more.
func lags(h service.Histogram) (quick, slow uint64) {
	for i, n := range h.Counts {
		if bounds := service.LagBounds(); i < len(bounds) && bounds[i] <= time.Second {
			quick += n
		} else {
			slow += n
		}
	}
	return quick, slow
}

// TestStatusCountsANight: what is open, what was decided and why, and how late a revocation was.
func TestStatusCountsANight(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		w.passes(time.Minute)
		st := w.status()
		if st.Pending+st.Open+st.Closing != 0 || st.Recorded[grants.KindStarted] != 1 || st.Answered.IsZero() || st.Read.IsZero() {
			t.Errorf("at the start: %+v", st)
		}
		if age := st.At.Sub(st.Answered); age > 31*time.Second {
			t.Errorf("PagerDuty's answer is %s old", age)
		}
		g := w.opened(anna, orders, time.Hour)
		w.shown(anna, g.ID)
		_, err := w.asks(cleo, ledgers, time.Hour)
		w.must(err)
		_, err = w.asks(gus, orders, time.Hour)
		if err == nil {
			t.Error("a guest was let in")
		}
		w.passes(5 * time.Second)
		st = w.status()
		if st.Open != 1 || st.Pending != 1 || st.Closing != 0 || st.Recorded[grants.KindAsked] != 2 {
			t.Errorf("with one open and one pending: %+v", st)
		}
		for under, want := range map[service.VerdictCount]uint64{
			{Decision: grants.Allow, Reason: grants.OnCallNow}:       1,
			{Decision: service.Rejected, Reason: grants.BadStanding}: 1,
			{Decision: grants.Await, Reason: grants.NotOnCall}:       1,
		} {
			if st.Verdicts[under] != want {
				t.Errorf("%+v: %d times in %v", under, st.Verdicts[under], st.Verdicts)
			}
		}
		before := st.Commits
		w.passes(time.Hour + 5*time.Second)
		st = w.status()
		if quick, slow := lags(st.Lag); quick != 1 || slow != 0 || st.Open != 0 || st.Commits <= before {
			t.Errorf("after the end: %d quick, %d slow, %+v", quick, slow, st)
		}
		if st.Events != int64(len(w.events())) {
			t.Errorf("%d events, and the ledger has %d", st.Events, len(w.events()))
		}
	})
}

// TestStatusShowsATargetThatFails: since when, and that its end came late.
func TestStatusShowsATargetThatFails(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		w.shown(anna, g.ID)
		w.target.with(func(t *target) { t.revoking = faults{Calls: -1, Err: errUnreachable} })
		w.passes(time.Hour + 2*time.Minute)
		st := w.status()
		got := st.Targets["vault"]
		if got.Waiting != 1 || got.Failing != 1 || st.Closing != 1 || st.At.Sub(got.Since).Round(time.Minute) != 2*time.Minute {
			t.Errorf("failing: %+v", st)
		}
		w.target.with(func(t *target) { t.revoking = faults{} })
		w.waits(g.ID, grants.Closed)
		st = w.status()
		if diff := cmp.Diff(service.Target{}, st.Targets["vault"]); diff != "" {
			t.Error(diff)
		}
		if quick, slow := lags(st.Lag); quick != 0 || slow != 1 || st.Lag.Sum < 2*time.Minute {
			t.Errorf("%d quick, %d slow, %s", quick, slow, st.Lag.Sum)
		}
	})
}

// TestStatusShowsWhatNobodyIsTold: while Slack is away, the messages that wait, and for how long.
func TestStatusShowsWhatNobodyIsTold(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		w.board.breaks(faults{Calls: -1, Err: errUnreachable})
		w.opened(anna, orders, time.Hour)
		w.passes(time.Minute)
		st := w.status()
		got := st.Untold[service.Verdict]
		if got.Count != 1 || st.At.Sub(got.Since).Round(time.Minute) != time.Minute {
			t.Errorf("untold: %+v", st.Untold)
		}
		w.board.breaks(faults{})
		w.settles()
		if got := w.status().Untold[service.Verdict]; got != (service.Backlog{}) {
			t.Errorf("still untold: %+v", got)
		}
	})
}
