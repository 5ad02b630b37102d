package pagerdutyemu_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	client "github.com/PagerDuty/go-pagerduty"

	"nightlatch/integrations/emulators/pagerdutyemu"
)

func TestEventsOpenAcknowledgeAndResolve(t *testing.T) {
	emu := shut(t)
	emu.PutService(pagerdutyemu.Service{ID: "SHOP", Name: "Shop", Policy: "PONE", RoutingKey: "r-key"})
	asked := eventClient(t, emu)
	for _, step := range []struct{ action, key, want string }{
		{"trigger", "disk", "triggered"},
		{"trigger", "disk", "triggered"},
		{"acknowledge", "disk", "acknowledged"},
		{"acknowledge", "nothing", "acknowledged"},
		{"resolve", "disk", "resolved"},
	} {
		answer, err := asked.ManageEventWithContext(t.Context(), &client.V2Event{
			RoutingKey: "r-key", Action: step.action, DedupKey: step.key,
			Payload: &client.V2Payload{Summary: "The disk is full", Source: "db", Severity: "critical"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if answer.Status != "success" || answer.DedupKey != step.key {
			t.Errorf("%s: %+v", step.action, answer)
		}
		if all := emu.Incidents(); len(all) != 2 || all[1].Status != step.want || len(all[1].Acks) != 0 {
			t.Errorf("after %s: %+v", step.action, all)
		}
	}
}

func TestAnEventIsRefused(t *testing.T) {
	payload := `"payload":{"summary":"s","source":"s","severity":"info"}`
	for name, test := range map[string]struct {
		body string
		want int
	}{
		"taken":           {`{"routing_key":"r-key","event_action":"trigger",` + payload + `}`, 202},
		"at the limit":    {sized(512<<10, payload), 202},
		"over it":         {sized(512<<10+1, payload), 413},
		"no JSON":         {`{`, 400},
		"no key":          {`{"event_action":"trigger",` + payload + `}`, 400},
		"unknown key":     {`{"routing_key":"other","event_action":"trigger",` + payload + `}`, 400},
		"no payload":      {`{"routing_key":"r-key","event_action":"trigger"}`, 400},
		"no severity":     {`{"routing_key":"r-key","event_action":"trigger","payload":{"summary":"s","source":"s"}}`, 400},
		"unknown action":  {`{"routing_key":"r-key","event_action":"snooze"}`, 400},
		"resolve nothing": {`{"routing_key":"r-key","event_action":"resolve"}`, 400},
		"long dedup_key":  {`{"routing_key":"r-key","event_action":"resolve","dedup_key":"` + strings.Repeat("k", 256) + `"}`, 400},
	} {
		emu := pagerdutyemu.New(pagerdutyemu.Config{EventsPerMinute: 1})
		emu.PutService(pagerdutyemu.Service{ID: "SHOP", Name: "Shop", RoutingKey: "r-key"})
		w := send(t, emu, "POST", "/v2/enqueue", test.body, "Authorization", "", "Accept", "")
		if w.Code != test.want {
			t.Errorf("%s: status %d: %s", name, w.Code, w.Body)
		}
		if again := send(t, emu, "POST", "/v2/enqueue", test.body); test.want == 202 && again.Code != 429 {
			t.Errorf("%s again: status %d", name, again.Code)
		}
	}
}

// sized is an event of exactly so many bytes.
func sized(size int, payload string) string {
	event := `{"routing_key":"r-key","event_action":"trigger",` + payload + `,"client":"`
	return event + strings.Repeat("x", size-len(event)-2) + `"}`
}

// eventClient is the real client, for the Events API of the emulator.
func eventClient(t *testing.T, emu *pagerdutyemu.Emulator) *client.Client {
	t.Helper()
	server := httptest.NewServer(emu)
	t.Cleanup(server.Close)
	return client.NewClient("u+emulated", client.WithAPIEndpoint(server.URL), client.WithV2EventsAPIEndpoint(server.URL))
}
