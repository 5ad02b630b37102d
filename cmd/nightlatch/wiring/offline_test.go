package wiring_test

import (
	"testing"
	"time"

	"nightlatch/grants"
)

const offlineRole = `  - name: orders-away
    on_call: [{policy: PORDERS, levels: [1]}]
    automatic: on_call
    voters: {policy: PORDERS, levels: [2], count: 1}
    channel: C0ONCALL
    max: 8h
    verify: offline
    audience: https://orders.example
    scopes: ["GET /v1/orders/*"]
`

// TestATokenThatNobodyCanCut: its card says so, and its grant is closed when it is dead, not sooner.
func TestATokenThatNobodyCanCut(t *testing.T) {
	play(t, plan{roles: offlineRole}, func(n *night) {
		n.types(ada, "/access orders-away 2h checkout is failing")
		n.reads(ada, "works up to 10m after a revocation", "Programs fetch again")
		n.reads(ben, "It cannot be cut", "up to 10 minutes after a revocation")
		token := n.reveals(ada)
		n.tokenIs(token, true)
		n.pass(time.Minute)
		n.presses(ada, "return")
		n.tokenIs(token, false) // for a service that asks all the same
		n.reads(ada, "cannot be cut: it may work until its own expiry")
		n.pass(9*time.Minute + 30*time.Second)
		if g := n.grant(ada); g.State != grants.Closing || g.Credentials[0].State != grants.Retiring {
			t.Errorf("within its expiry and the skew the grant is %s", g.State)
		}
		n.pass(time.Minute)
		if g := n.grant(ada); g.State != grants.Closed || g.Credentials[0].Evidence != grants.ExpiredFinding {
			t.Errorf("the grant is %s on %q", g.State, g.Credentials[0].Evidence)
		}
		n.reads(ada, "is past its own expiry")
		n.counts(grants.KindFailing, 0)
	})
}
