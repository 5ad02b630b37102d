package pagerdutyemu_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/integrations/emulators/pagerdutyemu"
)

// control sends a command as a script would; an empty body is a GET.
func control(t *testing.T, emu http.Handler, name, body string) *httptest.ResponseRecorder {
	t.Helper()
	method := http.MethodPost
	if body == "" {
		method = http.MethodGet
	}
	r := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:8081/control/"+name, strings.NewReader(body))
	r.Header.Set("X-Control-Token", "c-token")
	w := httptest.NewRecorder()
	emu.ServeHTTP(w, r)
	return w
}

func TestAScriptActsAsTheWorld(t *testing.T) {
	emu := pagerdutyemu.New(pagerdutyemu.Config{ControlToken: "c-token"})
	now := time.Now().UTC().Truncate(time.Second)
	at := func(h int) string { return `"` + now.Add(time.Duration(h)*time.Hour).Format(time.RFC3339) + `"` }
	onCall := func(h int) string {
		t.Helper()
		w := control(t, emu, "oncall?at="+strings.Trim(at(h), `"`), "")
		var users []string
		for _, c := range decode[[]pagerdutyemu.OnCall](t, w.Body) {
			users = append(users, c.User)
		}
		return strings.Join(users, " ")
	}
	for _, step := range []struct {
		command, body string
		hour          int
		want          string
	}{
		{"user", `{"id":"PANA","name":"Ana","email":"ana@example.com","time_zone":"Asia/Tokyo","invitation_sent":false}`, 0, ""},
		{"policy", `{"id":"PONE","name":"One","levels":[[{"schedule":"SONE"}],[{"user":"PCHEF"}]]}`, 0, "PCHEF"},
		{"schedule", `{"id":"SONE","name":"One","v3":true}`, 0, "PCHEF"},
		{"shifts", `{"schedule":"SONE","shifts":[{"user":"PANA","start":` + at(-2) + `,"end":` + at(2) +
			`},{"user":"PBEN","start":` + at(2) + `,"end":null}]}`, 1, "PANA PCHEF"},
		{"move", `{"schedule":"SONE","user":"PANA","end":` + at(1) + `}`, 1, "PCHEF"},
		{"swap", `{"schedule":"SONE","users":["PANA","PBEN"]}`, 3, "PANA PCHEF"},
		{"override", `{"schedule":"SONE","user":"PDAN","start":` + at(3) + `,"end":` + at(4) + `}`, 3, "PDAN PCHEF"},
		{"end", `{"schedule":"SONE","user":"PBEN"}`, 0, "PCHEF"},
		{"remove", `{"policy":"PONE"}`, 3, ""},
		{"remove", `{"user":"PANA"}`, 3, ""},
	} {
		if w := control(t, emu, step.command, step.body); w.Code != http.StatusNoContent {
			t.Fatalf("%s answers %d: %s", step.command, w.Code, w.Body)
		}
		if got := onCall(step.hour); got != step.want {
			t.Errorf("after %s, on call at hour %d: %q, want %q", step.command, step.hour, got, step.want)
		}
	}
	if body := control(t, emu, "requests", "").Body.String(); body != "[]" {
		t.Errorf("requests: %s", body)
	}
}

func TestAScriptDisturbsTheWire(t *testing.T) {
	emu := pagerdutyemu.New(pagerdutyemu.Config{ControlToken: "c-token"})
	control(t, emu, "fault", `{"method":"users","status":429,"reset":"1m30s","times":1}`)
	if w := get(t, emu, "/users"); w.Code != 429 || w.Header().Get("ratelimit-reset") != "90" {
		t.Errorf("status %d, headers %v", w.Code, w.Header())
	}
	control(t, emu, "fault", `{"method":"*","status":500}`)
	control(t, emu, "clear", `{}`)
	if w := get(t, emu, "/users"); w.Code != 200 {
		t.Errorf("status %d after the faults were cleared", w.Code)
	}

	placed := decode[struct{ Hold int }](t, control(t, emu, "hold", `{"method":"users","when":"after"}`).Body)
	if body := control(t, emu, "hold?hold=1", "").Body.String(); placed.Hold != 1 || body != `{"arrived":false}` {
		t.Errorf("hold %d: %s", placed.Hold, body)
	}
	answered := make(chan int)
	go func() { answered <- get(t, emu, "/users").Code }()
	for control(t, emu, "hold?hold=1", "").Body.String() != `{"arrived":true}` {
		if t.Context().Err() != nil {
			t.Fatal("the request never arrived")
		}
	}
	control(t, emu, "release", `{"hold":1}`)
	if code := <-answered; code != 200 {
		t.Errorf("status %d after the release", code)
	}
	get(t, emu, "/oncalls?earliest=true")
	seen := decode[[]pagerdutyemu.Violation](t, control(t, emu, "violations", "").Body)
	if len(seen) != 1 || seen[0].Rule != "unknown parameter" || seen[0].Detail != "earliest" {
		t.Errorf("violations: %v", seen)
	}
	var statuses []int
	for _, r := range decode[[]pagerdutyemu.Request](t, control(t, emu, "requests", "").Body) {
		statuses = append(statuses, r.Status)
	}
	if diff := cmp.Diff([]int{429, 200, 200, 400}, statuses); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestAScriptsMistakeIsAnError(t *testing.T) {
	emu := pagerdutyemu.New(pagerdutyemu.Config{ControlToken: "c-token"})
	for command, body := range map[string]string{
		"user":     `{"name":"nobody"}`,
		"policy":   `{"levels":[]}`,
		"schedule": `{}`,
		"shifts":   `{"schedule":"S","shift":[]}`,
		"end":      `{"schedule":"S","user":"PANA"}`,
		"move":     `{"schedule":"S","user":"PANA","end":"soon"}`,
		"override": `[]`,
		"fault":    `{"method":"teams"}`,
		"hold":     `{"method":"users","when":"never"}`,
		"release":  `{"hold":7}`,
	} {
		if w := control(t, emu, command, body); w.Code != http.StatusBadRequest {
			t.Errorf("%s %s answers %d", command, body, w.Code)
		}
	}
}

func TestOnlyAScriptOnThisMachineWithTheTokenMayAct(t *testing.T) {
	for name, test := range map[string]struct {
		configured, host, token string
		want                    int
	}{
		"as it should be":     {"c-token", "127.0.0.1:8081", "c-token", 200},
		"by name":             {"c-token", "localhost", "c-token", 200},
		"IPv6":                {"c-token", "[::1]:8081", "c-token", 200},
		"wrong token":         {"c-token", "127.0.0.1:8081", "c-tokem", 403},
		"no token":            {"c-token", "127.0.0.1:8081", "", 403},
		"none configured":     {"", "127.0.0.1:8081", "", 403},
		"a page's own name":   {"c-token", "evil.example:8081", "c-token", 403},
		"a name like an IP's": {"c-token", "127.0.0.1.evil.example", "c-token", 403},
	} {
		t.Run(name, func(t *testing.T) {
			emu := pagerdutyemu.New(pagerdutyemu.Config{ControlToken: test.configured})
			for _, handler := range []http.Handler{emu, emu.ControlHandler()} {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/control/violations", http.NoBody)
				r.Host = test.host
				r.Header.Set("X-Control-Token", test.token)
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				if w.Code != test.want {
					t.Errorf("status %d, want %d", w.Code, test.want)
				}
			}
		})
	}
}
