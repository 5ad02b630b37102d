package wiring_test

import (
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/emulators/slackemu"
)

// TestTheShiftEnds: whoever is on call gets in at once, and is out at the second in which
// the shift ends.
func TestTheShiftEnds(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.types(ada, "/access orders-read 1h checkout is failing")
		n.reads(ada, "You have *orders-read*", "Environment: *playground*")
		n.reads(ben, "checkout is failing", "can be cut at any moment")
		n.buttonsAre(ben, "revoke", "-approve")
		stale, _ := n.slack.SeenBy(ada).Find(slackemu.Find{ActionID: "reveal"})
		token := n.reveals(ada)
		n.tokenIs(token, true)
		n.types(cat, "/access orders-read 1h I can help")
		n.reads(cat, "was refused", "You are not on call", "On call is <@"+ada+">, until")

		n.until(handOff - time.Second)
		n.tokenIs(token, true)
		n.until(handOff)
		n.tokenIs(token, false)

		n.pass(5 * time.Second)
		for _, user := range []string{ada, ben} {
			n.reads(user, "PagerDuty shift ended", "is refused by its target")
			n.buttonsAre(user, "-reveal", "-return", "-revoke")
		}
		g := n.grant(ada)
		if g.State != grants.Closed || g.Outcome != grants.ShiftEnded || g.Closed.Sub(n.began.Add(handOff)) > 2*time.Second {
			t.Errorf("the grant is %s, %s, closed at %s", g.State, g.Outcome, g.Closed)
		}

		act, err := n.slack.PressAt(ada, stale) // on a screen that was asleep
		n.must(err)
		n.pass(2 * time.Second)
		n.acknowledged(act)
		n.shownNothing(ada, "This is over")
		if again := n.grant(ada); len(again.Credentials) != 1 {
			t.Error("a secret was made after the end")
		}
	})
}

// TestASwapEndsTheGrant: whoever gave the shift away is out after two answers that say so,
// and whoever took it is in.
func TestASwapEndsTheGrant(t *testing.T) {
	play(t, plan{poll: time.Second}, func(n *night) {
		n.openFor("15m")
		token := n.reveals(ada)
		n.pager.Swap(prime, pd(ada), pd(cat))
		n.pass(4 * time.Second) // a poll, a second, and the answer
		n.tokenIs(token, false)
		n.pass(3 * time.Second)
		n.reads(ada, "You were no longer on call in PagerDuty", "is refused by its target")
		n.reads(ben, "They were no longer on call in PagerDuty")
		n.buttonsAre(ada, "-reveal", "-return")
		n.buttonsAre(ben, "-revoke")
		if g := n.grant(ada); g.Outcome != grants.OffCall || g.State != grants.Closed {
			t.Errorf("the grant is %s, %s", g.State, g.Outcome)
		}
		n.types(cat, "/access orders-read 10m I took over")
		n.tokenIs(n.reveals(cat), true)
	})
}

// TestOneAnswerEndsNothing: PagerDuty says once that nobody is on call, and means it not.
func TestOneAnswerEndsNothing(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.openFor("15m")
		token := n.reveals(ada)
		for range 5 {
			n.pager.Inject(pagerdutyemu.Fault{
				Method: "oncalls", Times: 1, Body: `{"oncalls": [], "limit": 100, "offset": 0, "more": false, "total": null}`,
			})
			n.pass(10 * time.Second)
		}
		n.tokenIs(token, true)
		if g := n.grant(ada); g.State != grants.Open {
			t.Errorf("the grant is %s, %s", g.State, g.Outcome)
		}
	})
}

// TestAnOverrideShortensAnOpenGrant: at once, however new it is.
func TestAnOverrideShortensAnOpenGrant(t *testing.T) {
	for name, settle := range map[string]time.Duration{"believed at once": 0, "settled after a quarter of an hour": 15 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			play(t, plan{settle: settle, poll: time.Second}, func(n *night) {
				n.openFor("15m")
				token := n.reveals(ada)
				n.pager.Override(prime, pagerdutyemu.Shift{User: pd(cat), Start: n.began.Add(6 * time.Minute), End: n.began.Add(9 * time.Minute)})
				n.pass(5 * time.Second)
				if g := n.grant(ada); !g.Ends.Equal(n.began.Add(6 * time.Minute)) {
					t.Errorf("the grant ends %s into the night", g.Ends.Sub(n.began))
				}
				n.reads(ada, "You have *orders-read* until <!date^946685160")
				n.reads(ben, "has *orders-read* until <!date^946685160")
				n.until(6*time.Minute - time.Second)
				n.tokenIs(token, true)
				n.until(6 * time.Minute)
				n.tokenIs(token, false)
				n.pass(5 * time.Second)
				n.reads(ada, "PagerDuty shift ended", "is refused by its target")
			})
		})
	}
}

// longNight is one in which ada's shift ends after two hours, and changes settle.
func longNight() plan {
	return plan{settle: 15 * time.Minute, poll: 30 * time.Second, world: func(n *night) {
		n.pager.SetShifts(prime,
			pagerdutyemu.Shift{User: pd(ada), Start: n.began.Add(-4 * time.Hour), End: n.began.Add(2 * time.Hour)},
			pagerdutyemu.Shift{User: pd(cat), Start: n.began.Add(2 * time.Hour), End: n.began.Add(12 * time.Hour)},
		)
	}}
}

// TestAnOverrideLengthensAnOpenGrantOnceItIsSettled: not before the hourly reading that
// saw it is old enough, and then as far as was asked for.
func TestAnOverrideLengthensAnOpenGrantOnceItIsSettled(t *testing.T) {
	play(t, longNight(), func(n *night) {
		n.openFor("4h")
		first := n.reveals(ada)
		opened := n.grant(ada).Opened
		n.until(30 * time.Minute)
		n.pager.Override(prime, pagerdutyemu.Shift{User: pd(ada), Start: n.began.Add(2 * time.Hour), End: n.began.Add(5 * time.Hour)})

		n.until(74 * time.Minute)
		if g := n.grant(ada); !g.Ends.Equal(n.began.Add(2 * time.Hour)) {
			t.Errorf("unsettled, it ends %s into the night", g.Ends.Sub(n.began))
		}
		n.until(77 * time.Minute)
		g := n.grant(ada)
		if !g.Ends.Equal(opened.Add(4 * time.Hour)) {
			t.Errorf("settled, it ends %s into the night", g.Ends.Sub(n.began))
		}
		n.counts(grants.KindShift, 1)

		n.until(2 * time.Hour)
		n.tokenIs(first, false) // its own expiry is the end that was known when it was made
		n.buttonsAre(ben, "revoke")
		second := n.reveals(ada)
		n.until(g.Ends.Sub(n.began) - time.Second)
		n.tokenIs(second, true)
		n.pass(time.Second)
		n.tokenIs(second, false)
		n.pass(time.Minute)
		if g := n.grant(ada); g.State != grants.Closed || g.Outcome != grants.Expired {
			t.Errorf("the grant is %s, %s", g.State, g.Outcome)
		}
	})
}

// TestAnUnsettledOverrideLengthensNothing: the grant ends with the shift that was believed,
// and what is so new needs a human's yes.
func TestAnUnsettledOverrideLengthensNothing(t *testing.T) {
	play(t, longNight(), func(n *night) {
		n.openFor("4h")
		token := n.reveals(ada)
		n.until(65 * time.Minute) // after the hourly reading
		n.pager.Override(prime, pagerdutyemu.Shift{User: pd(ada), Start: n.began.Add(2 * time.Hour), End: n.began.Add(5 * time.Hour)})
		n.until(2*time.Hour - time.Second)
		n.tokenIs(token, true)
		n.until(2 * time.Hour)
		n.tokenIs(token, false)
		n.pass(5 * time.Second)
		if g := n.grant(ada); g.Outcome != grants.ShiftEnded {
			t.Errorf("the grant is %s, %s", g.State, g.Outcome)
		}
		n.counts(grants.KindShift, 0)

		n.types(ada, "/access orders-read 1h still here")
		n.pass(2 * time.Second)
		n.reads(ada, "changed so recently", "waits for a yes")
		n.presses(ben, "approve")
		n.pass(2 * time.Second)
		n.tokenIs(n.reveals(ada), true)
	})
}
