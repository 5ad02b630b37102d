package wiring_test

import (
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/slackemu"
)

// strangers are the accounts that may do nothing, with what each is told.
var strangers = []struct{ name, user, told string }{
	{"another workspace's user", eve, "Only people of this workspace"},
	{"a guest", gus, "Guests of this workspace cannot take part"},
	{"a bot", rob, "Bots cannot take part"},
	{"somebody whose address is not confirmed", "U0NEW", "not confirmed"},
	{"somebody who was deactivated", "U0GONE", "deactivated"},
	{"somebody whom nobody read yet", "U0LATE", "not known here yet"},
}

// withStrangers lists them all as voters and as people on call, which must not help them.
func withStrangers() plan {
	return plan{
		roles: `
  - name: anybody-write
    on_call: [{policy: PORDERS, levels: [1]}]
    automatic: on_call
    voters: {users: [U0BEN, U0EVE, U0GUS, U0ROB, U0NEW, U0GONE, U0LATE], count: 1}
    off_call: {users: [U0BEN, U0EVE, U0GUS, U0ROB, U0NEW, U0GONE, U0LATE], count: 1}
    channel: C0ANY
    max: 4h
    audience: https://orders.example
    scopes: ["POST /v1/orders/*"]
`,
		world: func(n *night) {
			n.slack.PutUser(slackemu.User{ID: "U0NEW", Name: "new", Email: "new@example.com", EmailUnconfirmed: true})
			n.slack.PutUser(slackemu.User{ID: "U0GONE", Name: "gone", Email: "gone@example.com", Deleted: true})
			n.slack.PutChannel(slackemu.Channel{ID: "C0ANY", Name: "any", Members: []string{
				ada, ben, cat, eve, gus, rob, "U0NEW", "U0GONE", "U0LATE",
			}})
		},
	}
}

// appear lets those act who could not while the people were read.
func (n *night) appear() {
	n.slack.PutUser(slackemu.User{ID: "U0GONE", Name: "gone", Email: "gone@example.com"})
	n.slack.PutUser(slackemu.User{ID: "U0LATE", Name: "late", Email: "late@example.com"})
}

// TestStrangersGetNothing: they ask, vote, revoke, reveal, extend and return in vain, and all of it is recorded.
func TestStrangersGetNothing(t *testing.T) {
	for _, who := range strangers {
		t.Run(who.name, func(t *testing.T) {
			play(t, withStrangers(), func(n *night) {
				n.appear()
				_, err := n.slack.RunCommand(who.user, "C0ANY", "/access anybody-write 10m let me in")
				n.must(err)
				n.pass(2 * time.Second)
				n.reads(who.user, who.told)
				refusals := n.refusalsOf(who.user)
				if refusals != 1 {
					t.Errorf("the request was recorded as %d refusals", refusals)
				}

				_, err = n.slack.RunCommand(cat, "C0ANY", "/access anybody-write 10m helping")
				n.must(err)
				n.pass(2 * time.Second)
				id := n.grant(cat).ID
				for _, action := range []string{"approve", "deny", "withdraw"} {
					n.pressesForged(who.user, id, action)
				}
				if g := n.grant(cat); g.State != grants.Pending || len(g.Votes) > 0 {
					t.Errorf("the request is %s with %d votes", g.State, len(g.Votes))
				}
				n.presses(ben, "approve")
				n.pass(2 * time.Second)
				token := n.reveals(cat)
				for _, action := range []string{"revoke", "return", "reveal", "more"} {
					n.pressesForged(who.user, id, action)
				}
				n.pressesForged(who.user, id+" 1", "approve")
				_, err = n.slack.RunCommand(who.user, "C0ANY", "/access extend 10m")
				n.must(err)
				n.pass(2 * time.Second)
				n.tokenIs(token, true)
				if g := n.grant(cat); g.State != grants.Open || len(g.Credentials) != 1 || len(g.Extensions) > 0 {
					t.Errorf("the grant is %s with %d credentials and %d extensions", g.State, len(g.Credentials), len(g.Extensions))
				}
				if aToken.MatchString(n.slack.SeenBy(who.user).Text()) {
					t.Error("a stranger sees a token")
				}
				if got := n.refusalsOf(who.user); got != refusals+9 {
					t.Errorf("%d of nine presses were recorded", got-refusals)
				}
			})
		})
	}
}

// pressesForged has somebody press a button of any grant, whether they see one or not.
func (n *night) pressesForged(user, grant, action string) {
	n.t.Helper()
	act, err := n.slack.PressAt(user, slackemu.Button{Text: action, ActionID: action, BlockID: "b", Value: grant, Channel: channel, MessageTS: "1.000001"})
	n.must(err)
	n.pass(2 * time.Second)
	n.acknowledged(act)
}

// refusalsOf counts the refusals that are recorded of somebody.
func (n *night) refusalsOf(user string) int {
	n.t.Helper()
	count := 0
	for _, e := range n.book().of(grants.KindRejected) {
		if e.Actor.Person.Slack() == user {
			count++
		}
	}
	return count
}

// TestWhoeverLosesTheirAccountLosesTheirGrants: with the next reading of the people.
func TestWhoeverLosesTheirAccountLosesTheirGrants(t *testing.T) {
	play(t, plan{reread: time.Minute}, func(n *night) {
		n.openFor("15m")
		token := n.reveals(ada)
		n.types(cat, "/access orders-write 10m helping")
		n.presslater(ada, "reveal") // on its way while the account is closed
		for _, id := range []string{ada, cat} {
			u, _ := n.slack.User(id)
			u.Deleted = true
			n.slack.PutUser(u)
		}
		n.pass(65 * time.Second)
		n.tokenIs(token, false)
		n.deliverBackwards()
		for _, user := range []string{ada, cat} {
			if g := n.grant(user); g.State != grants.Closed || g.Outcome != grants.PersonGone {
				t.Errorf("the grant of %s is %s, %s", user, g.State, g.Outcome)
			}
		}
		n.reads(ben, "accounts in Slack and PagerDuty no longer allow it", "is refused by its target")
		n.buttonsAre(ben, "-approve", "-revoke")
		if made := len(n.issued()); made != 1 {
			t.Errorf("%d secrets were made", made)
		}
	})
}

// TestNobodyUsesAnothersGrant: the buttons of a grant are its person's.
func TestNobodyUsesAnothersGrant(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.openFor("15m")
		g := n.grant(ada)
		for _, action := range []string{"reveal", "return", "withdraw", "more"} {
			n.pressesForged(ben, g.ID, action)
		}
		n.reads(ben, "This belongs to somebody else", "This is no open grant of yours")
		n.refusedFor(ben, grants.NotYours)
		if now := n.grant(ada); now.State != grants.Open || len(now.Credentials) > 0 {
			t.Errorf("the grant is %s with %d credentials", now.State, len(now.Credentials))
		}
	})
}
