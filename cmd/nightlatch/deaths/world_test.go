package deaths_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/emulators/slackemu"
)

// The people of each night, by their Slack user IDs.
const (
	ada = "U0ADA" // on call at level 1
	ben = "U0BEN" // on call at level 2
	cat = "U0CAT" // of the same channel
)

const (
	channel = "C0ONCALL"
	prime   = "SPRIME" // the schedule of level 1
	second  = "SSECOND"
	caller  = "orders-api"
)

// configuration is what an operator writes. Words in capitals are filled in. The poll is as short as
// it may be, and so is the time in which a secret is not shown again.
const configuration = `
environment: playground
ledger: {path: "LEDGER"}
slack: {api_url: "SLACK/api/", team: T0NIGHT}
pagerduty: {api_url: "PAGER"}
settle: 0s
poll: 1s
limits: {together: 1s}
http: {listen: "LISTEN", url: "http://LISTEN"}
token: {key_file: "KEYFILE"}
introspection:
  - {name: orders-api, sha256: "SHA256", audiences: ["https://orders.example"]}
log: {level: debug, format: text}
roles:
  - name: orders-read
    on_call: [{policy: PORDERS, levels: [1]}]
    automatic: on_call
    voters: {policy: PORDERS, levels: [2], count: 1}
    channel: C0ONCALL
    max: 8h
    audience: https://orders.example
    scopes: ["GET /v1/orders/*"]
  - name: orders-write
    on_call: [{policy: PORDERS, levels: [1]}]
    voters: {policy: PORDERS, levels: [2], count: 1}
    channel: C0ONCALL
    max: 4h
    audience: https://orders.example
    scopes: ["POST /v1/orders/*"]
`

// night is one ledger, the program on it in its lives, and the world around it.
type night struct {
	t      *testing.T
	dir    string // of the configuration, the ledger, the key and the log
	ledger string // the file
	door   string // URL of the program's listener
	client *http.Client
	secret string // with which the orders API asks about tokens

	pagerURL string
	slack    *slackemu.Emulator
	pager    *pagerdutyemu.Emulator
	outside  *outside

	mu      sync.Mutex // guards program while it is started
	program *process
	lives   int

	promised []promise
	asked    int               // requests that were acknowledged as recorded
	kept     map[string]string // token that its person has → grant
	fates    map[string]fate   // grant → what is known of it
	silence  string            // why the program's listener did not answer last
}

// newNight makes a world in which nothing runs yet.
func newNight(t *testing.T) *night {
	t.Helper()
	n := &night{
		t: t, dir: t.TempDir(), client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
		secret: "a secret of the orders service", kept: map[string]string{}, fates: map[string]fate{}, outside: &outside{},
	}
	n.outside.die = func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.program.kill()
	}
	n.outside.tell = func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.program.tell()
	}
	slackAt, pagerAt := listen(t), listen(t)
	n.slack = slackemu.New(slackemu.Config{BaseURL: "http://" + slackAt.Addr().String()})
	n.pager = pagerdutyemu.New(pagerdutyemu.Config{PerMinute: 1 << 20})
	t.Cleanup(n.slack.Close)
	t.Cleanup(n.pager.Close)
	serve(t, slackAt, n.outside.behind(slackMethod, n.slack))
	serve(t, pagerAt, n.outside.behind(pagerMethod, n.pager))
	n.populate()
	n.ledger, n.pagerURL = filepath.Join(n.dir, "ledger.db"), "http://"+pagerAt.Addr().String()
	n.door = "http://" + freePort(t)
	n.write("nightlatch.yaml", n.configured())
	return n
}

// configured is the configuration of the night.
func (n *night) configured() string {
	hash := sha256.Sum256([]byte(n.secret))
	return strings.NewReplacer(
		"LEDGER", n.ledger, "KEYFILE", filepath.Join(n.dir, "token.pem"), "LISTEN", strings.TrimPrefix(n.door, "http://"),
		"SLACK", n.slack.Config().BaseURL, "PAGER", n.pagerURL, "SHA256", hex.EncodeToString(hash[:]),
	).Replace(configuration)
}

// freePort is an address of loopback at which nobody listens. It is not among those that the kernel gives to whoever
// connects: nobody takes it while the program is dead.
func freePort(t *testing.T) string {
	t.Helper()
	const first, ports = 20_000, 12_000
	for range 100 {
		at := fmt.Sprintf("127.0.0.1:%d", first+rand.N(ports))
		if l, err := net.Listen("tcp", at); err == nil {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			return at
		}
	}
	t.Fatal("no port is free")
	return ""
}

func (n *night) write(name, text string) {
	n.t.Helper()
	if err := os.WriteFile(filepath.Join(n.dir, name), []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
}

// listen takes a port of loopback.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serve has a handler answer until the test is over.
func serve(t *testing.T, l net.Listener, h http.Handler) {
	server, done := &http.Server{Handler: h}, make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // it always ends with the error that it was closed
	}()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
}

// populate fills both worlds.
func (n *night) populate() {
	room := slackemu.Channel{ID: channel, Name: "on-call"}
	for _, id := range []string{ada, ben, cat} {
		name := strings.ToLower(id[2:])
		n.slack.PutUser(slackemu.User{ID: id, Name: name, Email: name + "@example.com"})
		n.pager.PutUser(pagerdutyemu.User{ID: pd(id), Name: name, Email: name + "@example.com"})
		room.Members = append(room.Members, id)
	}
	n.slack.PutChannel(room)
	n.pager.PutPolicy(pagerdutyemu.Policy{ID: "PORDERS", Name: "Orders", Levels: []pagerdutyemu.Level{
		{{Schedule: prime}}, {{Schedule: second}},
	}})
	now := time.Now()
	n.pager.SetShifts(prime, pagerdutyemu.Shift{User: pd(ada), Start: now.Add(-4 * time.Hour), End: now.Add(12 * time.Hour)})
	n.pager.SetShifts(second, pagerdutyemu.Shift{User: pd(ben), Start: now.Add(-4 * time.Hour), End: now.Add(12 * time.Hour)})
}

// pd is the PagerDuty user ID of somebody.
func pd(slackUser string) string { return "P" + slackUser[1:] }
