package verify_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/memnet"
	"nightlatch/integrations/token"
	"nightlatch/integrations/token/verify"
)

const (
	audience = "https://orders.example.com"
	secret   = "correct horse battery staple+/=" // of the caller orders-api
)

// ledger is what holds: names of live credentials.
type ledger struct {
	mu    sync.Mutex
	live  map[string]bool
	asked int
	delay time.Duration
}

func (l *ledger) active(_ context.Context, name string) (bool, error) {
	l.mu.Lock()
	live, delay := l.live[name], l.delay
	l.asked++
	l.mu.Unlock()
	time.Sleep(delay) // in bubbles only; otherwise it is zero
	return live, nil
}

func (l *ledger) set(name string, live bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.live[name] = live
}

func (l *ledger) questions() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked
}

// site is an HTTP server whose handler can be exchanged.
type site struct {
	mu      sync.Mutex
	handler http.Handler
	paths   map[string]int // how often each was asked for
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	h := s.handler
	s.paths[r.URL.Path]++
	s.mu.Unlock()
	h.ServeHTTP(w, r)
}

func (s *site) become(h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = h
}

func (s *site) asked(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.paths[path]
}

// status is a site that answers nothing else.
func status(code int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
}

// rig is a door that a verifier asks, and a service behind the verifier.
type rig struct {
	url    string
	key    token.Key
	ledger *ledger
	site   *site
	door   http.Handler
	client *http.Client
	log    *bytes.Buffer
	seen   *http.Request // by the service, at last
	guard  http.Handler
}

// newRig listens on loopback, with a fresh key.
func newRig(t testing.TB, change func(*verify.Config)) *rig {
	t.Helper()
	r := &rig{site: &site{paths: map[string]int{}}, key: newKey(t)}
	server := httptest.NewServer(r.site)
	t.Cleanup(server.Close)
	r.url, r.client = server.URL, server.Client()
	r.build(t, change)
	return r
}

// newBubbleRig listens in memory; to be made in a bubble, and to be closed in it.
func newBubbleRig(t *testing.T, change func(*verify.Config)) *rig {
	t.Helper()
	r := &rig{site: &site{paths: map[string]int{}}, key: newKey(t), url: "http://127.0.0.1"}
	network := memnet.New()
	l, err := network.Listen("127.0.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: r.site}
	go func() { _ = server.Serve(l) }()
	transport := &http.Transport{DialContext: network.Dial}
	r.client = &http.Client{Transport: transport}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		network.Close()
	})
	r.build(t, change)
	return r
}

func (r *rig) build(t testing.TB, change func(*verify.Config)) {
	t.Helper()
	r.ledger = &ledger{live: map[string]bool{order().Name: true}}
	r.door = r.newDoor(t, token.Keys{Current: r.key})
	r.site.become(r.door)
	r.log = &bytes.Buffer{}
	config := verify.Config{
		Issuer: r.url, Audience: audience, Caller: "orders-api", Secret: secret, Client: r.client,
		Log: slog.New(slog.NewJSONHandler(r.log, nil)),
	}
	if change != nil {
		change(&config)
	}
	v, err := verify.New(config)
	if err != nil {
		t.Fatal(err)
	}
	r.guard = v.Wrap(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.seen = req
		w.WriteHeader(http.StatusOK)
	}))
}

// newDoor is the real one, with these keys.
func (r *rig) newDoor(t testing.TB, keys token.Keys) http.Handler {
	t.Helper()
	sum := sha256.Sum256([]byte(secret))
	door, err := token.NewDoor(token.DoorConfig{
		URL: r.url, Keys: keys, Active: r.ledger.active, PerSecond: 1e6, Burst: 1e6,
		Callers: []token.Caller{{Name: "orders-api", SecretSHA256: hex.EncodeToString(sum[:]), Audiences: []string{audience}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return door
}

func newKey(t testing.TB) token.Key {
	t.Helper()
	key, err := token.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// order asks for an hour with orders.
func order() grants.Order {
	now := time.Now().UTC().Truncate(time.Second)
	return grants.Order{
		Name: "k3v9x2aa-01jd8m4v0q7r2x5y9bcdefghjk-1", Grant: "01jd8m4v0q7r2x5y9bcdefghjk", Role: "orders-read",
		Person: grants.Person{Key: "T0NIGHT.U0ADA"}, Audience: audience,
		Scopes: []string{"GET,HEAD /v1/orders/*", "orders.read", "POST /v1/refunds/**"},
		Now:    now, Until: now.Add(time.Hour),
	}
}

// issue signs an order with the rig's key.
func (r *rig) issue(t testing.TB, o grants.Order) string { return r.issueWith(t, r.key, o) }

func (r *rig) issueWith(t testing.TB, key token.Key, o grants.Order) string {
	t.Helper()
	issuer, err := token.New(token.Config{Keys: token.Keys{Current: key}, URL: r.url})
	if err != nil {
		t.Fatal(err)
	}
	s, err := issuer.Issue(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s.Expose()
}

// call sends a request through the verifier.
func (r *rig) call(req *http.Request) *httptest.ResponseRecorder {
	r.seen = nil
	w := httptest.NewRecorder()
	r.guard.ServeHTTP(w, req)
	return w
}

// request is one with a token.
func request(method, target, raw string) *http.Request {
	req := httptest.NewRequest(method, target, nil)
	req.Header.Set("Authorization", "Bearer "+raw)
	return req
}

// get is the status that reading an order is answered with.
func (r *rig) get(raw string) int { return r.call(request("GET", "/v1/orders/4711", raw)).Code }

// lines are the log's, decoded.
func (r *rig) lines(t *testing.T) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(r.log.String()) {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

func TestAGoodCallReachesTheService(t *testing.T) {
	r := newRig(t, nil)
	o := order()
	raw := r.issue(t, o)
	req := request("GET", "/v1/orders/b%C3%BCcher%3A1?full=1", raw)
	if w := r.call(req); w.Code != http.StatusOK {
		t.Fatalf("answered %d %s", w.Code, w.Body)
	}
	got, ok := verify.FromContext(r.seen.Context())
	want := verify.Token{
		ID: o.Name, Person: "T0NIGHT.U0ADA", Role: o.Role, Grant: o.Grant, Scopes: []string{"orders.read"}, Expires: o.Until.Local(),
	}
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("the token in the context (-want +got):\n%s", diff)
	}
	if _, ok := verify.FromContext(req.Context()); ok {
		t.Error("the caller's own request has a token in its context")
	}
	seen := [...]string{r.seen.URL.Path, r.seen.URL.RawPath, r.seen.URL.EscapedPath(), r.seen.RequestURI, r.seen.URL.RawQuery}
	if diff := cmp.Diff([...]string{"/v1/orders/bücher:1", "", "/v1/orders/b%C3%BCcher:1", "/v1/orders/b%C3%BCcher:1?full=1", "full=1"}, seen); diff != "" {
		t.Errorf("the service sees (-want +got):\n%s", diff)
	}
	if len(r.seen.Header.Values("Authorization")) != 0 || req.Header.Get("Authorization") == "" {
		t.Error("the token reaches the service, or was taken from the caller's own request")
	}
}

func TestOneLineForEachCall(t *testing.T) {
	r := newRig(t, nil)
	raw := r.issue(t, order())
	for _, req := range []*http.Request{
		request("GET", "/v1/orders/4711?access_token="+raw, raw),
		request("DELETE", "/v1/orders/4711", raw),
		request("GET", "/v1/orders/"+raw, raw),
		request("GET", "/v1/orders/4711", "eyJ.eyJ.x"),
	} {
		r.call(req)
	}
	known := map[string]any{
		"level": "INFO", "msg": "call allowed", "grant": order().Grant, "person": "T0NIGHT.U0ADA", "incident": "", "role": "orders-read",
		"credential": order().Name, "method": "GET", "path": "/v1/orders/4711",
	}
	with := func(changes map[string]any) map[string]any {
		line := map[string]any{}
		for _, m := range []map[string]any{known, changes} {
			for k, v := range m {
				line[k] = v
			}
		}
		return line
	}
	want := []map[string]any{
		known,
		with(map[string]any{"level": "WARN", "msg": "call refused", "method": "DELETE", "status": 403.0, "reason": "the token does not open this"}),
		with(map[string]any{"path": "[withheld]"}),
		with(map[string]any{
			"level": "WARN", "msg": "call refused", "grant": "", "person": "", "role": "", "credential": "",
			"status": 401.0, "reason": "the token is not one for this service",
		}),
	}
	got := r.lines(t)
	for _, line := range got {
		delete(line, "time")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if strings.Contains(r.log.String(), raw[strings.LastIndex(raw, ".")+1:]) || strings.Contains(r.log.String(), secret) {
		t.Error("the token or the secret is in the log")
	}
}

func TestRefusalsFollowTheStandard(t *testing.T) {
	r := newRig(t, nil)
	raw := r.issue(t, order())
	with := func(values ...string) *http.Request {
		req := httptest.NewRequest("GET", "/v1/orders/4711", nil)
		req.Header["Authorization"] = values
		return req
	}
	override := request("POST", "/v1/refunds/1", raw)
	override.Header.Set("X-HTTP-Method-Override", "DELETE")
	for _, test := range []struct {
		name   string
		req    *http.Request
		status int
		code   string
	}{
		{"nothing", with(), 401, ""},
		{"another scheme", with("Basic b3JkZXJzOng="), 401, ""},
		{"a token in the query", httptest.NewRequest("GET", "/v1/orders/4711?access_token="+raw, nil), 401, ""},
		{"a scheme alone", with("Bearer"), 401, "invalid_token"},
		{"a token twice", with("Bearer "+raw, "Bearer "+raw), 400, "invalid_request"},
		{"no token of ours", with("Bearer x"), 401, "invalid_token"},
		{"something after it", with("Bearer " + raw + " x"), 401, "invalid_token"},
		{"another method", request("PUT", "/v1/orders/4711", raw), 403, "insufficient_scope"},
		{"another path", request("GET", "/v1/refunds/1", raw), 403, "insufficient_scope"},
		{"a method in lower case", request("get", "/v1/orders/4711", raw), 403, "insufficient_scope"},
		{"a path that is not plain", request("GET", "/v1/orders/../admin", raw), 400, "invalid_request"},
		{"another method in a header", override, 400, "invalid_request"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := r.call(test.req)
			if w.Code != test.status || r.seen != nil {
				t.Fatalf("answered %d, want %d", w.Code, test.status)
			}
			var body struct{ Error, Error_description string }
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || body.Error != test.code || body.Error_description == "" {
				t.Errorf("answered %s (%v)", w.Body, err)
			}
			want := `Bearer realm="nightlatch"`
			if test.code != "" {
				want = fmt.Sprintf(`Bearer realm="nightlatch", error="%s", error_description="%s"`, test.code, body.Error_description)
			}
			if got := w.Header().Get("WWW-Authenticate"); got != want {
				t.Errorf("WWW-Authenticate is %q, want %q", got, want)
			}
			if w.Header().Get("Cache-Control") != "no-store" || strings.Contains(w.Body.String(), raw) {
				t.Errorf("the answer may be kept, or has the token: %v %s", w.Header(), w.Body)
			}
		})
	}
	if w := r.call(with("bEARER  " + raw)); w.Code != http.StatusOK {
		t.Errorf("the scheme is compared with its case: %d", w.Code)
	}
}

func TestConfigurationNamesAllProblemsAtOnce(t *testing.T) {
	_, err := verify.New(verify.Config{Issuer: "http://user:hunter2@nightlatch.example.com", Caller: "x", Timeout: -1})
	if err == nil {
		t.Fatal("an empty configuration was accepted")
	}
	for _, part := range []string{"is not just https://", "the audience is empty", "go together", "nobody answers within"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q:\n%v", part, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error shows a password: %v", err)
	}
	for _, issuer := range []string{"http://nightlatch.example.com", "https://nightlatch.example.com/", "ftp://127.0.0.1", "nightlatch", "http://127.0.0.1.example.com"} {
		if _, err := verify.New(verify.Config{Issuer: issuer, Audience: "x", Offline: true}); err == nil {
			t.Errorf("the issuer %q is accepted", issuer)
		}
	}
	if _, err := verify.New(verify.Config{Issuer: "https://n.example.com", Audience: "x"}); err == nil {
		t.Error("introspection without any proof of who asks is accepted")
	}
	config := verify.Config{Secret: secret}
	for _, text := range []string{fmt.Sprint(config), fmt.Sprintf("%+v %#v %q %x", config, config, config.Secret, config.Secret)} {
		if strings.Contains(text, "horse") || strings.Contains(text, hex.EncodeToString([]byte("horse"))) {
			t.Errorf("the configuration prints as %s", text)
		}
	}
	if raw, err := json.Marshal(config.Secret); err != nil || string(raw) != `"[redacted]"` {
		t.Errorf("the secret is encoded as %s (%v)", raw, err)
	}
}
