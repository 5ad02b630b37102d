package wiring_test

import (
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/slackemu"
)

// leaves changes somebody's account without a word to the app, as when an event is lost.
func (n *night) leaves(user string, edit func(*slackemu.User)) {
	n.t.Helper()
	u, ok := n.slack.User(user)
	if !ok {
		n.t.Fatalf("there is no %s", user)
	}
	edit(&u)
	n.slack.PutUser(u)
}

// TestThePollFindsWhoIsGone: Slack says nothing, and the next reading of the people is an hour away. Whatever
// their grants hang on, they end with the next poll; whoever is as they were keeps theirs.
func TestThePollFindsWhoIsGone(t *testing.T) {
	for name, edit := range map[string]func(*slackemu.User){
		"deactivated": func(u *slackemu.User) { u.Deleted = true },
		"a guest":     func(u *slackemu.User) { u.IsUltraRestricted = true },
		"elsewhere":   func(u *slackemu.User) { u.TeamID, u.IsStranger = "T0ELSE", true },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, plan{}, func(n *night) {
				n.openFor("15m")
				token := n.reveals(ada)
				n.types(dan, "/access orders-write 10m helping")
				n.presses(lou, "approve")
				n.pass(2 * time.Second)
				free := n.reveals(dan)
				n.types(cat, "/access orders-write 10m helping too")
				n.leaves(ada, edit)
				n.pass(7 * time.Second)
				n.tokenIs(token, false)
				n.tokenIs(free, true)
				n.leaves(dan, edit)
				n.leaves(cat, edit)
				n.pass(7 * time.Second)
				n.tokenIs(free, false)
				n.pass(5 * time.Second)
				for _, user := range []string{ada, dan, cat} {
					if g := n.grant(user); g.State != grants.Closed || g.Outcome != grants.PersonGone {
						t.Errorf("the grant of %s is %s, %s", user, g.State, g.Outcome)
					}
				}
				asked := n.calls("users.info")
				n.pass(10 * time.Minute)
				if more := n.calls("users.info") - asked; more > 0 {
					t.Errorf("Slack was asked about nobody's account %d times", more)
				}
			})
		})
	}
}

// TestSlackWantsAPause: while it does, and while it does not know what it says, nothing ends that PagerDuty has not ended.
func TestSlackWantsAPause(t *testing.T) {
	for name, fault := range failures {
		t.Run(name, func(t *testing.T) {
			play(t, plan{slack: slackemu.Config{RealTiers: true}}, func(n *night) {
				n.openFor("15m")
				token := n.reveals(ada)
				fault.Method = "users.info"
				n.slack.Inject(fault)
				before := n.calls("users.info")
				n.pass(2 * time.Minute)
				n.tokenIs(token, true)
				if asked := n.calls("users.info") - before; asked > 25 {
					t.Errorf("Slack was asked %d times", asked)
				}
				n.pager.SetShifts(prime)
				n.pass(7 * time.Second) // whatever Slack does
				n.tokenIs(token, false)
				n.slack.ClearFaults()
			})
		})
	}
}
