package service_test

import (
	"testing"
	"time"

	"nightlatch/grants"
)

// shows holds how many grants the home of a user shows by now.
func (w *world) shows(user string, want int) {
	w.t.Helper()
	w.passes(2 * time.Second)
	all := w.board.homes(user)
	if len(all) == 0 {
		w.t.Errorf("the home of %s shows nothing", user)
		return
	}
	if last := all[len(all)-1]; len(last.Mine) != want || len(last.Roles) == 0 {
		w.t.Errorf("the home of %s shows %d grants and %d roles, want %d", user, len(last.Mine), len(last.Roles), want)
	}
}

func TestHomeFollowsWhoOpenedIt(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		w.opened(anna, orders, time.Hour)
		w.passes(time.Minute)
		if n := len(w.board.homes(anna)); n > 0 {
			t.Fatalf("%d homes were published to somebody who never opened theirs", n)
		}
		w.must(w.svc.OpenHome(w.ctx, person(anna)))
		w.shows(anna, 1)
		second := w.opened(anna, quiet, time.Hour)
		w.shows(anna, 2)
		w.ends()
		w.opens()
		_, err := w.returns(anna, second.ID)
		w.must(err)
		w.shows(anna, 1)
		w.passes(3 * time.Hour)
		w.shows(anna, 0)

		w.board.breaks(faults{Calls: 3, Err: errUnreachable})
		before := len(w.board.homes(anna))
		w.must(w.svc.OpenHome(w.ctx, person(anna)))
		w.passes(time.Minute)
		if n := len(w.board.homes(anna)); n != before+1 {
			t.Errorf("published %d times after a failure", n-before)
		}
		w.must(w.svc.OpenHome(w.ctx, person(gus)))
		w.passes(time.Minute)
		if len(w.board.homes(gus)) > 0 {
			t.Error("a guest has a home")
		}
	})
}

// Several grants of one person that are over at a start are one change of their home.
func TestHomeAfterARestart(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		w.must(w.svc.OpenHome(w.ctx, person(anna)))
		w.opened(anna, orders, time.Hour)
		w.opened(anna, quiet, time.Hour)
		w.shows(anna, 2)
		w.ends()
		time.Sleep(3 * time.Hour)
		w.opens()
		w.shows(anna, 0)
	})
}

func TestHomeOfTheGone(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		w.must(w.svc.OpenHome(w.ctx, person(anna)))
		w.opened(anna, orders, 90*time.Minute)
		w.shows(anna, 1)
		w.slack.changes(anna, func(u *grants.SlackUser) { u.Deleted = true })
		w.passes(2 * time.Hour)
		if n := w.count("home"); n > 0 {
			t.Errorf("%d homes are kept of people who are gone", n)
		}
	})
}
