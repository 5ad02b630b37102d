package service_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// refusal is an error as a refusal, or nil.
func refusal(err error) *service.Refusal {
	r, _ := errors.AsType[*service.Refusal](err)
	return r
}

// deciders are who a grant says decided: whoever denied it, or those who said yes.
func deciders(g grants.Grant) map[grants.PersonKey]bool {
	if g.Outcome == grants.Denied {
		return map[grants.PersonKey]bool{g.EndedBy: true}
	}
	who := map[grants.PersonKey]bool{}
	for _, v := range g.Votes {
		who[v.Person] = true
	}
	return who
}

func TestFiftyPeopleDecideOnce(t *testing.T) {
	for round := range 8 {
		story(t, func(w *world) {
			voters := make([]string, 50)
			for i := range voters {
				voters[i] = fmt.Sprintf("UVOTER%d", i)
				w.slack.users = append(w.slack.users, grants.SlackUser{Team: team, ID: voters[i], Name: voters[i]})
			}
			w.roles[1].Voters.Users = voters
			w.opens()
			g := w.pending(anna, ledgers, time.Hour)
			answers := make([]error, len(voters))
			var all sync.WaitGroup
			for i, v := range voters {
				all.Go(func() { _, answers[i] = w.votes(v, g.ID, (i+round)%2 == 0) })
			}
			all.Wait()
			synctest.Wait()
			w.passes(time.Second)
			g = w.sees(g.ID)
			decided := 0
			for _, k := range w.kinds(g.ID) {
				if k == grants.KindOpened || k == grants.KindDenied {
					decided++
				}
			}
			if decided != 1 || g.State != grants.Open && g.Outcome != grants.Denied {
				t.Errorf("%d decisions; the grant is %s (%s)", decided, g.State, g.Outcome)
			}
			w.toldWhoDecided(g, voters, answers)
		})
	}
}

// toldWhoDecided holds that everybody but the deciders was refused with a name. A yes that a no
// overtook reads it on the card.
func (w *world) toldWhoDecided(g grants.Grant, voters []string, answers []error) {
	w.t.Helper()
	final := deciders(g)
	for i, err := range answers {
		voter := person(voters[i])
		if err == nil {
			if n, ok := w.board.last(g.ID, service.Card); !final[voter] && (!ok || n.Grant.Seq != g.Seq) {
				w.t.Errorf("%s was overtaken, and the card does not say so", voter)
			}
			continue
		}
		r := refusal(err)
		if r == nil || r.Grant == nil || len(deciders(*r.Grant)) == 0 {
			w.t.Errorf("%s is answered %v, want who decided", voter, err)
			continue
		}
		if final[voter] {
			w.t.Errorf("%s decided and is answered %v", voter, err)
		}
	}
}

func TestNobodyVotesForThemselves(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		for _, user := range []string{anna, cleo} { // on call and a voter; an administrator off call
			g := w.pending(user, ledgers, time.Hour)
			_, err := w.votes(user, g.ID, true)
			w.refused(err, grants.OwnRequest)
			_, err = w.votes(user, g.ID, false)
			w.refused(err, grants.OwnRequest)
			if got := w.sees(g.ID); got.State != grants.Pending || len(got.Votes) > 0 {
				t.Errorf("the request of %s is %s with votes %v", user, got.State, got.Votes)
			}
		}
		w.keeps()
	})
}

func TestAVoteCountsOnce(t *testing.T) {
	t.Run("by the rules", func(t *testing.T) {
		g := grants.New("g", person(fay), someRoles()[1], time.Hour, "", time.Now())
		g.State, g.Voters = grants.Pending, g.Role.OffCall
		yes := grants.Vote{Person: person(cleo), Yes: true, At: time.Now(), Claim: grants.Claim{Right: grants.ByName}}
		g, err := g.Cast(yes)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Cast(yes); !errors.Is(err, grants.ErrNotNow) {
			t.Errorf("a second vote of the same person is cast: %v", err)
		}
		voter := grants.Person{Key: person(cleo), Standing: grants.Member}
		if right, why := (grants.Electorate{Now: time.Now()}).RightOf(voter, g.Question()); why == nil || why.Code != grants.AlreadyVoted {
			t.Errorf("somebody who has voted may vote again as %q", right)
		}
		if g.Question().Yes() != 1 || g.Question().Approved() {
			t.Errorf("one vote counts as %d", g.Question().Yes())
		}
	})
	t.Run("by presses", votesOnce)
}

func votesOnce(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.pending(fay, ledgers, time.Hour) // needs two
		o := w.origin(cleo)
		yes := service.Ballot{Origin: o, Grant: g.ID, Yes: true}
		_, err := w.svc.Vote(w.ctx, yes)
		w.must(err)
		if _, err = w.svc.Vote(w.ctx, yes); !errors.Is(err, service.ErrDuplicate) {
			t.Errorf("the same envelope again is answered %v", err)
		}
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				_, err := w.votes(cleo, g.ID, true)
				w.refused(err, grants.AlreadyVoted)
			})
		}
		all.Wait()
		w.passes(5 * time.Second)
		if g = w.sees(g.ID); g.State != grants.Pending || g.Question().Yes() != 1 {
			t.Fatalf("after one person's yes the request is %s with %d yes", g.State, g.Question().Yes())
		}
		_, err = w.votes(dan, g.ID, true)
		w.must(err)
		if g = w.waits(g.ID, grants.Open); g.Basis != grants.ByOffCallVotes || g.Question().Yes() != 2 {
			t.Errorf("opened by %s with %d yes", g.Basis, g.Question().Yes())
		}
		w.keeps()
	})
}

func TestStrangersAndGuestsHaveNoPart(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.pending(anna, ledgers, time.Hour)
		for _, user := range []string{gus, "UNOBODY"} {
			_, err := w.votes(user, g.ID, true)
			w.refused(err, grants.BadStanding)
			_, err = w.asks(user, ledgers, time.Hour)
			w.refused(err, grants.BadStanding)
		}
		_, err := w.votes(dora, g.ID, true)
		w.refused(err, grants.NotAVoter)
		_, err = w.revokes(dora, g.ID)
		w.refused(err, grants.NotAVoter)
		if _, err = w.votes(cleo, "nonsense", true); !errors.Is(err, service.ErrNoSuchGrant) {
			t.Errorf("a vote on nothing is answered %v", err)
		}
		w.keeps()
	})
}

func TestOneNoDenies(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.pending(fay, ledgers, time.Hour)
		_, err := w.votes(cleo, g.ID, true)
		w.must(err)
		_, err = w.votes(dan, g.ID, false)
		w.must(err)
		_, err = w.votes(ben, g.ID, true)
		if r := refusal(err); r == nil || r.Grant == nil || r.Grant.EndedBy != person(dan) {
			t.Errorf("a late yes is answered %v, want a refusal that names who denied", err)
		}
		_, err = w.reveals(fay, g.ID)
		if !errors.Is(err, service.ErrOver) {
			t.Errorf("a reveal of a denied request is answered %v", err)
		}
		w.settles()
	})
}

// Somebody whom PagerDuty does not know is never left without an answer.
func TestUnknownToPagerDuty(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		_, err := w.asks(fay, orders, time.Hour)
		if r := w.refused(err, grants.NotForYou); r.Role != nil || r.Grant != nil {
			t.Errorf("somebody whom the role cannot concern is told %v", r)
		}
		g := w.pending(fay, ledgers, time.Hour)
		if g.Reasons[0].Code != grants.NoPagerDuty {
			t.Errorf("pending because of %v", g.Reasons)
		}
		w.pager.breaks(faults{Calls: -1, Err: errUnreachable})
		for _, voter := range []string{cleo, dan} {
			_, err := w.votes(voter, g.ID, true)
			w.must(err)
		}
		w.waits(g.ID, grants.Open)
		w.lives(w.shown(fay, g.ID), true)
		w.passes(2 * time.Hour)
		w.pager.breaks(faults{})
		w.settles()
	})
}

func TestApprovalIsWorthNothingOffCall(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.pending(anna, ledgers, time.Hour)
		w.pager.lies(-1)
		_, err := w.votes(cleo, g.ID, true)
		w.must(err)
		g = w.waits(g.ID, grants.Closed)
		if last := g.Reasons[len(g.Reasons)-1]; g.Outcome != grants.Refused || last.Code != grants.VotesUndone {
			t.Errorf("the grant ended as %s because of %v", g.Outcome, g.Reasons)
		}
		w.pager.lies(0)
		w.settles()
	})
}
