package service_test

import (
	"testing"
	"time"

	"nightlatch/grants"
)

// Whom Slack deactivates loses what they hold, also while PagerDuty says nothing.
func TestPagerDutysSilenceKeepsNobodyAlive(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, 2*time.Hour)
		r := w.shown(anna, g.ID)
		w.pager.breaks(faults{Calls: -1, Err: errUnreachable})
		w.slack.changes(anna, func(u *grants.SlackUser) { u.Deleted = true })
		w.passes(time.Hour + time.Minute)
		w.lives(r, false)
		if g = w.waits(g.ID, grants.Closed); g.Outcome != grants.PersonGone {
			t.Errorf("the grant of a deactivated person ended as %s", g.Outcome)
		}
		w.settles()
	})
}

// Whoever was put on call since the last poll is judged by PagerDuty's answer now, not by
// what was known before.
func TestOnCallSinceAMomentIsNotTurnedAway(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		w.passes(time.Second)
		w.pager.puts(seat(dan), policy, 1, time.Now(), w.at(time.Hour))
		w.opened(dan, orders, time.Hour)
		w.settles()
	})
}

// A hand-over to oneself is written with a gap: nobody is on call in it, and nothing ends.
func TestAGapOfAMinuteEndsNothing(t *testing.T) {
	story(t, func(w *world) {
		w.pager.puts(seat(anna), policy, 1, w.at(2*time.Hour+time.Minute), w.at(4*time.Hour))
		w.opens()
		g := w.opened(anna, orders, 4*time.Hour)
		r := w.shown(anna, g.ID)
		w.passes(2*time.Hour + 30*time.Second)
		w.lives(r, true)
		w.lives(w.shown(anna, g.ID), true)
		w.passes(time.Hour)
		w.waits(g.ID, grants.Open)
		w.settles()
	})
}

// Nobody grows the log without bound by pressing what is not theirs.
func TestRefusalsAreEventsUpToAQuota(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		before := len(w.events())
		for range 200 {
			_, err := w.revokes(gus, g.ID)
			w.refused(err, grants.BadStanding)
		}
		if n := len(w.events()) - before; n > 25 {
			t.Errorf("200 presses of a guest left %d events", n)
		}
		w.passes(2 * time.Minute)
		_, err := w.revokes(gus, g.ID)
		w.refused(err, grants.BadStanding)
		if last := w.events()[len(w.events())-1]; last.Count < 150 {
			t.Errorf("the next event says that %d were not recorded", last.Count)
		}
		w.settles()
	})
}
