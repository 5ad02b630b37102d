// Package wiring_test plays whole nights: the program as it is served, with its real
// clients, ledger file, issuer and door, against emulators of Slack and PagerDuty, on
// a network and by a clock of its own.
//
// [play] starts a night, and after it stops the program and holds what remains against the
// promises: the rules of Slack and PagerDuty, and the ledger, which must prove itself.
package wiring_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"nightlatch/cmd/nightlatch/config"
	"nightlatch/cmd/nightlatch/operator"
	"nightlatch/cmd/nightlatch/wiring"
	"nightlatch/integrations/emulators/memnet"
	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/emulators/slackemu"
)

// Where everybody listens on the night's own network, and what opens what.
const (
	slackAt      = "127.0.0.1:4321"
	pagerAt      = "127.0.0.1:4322"
	doorAt       = "127.0.0.1:8321"
	caller       = "orders-api"
	callerSecret = "a secret of the orders service"
)

// plan is what is particular about a night.
type plan struct {
	settle, poll, reread time.Duration       // poll: default 5 s, reread: default 1 h
	roles                string              // further roles, in YAML
	secrets              map[string]string   // further ones, by their variables
	world                func(*night)        // changes the world before the program starts
	slack                slackemu.Config     // BaseURL is filled in
	pager                pagerdutyemu.Config // of PagerDuty's limits
}

// night is one run of the program and of the world around it, in one bubble.
type night struct {
	t     *testing.T
	began time.Time
	slack *slackemu.Emulator
	pager *pagerdutyemu.Emulator
	dir   string // of the configuration, the ledger and the key
	logs  logbook

	network     *memnet.Network
	transport   *http.Transport
	slackServer *http.Server
	pagerServer *http.Server // nil: PagerDuty is down
	loaded      config.Loaded
	reloads     chan config.Loaded // other configurations, while the program runs
	stop        func() error       // ends the program as a signal does; nil: it does not run
	real        bool               // outside a bubble, by the machine's clock
}

// play starts the program in a world, has the test lead through the night, and holds what
// remains against the promises.
func play(t *testing.T, p plan, lead func(n *night)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { (&night{t: t}).goes(p, lead) })
}

// playForReal is [play] by the machine's clock, for what is beyond the program and knows no other: a few seconds, not a night.
func playForReal(t *testing.T, p plan, lead func(n *night)) {
	t.Helper()
	(&night{t: t, real: true}).goes(p, lead)
}

func (n *night) goes(p plan, lead func(n *night)) {
	n.began, n.dir, n.network, n.reloads = time.Now(), n.t.TempDir(), memnet.New(), make(chan config.Loaded)
	p.slack.BaseURL = "http://" + slackAt
	n.slack, n.pager = slackemu.New(p.slack), pagerdutyemu.New(p.pager)
	n.transport = &http.Transport{DialContext: n.network.Dial}
	n.slackServer = n.serve(slackAt, n.slack)
	n.pagerServer = n.serve(pagerAt, n.pager)
	defer n.close()
	n.people()
	if p.world != nil {
		p.world(n)
	}
	n.configure(p)
	n.start()
	lead(n)
	n.halt()
	n.mustKeepItsPromises()
}

// close ends everything that still runs, also when a test gave up half-way: a bubble ends
// when its last goroutine does.
func (n *night) close() {
	n.halt()
	n.slack.Close()
	n.pager.Close()
	n.pagerDown()
	if err := errors.Join(n.slackServer.Close(), n.network.Close()); err != nil {
		n.t.Error(err)
	}
	n.transport.CloseIdleConnections()
	if n.t.Failed() {
		n.t.Logf("log:\n%s", n.logs.String())
	}
}

func (n *night) must(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

// serve has a handler listen at an address.
func (n *night) serve(addr string, h http.Handler) *http.Server {
	n.t.Helper()
	l, err := n.network.Listen(addr)
	n.must(err)
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(l) }() // its end is no news: the night closes it
	return server
}

// pagerDown makes PagerDuty refuse connections and cuts those that are open.
func (n *night) pagerDown() {
	n.t.Helper()
	if n.pagerServer != nil {
		n.must(n.pagerServer.Close())
		n.pagerServer = nil
	}
}

// pagerUp ends what pagerDown began.
func (n *night) pagerUp() {
	n.t.Helper()
	n.pagerServer = n.serve(pagerAt, n.pager)
}

// configure writes the configuration as an operator would and loads it as the program does.
func (n *night) configure(p plan) {
	n.t.Helper()
	sum := sha256.Sum256([]byte(callerSecret))
	text := strings.NewReplacer(
		"LEDGER", n.ledgerPath(), "KEYFILE", filepath.Join(n.dir, "token.pem"),
		"SLACK", slackAt, "PAGER", pagerAt, "DOOR", doorAt,
		"SETTLE", p.settle.String(), "POLL", orElse(p.poll, 5*time.Second).String(), "REREAD", orElse(p.reread, time.Hour).String(),
		"SHA256", hex.EncodeToString(sum[:]),
	).Replace(configuration) + p.roles
	path := filepath.Join(n.dir, "nightlatch.yaml")
	n.must(os.WriteFile(path, []byte(text), 0o600))
	secrets := map[string]string{
		"NIGHTLATCH_SLACK_APP_TOKEN": n.slack.Config().AppToken,
		"NIGHTLATCH_SLACK_BOT_TOKEN": n.slack.Config().BotToken,
		"NIGHTLATCH_PAGERDUTY_KEY":   n.pager.Config().Key,
	}
	maps.Copy(secrets, p.secrets)
	var err error
	n.loaded, err = config.Load(config.File{Path: path, Env: func(key string) (string, bool) {
		value, ok := secrets[key]
		return value, ok
	}})
	n.must(err)
}

func orElse(d, other time.Duration) time.Duration {
	if d == 0 {
		return other
	}
	return d
}

func (n *night) ledgerPath() string { return filepath.Join(n.dir, "ledger.db") }

// start serves, and waits until the people and the shifts are known.
func (n *night) start() {
	n.t.Helper()
	wires := wiring.Wires{
		Slack: n.transport, PagerDuty: n.transport, Web: n.transport,
		Socket:    &websocket.Dialer{NetDialContext: n.network.Dial},
		Listen:    func(_, address string) (net.Listener, error) { return n.network.Listen(address) },
		Operators: func(s operator.Socket) (net.Listener, error) { return n.network.Listen(s.Path) },
		Reloads:   n.reloads,
	}
	log := slog.New(slog.NewTextHandler(&n.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	ctx, signal := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- wiring.Serve(ctx, n.loaded, wires, log) }()
	n.stop = func() error {
		signal()
		began := time.Now()
		err := <-done
		if took := time.Since(began); took > 5*time.Second {
			err = errors.Join(err, fmt.Errorf("stopping took %s", took))
		}
		return err
	}
	n.pass(2 * time.Second)
}

// halt ends the program if it runs, as a signal does.
func (n *night) halt() {
	n.t.Helper()
	if n.stop == nil {
		return
	}
	if err := n.stop(); err != nil {
		n.t.Errorf("the program ended with: %v\n%s", err, n.logs.String())
	}
	n.stop = nil
	n.pass(0) // until everybody noticed that it is gone
}

// restart ends the program and starts it again on what it left.
func (n *night) restart() {
	n.t.Helper()
	n.halt()
	n.start()
}

// pass lets time go by, and waits until everything is done that needs no more of it.
func (n *night) pass(d time.Duration) {
	if n.real {
		<-time.After(d)
		return
	}
	time.Sleep(d)
	synctest.Wait()
}

// until lets the night go on to so much time after its beginning.
func (n *night) until(since time.Duration) {
	n.t.Helper()
	left := time.Until(n.began.Add(since))
	if left < 0 {
		n.t.Fatalf("it is already %s into the night, not %s", time.Since(n.began), since)
	}
	n.pass(left)
}

// logbook is what the program says to its operator.
type logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write takes one line.
func (l *logbook) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
