package page_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/cmd/playground/page"
	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/emulators/slackemu"
)

// rig is a page of a workspace to which no program is connected.
type rig struct {
	*httptest.Server
	token   string
	changes chan string
}

// logged is what the program wrote.
const logged = `time=2026-03-07T02:14:00.000Z level=WARN msg="a token eyJhbGciOiJFUzI1NiJ9.abc.def is seen" person=T0.U0MARA
time=2026-03-07T02:14:01.000Z level=INFO msg=recorded seq=7 kind=asked grant=g1 person=T0.U0MARA
time=2026-03-07T02:14:02.000Z level=INFO msg=recorded seq=8 kind=opened grant=g1 role=orders-read part=decide
time=2026-03-07T02:14:03.000Z level=INFO msg=recorded seq=9 kind=closed grant=g1 part=revoke outcome=shift_ended
time=2026-03-07T02:14:04.000Z level=INFO msg=recorded seq=10 kind=never_heard_of person=T0.U0OTTO
`

func newRig(t *testing.T) *rig {
	t.Helper()
	return newRigOf(t, logged)
}

// newRigOf is a rig with another log.
func newRigOf(t *testing.T, logged string) *rig {
	t.Helper()
	slack := slackemu.New(slackemu.Config{})
	account := pagerdutyemu.New(pagerdutyemu.Config{})
	slack.PutUser(slackemu.User{ID: "U0MARA", Name: "mara"})
	slack.PutChannel(slackemu.Channel{ID: "C0ORDERS", Name: "orders-access", Members: []string{"U0MARA"}})
	account.PutPolicy(pagerdutyemu.Policy{ID: "P", Levels: []pagerdutyemu.Level{{{Schedule: "PFIRST"}}}})
	account.PutService(pagerdutyemu.Service{ID: "PSHOP", Name: "Orders", Policy: "P"})
	slack.PutUser(slackemu.User{ID: "U0OTTO", Name: "otto"})
	now := time.Now()
	account.SetShifts("PFIRST", pagerdutyemu.Shift{User: "PMARA", Start: now.Add(-time.Hour), End: now.Add(time.Hour)})
	r := &rig{changes: make(chan string, 1)}
	p, err := page.New(page.Config{
		Slack: slack, PagerDuty: account, Opened: now, Clock: now,
		Cast:     []page.Person{{ID: "U0MARA", PagerDuty: "PMARA", Name: "Mara Lindqvist"}, {ID: "U0OTTO", Name: "Otto Brandt"}},
		Alert:    pagerdutyemu.Trigger{Service: "PSHOP", Title: "Order 4711 is stuck", Key: "4711"},
		Channels: []page.Channel{{ID: "C0ORDERS", Name: "orders-access"}},
		Lines:    []page.Line{{Schedule: "PFIRST", Name: "First line"}},
		Changes:  map[string]func() error{"end": func() error { r.changes <- "end"; return nil }},
		Services: []page.Service{{Name: "orders API", URL: "http://127.0.0.1:0", Audience: "https://orders.example", Calls: []string{"GET /v1/orders"}}},
		Logs:     []page.Log{{Name: "nightlatch", From: func(offset int) []byte { return []byte(logged)[offset:] }}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Server = httptest.NewServer(p)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		r.Close()
		slack.Close()
		account.Close()
	})
	_, index := r.get(t, "/")
	r.token = regexp.MustCompile(`name="page-token" content="([^"]+)"`).FindStringSubmatch(index)[1]
	return r
}

func (r *rig) do(t *testing.T, q *http.Request) (*http.Response, string) {
	t.Helper()
	answer, err := r.Client().Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func (r *rig) get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	return r.do(t, r.request(t, http.MethodGet, path, ""))
}

func (r *rig) request(t *testing.T, method, path, body string) *http.Request {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, r.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// TestOnlyThePage shows who is kept out: pages of other names that lead here, and pages without the token.
func TestOnlyThePage(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name, method, path, host, token string
		want                            int
	}{
		{"the page", "GET", "/", "", "", 200},
		{"a name that was pointed here", "GET", "/", "evil.example", "", 403},
		{"a name that looks local", "GET", "/", "localhost.evil.example", "", 403},
		{"localhost", "GET", "/", "localhost:8080", "", 200},
		{"a file from elsewhere", "GET", "/web/app.js", "evil.example", "", 403},
		{"an order with the token", "POST", "/api/shift", "", r.token, 200},
		{"an order without", "POST", "/api/shift", "", "", 403},
		{"an order with another", "POST", "/api/shift", "", "ABC", 403},
		{"an order from elsewhere", "POST", "/api/shift", "evil.example", r.token, 403},
		{"an order as a question", "GET", "/api/shift?token=" + r.token, "", r.token, 405},
		{"the stream without", "GET", "/api/stream", "", r.token, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := r.request(t, c.method, c.path, `{"change": "end"}`)
			if c.host != "" {
				q.Host = c.host
			}
			if c.token != "" {
				q.Header.Set("X-Page-Token", c.token)
			}
			if answer, body := r.do(t, q); answer.StatusCode != c.want {
				t.Errorf("the answer is %s, want %d: %s", answer.Status, c.want, body)
			}
		})
	}
	if len(r.changes) != 1 {
		t.Errorf("%d orders were done, want the one with the token", len(r.changes))
	}
}

// TestPolicy holds the page to what its own policy lets a browser do.
func TestPolicy(t *testing.T) {
	r := newRig(t)
	answer, index := r.get(t, "/")
	policy := answer.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %q", policy)
	}
	for _, never := range []string{"<script>", " onclick", " onload", "style=", "javascript:", "http://", "https://"} {
		if strings.Contains(index, never) {
			t.Errorf("the page has %q", never)
		}
	}
	for _, file := range regexp.MustCompile(`(?:src|href)="(/web/[^"]+)"`).FindAllStringSubmatch(index, -1) {
		answer, text := r.get(t, file[1])
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", file[1], answer.Status)
		}
		if lines := strings.Count(text, "\n"); lines > 400 {
			t.Errorf("%s has %d lines", file[1], lines)
		}
	}
}

// TestScripts looks for what turns texts into markup or code.
func TestScripts(t *testing.T) {
	r := newRig(t)
	names := []string{"app.js"}
	imports := regexp.MustCompile(`(?:from|import) "\./([a-z]+\.js)"`)
	for i := 0; i < len(names); i++ {
		_, text := r.get(t, "/web/"+names[i])
		for _, never := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"} {
			if strings.Contains(text, never) {
				t.Errorf("%s uses %s", names[i], never)
			}
		}
		for _, m := range imports.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(strings.Join(names, " "), m[1]) {
				names = append(names, m[1])
			}
		}
	}
	if len(names) < 10 {
		t.Errorf("only %v were found", names)
	}
}

// told reads what a browser is told first, by kind.
func (r *rig) told(t *testing.T) map[string]string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel() // the stream has no end of its own
	answer, err := r.Client().Do(r.request(t, http.MethodGet, "/api/stream?token="+r.token, "").WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	told, kind := map[string]string{}, ""
	for lines := bufio.NewScanner(answer.Body); len(told) < 7 && lines.Scan(); {
		if event, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			kind = event
		}
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			told[kind] = data
		}
	}
	return told
}

// TestStream reads what a browser is told first. A token in a log is not among it.
func TestStream(t *testing.T) {
	told := newRig(t).told(t)
	for kind, want := range map[string]string{
		"scene": `"name":"Mara Lindqvist"`, "screen": `"user":"U0OTTO"`, "shifts": `"user":"PMARA"`, "incident": `"number":0`,
		"wires": `a token eyJ… is seen`, "ledger": `"seq":"7"`, "steps": `"asked":false`,
	} {
		if !json.Valid([]byte(told[kind])) || !strings.Contains(told[kind], want) {
			t.Errorf("%s is told as %s, want it to have %s", kind, told[kind], want)
		}
	}
	if strings.Contains(told["wires"], "abc.def") {
		t.Error("a token that came into a log is shown")
	}
}

// TestLedger reads what is said of events, also of one that the page has never heard of.
func TestLedger(t *testing.T) {
	told := newRig(t).told(t)
	type record struct{ Seq, Kind, Grant, Says, Actor string }
	var got []record
	if err := json.Unmarshal([]byte(told["ledger"]), &got); err != nil {
		t.Fatal(err)
	}
	want := []record{
		{"7", "asked", "g1", "Mara asked", "Mara"},
		{"8", "opened", "g1", "orders-read is open for Mara", "decide"},
		{"9", "closed", "g1", "orders-read for Mara is over: shift ended", "revoke"},
		{"10", "never heard of", "", "never heard of", "Otto"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the ledger (-want +got):\n%s", diff)
	}
	if strings.Contains(told["wires"], "asked") {
		t.Errorf("what was recorded is among the wires, too: %s", told["wires"])
	}
}

// TestEveryKind holds the page to the kinds of events that there are: each is said in words.
func TestEveryKind(t *testing.T) {
	source, err := os.ReadFile("../../../grants/event.go")
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`Kind = "(\w+)"|\bKind\w+ += "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(kinds) < 20 {
		t.Fatalf("only %d kinds were found", len(kinds))
	}
	var log strings.Builder
	for i, k := range kinds {
		fmt.Fprintf(&log, "time=2026-03-07T02:14:01.000Z level=INFO msg=recorded seq=%d kind=%s grant=g1 person=T0.U0MARA\n", i, k[1]+k[2])
	}
	var got []struct{ Kind, Says string }
	if err := json.Unmarshal([]byte(newRigOf(t, log.String()).told(t)["ledger"]), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(kinds) {
		t.Errorf("%d of %d kinds are shown", len(got), len(kinds))
	}
	for _, r := range got {
		if r.Says == r.Kind || regexp.MustCompile(`[A-Z]{4}`).MatchString(r.Says) {
			t.Errorf("the kind %s is said as %q", r.Kind, r.Says)
		}
	}
}

// TestIncident lets people act on an incident, each as themselves.
func TestIncident(t *testing.T) {
	r := newRig(t)
	for _, step := range []struct {
		user, change string
		code         int
		says         string
	}{
		{"U0MARA", "acknowledge", 409, "there is no incident to acknowledge; trigger one"},
		{"U0MARA", "trigger", 200, ""},
		{"U0OTTO", "acknowledge", 409, "Otto has no seat in PagerDuty"},
		{"U0EVE", "resolve", 409, "there is nobody called"},
		{"U0MARA", "snooze", 409, "nothing of an incident is called"},
		{"U0MARA", "acknowledge", 200, ""},
		{"U0MARA", "resolve", 200, ""},
		{"U0MARA", "resolve", 409, "it is resolved"},
		{"U0MARA", "trigger", 200, ""},
		{"U0MARA", "acknowledge", 200, ""},
	} {
		body, err := json.Marshal(map[string]string{"user": step.user, "change": step.change})
		if err != nil {
			t.Fatal(err)
		}
		q := r.request(t, http.MethodPost, "/api/incident", string(body))
		q.Header.Set("X-Page-Token", r.token)
		if answer, said := r.do(t, q); answer.StatusCode != step.code || !strings.Contains(said, step.says) {
			t.Errorf("%s by %s answers %s: %s", step.change, step.user, answer.Status, said)
		}
	}
	const want = `"number":2,"title":"Order 4711 is stuck","status":"acknowledged","assigned":["PMARA"],"acknowledged":["PMARA"],"by":"PMARA"`
	told := ""
	for over := time.Now().Add(30 * time.Second); !strings.Contains(told, want); {
		if told = r.told(t)["incident"]; time.Now().After(over) {
			t.Fatalf("the page is told %s", told)
		}
	}
}
