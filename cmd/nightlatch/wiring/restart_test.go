package wiring_test

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/slackemu"
)

// crash has the program die in the middle of something: it goes on with what the disk held at that
// moment, whatever the one that died did after it.
func (n *night) crash() {
	n.t.Helper()
	synctest.Wait()
	data, err := os.ReadFile(n.ledgerPath())
	n.must(err)
	n.halt()
	n.must(os.WriteFile(n.ledgerPath(), data, 0o600))
	n.start()
}

// again are the two ways in which the program begins again.
var again = map[string]func(*night){"stopped and started": (*night).restart, "killed": (*night).crash}

// TestTheProgramBeginsAgainInMidGrant: what is pending and what is open go on, and a verdict
// that had to wait is told by direct message.
func TestTheProgramBeginsAgainInMidGrant(t *testing.T) {
	for name, begin := range again {
		t.Run(name, func(t *testing.T) {
			play(t, plan{}, func(n *night) {
				n.openFor("15m")
				token := n.reveals(ada)
				n.types(ada, "/access orders-write 10m replaying")
				ends := n.grantOf(ada, "orders-read").Ends
				begin(n)
				n.tokenIs(token, true)
				if g := n.grantOf(ada, "orders-read"); !g.Ends.Equal(ends) || g.State != grants.Open {
					t.Errorf("the grant is %s until %s, and was open until %s", g.State, g.Ends, ends)
				}

				n.acknowledged(n.presses(ben, "approve"))
				n.pass(2 * time.Second)
				write := n.grantOf(ada, "orders-write")
				button, ok := n.slack.SeenBy(ada).Find(slackemu.Find{ActionID: "reveal", Value: write.ID})
				if !ok || button.Ephemeral || button.Channel == channel {
					t.Fatalf("the verdict has its button at %+v", button)
				}
				n.pressesOn(ada, write.ID, "reveal")
				n.tokenIs(n.copies(ada), true)

				n.acknowledged(n.pressesOn(ada, n.grantOf(ada, "orders-read").ID, "return")) // of an old ephemeral
				n.tokenIs(token, false)
				n.counts(grants.KindStarted, 2)
			})
		})
	}
}

// TestTheEndComesWhileTheProgramIsAway: the first thing that it does is to end what is over.
func TestTheEndComesWhileTheProgramIsAway(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.openFor("5m")
		token := n.reveals(ada)
		n.types(ada, "/access orders-write 10m replaying")
		n.halt()
		n.until(16 * time.Minute) // over the request's quarter of an hour, too
		n.slackDown()
		n.pagerDown()
		n.start()
		n.tokenIs(token, false)
		if g := n.grantOf(ada, "orders-read"); g.State != grants.Closed || g.Outcome != grants.Expired {
			t.Errorf("the grant is %s, %s", g.State, g.Outcome)
		}
		if g := n.grantOf(ada, "orders-write"); g.State != grants.Closed || g.Outcome != grants.Lapsed {
			t.Errorf("the request is %s, %s", g.State, g.Outcome)
		}
		n.slackUp()
		n.pagerUp()
		n.pass(2 * time.Minute)
		n.reads(ada, "The time was over", "is past its own expiry", "Nobody decided in time")
		n.buttonsAre(ben, "-approve", "-revoke")
	})
}

// TestTheProgramDiesWhileASecretIsOnItsWay: the person may be reading it, so it dies with its
// grant, unless somebody was there to take it back.
func TestTheProgramDiesWhileASecretIsOnItsWay(t *testing.T) {
	for name, want := range map[string]grants.CredentialState{"stopped and started": grants.Gone, "killed": grants.Live} {
		t.Run(name, func(t *testing.T) {
			play(t, plan{}, func(n *night) {
				n.openFor("15m")
				held := n.slack.Hold(slackemu.Hold{Method: "views.update", When: slackemu.After})
				n.presses(ada, "reveal")
				<-held.Arrived()
				token := n.copies(ada)
				again[name](n)
				n.tokenIs(token, want == grants.Live)
				n.pass(15 * time.Second) // an attempt that was begun before the end is tried again by then
				if c := n.grant(ada).Credentials[0]; c.State != want {
					t.Errorf("the credential is %s", c.State)
				}
				n.until(15*time.Minute + 5*time.Second)
				n.tokenIs(token, false)
				if g := n.grant(ada); g.State != grants.Closed {
					t.Errorf("the grant is %s", g.State)
				}
				_, err := n.slack.CloseView(ada) // nobody is left who knows of this window
				n.must(err)
			})
		})
	}
}

// TestTheProgramDiesBetweenACardAndItsRecord: a second card may appear, and both work.
func TestTheProgramDiesBetweenACardAndItsRecord(t *testing.T) {
	play(t, plan{}, func(n *night) {
		held := n.slack.Hold(slackemu.Hold{Method: "chat.postMessage", When: slackemu.After})
		n.types(ada, "/access orders-write 10m replaying")
		<-held.Arrived()
		first, ok := n.slack.SeenBy(ben).Find(slackemu.Find{ActionID: "approve"})
		if !ok {
			t.Fatal("the card is not there")
		}
		n.crash()
		second, ok := n.slack.SeenBy(ben).Find(slackemu.Find{ActionID: "approve"})
		if !ok || second.MessageTS == first.MessageTS {
			t.Error("there is no second card")
		}
		act, err := n.slack.PressAt(ben, first)
		n.must(err)
		n.pass(3 * time.Second)
		n.acknowledged(act)
		n.reads(ada, "You have *orders-write*")
		n.counts(grants.KindVoted, 1)
		if _, still := n.slack.SeenBy(ben).Find(slackemu.Find{ActionID: "approve", MessageTS: second.MessageTS}); still {
			t.Error("the second card still asks")
		}
		act, err = n.slack.PressAt(ben, first)
		n.must(err)
		n.pass(2 * time.Second)
		n.acknowledged(act)
		n.reads(ben, "open until", "Said yes: <@"+ben+">")
	})
}

// TestTheProgramIsAwayForAWhile: presses get Slack's own warning and can be repeated.
func TestTheProgramIsAwayForAWhile(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.types(ada, "/access orders-write 10m replaying")
		n.halt()
		act := n.presses(ben, "approve")
		if got := act.Outcome().Warning; got != "dispatch_failed" {
			t.Errorf("the press ended as %q", got)
		}
		n.pass(time.Minute)
		n.start()
		n.acknowledged(n.presses(ben, "approve"))
		n.pass(2 * time.Second)
		n.reads(ada, "You have *orders-write*")
		n.counts(grants.KindVoted, 1)
	})
}
