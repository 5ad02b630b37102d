package service_test

import (
	"slices"
	"testing"
	"time"

	"nightlatch/grants"
)

// hears is what Slack says of an account after an edit, which its list has too.
func (w *world) hears(user string, edit func(*grants.SlackUser)) {
	w.t.Helper()
	w.slack.changes(user, edit)
	w.must(w.svc.UserChanged(w.ctx, w.slack.user(user)))
}

func (s *slack) user(id string) grants.SlackUser {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.users[slices.IndexFunc(s.users, func(u grants.SlackUser) bool { return u.ID == id })]
}

// readings counts how often the people were listed.
func (s *slack) readings() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listed
}

func TestWhoeverLeavesLosesTheirGrantsAtOnce(t *testing.T) {
	for name, edit := range map[string]func(*grants.SlackUser){
		"deleted":     func(u *grants.SlackUser) { u.Deleted = true },
		"guest":       func(u *grants.SlackUser) { u.Guest = true },
		"unconfirmed": func(u *grants.SlackUser) { u.Unconfirmed = true },
		"foreign":     func(u *grants.SlackUser) { u.Foreign = true },
		"bot":         func(u *grants.SlackUser) { u.Bot = true },
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.opens()
				g := w.opened(anna, orders, time.Hour)
				r := w.shown(anna, g.ID)
				w.hears(anna, edit)
				w.passes(time.Second)
				w.lives(r, false)
				if g = w.sees(g.ID); g.Outcome != grants.PersonGone {
					t.Errorf("it ended as %q", g.Outcome)
				}
				_, err := w.asks(anna, orders, time.Hour)
				w.refused(err, grants.BadStanding)
				w.restarts()
				_, err = w.asks(anna, orders, time.Hour)
				w.refused(err, grants.BadStanding)
				w.settles()
			})
		})
	}
}

// What an event gives is believed when the list says so too.
func TestWhoeverComesBackIsReadFirst(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		w.passes(time.Minute)
		now := w.slack.user(gus)
		now.Guest = false
		w.must(w.svc.UserChanged(w.ctx, now))
		w.passes(time.Minute)
		_, err := w.asks(gus, ledgers, time.Hour)
		w.refused(err, grants.BadStanding)
		w.hears(gus, func(u *grants.SlackUser) { u.Guest = false })
		w.passes(time.Minute)
		_, err = w.asks(gus, ledgers, time.Hour)
		w.must(err)
		w.settles()
	})
}

// A list that was under way when somebody left does not bring them back.
func TestAnOldListBringsNobodyBack(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		w.passes(time.Minute)
		w.slack.breaks(faults{Calls: 1, Delay: 5 * time.Second})
		w.svc.DirectoryChanged()
		w.passes(time.Second) // it is read as it was
		w.hears(anna, func(u *grants.SlackUser) { u.Deleted = true })
		w.waits(g.ID, grants.Closed)
		w.passes(6 * time.Second)
		_, err := w.asks(anna, orders, time.Hour)
		w.refused(err, grants.BadStanding)
		w.settles()
	})
}

func TestTheDirectoryIsReadOnceForManyChanges(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		w.passes(time.Minute)
		before := w.slack.readings()
		for range 100 {
			w.svc.DirectoryChanged()
			w.passes(100 * time.Millisecond)
		}
		w.passes(time.Minute)
		if n := w.slack.readings() - before; n < 2 || n > 3 {
			t.Errorf("changes during 10 s made %d readings", n)
		}
		w.slack.mu.Lock()
		w.slack.users = append(w.slack.users, grants.SlackUser{Team: team, ID: "UNEW", Name: "new", Email: "new@example.com"})
		w.slack.mu.Unlock()
		w.must(w.svc.UserChanged(w.ctx, w.slack.user("UNEW")))
		w.passes(time.Minute)
		if p, ok := w.svc.Who(string(person("UNEW"))); !ok || p.Standing != grants.Member {
			t.Errorf("a new member is %+v, %v", p, ok)
		}
	})
}

// Most events of an account change nothing that counts here, and leave no trace.
func TestAChangeOfNothingIsNoEvent(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		before, readings := len(w.events()), w.slack.readings()
		w.hears(anna, func(*grants.SlackUser) {})
		w.must(w.svc.UserChanged(w.ctx, grants.SlackUser{Team: "TELSE", ID: "UX", Email: "x@elsewhere.example", Foreign: true}))
		w.passes(time.Minute)
		if n := len(w.events()) - before; n != 0 || w.slack.readings() != readings {
			t.Errorf("%d events, %d readings", n, w.slack.readings()-readings)
		}
	})
}
