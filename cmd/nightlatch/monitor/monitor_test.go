package monitor_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"nightlatch/bot"
	"nightlatch/cmd/nightlatch/config"
	"nightlatch/cmd/nightlatch/monitor"
	"nightlatch/grants"
	"nightlatch/grants/service"
	"nightlatch/integrations/token"
)

const secret = "a secret of a service"

// began is when the program of the tests was started.
var began = time.Now().Add(-time.Hour)

// busy is a service in the middle of a bad night.
func busy() service.Status {
	now := time.Now()
	return service.Status{
		At: now, Began: began, Events: 41, Commits: 97, Pending: 1, Open: 2, Closing: 3, Alarms: 1,
		Recorded: map[grants.Kind]uint64{grants.KindAsked: 6, grants.KindOpened: 5},
		Verdicts: map[service.VerdictCount]uint64{
			{Decision: grants.Allow, Reason: grants.OnCallNow}:  5,
			{Decision: grants.Refuse, Reason: grants.NotOnCall}: 1,
		},
		Targets: map[string]service.Target{"token": {Waiting: 3, Failing: 2, Since: now.Add(-10 * time.Minute)}, `a "b\` + "\n": {}},
		Lag:     histogram(100*time.Millisecond, 3*time.Second, 2*time.Hour),
		Swept:   now.Add(-time.Second), Answered: now.Add(-30 * time.Second), Read: now.Add(-time.Minute),
		Untold: map[service.Surface]service.Backlog{service.Verdict: {Count: 4, Since: now.Add(-time.Minute)}, service.Card: {}},
	}
}

// histogram counts lags by hand.
func histogram(lags ...time.Duration) service.Histogram {
	h := service.Histogram{Counts: make([]uint64, len(service.LagBounds())+1)}
	for _, lag := range lags {
		at := len(service.LagBounds())
		for i, bound := range service.LagBounds() {
			if lag <= bound {
				at = min(at, i)
			}
		}
		h.Counts[at]++
		h.Sum += lag
	}
	return h
}

// pages makes a handler whose service says what status says.
func pages(t *testing.T, readers config.Readers, status func() (service.Status, error)) *monitor.Handler {
	t.Helper()
	key, err := token.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(secret))
	door, err := token.NewDoor(token.DoorConfig{
		URL: "https://nightlatch.example", Keys: token.Keys{Current: key},
		Active:  func(context.Context, string) (bool, error) { return false, nil },
		Callers: []token.Caller{{Name: "monitor", SecretSHA256: hex.EncodeToString(sum[:]), Audiences: []string{"https://orders.example"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return monitor.New(monitor.Config{
		Readers: readers, Environment: "production", Instance: "abcdefgh", Version: "v1.2.3", Door: door,
		Service: func(context.Context) (service.Status, error) { return status() },
		Slack:   func() bot.Counts { return bot.Counts{Hellos: 7, Surplus: 1, Connected: 2} },
	})
}

// from asks for a page as somebody does.
func from(t *testing.T, h http.Handler, path, peer string, change func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.RemoteAddr = peer
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestWhoMayReadTheNumbers(t *testing.T) {
	const here, there = "127.0.0.1:5000", "192.0.2.7:5000"
	proven := func(r *http.Request) { r.SetBasicAuth("monitor", secret) }
	wrong := func(r *http.Request) { r.SetBasicAuth("monitor", "wrong") }
	forwarded := func(header string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(header, "192.0.2.7") }
	}
	for _, c := range []struct {
		name    string
		readers config.Readers
		peer    string
		change  func(*http.Request)
		want    int
	}{
		{"this machine", config.Loopback, here, nil, 200},
		{"this machine by IPv6", config.Loopback, "[::1]:5000", nil, 200},
		{"this machine by IPv4 in IPv6", config.Loopback, "[::ffff:127.0.0.1]:5000", nil, 200},
		{"elsewhere", config.Loopback, there, nil, 403},
		{"a peer without an address", config.Loopback, "@", nil, 403},
		{"a caller, where only this machine may", config.Loopback, there, proven, 403},
		{"somebody behind a proxy here", config.Loopback, here, forwarded("X-Forwarded-For"), 403},
		{"somebody behind another proxy here", config.Loopback, here, forwarded("Forwarded"), 403},
		{"a caller", config.Callers, there, proven, 200},
		{"a caller behind a proxy", config.Callers, here, func(r *http.Request) { proven(r); forwarded("Via")(r) }, 200},
		{"this machine without a secret", config.Callers, here, nil, 200},
		{"a wrong secret", config.Callers, there, wrong, 401},
		{"no secret", config.Callers, there, nil, 401},
		{"everybody", config.Everybody, there, nil, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := pages(t, c.readers, func() (service.Status, error) { return busy(), nil })
			for _, path := range []string{"/statusz", "/metrics"} {
				w := from(t, h, path, c.peer, c.change)
				if w.Code != c.want {
					t.Errorf("%s is answered with %d: %s", path, w.Code, w.Body)
				}
				if told := len(w.Body.String()) > 200; told != (c.want == 200) {
					t.Errorf("%s tells %s", path, w.Body)
				}
			}
			if w := from(t, h, "/healthz", there, nil); w.Code != 200 {
				t.Errorf("/healthz is answered with %d", w.Code)
			}
		})
	}
}

func TestTheStatusPage(t *testing.T) {
	h := pages(t, config.Loopback, func() (service.Status, error) { return busy(), nil })
	var got map[string]any
	w := from(t, h, "/statusz", "127.0.0.1:1", nil)
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path []string
		want any
	}{
		{[]string{"instance"}, "abcdefgh"},
		{[]string{"slack", "connected"}, 2.0},
		{[]string{"pagerduty", "answered_seconds_ago"}, 30.0},
		{[]string{"ledger", "events"}, 41.0},
		{[]string{"ledger", "answers"}, true},
		{[]string{"grants", "closing"}, 3.0},
		{[]string{"targets", "token", "failing"}, 2.0},
		{[]string{"targets", "token", "oldest_seconds"}, 600.0},
		{[]string{"outbox", "verdict", "waiting"}, 4.0},
		{[]string{"alarms"}, 1.0},
	} {
		var at any = got
		for _, key := range c.path {
			inner, _ := at.(map[string]any)
			at = inner[key]
		}
		if at != c.want {
			t.Errorf("%v is %v, want %v in %s", c.path, at, c.want, w.Body)
		}
	}
}

// TestALedgerThatDoesNotAnswer: the pages say so, and tell no numbers that nobody knows.
func TestALedgerThatDoesNotAnswer(t *testing.T) {
	h := pages(t, config.Loopback, func() (service.Status, error) {
		return service.Status{Began: began, At: time.Now()}, errors.New("page 7 of /secret/path")
	})
	got := scrape(t, from(t, h, "/metrics", "127.0.0.1:1", nil).Body.String())
	if up, ok := got["nightlatch_ledger_up"]; !ok || up != 0 {
		t.Errorf("the ledger is up: %v", got)
	}
	if n, ok := got[`nightlatch_grants{state="open"}`]; ok {
		t.Errorf("%v grants are open, and nobody knows", n)
	}
}

// TestTheNumbersAreAMomentOld: however many ask, the parts are asked once a second.
func TestTheNumbersAreAMomentOld(t *testing.T) {
	asked := 0
	h := pages(t, config.Loopback, func() (service.Status, error) { asked++; return busy(), nil })
	for range 20 {
		from(t, h, "/metrics", "127.0.0.1:1", nil)
	}
	if asked > 2 {
		t.Errorf("the service was asked %d times", asked)
	}
}
