package wiring_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nightlatch/integrations/emulators/pagerdutyemu"
)

// Who is woken, and by what.
const (
	hookAt     = "127.0.0.1:4323"
	routingKey = "the-routing-key-of-the-night"
)

// hooks takes what is posted to the webhook, and counts the heartbeat.
type hooks struct {
	mu     sync.Mutex
	posted []string
	beats  int
}

func (h *hooks) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.URL.Path == "/beat" {
		h.beats++
	} else {
		h.posted = append(h.posted, string(body))
	}
}

// heard is what was posted so far, and how often the heart beat.
func (h *hooks) heard() (posted []string, beats int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.posted), h.beats
}

// wakeful is a night in which somebody can be woken.
func wakeful(h *hooks) plan {
	return plan{
		secrets: map[string]string{
			"NIGHTLATCH_PAGER_KEY": routingKey, "NIGHTLATCH_PAGER_WEBHOOK": "http://" + hookAt + "/wake", "NIGHTLATCH_HEARTBEAT_URL": "http://" + hookAt + "/beat",
		},
		world: func(n *night) {
			n.pager.PutService(pagerdutyemu.Service{ID: "PLATCH", Name: "Nightlatch", Policy: "PORDERS", RoutingKey: routingKey})
			server := n.serve(hookAt, h)
			n.t.Cleanup(func() { _ = server.Close() })
		},
	}
}

func TestPagerDutysSilenceWakesSomebodyByTheSecondWay(t *testing.T) {
	h := &hooks{}
	play(t, wakeful(h), func(n *night) {
		n.pass(time.Minute)
		n.pagerDown()
		n.pass(9 * time.Minute)
		if posted, _ := h.heard(); len(posted) != 0 {
			t.Errorf("after nine minutes of silence: %q", posted)
		}
		n.pass(3 * time.Minute)
		if posted, _ := h.heard(); len(posted) != 1 || !strings.Contains(posted[0], "PagerDuty has not answered for 10m0s") {
			t.Errorf("after twelve: %q", posted)
		}
		n.pagerUp()
		n.pass(2 * time.Minute)
		posted, beats := h.heard()
		if len(posted) != 2 || !strings.Contains(posted[1], "this is over since") {
			t.Errorf("when it answered again: %q", posted)
		}
		if beats < 14 || beats > 17 {
			t.Errorf("%d heartbeats in a quarter of an hour", beats)
		}
		if log := n.logs.String(); strings.Contains(log, routingKey) || strings.Contains(log, hookAt+"/") {
			t.Error("the log has what opens the pager")
		}
	})
}

func TestSomebodyElseOnTheAppTokenIsAnIncident(t *testing.T) {
	h := &hooks{}
	play(t, wakeful(h), func(n *night) {
		n.pass(time.Minute)
		thief := n.listens()
		n.slack.DisconnectOne("refresh_requested") // Slack counts at each hello
		n.pass(10 * time.Minute)
		open := n.pager.Incidents()
		if len(open) != 1 || open[0].Service != "PLATCH" || !strings.Contains(open[0].Title, "somebody else listens") {
			t.Errorf("incidents %+v", open)
		}
		if posted, _ := h.heard(); len(posted) != 0 {
			t.Errorf("the second way was used, too: %q", posted)
		}
		n.must(thief.Close())
		n.pass(time.Minute)
		n.slack.DisconnectOne("refresh_requested")
		n.pass(10 * time.Minute)
		if open = n.pager.Incidents(); len(open) == 1 && open[0].Status != pagerdutyemu.Resolved {
			t.Errorf("the thief is gone, and the incident is %s", open[0].Status)
		}
	})
}
