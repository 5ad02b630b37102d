package wiring_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/slackemu"
)

// givesBack posts a token to the door, as whoever found it does.
func (n *night) givesBack(token string) {
	n.t.Helper()
	form := url.Values{"token": {token}}.Encode()
	r, err := http.NewRequestWithContext(n.t.Context(), http.MethodPost, "http://"+doorAt+"/revoke", strings.NewReader(form))
	n.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := n.transport.RoundTrip(r)
	n.must(err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		n.t.Errorf("giving a token back is answered %s", answer.Status)
	}
}

// TestATokenIsGivenBackAndUsed: whoever has a token may end it, and whoever uses it then is noticed.
func TestATokenIsGivenBackAndUsed(t *testing.T) {
	security := func(n *night) {
		n.slack.PutChannel(slackemu.Channel{ID: "C0SEC", Name: "security", Members: []string{lou}})
	}
	play(t, plan{roles: "security: {channel: C0SEC, people: [U0LOU]}\n", world: security}, func(n *night) {
		n.openFor("15m")
		token := n.reveals(ada)
		n.tokenIs(token, true)
		n.givesBack(token)
		n.tokenIs(token, false)
		n.pass(5 * time.Second)
		if g := n.grant(ada); g.State != grants.Open || g.Credentials[0].Evidence != grants.RefusedFinding {
			t.Errorf("the grant is %s, its credential %+v", g.State, g.Credentials[0])
		}
		n.reads(ada, "was used after its end")
		for range 10 {
			n.tokenIs(token, false)
			n.pass(time.Minute)
		}
		n.counts(grants.KindDeadUse, 1)
		if told := strings.Count(n.slack.SeenBy(ada).Text(), "was used after its end"); told != 1 {
			t.Errorf("ada is told %d times", told)
		}
		n.reads(lou, "A credential of <@"+ada+"> for *orders-read* was used after its end", "given back or replaced", "used at *"+caller+"*")
		if told := strings.Count(n.slack.SeenBy(lou).Text(), "was used after its end"); told != 1 {
			t.Errorf("security is told %d times", told)
		}
	})
}
