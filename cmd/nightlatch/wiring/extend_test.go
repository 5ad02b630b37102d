package wiring_test

import (
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/slackemu"
)

// endsAfter checks how long after its opening ada's newest grant ends.
func (n *night) endsAfter(want time.Duration) {
	n.t.Helper()
	if g := n.grant(ada); g.State != grants.Open || g.Ends.Sub(g.Opened) != want {
		n.t.Errorf("the grant is %s and ends %s after its opening, not %s", g.State, g.Ends.Sub(g.Opened), want)
	}
}

// extension is the newest of ada's newest grant.
func (n *night) extension() grants.Extension {
	n.t.Helper()
	g := n.grant(ada)
	x, ok := g.Extension(len(g.Extensions))
	if !ok {
		n.t.Fatal("there is no extension")
	}
	return x
}

// writing gives ada ten minutes of orders-write, which need ben's yes, and has her ask for more.
func (n *night) writing() {
	n.t.Helper()
	n.types(ada, "/access orders-write 10m replaying")
	n.presses(ben, "approve")
	n.pass(2 * time.Second)
	n.types(ada, "/access extend 5m the last batch is slow")
	n.pass(2 * time.Second)
}

// TestAnExtensionMovesTheEnd: what was shown before dies at its own end, and what is revealed
// from then on at the new one.
func TestAnExtensionMovesTheEnd(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.openFor("2m")
		opened := n.grant(ada).Opened.Sub(n.began)
		first := n.reveals(ada)
		n.pass(time.Minute)
		n.presses(ada, "more")
		n.acknowledged(n.fills(ada, map[string]string{"duration": "15m0s", "reason": "still failing over"}))
		n.reads(ada, "*orders-read* goes on until", "The secret that was shown stops working before that", "Reveal makes one that lasts")
		n.endsAfter(17 * time.Minute)
		if n.misread(ben, "asks for 15 minutes more") {
			t.Error("somebody was asked who need not be")
		}

		second := n.reveals(ada)
		n.until(opened + 2*time.Minute - time.Second)
		n.tokenIs(first, true)
		n.until(opened + 2*time.Minute)
		n.tokenIs(first, false)
		n.tokenIs(second, true)
		n.until(opened + 17*time.Minute - time.Second)
		n.tokenIs(second, true)
		n.until(opened + 17*time.Minute)
		n.tokenIs(second, false)
		n.counts(grants.KindExtended, 1)
	})
}

// fills has a person submit a form, and waits three seconds.
func (n *night) fills(user string, inputs map[string]string) *slackemu.Act {
	n.t.Helper()
	act, err := n.slack.Submit(user, inputs)
	n.must(err)
	n.pass(3 * time.Second)
	return act
}

// TestAnExtensionWaitsForAYes: also over the end of the program.
func TestAnExtensionWaitsForAYes(t *testing.T) {
	for name, begin := range again {
		t.Run(name, func(t *testing.T) {
			play(t, plan{}, func(n *night) {
				n.writing()
				n.reads(ada, "Your extension of *orders-write* by 5 minutes waits for a yes")
				n.reads(ben, "asks for 5 minutes more of *orders-write*", "replaying", "the last batch is slow", "can be cut at any moment")
				n.endsAfter(10 * time.Minute)
				begin(n)
				n.presses(ada, "approve")
				n.reads(ada, "Nobody decides about their own request")
				n.presses(boss, "approve")
				n.reads(boss, "You are not among the people who decide about this")
				n.acknowledged(n.presses(ben, "approve"))
				n.pass(2 * time.Second)
				n.endsAfter(15 * time.Minute)
				n.reads(ada, "*orders-write* goes on until", "<@"+ben+"> said yes")
				n.reads(ben, "asked for 5 minutes more of *orders-write*. It goes on until")
				n.buttonsAre(ben, "-approve", "-deny", "revoke")
				g := n.grant(ada)
				token := n.reveals(ada)
				n.until(g.Ends.Sub(n.began) - time.Second)
				n.tokenIs(token, true)
				n.pass(time.Second)
				n.tokenIs(token, false)
			})
		})
	}
}

// TestACardOfADecidedExtension: whoever presses it is told how it was decided, and it decides
// nothing about the next one.
func TestACardOfADecidedExtension(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.writing()
		token := n.reveals(ada)
		card, _ := n.slack.SeenBy(ben).Find(slackemu.Find{ActionID: "approve"})
		n.acknowledged(n.presses(ben, "deny"))
		n.pass(2 * time.Second)
		n.reads(ada, "was denied. <@"+ben+"> said no", "Nothing changes: the grant ends")
		n.endsAfter(10 * time.Minute)
		n.tokenIs(token, true)

		n.types(ada, "/access extend orders-write 7m it needs a minute more")
		n.pass(2 * time.Second)
		n.pressesAt(ben, card)
		n.reads(ben, "'s *orders-write* by 5 minutes is decided. <@"+ben+"> said no")
		if x := n.extension(); x.Ordinal != 2 || x.State != grants.Pending || len(x.Votes) > 0 {
			t.Errorf("extension %d is %s with %d votes", x.Ordinal, x.State, len(x.Votes))
		}
		n.presses(ben, "approve")
		n.pass(2 * time.Second)
		n.endsAfter(17 * time.Minute)
		n.pressesAt(ben, card)
		n.pressesAt(lou, card)
		n.endsAfter(17 * time.Minute)
		n.counts(grants.KindExtensionDenied, 1)
		n.counts(grants.KindExtended, 1)
	})
}

// pressesAt has a person press a button that may be gone, and waits a second.
func (n *night) pressesAt(user string, b slackemu.Button) {
	n.t.Helper()
	act, err := n.slack.PressAt(user, b)
	n.must(err)
	n.pass(time.Second)
	n.acknowledged(act)
}

// TestAnUndecidedExtensionEndsWithItsGrant: nobody was there to say yes.
func TestAnUndecidedExtensionEndsWithItsGrant(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.writing()
		token := n.reveals(ada)
		n.pass(10 * time.Minute)
		n.tokenIs(token, false)
		if x := n.extension(); x.Outcome != grants.Lapsed {
			t.Errorf("the extension is %s, %s", x.State, x.Outcome)
		}
		n.reads(ada, "The grant ended before anybody decided")
		n.reads(ben, "The grant ended before anybody decided")
		n.buttonsAre(ben, "-approve", "-deny", "-revoke")
		n.buttonsAre(ada, "-withdraw", "-more", "-reveal")
	})
}

// TestNothingIsExtendedBeyondTheShift: the shift's end is the end, and it says so.
func TestNothingIsExtendedBeyondTheShift(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.openFor("1h") // until the end of the shift
		token := n.reveals(ada)
		n.types(ada, "/access extend 30m")
		n.pass(2 * time.Second)
		n.reads(ada, "Your extension of *orders-read* by 30 minutes was refused", "It ends with your shift", "Whoever is on call next can ask for it")
		if g := n.grant(ada); !g.Ends.Equal(n.began.Add(handOff)) {
			t.Errorf("it ends %s into the night", g.Ends.Sub(n.began))
		}
		n.until(handOff)
		n.tokenIs(token, false)
		n.pass(5 * time.Second)
		n.types(ada, "/access extend 30m")
		n.reads(ada, "You have no open grant, so there is nothing to extend")
		n.counts(grants.KindExtended, 0)
	})
}

// TestNothingIsExtendedWhilePagerDutyIsSilent: nobody can say whether ada is still on call.
func TestNothingIsExtendedWhilePagerDutyIsSilent(t *testing.T) {
	for name, fault := range outages {
		t.Run(name, func(t *testing.T) {
			play(t, plan{}, func(n *night) {
				n.openFor("10m")
				token := n.reveals(ada)
				n.outage(fault)
				n.types(ada, "/access extend 5m")
				n.pass(patience)
				n.reads(ada, "Your extension of *orders-read* by 5 minutes was refused", "PagerDuty does not answer", "Nothing changes: the grant ends")
				n.endsAfter(10 * time.Minute)
				n.tokenIs(token, true)
				n.recovery()
				n.types(ada, "/access extend 5m")
				n.pass(patience)
				n.endsAfter(15 * time.Minute)
			})
		})
	}
}
