package service_test

import (
	"time"

	"nightlatch/grants"
)

// scenarios are the lives that the crash matrix ends at every commit. The times are those of
// hasty roles: a request is pending for 10 s and open for 20 s.
func scenarios() []scenario {
	all := requestScenarios()
	all = append(all, endingScenarios()...)
	all = append(all, issuingScenarios()...)
	all = append(all, offlineScenarios()...)
	all = append(all, bearerScenarios()...)
	all = append(all, extensionScenarios()...)
	all = append(all, peopleScenarios()...)
	return append(all, restartScenarios()...)
}

// The deadlines of hasty roles.
const (
	pendingFor = 10 * time.Second
	openFor    = 20 * time.Second
)

// from gives a grant that was asked for, or none when the process died over it.
func (w *world) from(user, role string) string {
	g, _ := w.asks(user, role, openFor)
	return g.ID
}

// until waits for the moment d after a time, while the process lives.
func (w *world) until(since time.Time, d time.Duration) { w.lasts(time.Until(since.Add(d))) }

// moment waits for a deadline d after a time, moved by at. Up to the first moment of the grid
// all shifts play the same, so a death before it is died once.
func (w *world) moment(since time.Time, d, at time.Duration) {
	w.until(since, d-around)
	w.mu.Lock()
	if w.same == 0 {
		w.same = w.dying.Commits()
	}
	w.mu.Unlock()
	w.until(since, d+at)
}

func requestScenarios() []scenario {
	return []scenario{
		{
			name: "request at the shift's end",
			world: func(w *world) {
				w.pager.ends(seat(anna), policy, w.at(5*time.Second))
			},
			play: func(w *world, at time.Duration) {
				w.moment(time.Now(), 5*time.Second, at)
				w.from(anna, orders)
			},
		},
		{
			name: "vote at the lapse",
			play: func(w *world, at time.Duration) {
				asked := time.Now()
				id := w.from(anna, ledgers)
				w.moment(asked, pendingFor, at)
				_, _ = w.votes(cleo, id, true)
				w.lasts(time.Second)
				_, _ = w.reveals(anna, id)
			},
		},
		{
			name: "yes and no at the lapse",
			play: func(w *world, at time.Duration) {
				asked := time.Now()
				id := w.from(anna, ledgers)
				w.meanwhile(func() {
					w.moment(asked, pendingFor, at)
					_, _ = w.votes(cleo, id, false)
				})
				w.until(asked, pendingFor)
				_, _ = w.votes(dan, id, true)
			},
		},
		{
			name: "a no explained while it is being told",
			play: func(w *world, at time.Duration) {
				id := w.from(anna, ledgers)
				w.lasts(time.Second)
				denied := time.Now()
				_, _ = w.votes(cleo, id, false)
				w.moment(denied, 250*time.Millisecond, at)
				_, _ = w.explains(cleo, id, "the database is being moved")
			},
		},
		{
			name: "two votes off call, the second at the lapse",
			play: func(w *world, at time.Duration) {
				asked := time.Now()
				id := w.from(fay, ledgers)
				w.until(asked, time.Second)
				_, _ = w.votes(cleo, id, true)
				w.moment(asked, pendingFor, at)
				_, _ = w.votes(dan, id, true)
				w.lasts(time.Second)
				_, _ = w.reveals(fay, id)
			},
		},
		{
			name: "withdrawal at the lapse",
			play: func(w *world, at time.Duration) {
				asked := time.Now()
				id := w.from(anna, ledgers)
				w.moment(asked, pendingFor, at)
				_, _ = w.withdraws(anna, id)
			},
		},
		{
			name: "withdrawal while PagerDuty answers",
			play: func(w *world, at time.Duration) {
				w.pager.breaks(faults{Calls: -1, Delay: 300 * time.Millisecond})
				asked := time.Now()
				id := w.from(anna, orders)
				w.moment(asked, 300*time.Millisecond, at)
				_, _ = w.withdraws(anna, id)
				w.pager.breaks(faults{})
			},
		},
		{
			name: "vote while PagerDuty is silent, until the lapse",
			play: func(w *world, at time.Duration) {
				asked := time.Now()
				id := w.from(anna, ledgers)
				w.lasts(time.Second)
				w.pager.breaks(faults{Calls: -1, Err: errUnreachable})
				_, _ = w.votes(cleo, id, true)
				w.moment(asked, pendingFor, at)
				w.pager.breaks(faults{})
			},
		},
		{
			name: "lapse",
			play: func(w *world, at time.Duration) {
				asked := time.Now()
				w.from(anna, ledgers)
				w.moment(asked, pendingFor, at)
				w.from(ben, ledgers)
			},
		},
	}
}

func endingScenarios() []scenario {
	// revealed opens a grant, reveals once and gives when it was opened.
	revealed := func(w *world) (string, time.Time) {
		id := w.from(anna, orders)
		opened := time.Now()
		w.lasts(100 * time.Millisecond)
		_, _ = w.reveals(anna, id)
		return id, opened
	}
	return []scenario{
		{
			name: "return at the end",
			play: func(w *world, at time.Duration) {
				id, opened := revealed(w)
				w.moment(opened, openFor, at)
				_, _ = w.returns(anna, id)
			},
		},
		{
			name: "revocation at the end",
			play: func(w *world, at time.Duration) {
				id, opened := revealed(w)
				w.moment(opened, openFor, at)
				_, _ = w.revokes(ben, id)
			},
		},
		{
			name:  "reveal at the shift's end",
			world: func(w *world) { w.pager.ends(seat(anna), policy, w.at(12*time.Second)) },
			play: func(w *world, at time.Duration) {
				started := time.Now()
				id, _ := revealed(w)
				w.moment(started, 12*time.Second, at)
				_, _ = w.reveals(anna, id)
			},
		},
		{
			name: "swap seen by the poll, and a return",
			play: func(w *world, at time.Duration) {
				started := time.Now()
				w.until(started, 15*time.Second)
				id, _ := revealed(w)
				w.pager.ends(seat(anna), policy, w.at(0))
				w.moment(started, 31*time.Second, at)
				_, _ = w.returns(anna, id)
			},
		},
		{
			name:  "lengthened by the poll, revealed again",
			world: func(w *world) { w.pager.ends(seat(anna), policy, w.at(31*time.Second)) },
			play: func(w *world, at time.Duration) {
				started := time.Now()
				w.until(started, 15*time.Second)
				id, _ := revealed(w)
				w.pager.ends(seat(anna), policy, w.at(time.Hour))
				w.moment(started, 30*time.Second, at)
				_, _ = w.reveals(anna, id)
			},
		},
		{
			name: "return to a target that fails at first",
			play: func(w *world, at time.Duration) {
				id, opened := revealed(w)
				w.until(opened, openFor-2*time.Second)
				w.target.with(func(t *target) { t.revoking = faults{Calls: 3, Err: errUnreachable} })
				w.moment(opened, openFor, at)
				_, _ = w.returns(anna, id)
			},
		},
		{
			name: "undelivered at the end",
			play: func(w *world, at time.Duration) {
				id := w.from(anna, orders)
				opened := time.Now()
				w.lasts(100 * time.Millisecond)
				r, err := w.reveals(anna, id)
				w.moment(opened, openFor, at)
				if err == nil {
					_ = w.svc.Undelivered(w.ctx, id, r.Ordinal, "Slack did not take it")
				}
			},
		},
		{
			name: "person gone",
			play: func(w *world, at time.Duration) {
				id, opened := revealed(w)
				w.meanwhile(func() {
					w.moment(opened, openFor, at)
					_, _ = w.returns(anna, id)
				})
				w.slack.changes(anna, func(u *grants.SlackUser) { u.Deleted = true })
				w.until(opened, openFor)
			},
		},
	}
}

func issuingScenarios() []scenario {
	return []scenario{
		{
			name: "reveal twice, ten seconds apart",
			play: func(w *world, at time.Duration) {
				id := w.from(anna, orders)
				w.lasts(100 * time.Millisecond)
				first := time.Now()
				_, _ = w.reveals(anna, id)
				w.moment(first, 10*time.Second, at)
				_, _ = w.reveals(anna, id)
			},
		},
		{
			name: "reveal twice, the second at the end",
			play: func(w *world, at time.Duration) {
				id := w.from(anna, orders)
				opened := time.Now()
				w.lasts(100 * time.Millisecond)
				_, _ = w.reveals(anna, id)
				w.moment(opened, openFor-100*time.Millisecond, at)
				_, _ = w.reveals(anna, id)
			},
		},
		{
			name: "replace at the end",
			play: func(w *world, at time.Duration) {
				id := w.from(anna, orders)
				opened := time.Now()
				w.lasts(100 * time.Millisecond)
				r, _ := w.reveals(anna, id)
				w.moment(opened, openFor-100*time.Millisecond, at)
				_, _ = w.replaces(anna, id, r.Ordinal)
			},
		},
		{
			name:  "issuing slowly across the end",
			world: func(w *world) { w.target.effect, w.target.answer = time.Second, 200*time.Millisecond },
			play: func(w *world, at time.Duration) {
				id := w.from(anna, orders)
				opened := time.Now()
				w.moment(opened, openFor-time.Second, at)
				_, _ = w.reveals(anna, id)
			},
		},
		{
			name:  "issuing slowly across a return",
			world: func(w *world) { w.target.effect, w.target.answer = time.Second, 200*time.Millisecond },
			play: func(w *world, at time.Duration) {
				id := w.from(anna, orders)
				w.lasts(100 * time.Millisecond)
				pressed := time.Now()
				w.meanwhile(func() { _, _ = w.reveals(anna, id) })
				w.moment(pressed, time.Second, at)
				_, _ = w.returns(anna, id)
			},
		},
		{
			name: "a replacement at the end",
			play: func(w *world, at time.Duration) {
				id := w.from(anna, orders)
				w.lasts(100 * time.Millisecond)
				opened := time.Now()
				_, _ = w.reveals(anna, id)
				w.moment(opened, openFor-100*time.Millisecond, at)
				_, _ = w.supersedes(anna, id)
			},
		},
		{
			name:  "a replacement at a slow target",
			world: func(w *world) { w.target.class, w.target.cut = grants.Seconds, 400*time.Millisecond },
			play: func(w *world, at time.Duration) {
				id := w.from(anna, orders)
				w.lasts(100 * time.Millisecond)
				_, _ = w.reveals(anna, id)
				shown := time.Now()
				w.until(shown, 11*time.Second)
				w.meanwhile(func() { _, _ = w.supersedes(anna, id) })
				w.moment(shown, 11*time.Second+around, at)
				_, _ = w.returns(anna, id)
			},
		},
		{
			name:  "issuing given up, and works all the same",
			world: func(w *world) { w.target.effect = 10 * time.Second },
			play: func(w *world, at time.Duration) {
				id := w.from(anna, orders)
				w.lasts(100 * time.Millisecond)
				pressed := time.Now()
				w.meanwhile(func() { _, _ = w.reveals(anna, id) })
				w.moment(pressed, 10*time.Second, at)
				_, _ = w.returns(anna, id)
			},
		},
		{
			name: "issuing works as late as patience lasts",
			world: func(w *world) {
				w.target.effect = grants.IssuingPatience - time.Millisecond
				w.target.cut = 400 * time.Millisecond
			},
			play: func(w *world, at time.Duration) {
				id := w.from(anna, orders)
				w.lasts(100 * time.Millisecond)
				pressed := time.Now()
				w.meanwhile(func() { _, _ = w.reveals(anna, id) })
				w.moment(pressed, grants.IssuingPatience, at)
				_, _ = w.returns(anna, id)
			},
		},
	}
}

func restartScenarios() []scenario {
	return []scenario{
		{
			name: "restart among the busy",
			// A grant in every state is left behind: open with a live credential and one
			// half-made, pending, and closing with a target that fails.
			first: func(w *world, at time.Duration) {
				id := w.from(anna, orders)
				w.lasts(100 * time.Millisecond)
				_, _ = w.reveals(anna, id)
				w.lasts(8 * time.Second)
				w.from(ben, ledgers)
				other := w.from(anna, quiet)
				w.lasts(100 * time.Millisecond)
				_, _ = w.reveals(anna, other)
				w.target.with(func(t *target) { t.revoking = faults{Calls: 2, Err: errUnreachable} })
				_, _ = w.returns(anna, other)
				w.lasts(1800 * time.Millisecond)
				w.meanwhile(func() { _, _ = w.reveals(anna, id) })
				w.lasts(around + at)
			},
		},
		{
			name: "restart after the end of two grants, the home open",
			first: func(w *world, at time.Duration) {
				_ = w.svc.OpenHome(w.ctx, person(anna))
				w.from(anna, orders)
				id := w.from(anna, quiet)
				w.lasts(100 * time.Millisecond)
				opened := time.Now()
				_, _ = w.reveals(anna, id)
				w.until(opened, openFor+at)
			},
		},
		{
			name: "restart at the end, with a credential half-made",
			first: func(w *world, at time.Duration) {
				w.target.effect = 2 * time.Second
				id := w.from(anna, orders)
				opened := time.Now()
				w.until(opened, openFor-time.Second)
				w.meanwhile(func() { _, _ = w.reveals(anna, id) })
				w.until(opened, openFor+at)
			},
		},
		{
			name: "restart as patience ends, and issuing works only then",
			world: func(w *world) {
				w.target.effect = grants.IssuingPatience - time.Millisecond
				w.target.cut = 120 * time.Millisecond
			},
			first: func(w *world, at time.Duration) {
				id := w.from(anna, orders)
				w.lasts(100 * time.Millisecond)
				w.meanwhile(func() { _, _ = w.reveals(anna, id) })
				w.lasts(time.Second)
				w.ends()
				time.Sleep(grants.IssuingPatience - time.Second + at)
			},
		},
		{
			name: "restart at the lapse, approved in the silence of PagerDuty",
			first: func(w *world, at time.Duration) {
				asked := time.Now()
				id := w.from(anna, ledgers)
				w.lasts(time.Second)
				w.pager.breaks(faults{Calls: -1, Err: errUnreachable})
				_, _ = w.votes(cleo, id, true)
				w.until(asked, pendingFor+at)
				w.pager.breaks(faults{})
			},
		},
	}
}
