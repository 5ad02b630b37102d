package wiring_test

import (
	"slices"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/slackemu"
)

// TestEveryEnvelopeComesFourTimes: everything happens once all the same.
func TestEveryEnvelopeComesFourTimes(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.slack.SetDelivery(slackemu.Delivery{Copies: 3})
		n.acknowledged(
			n.types(ada, "/access orders-write 10m replaying"),
			n.presses(ben, "approve"),
		)
		n.pass(2 * time.Second)
		n.acknowledged(n.presses(ada, "reveal"))
		token := n.copies(ada)
		n.tokenIs(token, true)
		if n.misread(ada, "did not open the window") {
			t.Error("a copy of a press that went well was answered with a failure")
		}
		n.pass(10 * time.Second)
		n.reveals(ada)
		n.pass(10 * time.Second)
		n.presses(ada, "reveal")
		n.acknowledged(n.submits(ada))
		n.tokenIs(n.copies(ada), true)
		n.tokenIs(token, false)
		n.presses(ada, "return")
		for kind, want := range map[grants.Kind]int{
			grants.KindAsked: 1, grants.KindVoted: 1, grants.KindOpened: 1, grants.KindIssuing: 3, grants.KindLive: 3, grants.KindClosing: 1,
		} {
			n.counts(kind, want)
		}
	})
}

// TestEnvelopesOvertakeEachOther: what arrives first counts, and whoever comes too late is told.
func TestEnvelopesOvertakeEachOther(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.types(ada, "/access orders-write 10m replaying")
		n.presslater(ben, "approve")
		n.presslater(ada, "withdraw")
		n.deliverBackwards()
		n.reads(ben, "They withdrew")
		if g := n.grant(ada); g.Outcome != grants.Withdrawn || len(g.Votes) > 0 {
			t.Errorf("the request is %s with %d votes", g.Outcome, len(g.Votes))
		}

		n.openFor("15m")
		n.presslater(ada, "reveal")
		n.presslater(ada, "return")
		n.deliverBackwards()
		n.shownNothing(ada, "This is over")
		if g := n.grant(ada); g.Outcome != grants.Returned || len(g.Credentials) > 0 {
			t.Errorf("the grant is %s with %d credentials", g.Outcome, len(g.Credentials))
		}
	})
}

// presslater has a person press, and Slack keep the envelope for a while.
func (n *night) presslater(user, action string) {
	n.t.Helper()
	n.slack.SetDelivery(slackemu.Delivery{Hold: true})
	defer n.slack.SetDelivery(slackemu.Delivery{})
	_, err := n.slack.Press(user, slackemu.Find{ActionID: action})
	n.must(err)
}

// deliverBackwards sends what was kept, the newest first.
func (n *night) deliverBackwards() {
	n.t.Helper()
	kept := n.slack.Undelivered()
	slices.Reverse(kept)
	for _, id := range kept {
		n.must(n.slack.Deliver(id))
		n.pass(time.Second)
	}
}

// TestAPressThatArrivesAfterItsTrigger: Slack gave up on it, and so nothing is made; a vote counts.
func TestAPressThatArrivesAfterItsTrigger(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.types(ada, "/access orders-write 10m replaying")
		n.presslater(ben, "approve")
		n.pass(10 * time.Second)
		n.deliverBackwards()
		n.pass(2 * time.Second)
		n.presslater(ada, "reveal")
		n.pass(10 * time.Second)
		n.deliverBackwards()
		n.reads(ada, "Slack did not open the window")
		if g := n.grant(ada); g.State != grants.Open || len(g.Credentials) > 0 {
			t.Errorf("the grant is %s with %d credentials", g.State, len(g.Credentials))
		}
		n.tokenIs(n.reveals(ada), true)
	})
}

// TestALostPressCanBePressedAgain: before Slack could send it, on the way, and between the
// press and its acknowledgement.
func TestALostPressCanBePressedAgain(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.types(ada, "/access orders-write 10m replaying")

		n.slack.CutSockets()
		act, err := n.slack.Press(ben, slackemu.Find{ActionID: "approve"})
		n.must(err)
		n.pass(5 * time.Second)
		if got := act.Outcome().Warning; got != "dispatch_failed" {
			t.Errorf("the press without a socket ended as %q", got)
		}

		n.slack.SetDelivery(slackemu.Delivery{Suppress: true})
		n.presses(ben, "approve")
		n.slack.SetDelivery(slackemu.Delivery{})
		n.pass(5 * time.Second)
		n.counts(grants.KindVoted, 0)

		_, err = n.slack.Press(ben, slackemu.Find{ActionID: "approve"})
		n.must(err)
		n.slack.CutSockets() // it may have been read by now or not
		n.pass(10 * time.Second)
		if n.hasButton(ben, "approve") {
			n.acknowledged(n.presses(ben, "approve"))
			n.pass(2 * time.Second)
		}
		n.counts(grants.KindVoted, 1)
		n.counts(grants.KindOpened, 1)

		held := n.slack.Hold(slackemu.Hold{Method: "views.open", When: slackemu.Before})
		n.presses(ada, "reveal")
		<-held.Arrived()
		n.slack.CutSockets()
		held.Release()
		n.pass(5 * time.Second)
		n.tokenIs(n.copies(ada), true)
		n.acknowledged(n.presses(ada, "return"))
	})
}

// TestSlackEndsTheConnection: whatever the reason, the next one is there within seconds.
func TestSlackEndsTheConnection(t *testing.T) {
	for _, reason := range []string{"warning", "refresh_requested", "link_disabled"} {
		t.Run(reason, func(t *testing.T) {
			play(t, plan{}, func(n *night) {
				n.pass(10 * time.Minute)
				n.slack.Disconnect(reason)
				n.pass(5 * time.Second)
				n.acknowledged(n.types(ada, "/access show"))
				n.pass(time.Minute)
				if open := n.slack.Connections(); open != 2 {
					t.Errorf("%d connections are open", open)
				}
				if asked := n.calls("apps.connections.open"); asked != 4 {
					t.Errorf("a connection was asked for %d times", asked)
				}
				n.acknowledged(n.types(ada, "/access orders-read 5m checkout is failing"))
				n.tokenIs(n.reveals(ada), true)
				n.pass(15 * time.Second) // when the old one would end
				n.acknowledged(n.presses(ada, "return"))
			})
		})
	}
}

// TestSlackHangsUpForAnHour: each connection ends right after its hello. Few are asked for,
// what is due still ends, and afterwards everything can be pressed again.
func TestSlackHangsUpForAnHour(t *testing.T) {
	play(t, plan{poll: 30 * time.Second}, func(n *night) {
		n.openFor("15m")
		token := n.reveals(ada)
		before := n.calls("apps.connections.open")
		for range int(time.Hour / (100 * time.Millisecond)) {
			if n.slack.Connections() > 0 {
				n.slack.Disconnect("link_disabled")
			}
			time.Sleep(100 * time.Millisecond)
		}
		if asked := n.calls("apps.connections.open") - before; asked < 60 || asked > 180 {
			t.Errorf("in an hour a connection was asked for %d times", asked)
		}
		n.tokenIs(token, false)
		n.reads(ben, "is refused by its target")
		n.pass(90 * time.Second)
		n.acknowledged(n.types(cat, "/access orders-read 5m checkout is failing"))
		n.tokenIs(n.reveals(cat), true)
	})
}

// TestSlackIsAway: nothing can be asked; what is due ends all the same, and is told later.
func TestSlackIsAway(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.openFor("5m")
		token := n.reveals(ada)
		n.slackDown()
		n.until(6 * time.Minute)
		n.tokenIs(token, false)
		n.counts(grants.KindGone, 1)
		n.slackUp()
		n.pass(2 * time.Minute)
		n.reads(ben, "The time was over", "is refused by its target")
		n.buttonsAre(ben, "-revoke")
		n.reads(ada, "The time was over")
		n.acknowledged(n.types(ada, "/access orders-read 5m again"))
		n.tokenIs(n.reveals(ada), true)
	})
}

// slackDown makes Slack refuse connections and cuts those that are open.
func (n *night) slackDown() {
	n.t.Helper()
	n.must(n.slackServer.Close())
}

// slackUp ends what slackDown began.
func (n *night) slackUp() {
	n.t.Helper()
	n.slackServer = n.serve(slackAt, n.slack)
}
