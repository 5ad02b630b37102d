package service_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// answers breaks what is asked about one account at a time.
func (s *slack) answers(f faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asking = f
}

// askedAbout are the accounts that were asked about one by one since it was called last.
func (s *slack) askedAbout() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

func (s *slack) hides(ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hidden = ids
}

// Slack said nothing by itself, and the next reading is far away.
func TestThePollEndsTheGrantsOfThoseWhoAreGone(t *testing.T) {
	for name, edit := range map[string]func(*grants.SlackUser){
		"deleted":         func(u *grants.SlackUser) { u.Deleted = true },
		"guest":           func(u *grants.SlackUser) { u.Guest = true },
		"bot":             func(u *grants.SlackUser) { u.Bot = true },
		"foreign":         func(u *grants.SlackUser) { u.Foreign = true },
		"in another team": func(u *grants.SlackUser) { u.Team = "T2" },
		"not confirmed":   func(u *grants.SlackUser) { u.Unconfirmed = true },
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.opens()
				w.passes(time.Minute)
				bound := w.opened(anna, orders, time.Hour)
				free := w.pending(dora, ledgers, time.Hour)
				for _, user := range []string{ben, cleo} {
					_, err := w.votes(user, free.ID, true)
					w.must(err)
				}
				free = w.waits(free.ID, grants.Open)
				waiting := w.pending(dan, ledgers, time.Hour)
				first, second := w.shown(anna, bound.ID), w.shown(dora, free.ID)
				for _, user := range []string{anna, dora, dan} {
					w.slack.changes(user, edit)
				}
				w.passes(45 * time.Second) // a poll, and a reading where the list decides
				w.lives(first, false)
				w.lives(second, false)
				for _, g := range []grants.Grant{bound, free, waiting} {
					if g = w.sees(g.ID); g.Outcome != grants.PersonGone {
						t.Errorf("the grant of %s ended as %q", g.Person, g.Outcome)
					}
				}
				_, err := w.asks(anna, orders, time.Hour)
				w.refused(err, grants.BadStanding)
				w.settles()
			})
		})
	}
}

// An e-mail address that somebody else's seat has now freezes its person, by the reading that it brings.
func TestThePollFreezesWhoseAccountChanged(t *testing.T) {
	story(t, func(w *world) {
		w.security = "CSEC"
		w.opens()
		w.passes(time.Minute)
		g := w.opened(anna, orders, time.Hour)
		r := w.shown(anna, g.ID)
		w.slack.changes(anna, func(u *grants.SlackUser) { u.Email = "uanna@elsewhere.example" })
		w.passes(45 * time.Second)
		w.lives(r, false)
		if p, _ := w.svc.Who(string(person(anna))); p.Frozen == "" || w.sees(g.ID).Outcome != grants.PersonGone {
			t.Errorf("%+v holds %s", p, w.sees(g.ID).Outcome)
		}
		if said := w.board.said(); len(said) != 1 || said[0].News != grants.FrozenNow {
			t.Errorf("told %+v", said)
		}
		w.settles()
	})
}

// Whom Slack shows no more, the list judges: it is read once, not with every poll.
func TestWhomSlackDoesNotShowTheListJudges(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		w.passes(time.Minute)
		g := w.opened(anna, orders, time.Hour)
		r := w.shown(anna, g.ID)
		before := w.slack.readings()
		w.slack.hides(anna)
		w.passes(20 * time.Minute)
		w.lives(r, true)
		if n := w.slack.readings() - before; n != 1 {
			t.Errorf("the list was read %d times", n)
		}
		w.slack.hides()
		w.passes(time.Minute)
		w.slack.mu.Lock()
		w.slack.users = slices.DeleteFunc(w.slack.users, func(u grants.SlackUser) bool { return u.ID == anna })
		w.slack.mu.Unlock()
		w.passes(45 * time.Second)
		w.lives(r, false)
		if g = w.sees(g.ID); g.Outcome != grants.PersonGone {
			t.Errorf("it ended as %q", g.Outcome)
		}
		w.settles()
	})
}

// An error ends nothing, and nobody is asked about twice because somebody else's answer failed.
func TestSlacksSilenceEndsNothing(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		w.passes(time.Minute)
		g := w.opened(anna, orders, time.Hour)
		r := w.shown(anna, g.ID)
		w.slack.answers(faults{Calls: -1, Err: errUnreachable})
		w.passes(10 * time.Minute)
		w.slack.answers(faults{Calls: -1, Delay: time.Hour})
		w.passes(10 * time.Minute)
		w.lives(r, true)
		w.slack.answers(faults{})
		w.slack.changes(anna, func(u *grants.SlackUser) { u.Deleted = true })
		w.passes(time.Minute)
		w.lives(r, false)
		w.settles()
	})
}

// A hundred people at a slow Slack: each once a round, and the poll of PagerDuty waits for none of them.
func TestAskingAboutManyHoldsUpNobody(t *testing.T) {
	story(t, func(w *world) {
		var many []string
		for i := range 100 {
			id := fmt.Sprintf("UZ%03d", i)
			many = append(many, id)
			w.slack.users = append(w.slack.users, grants.SlackUser{Team: team, ID: id, Name: id, Email: id + "@example.com"})
		}
		w.opens()
		w.passes(time.Minute)
		for _, id := range many {
			_, err := w.asks(id, ledgers, 4*time.Hour)
			w.must(err)
		}
		g := w.opened(anna, orders, time.Hour)
		r := w.shown(anna, g.ID)
		w.passes(time.Minute)
		w.slack.answers(faults{Calls: 1, Err: &service.Wait{For: 20 * time.Second, Err: errUnreachable}})
		w.passes(time.Minute)
		w.slack.answers(faults{Calls: -1, Delay: 2 * time.Second})
		w.passes(time.Second)
		w.slack.askedAbout()
		w.pager.ends(seat(anna), policy, time.Now())
		w.passes(35 * time.Second)
		w.lives(r, false)
		w.passes(150 * time.Second)
		asked := w.slack.askedAbout()
		if n := len(asked); n < 60 || n > 110 {
			t.Errorf("%d were asked about in three minutes", n)
		}
		slices.Sort(asked)
		if n := len(slices.Compact(slices.Clone(asked))); len(asked)-n > 12 {
			t.Errorf("of %d questions %d were about somebody else", len(asked), n)
		}
		w.settles()
	})
}

// What was asked before Slack said by itself that somebody left brings nobody back.
func TestAnOldAnswerBringsNobodyBack(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		began := time.Now()
		w.opened(anna, orders, time.Hour)
		w.slack.answers(faults{Calls: 1, Delay: 8 * time.Second})
		w.slack.breaks(faults{Calls: -1, Delay: 12 * time.Second})
		w.passes(31*time.Second - time.Since(began)) // she was asked about
		w.svc.DirectoryChanged()
		w.passes(time.Second) // the list is being read
		w.hears(anna, func(u *grants.SlackUser) { u.Deleted = true })
		w.passes(15 * time.Second) // the next list is not there yet
		_, err := w.asks(anna, orders, time.Hour)
		w.refused(err, grants.BadStanding)
		w.settles()
	})
}
