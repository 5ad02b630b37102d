package wiring_test

import (
	"net/http"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/pagerdutyemu"
)

// outages are the ways in which PagerDuty does not say who is on call.
var outages = map[string]pagerdutyemu.Fault{
	"it refuses connections": {}, // the machine is gone
	"it drops connections":   {Method: "*", Drop: true},
	"it takes ten seconds":   {Method: "*", Delay: 10 * time.Second},
	"it limits our requests": {Method: "*", Status: http.StatusTooManyRequests, Reset: time.Minute},
	"it fails":               {Method: "*", Status: http.StatusBadGateway},
	"it makes no sense":      {Method: "*", Body: `{"oncalls": "yes"}`},
}

func (n *night) outage(f pagerdutyemu.Fault) {
	n.t.Helper()
	if f.Method == "" {
		n.pagerDown()
		return
	}
	n.pager.Inject(f)
}

// recovery ends an outage; whoever was limited asks again within a minute.
func (n *night) recovery() {
	n.t.Helper()
	if n.pagerServer == nil {
		n.pagerUp()
	}
	n.pager.ClearFaults()
	n.pass(70 * time.Second)
}

// patience is how long a person waits for an answer while PagerDuty does not give one.
const patience = 6 * time.Second

// TestPagerDutyDoesNotAnswer: what is new fails closed and says so, what is open goes on
// until its last known end, and nothing is extended.
func TestPagerDutyDoesNotAnswer(t *testing.T) {
	const end = 8 * time.Minute // of ada's shift
	for name, fault := range outages {
		t.Run(name, func(t *testing.T) {
			play(t, plan{world: func(n *night) { n.must(n.pager.MoveEnd(prime, pd(ada), n.began.Add(end))) }}, func(n *night) {
				n.types(ada, "/access orders-read 1h checkout is failing") // until the end of the shift
				first := n.reveals(ada)
				n.types(ada, "/access orders-write 1h replaying")
				n.presses(ben, "approve")
				n.pass(2 * time.Second)
				read, write := n.grantOf(ada, "orders-read"), n.grantOf(ada, "orders-write")
				n.pass(15 * time.Second)

				n.outage(fault)
				n.aRequestIsRefusedWithItsOtherWays()
				n.aFirstRevealIsRefused(write)
				again := n.aRepeatedRevealGoesOn(read)
				if now := n.grantOf(ada, "orders-read"); !now.Ends.Equal(read.Ends) || now.State != grants.Open {
					t.Errorf("the grant is %s until %s, and was open until %s", now.State, now.Ends, read.Ends)
				}
				n.recovery()
				n.pressesOn(ada, write.ID, "reveal")
				n.pass(patience)
				third := n.copies(ada)

				n.until(end - 2*time.Minute)
				n.outage(fault)
				n.must(n.pager.MoveEnd(prime, pd(ada), n.began.Add(3*time.Hour))) // which nobody can know
				n.until(end - time.Second)
				for _, token := range []string{first, again, third} {
					n.tokenIs(token, true)
				}
				n.until(end)
				for _, token := range []string{first, again, third} {
					n.tokenIs(token, false)
				}
				n.pass(10 * time.Second)
				n.reads(ben, "PagerDuty shift ended", "is refused by its target")
				for _, g := range []grants.Grant{n.grantOf(ada, "orders-read"), n.grantOf(ada, "orders-write")} {
					if g.State != grants.Closed || g.Outcome != grants.ShiftEnded {
						t.Errorf("the grant of %s is %s, %s", g.Role.Name, g.State, g.Outcome)
					}
				}
				n.recovery()
				n.counts(grants.KindShift, 0)
			})
		})
	}
}

// aRequestIsRefusedWithItsOtherWays asks during an outage: for a role without other ways,
// and for one with voters for people off call.
func (n *night) aRequestIsRefusedWithItsOtherWays() {
	n.t.Helper()
	n.types(cat, "/access orders-read 10m helping")
	n.pass(patience)
	n.reads(cat, "Your request for *orders-read* was refused", "PagerDuty does not answer", "Try again", "lists nobody")
	n.types(cat, "/access orders-write 10m helping")
	n.pass(patience)
	n.reads(cat, "Your request for *orders-write* (10 minutes) waits for a yes", "<@"+lou+"> can say yes")
	if g := n.grantOf(cat, "orders-write"); g.State != grants.Pending || g.Basis != grants.ByOffCallVotes {
		n.t.Errorf("the request is %s by %s", g.State, g.Basis)
	}
	n.presses(cat, "withdraw")
}

// aFirstRevealIsRefused presses Reveal on a grant that showed nothing yet.
func (n *night) aFirstRevealIsRefused(g grants.Grant) {
	n.t.Helper()
	made := len(n.issued())
	n.pressesOn(ada, g.ID, "reveal")
	n.pass(patience)
	n.shownNothing(ada, "PagerDuty does not answer")
	n.refusedFor(ada, grants.CannotAsk)
	if len(n.issued()) != made || len(n.grantOf(ada, g.Role.Name).Credentials) > 0 {
		n.t.Error("a secret was made though nobody could say who is on call")
	}
}

// aRepeatedRevealGoesOn presses Reveal on a grant that showed a secret before.
func (n *night) aRepeatedRevealGoesOn(g grants.Grant) string {
	n.t.Helper()
	n.pressesOn(ada, g.ID, "reveal")
	n.pass(patience)
	token := n.copies(ada)
	n.tokenIs(token, true)
	return token
}

// TestPagerDutyFallsSilentBetweenTheVoteAndTheDecision: the yes is kept, and decided about
// when somebody can say who is on call.
func TestPagerDutyFallsSilentBetweenTheVoteAndTheDecision(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.types(ada, "/access orders-write 10m replaying")
		n.pagerDown()
		n.presses(ben, "approve")
		n.pass(10 * time.Second)
		if g := n.grant(ada); g.State != grants.Pending || len(g.Votes) != 1 {
			t.Errorf("the request is %s with %d votes", g.State, len(g.Votes))
		}
		n.reads(ada, "PagerDuty does not answer")
		n.pagerUp()
		n.pass(time.Minute)
		n.reads(ada, "You have *orders-write*")
		n.tokenIs(n.reveals(ada), true)
	})
}

// TestTheProgramStartsWhilePagerDutyIsDown: nothing can be asked until the people are
// known, and then everything.
func TestTheProgramStartsWhilePagerDutyIsDown(t *testing.T) {
	down := plan{world: func(n *night) { n.pagerDown() }}
	play(t, down, func(n *night) {
		n.types(ada, "/access orders-read 10m checkout is failing")
		n.reads(ada, "still being read", "Try again")
		n.pagerUp()
		n.pass(time.Minute)
		n.types(ada, "/access orders-read 10m checkout is failing")
		n.tokenIs(n.reveals(ada), true)
	})
}
