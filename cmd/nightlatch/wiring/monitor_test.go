package wiring_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// page asks the listener for a page as a monitor does, and returns the status and what it says.
func (n *night) page(path string, proven bool) (status int, text string) {
	n.t.Helper()
	r, err := http.NewRequestWithContext(n.t.Context(), http.MethodGet, "http://"+doorAt+path, nil)
	n.must(err)
	if proven {
		r.SetBasicAuth(caller, callerSecret)
	}
	answer, err := n.transport.RoundTrip(r)
	n.must(err)
	body, err := io.ReadAll(answer.Body)
	n.must(err)
	n.must(answer.Body.Close())
	return answer.StatusCode, string(body)
}

// shows checks that the metrics have these lines.
func (n *night) shows(lines ...string) {
	n.t.Helper()
	_, page := n.page("/metrics", true)
	for _, line := range lines {
		if !strings.Contains("\n"+page, "\n"+line+"\n") {
			n.t.Errorf("no line %s in\n%s", line, page)
		}
	}
}

// TestTheNumbersOfANight: they follow what happens, are for those who may read them, and name nobody.
func TestTheNumbersOfANight(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.pass(time.Minute)
		for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 401, "/statusz": 401} {
			if status, text := n.page(path, false); status != want {
				t.Errorf("%s answers %d: %s", path, status, text)
			}
		}
		n.shows("nightlatch_ledger_up 1", "nightlatch_slack_connections 2", `nightlatch_grants{state="open"} 0`)
		n.types(ada, "/access orders-read 10m checkout is failing")
		secret := n.reveals(ada)
		n.types(gus, "/access orders-read 10m me too")
		n.pass(2 * time.Second)
		n.shows(
			"nightlatch_requests_total 1", `nightlatch_grants{state="open"} 1`, "nightlatch_revocation_lag_seconds_count 0",
			`nightlatch_verdicts_total{decision="open",reason="on_call"} 1`, `nightlatch_verdicts_total{decision="reject",reason="standing"} 1`,
		)
		n.pass(11 * time.Minute)
		n.shows(
			`nightlatch_grants{state="open"} 0`, "nightlatch_revocation_lag_seconds_count 1", `nightlatch_revocation_lag_seconds_bucket{le="1"} 1`,
			`nightlatch_target_waiting{issuer="token"} 0`, `nightlatch_outbox_untold{surface="verdict"} 0`,
		)
		n.pagerDown()
		n.pass(5 * time.Minute)
		_, metrics := n.page("/metrics", true)
		if !strings.Contains(metrics, "\nnightlatch_pagerduty_answer_age_seconds 30") { // 300 and some
			t.Errorf("PagerDuty's silence is not told:\n%s", metrics)
		}
		_, status := n.page("/statusz", true)
		for _, private := range []string{ada, gus, "ada", "checkout", secret[:20], callerSecret, n.slack.Config().BotToken} {
			if strings.Contains(metrics+status, private) {
				t.Errorf("%q is told", private)
			}
		}
		n.pagerUp()
	})
}
