package wiring_test

import (
	"testing"
	"time"

	"nightlatch/grants"
)

// TestTheShiftEnds: whoever is on call gets in at once, and is out at the second in which
// the shift ends.
func TestTheShiftEnds(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.types(ada, "/access orders-read 1h checkout is failing")
		n.reads(ada, "You have *orders-read*", "ends with your shift", "Environment: *playground*")
		n.reads(ben, "checkout is failing", "can be cut at any moment")
		n.buttonsAre(ben, "revoke", "-approve")
		token := n.reveals(ada)
		n.tokenIs(token, true)

		n.types(cat, "/access orders-read 1h I can help")
		n.reads(cat, "was refused", "You are not on call", "On call is <@"+ada+">, until")

		n.until(handOff - time.Second)
		n.tokenIs(token, true)
		n.until(handOff)
		n.tokenIs(token, false)

		n.pass(5 * time.Second)
		n.reads(ada, "PagerDuty shift ended", "is refused by its target")
		n.reads(ben, "PagerDuty shift ended", "is refused by its target")
		n.buttonsAre(ada, "-reveal", "-return", "-revoke")
		n.buttonsAre(ben, "-revoke")
		if g := n.grant(ada); g.State != grants.Closed || g.Outcome != grants.ShiftEnded || g.Closed.Sub(n.began.Add(handOff)) > 2*time.Second {
			t.Errorf("the grant is %s, %s, closed at %s", g.State, g.Outcome, g.Closed)
		}
	})
}
