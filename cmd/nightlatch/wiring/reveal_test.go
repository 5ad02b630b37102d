package wiring_test

import (
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/slackemu"
)

// failures are the ways in which a call of Slack's can go wrong: before it takes effect and after.
var failures = map[string]slackemu.Fault{
	"refused":              {Error: "internal_error"},
	"not reached":          {Drop: true},
	"status 503":           {Status: 503},
	"limited":              {RetryAfter: 30 * time.Second},
	"answered after 10 s":  {Delay: 10 * time.Second},
	"done, answer lost":    {After: true, Drop: true},
	"done, told otherwise": {After: true, Error: "internal_error"},
	"done, silent":         {After: true, Delay: 10 * time.Second},
}

// openFor gives ada a grant of orders-read.
func (n *night) openFor(duration string) {
	n.t.Helper()
	n.types(ada, "/access orders-read "+duration+" checkout is failing")
	n.buttonsAre(ada, "reveal", "return")
}

// TestNoWindowNoSecret: unless Slack opened a window, nothing is made.
func TestNoWindowNoSecret(t *testing.T) {
	for name, fault := range failures {
		t.Run(name, func(t *testing.T) {
			play(t, plan{}, func(n *night) {
				n.openFor("15m")
				fault.Method, fault.Times = "views.open", 1
				n.slack.Inject(fault)
				n.acknowledged(n.presses(ada, "reveal"))
				n.pass(12 * time.Second)
				n.reads(ada, "Slack did not open the window", "Press Reveal again")
				if g := n.grant(ada); len(g.Credentials) > 0 || len(n.issued()) > 0 {
					t.Errorf("%d credentials were made", len(g.Credentials))
				}
				n.pass(30 * time.Second)
				n.tokenIs(n.reveals(ada), true)
			})
		})
	}
}

// TestASecretThatSlackDidNotConfirmIsRevokedAtOnce: nobody holds what nobody was surely shown.
func TestASecretThatSlackDidNotConfirmIsRevokedAtOnce(t *testing.T) {
	for name, fault := range failures {
		t.Run(name, func(t *testing.T) {
			play(t, plan{}, func(n *night) {
				n.openFor("15m")
				fault.Method, fault.Times = "views.update", 1
				n.slack.Inject(fault)
				n.acknowledged(n.presses(ada, "reveal"))
				n.pass(5 * time.Second) // the longest that Slack is waited for
				lost := n.issued()
				if len(lost) != 1 {
					t.Fatalf("%d secrets were sent", len(lost))
				}
				n.tokenIs(lost[0], false)
				n.pass(7 * time.Second)
				n.reads(ada, "that secret was revoked at once")
				if aToken.MatchString(n.slack.SeenBy(ada).Text()) {
					t.Error("the secret is still before their eyes")
				}
				g := n.grant(ada)
				if c := g.Credentials[0]; g.State != grants.Open || c.State != grants.Gone || !c.Undelivered || c.Evidence != grants.RefusedFinding {
					t.Errorf("the grant is %s, its credential %+v", g.State, c)
				}
				n.counts(grants.KindUndelivered, 1)
				n.pass(30 * time.Second)
				n.tokenIs(n.reveals(ada), true)
			})
		})
	}
}

// TestASecretThatWasReadBeforeTheLineBroke: the person may have seen it, Slack never said
// so; until the line breaks it works, from then on it doesn't, and it is covered.
func TestASecretThatWasReadBeforeTheLineBroke(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.openFor("15m")
		held := n.slack.Hold(slackemu.Hold{Method: "views.update", When: slackemu.After})
		n.presses(ada, "reveal")
		<-held.Arrived()
		token := n.copies(ada)
		n.tokenIs(token, true)
		held.Drop()
		synctest.Wait()
		n.tokenIs(token, false)
		n.pass(time.Second)
		n.shownNothing(ada, "revoked at once")
	})
}

// TestTheGrantEndsWhileItsSecretIsMade: what comes too late is never shown.
func TestTheGrantEndsWhileItsSecretIsMade(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.openFor("15m")
		held := n.slack.Hold(slackemu.Hold{Method: "views.open", When: slackemu.After})
		n.presses(ada, "reveal")
		<-held.Arrived()
		n.presses(ben, "revoke")
		held.Release()
		n.pass(time.Second)
		n.shownNothing(ada, "This is over")
		if g := n.grant(ada); g.Outcome != grants.Revoked || g.EndedBy.Slack() != ben || len(g.Credentials) > 0 {
			t.Errorf("the grant is %s, ended by %s, with %d credentials", g.Outcome, g.EndedBy, len(g.Credentials))
		}
		n.reads(ada, "<@"+ben+"> revoked it")
	})
}

// TestAnotherDeviceRevealsFromTheHome: the answer with the button stays behind on the phone.
func TestAnotherDeviceRevealsFromTheHome(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.openFor("15m")
		phone := n.reveals(ada)
		n.pass(10 * time.Second)
		n.must(n.slack.UseDevice(ada, "laptop"))
		if s := n.slack.SeenBy(ada); s.Modal != nil || len(s.Ephemerals) > 0 {
			t.Errorf("the laptop shows what the phone does: %q", s.Text())
		}
		_, err := n.slack.OpenHome(ada)
		n.must(err)
		n.pass(time.Second)
		_, err = n.slack.Press(ada, slackemu.Find{ActionID: "reveal", Home: true})
		n.must(err)
		n.pass(time.Second)
		laptop := n.copies(ada)
		if laptop == phone {
			t.Error("both devices show one secret")
		}
		n.must(n.slack.UseDevice(ada, ""))
		if still := n.copies(ada); still != phone {
			t.Error("the phone shows another secret than before")
		}
		n.tokenIs(phone, true)
		n.tokenIs(laptop, true)
	})
}

// TestPhoneThenLaptop: two secrets at most; a third says which one it would end.
func TestPhoneThenLaptop(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.openFor("15m")
		phone := n.reveals(ada)
		n.presses(ada, "reveal")
		n.shownNothing(ada, "shown moments ago")
		n.pass(10 * time.Second)
		laptop := n.reveals(ada)
		n.presses(ada, "reveal")
		n.shownNothing(ada, "shown moments ago")
		n.pass(10 * time.Second)

		n.presses(ada, "reveal")
		n.shownNothing(ada, "Two secrets of this grant work already")
		_, err := n.slack.CloseView(ada)
		n.must(err)
		n.pass(time.Second)
		n.tokenIs(phone, true)
		n.tokenIs(laptop, true)

		n.presses(ada, "reveal")
		n.acknowledged(n.submits(ada))
		third := n.copies(ada)
		n.tokenIs(phone, false)
		n.tokenIs(laptop, true)
		n.tokenIs(third, true)
		if g := n.grant(ada); len(g.Credentials) != 3 || g.Reveals != 3 {
			t.Errorf("%d credentials were made, in %d reveals", len(g.Credentials), g.Reveals)
		}

		n.pass(90 * time.Second)
		n.shownNothing(ada, "Blanked")
		n.tokenIs(third, true)
		n.presses(ada, "return")
		n.tokenIs(laptop, false)
		n.tokenIs(third, false)
		n.reads(ada, "You returned it")
	})
}

// TestTwoPressesAtOnceMakeOneSecret: on two devices, or by an impatient finger.
func TestTwoPressesAtOnceMakeOneSecret(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.openFor("15m")
		for range 3 {
			_, err := n.slack.Press(ada, slackemu.Find{ActionID: "reveal"})
			n.must(err)
		}
		n.pass(2 * time.Second)
		if made := len(n.issued()); made != 1 {
			t.Errorf("%d secrets were made", made)
		}
	})
}
