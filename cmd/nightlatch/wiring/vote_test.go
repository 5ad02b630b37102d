package wiring_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/slackemu"
)

// crowd are the fifty people who may say yes to stock-write.
func crowd() []string {
	var ids []string
	for i := range 50 {
		ids = append(ids, fmt.Sprintf("U0V%02d", i))
	}
	return ids
}

// withCrowd is a night with a role that fifty people vote on.
func withCrowd() plan {
	ids := crowd()
	return plan{
		world: func(n *night) { n.enrol("C0STOCK", ids...) },
		roles: `
  - name: stock-write
    on_call: [{policy: PORDERS, levels: [1]}]
    voters: {users: [` + strings.Join(ids, ", ") + `], count: 1}
    channel: C0STOCK
    max: 4h
    audience: https://orders.example
    scopes: ["POST /v1/stock/*"]
`,
	}
}

func TestFiftyPeoplePressAtOnceAndOneDecides(t *testing.T) {
	for name, action := range map[string]func(i int) string{
		"yes and no": func(i int) string { return []string{"approve", "deny"}[i%2] },
		"all yes":    func(int) string { return "approve" },
		"all no":     func(int) string { return "deny" },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, withCrowd(), func(n *night) {
				n.types(ada, "/access stock-write 10m counting again")
				var acts []*slackemu.Act
				buttons := map[string]slackemu.Button{} // they all have the card before their eyes
				for _, a := range []string{"approve", "deny"} {
					buttons[a], _ = n.slack.SeenBy(ben).Find(slackemu.Find{ActionID: a})
				}
				for i, id := range crowd() {
					act, err := n.slack.PressAt(id, buttons[action(i)])
					n.must(err)
					acts = append(acts, act)
				}
				n.pass(5 * time.Second)
				n.acknowledged(acts...)
				n.oneDecided()
			})
		})
	}
}

// oneDecided checks that one vote of the crowd's decided, and that everybody else was told whose.
func (n *night) oneDecided() {
	n.t.Helper()
	g := n.grant(ada)
	if len(g.Votes) == 0 || len(g.Votes) > 2 || g.State == grants.Pending {
		n.t.Fatalf("%d votes were counted, and the request is %s", len(g.Votes), g.State)
	}
	last := g.Votes[len(g.Votes)-1] // a no ends what a yes began, as long as it is not open
	if yes := g.State == grants.Open; yes != last.Yes || (len(g.Votes) == 2 && !g.Votes[0].Yes) {
		n.t.Fatalf("the votes %+v made it %s", g.Votes, g.State)
	}
	told := 0
	for _, id := range crowd() {
		if _, voted := g.Question().VoteOf(grants.KeyOf("T0NIGHT", id)); voted {
			n.reads(id, "<@"+last.Person.Slack()+">") // on the card
			continue
		}
		own := n.slack.SeenBy(id).Ephemerals
		if len(own) != 1 || !strings.Contains(own[0].Visible(), "<@"+g.Votes[0].Person.Slack()+">") {
			n.t.Errorf("%s was told %d times who decided: %+v", id, len(own), own)
		}
		told++
	}
	if told != 50-len(g.Votes) {
		n.t.Errorf("%d were told", told)
	}
	n.counts(grants.KindRejected, told)
	n.buttonsAre("U0V00", "-approve", "-deny")
	decisions := 0
	for _, kind := range []grants.Kind{grants.KindOpened, grants.KindDenied, grants.KindRefused, grants.KindLapsed} {
		decisions += len(n.book().of(kind))
	}
	if decisions != 1 {
		n.t.Errorf("%d decisions are recorded", decisions)
	}
}

func TestNobodyApprovesTheirOwnRequest(t *testing.T) {
	p := plan{roles: `
  - name: own-write
    on_call: [{policy: PORDERS, levels: [1]}]
    voters: {users: [U0ADA, U0BEN], count: 1}
    off_call: {users: [U0BOSS, U0LOU], count: 1}
    channel: C0ONCALL
    max: 4h
    audience: https://orders.example
    scopes: ["POST /v1/orders/*"]
`}
	for _, who := range []struct{ name, user, other string }{
		{"a requester who is a voter", ada, ben},
		{"an administrator of the workspace", boss, lou},
	} {
		t.Run(who.name, func(t *testing.T) {
			play(t, p, func(n *night) {
				n.types(who.user, "/access own-write 10m I trust myself")
				n.acknowledged(n.presses(who.user, "approve"))
				n.reads(who.user, "Nobody decides about their own request")
				n.refusedFor(who.user, grants.OwnRequest)
				n.presses(who.user, "deny") // not even this: there is Withdraw
				n.buttonsAre(who.user, "approve", "withdraw", "-reveal")
				if g := n.grant(who.user); g.State != grants.Pending || len(g.Votes) > 0 {
					t.Errorf("the request is %s with %d votes", g.State, len(g.Votes))
				}
				n.presses(who.other, "approve")
				n.pass(3 * time.Second)
				n.reads(who.user, "You have *own-write*")
				n.tokenIs(n.reveals(who.user), true)
			})
		})
	}
}

func TestAnAdministratorHasNoVote(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.types(ada, "/access orders-write 10m replaying")
		n.presses(boss, "approve")
		n.reads(boss, "You are not among the people who decide about this")
		n.refusedFor(boss, grants.NotAVoter)
		n.presses(boss, "deny")
		if g := n.grant(ada); g.State != grants.Pending || len(g.Votes) > 0 {
			t.Errorf("the request is %s with %d votes", g.State, len(g.Votes))
		}
		n.presses(ben, "deny")
		n.pass(3 * time.Second)
		n.reads(ada, "<@"+ben+"> said no")
		n.buttonsAre(ben, "-approve", "-deny")
		n.buttonsAre(ada, "-withdraw", "-reveal")
	})
}

// TestSomebodyWhomPagerDutyDoesNotKnow gets an answer, or a human's vote where the role has
// voters for people off call.
func TestSomebodyWhomPagerDutyDoesNotKnow(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.types(dan, "/access orders-read 10m curious")
		n.reads(dan, "This is not for you", "ask")
		n.refusedFor(dan, grants.NotForYou)

		n.types(dan, "/access orders-write 10m the courier called me")
		n.reads(dan, "PagerDuty knows nobody by your e-mail address", "On call is <@"+ada+">", "<@"+lou+"> can say yes")
		n.reads(lou, "the courier called me", "PagerDuty knows nobody by their e-mail address")
		n.presses(ben, "approve") // whose vote is for people on call
		n.reads(ben, "You are not among the people who decide about this")
		n.presses(lou, "approve")
		n.pass(3 * time.Second)
		n.reads(dan, "You have *orders-write*", "<@"+lou+"> said yes")
		token := n.reveals(dan)
		n.tokenIs(token, true)
		n.until(handOff + time.Minute) // a human said yes to somebody off call: no shift ends it before its time
		n.tokenIs(token, false)
		if g := n.grant(dan); g.Outcome != grants.Expired || g.Ended.Sub(g.Opened) != 10*time.Minute {
			t.Errorf("it ended as %s after %s", g.Outcome, g.Ended.Sub(g.Opened))
		}
	})
}
