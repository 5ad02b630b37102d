package service_test

import (
	"errors"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// silences are the ways in which PagerDuty does not answer.
func silences() map[string]faults {
	return map[string]faults{
		"down":              {Calls: -1, Err: errUnreachable},
		"slow":              {Calls: -1, Delay: 10 * time.Second},
		"too many requests": {Calls: -1, Err: &service.Wait{For: time.Minute, Err: errors.New("429")}},
	}
}

func TestSilenceRefusesARequest(t *testing.T) {
	for name, silence := range silences() {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.opens()
				w.pager.breaks(silence)
				g, err := w.asks(anna, orders, time.Hour)
				w.must(err)
				g = w.waits(g.ID, grants.Closed)
				if g.Outcome != grants.Refused || g.Reasons[0].Code != grants.CannotAsk || g.Reasons[0].Detail == "" {
					t.Errorf("the request ended as %s because of %v", g.Outcome, g.Reasons)
				}
				other, err := w.asks(anna, ledgers, time.Hour)
				w.must(err)
				if other = w.waits(other.ID, grants.Pending); other.Basis != grants.ByOffCallVotes {
					t.Errorf("a role with voters for people off call waits for %s", other.Basis)
				}
				w.pager.breaks(faults{})
				w.settles()
			})
		})
	}
}

func TestSilenceRefusesTheFirstRevealOnly(t *testing.T) {
	for name, silence := range silences() {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.opens()
				g := w.opened(anna, orders, time.Hour)
				w.pager.breaks(silence)
				_, err := w.reveals(anna, g.ID)
				w.refused(err, grants.CannotAsk)
				if got := w.sees(g.ID); len(got.Credentials) > 0 {
					t.Errorf("a refused reveal made %v", got.Credentials)
				}
				w.pager.breaks(faults{})
				w.shown(anna, g.ID)
				w.passes(20 * time.Second)
				w.pager.breaks(silence)
				w.lives(w.shown(anna, g.ID), true)
				w.passes(time.Hour)
				if got := w.sees(g.ID); got.Ends.After(g.Ends) {
					t.Errorf("silence moved the end from %s to %s", g.Ends, got.Ends)
				}
				w.settles()
			})
		})
	}
}

func TestSilenceEndsNothing(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, 4*time.Hour)
		w.shown(anna, g.ID)
		w.pager.breaks(faults{Calls: -1, Err: errUnreachable})
		w.passes(119 * time.Minute)
		if got := w.sees(g.ID); got.State != grants.Open || !got.Ends.Equal(g.Ends) {
			t.Errorf("after two silent hours the grant is %s until %s", got.State, got.Ends)
		}
		w.passes(2 * time.Minute)
		if got := w.waits(g.ID, grants.Closed); got.Outcome != grants.ShiftEnded {
			t.Errorf("it ended as %s", got.Outcome)
		}
		w.settles()
	})
}

func TestOverrideShortensAtOnce(t *testing.T) {
	story(t, func(w *world) {
		w.settle = 15 * time.Minute
		w.opens()
		g := w.opened(anna, orders, 4*time.Hour)
		r := w.shown(anna, g.ID)
		sooner := w.at(time.Hour)
		w.pager.ends(seat(anna), policy, sooner)
		w.passes(time.Minute)
		if got := w.sees(g.ID); !got.Ends.Equal(sooner) {
			t.Errorf("the grant ends at %s, the override at %s", got.Ends, sooner)
		}
		if n, _ := w.board.last(g.ID, service.Verdict); !n.Grant.Ends.Equal(sooner) {
			t.Errorf("its person is shown %s", n.Grant.Ends)
		}
		w.passes(time.Hour)
		w.lives(r, false)
		w.settles()
	})
}

func TestOverrideLengthensWhenSettled(t *testing.T) {
	story(t, func(w *world) {
		w.settle = 15 * time.Minute
		w.opens()
		g := w.opened(anna, orders, 4*time.Hour)
		opened := g.Opened
		w.passes(10 * time.Minute)
		w.pager.ends(seat(anna), policy, w.at(10*time.Hour))
		w.passes(time.Hour)
		if got := w.sees(g.ID); !got.Ends.Equal(g.Ends) {
			t.Errorf("an unsettled override moved the end from %s to %s", g.Ends, got.Ends)
		}
		r := w.shown(anna, g.ID) // a reveal believes it no more than the poll does
		if !r.Grant.Ends.Equal(g.Ends) {
			t.Errorf("a reveal moved the end from %s to %s", g.Ends, r.Grant.Ends)
		}
		w.passes(10 * time.Minute) // the reading after the first hour is 15 minutes old by now
		if got, want := w.sees(g.ID), opened.Add(4*time.Hour); !got.Ends.Equal(want) {
			t.Errorf("a settled override: the grant ends at %s, want the whole duration until %s", got.Ends, want)
		}
		w.passes(time.Hour) // the credential has expired with the end that was known
		w.lives(r, false)
		w.lives(w.shown(anna, g.ID), true)
		w.passes(3 * time.Hour)
		w.settles()
	})
}

func TestUnsettledNeedsAVote(t *testing.T) {
	story(t, func(w *world) {
		w.settle = 15 * time.Minute
		w.opens()
		w.passes(time.Minute)
		w.pager.puts(seat(dora), policy, 1, w.at(0), w.at(5*time.Hour))
		w.passes(time.Minute)
		g := w.pending(dora, orders, time.Hour)
		if last := g.Reasons[len(g.Reasons)-1]; last.Code != grants.NotSettled {
			t.Errorf("pending because of %v", g.Reasons)
		}
		_, err := w.votes(ben, g.ID, true)
		w.must(err)
		w.waits(g.ID, grants.Open)
		w.keeps()
	})
}

func TestOffCallNeedsTwoAnswers(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		r := w.shown(anna, g.ID)
		w.passes(20 * time.Second)
		w.pager.lies(1)
		w.passes(15 * time.Second)
		if w.pager.lying != 0 {
			t.Fatal("nobody asked")
		}
		w.lives(r, true)
		w.pager.lies(-1)
		w.passes(32 * time.Second)
		w.lives(r, false)
		if got := w.waits(g.ID, grants.Closed); got.Outcome != grants.OffCall {
			t.Errorf("it ended as %s", got.Outcome)
		}
		w.pager.lies(0)
		w.settles()
	})
}

func TestRevealAsksWhetherStillOnCall(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		w.passes(time.Second)
		g := w.opened(anna, orders, time.Hour)
		w.pager.lies(-1)
		_, err := w.reveals(anna, g.ID)
		w.refused(err, grants.NotOnCall)
		if got := w.sees(g.ID); got.State != grants.Closed || got.Outcome != grants.OffCall {
			t.Errorf("the grant is %s (%s)", got.State, got.Outcome)
		}
		w.pager.lies(0)
		w.settles()
	})
}

func TestThePersonIsGone(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, 4*time.Hour)
		r := w.shown(anna, g.ID)
		asked := w.pending(anna, ledgers, time.Hour)
		w.passes(50 * time.Minute)
		late := w.pending(anna, ledgers, time.Hour)
		w.slack.changes(anna, func(u *grants.SlackUser) { u.Deleted = true })
		w.passes(11 * time.Minute)
		w.lives(r, false)
		for id, want := range map[string]grants.Outcome{g.ID: grants.PersonGone, late.ID: grants.PersonGone, asked.ID: grants.Lapsed} {
			if got := w.waits(id, grants.Closed); got.Outcome != want {
				t.Errorf("a grant of somebody who left ended as %s, want %s", got.Outcome, want)
			}
		}
		_, err := w.asks(anna, orders, time.Hour)
		w.refused(err, grants.BadStanding)
		w.settles()
	})
}

func TestAnOlderAnswerLengthensNothing(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, 4*time.Hour)
		// The poll asks while the shift is longer, and hears of it when it is shorter again and revealed.
		w.pager.ends(seat(anna), policy, w.at(3*time.Hour))
		w.pager.breaks(faults{Calls: 1, Delay: 4 * time.Second})
		w.passes(30 * time.Second)
		sooner := w.at(time.Hour)
		w.pager.ends(seat(anna), policy, sooner)
		w.shown(anna, g.ID)
		for range 8 {
			w.passes(time.Second)
			if got := w.sees(g.ID); !got.Ends.Equal(sooner) {
				t.Fatalf("the grant ends at %s, the override at %s", got.Ends, sooner)
			}
		}
		w.passes(time.Hour)
		w.settles()
	})
}

func TestAFrozenPersonLosesWhatIsAutomatic(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		automatic := w.opened(anna, orders, 2*time.Hour)
		voted := w.pending(anna, ledgers, 2*time.Hour)
		_, err := w.votes(ben, voted.ID, true)
		w.must(err)
		w.waits(voted.ID, grants.Open)
		r := w.shown(anna, automatic.ID)
		w.slack.changes(anna, func(u *grants.SlackUser) { u.Email = dora + "@example.com" })
		w.slack.changes(dora, func(u *grants.SlackUser) { u.Email = "elsewhere@example.com" })
		w.passes(65 * time.Minute)
		w.lives(r, false)
		if got := w.sees(automatic.ID); got.Outcome != grants.PersonGone {
			t.Errorf("the automatic grant of somebody frozen is %s, %s", got.State, got.Outcome)
		}
		if got := w.sees(voted.ID); got.State != grants.Open {
			t.Errorf("the grant that people said yes to is %s, %s", got.State, got.Outcome)
		}
		w.settles()
	})
}

// PagerDuty's answers have the whole wall clock's time, decisions have milliseconds.
func TestAnAnswerOfThisMillisecondIsBelieved(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		w.pager.puts(seat(dora), policy, 1, time.Now().Add(-time.Minute), w.at(time.Hour))
		w.passes(time.Minute + 300*time.Microsecond) // a poll has seen her
		if g := w.opened(dora, orders, 30*time.Minute); g.Basis != grants.ByOnCall {
			t.Errorf("opened by %s", g.Basis)
		}
		w.settles()
	})
}

func TestOffCallAtTheRevealAndOverMeanwhile(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		w.passes(time.Second)
		w.pager.lies(-1)
		w.meanwhile(func() {
			time.Sleep(500 * time.Millisecond)
			_, err := w.returns(anna, g.ID)
			w.must(err)
		})
		_, err := w.reveals(anna, g.ID)
		if r := w.refused(err, grants.NotOnCall); r.Grant == nil || r.Grant.Outcome != grants.Returned || r.Role.Name != orders {
			t.Errorf("the refusal shows %+v", r.Grant)
		}
		w.pager.lies(0)
		w.settles()
	})
}
