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
