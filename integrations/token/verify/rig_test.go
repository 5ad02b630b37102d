package verify_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

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
