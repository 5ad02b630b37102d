package service_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
	"nightlatch/grants/ledger/boltkv"
	"nightlatch/grants/ledger/kvtest"
	"nightlatch/grants/service"
	"nightlatch/integrations/issuertest"
)

const team = "T1"

// The people. Anna is on call, Ben is the next level, Cleo and Dan vote by name, Dora has a
// PagerDuty seat and no shift, Fay has no seat, Gus is a guest.
const (
	anna = "UANNA"
	ben  = "UBEN"
	cleo = "UCLEO"
	dan  = "UDAN"
	dora = "UDORA"
	fay  = "UFAY"
	gus  = "UGUS"
)

// The roles.
const (
	orders  = "orders"  // opens by itself for whoever is on call
	ledgers = "ledgers" // needs one yes, or two off call
	quiet   = "quiet"   // automatic, no voters, no channel
)

// policy is the escalation policy of every role.
const policy = "POLICY"

// person is the key of a Slack user, and seat their PagerDuty user.
func person(user string) grants.PersonKey { return grants.KeyOf(team, user) }
func seat(user string) string             { return "P" + user[1:] }

// world is a service with everything around it, and the people who use it.
type world struct {
	t        testing.TB
	pager    *pager
	slack    *slack
	board    *board
	target   *target
	lying    bool // the issuer answers "revoked" and keeps everything
	roles    []grants.Role
	reread   time.Duration
	ahead    func() time.Duration
	settle   time.Duration
	limits   service.Limits
	patience time.Duration // of settles
	security string        // the channel
	pagers   []service.Pager
	disk     *disk   // nil: one with room
	other    *target // a second target, "safe"; nil: there is one
	path     string
	idle     bool // the process takes commands and does nothing by itself
	logs     *logs

	mu         sync.Mutex
	envelopes  int
	promises   []promise // what Take acknowledged
	sent       []envelope
	unanswered []func() // presses whose process died
	asked      int      // requests that were pressed
	same       int      // commits up to the first moment of a grid

	// Of the process that runs now.
	svc    *service.Service
	ledger *ledger.Ledger
	dying  *kvtest.Dying
	engine ledger.Engine
	ctx    context.Context
	kill   context.CancelFunc
	ended  chan error
	beside sync.WaitGroup
}

// envelope is a press that may come again.
type envelope struct {
	taken bool // it was answered out of the ledger, which must remember it
	again func() error
}

// promise is something that Take answered with nil: it must be in the ledger for ever.
type promise struct {
	kind      grants.Kind
	grant     string
	person    grants.PersonKey
	extension int // its ordinal, of what is about one
}

// story runs a test in a bubble with a world whose shifts have just begun: Anna's lasts two hours,
// Ben's, the next level's, has no end. The service is not running yet.
func story(t *testing.T, tell func(w *world)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir)
		defer w.leave()
		tell(w)
	})
}

func newWorld(t testing.TB, dir string) *world {
	w := &world{
		t: t, path: filepath.Join(dir, "ledger.db"), logs: &logs{}, roles: someRoles(), patience: 6 * time.Hour,
		pager: &pager{}, slack: &slack{groups: map[string][]string{}}, board: &board{},
		target: newTarget(t),
	}
	for _, u := range []string{anna, ben, cleo, dan, dora, fay} {
		w.slack.users = append(w.slack.users, grants.SlackUser{Team: team, ID: u, Name: u, Email: u + "@example.com"})
		if u != fay {
			w.pager.users = append(w.pager.users, grants.PagerUser{ID: seat(u), Name: u, Email: u + "@EXAMPLE.com"})
		}
	}
	w.slack.users = append(w.slack.users, grants.SlackUser{Team: team, ID: gus, Name: gus, Email: "gus@example.com", Guest: true})
	w.pager.puts(seat(anna), policy, 1, time.Now().Add(-time.Hour), w.at(2*time.Hour))
	w.pager.puts(seat(ben), policy, 2, time.Time{}, time.Time{})
	return w
}

func someRoles() []grants.Role {
	first := []grants.Source{{Policy: policy, Levels: []int{1}}}
	common := grants.Role{
		OnCall: first, Channel: "C1", Max: 4 * time.Hour, Default: time.Hour, PendingFor: 15 * time.Minute,
		Issuer: "vault", Audience: "orders-api", Scopes: []string{"read"},
	}
	o, l, q := common, common, common
	o.Name, o.Automatic = orders, grants.WhenOnCall
	o.Voters = grants.Voters{Policy: policy, Levels: []int{2}, Count: 1}
	l.Name, l.Automatic = ledgers, grants.Never
	l.Voters = grants.Voters{Users: []string{anna, ben, cleo, dan}, Count: 1}
	l.OffCall = grants.Voters{Users: []string{anna, ben, cleo, dan}, Count: 2}
	q.Name, q.Automatic, q.Channel = quiet, grants.WhenOnCall, ""
	return []grants.Role{o, l, q}
}

// at is a time from now, as the service keeps times.
func (w *world) at(d time.Duration) time.Time {
	return time.Now().Add(d).UTC().Truncate(time.Millisecond)
}

// opens starts the process: it must come up.
func (w *world) opens() *world {
	w.t.Helper()
	if err := w.starts(0, false); err != nil {
		w.t.Fatalf("starting: %v\n%s", err, w.logs)
	}
	return w
}

// starts starts a process that dies at its n-th commit, before or after it; 0 never. A process
// that died while it started is not running: its error is returned.
func (w *world) starts(n int, after bool) error {
	w.t.Helper()
	bolt, err := boltkv.Open(boltkv.Config{Path: w.path, Spaces: ledger.Spaces()})
	if err != nil {
		w.t.Fatalf("opening the ledger's file: %v", err)
	}
	w.ctx, w.kill = context.WithCancel(context.WithoutCancel(w.t.Context()))
	w.engine = bolt
	var engine ledger.Engine = kvtest.Twice{Engine: bolt, T: w.t}
	if w.disk != nil {
		w.disk.Engine = engine
		engine = w.disk
	}
	w.dying = &kvtest.Dying{Engine: engine, At: n, After: after, Kill: w.kill}
	w.ended = make(chan error, 1)
	w.svc = nil
	if w.ledger, err = ledger.Open(w.ctx, ledger.Config{Engine: w.dying, Environment: "test", Instance: "abcdefgh"}); err == nil {
		w.svc, err = service.New(w.ctx, w.config())
	}
	if err != nil {
		w.ended <- nil
		w.ends()
		return err
	}
	if w.idle {
		w.ended <- nil
		return nil
	}
	svc, ctx, ended := w.svc, w.ctx, w.ended
	go func() { ended <- svc.Run(ctx) }()
	synctest.Wait()
	return nil
}

func (w *world) config() service.Config {
	var issuer service.Issuer = w.target
	if w.lying {
		issuer = issuertest.Liar{Issuer: w.target}
	}
	var reserve service.Reserve
	if w.disk != nil {
		reserve = w.disk
	}
	issuers := map[string]service.Issuer{"vault": issuer}
	if w.other != nil {
		issuers["safe"] = w.other
	}
	return service.Config{
		Reserve: reserve, Ledger: w.ledger, OnCall: w.pager, Directory: w.slack, Notifier: w.board, Roles: w.roles,
		Issuers: issuers, Team: team, Digest: "digest",
		Pagers: w.pagers, Ahead: w.ahead, Settle: w.settle, Reread: w.reread, Limits: w.limits, SecurityChannel: w.security, SecurityPeople: []string{cleo, gus}, Log: slog.New(slog.NewTextHandler(w.logs, nil)),
	}
}

// ends ends the process, as a kill does: nothing is finished, nothing is told.
func (w *world) ends() {
	w.t.Helper()
	if w.engine == nil {
		return
	}
	w.kill()
	w.beside.Wait()
	if err := <-w.ended; err != nil && !errors.Is(err, context.Canceled) {
		w.t.Errorf("Run returned %v", err)
	}
	if err := w.engine.Close(); err != nil {
		w.t.Errorf("closing the ledger's file: %v", err)
	}
	w.engine = nil
}

// restarts ends the process and starts the next one a moment later.
func (w *world) restarts() {
	w.t.Helper()
	w.ends()
	w.passes(100 * time.Millisecond)
	w.opens()
}

// passes lets time pass, and what it brings happen.
func (w *world) passes(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// lasts lets time pass while the process lives.
func (w *world) lasts(d time.Duration) {
	select {
	case <-time.After(d):
	case <-w.ctx.Done():
	}
}

// leave ends the process and, where the test failed, shows what there is to see.
func (w *world) leave() {
	if w.t.Failed() {
		if w.engine != nil {
			w.t.Logf("events:\n%s", w.tale())
		}
		w.t.Logf("target: %q\nlog:\n%s", w.target.log, w.logs)
	}
	w.ends()
}

// origin is the next press of a person.
func (w *world) origin(user string) service.Origin {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.envelopes++
	return service.Origin{Envelope: fmt.Sprintf("envelope-%d", w.envelopes), Person: person(user)}
}

// press is one envelope with its person behind it, who presses again when nobody answered.
func (w *world) press(kind grants.Kind, user string, take func(service.Origin) (grants.Grant, error)) (grants.Grant, error) {
	o := w.origin(user)
	g, err := take(o)
	w.heard(kind, o, take, g, err)
	w.mu.Lock()
	w.sent = append(w.sent, envelope{err == nil || refusal(err) != nil, func() error { _, err := take(o); return err }})
	w.mu.Unlock()
	return g, err
}

// heard remembers what Take acknowledged, and what died unanswered.
func (w *world) heard(kind grants.Kind, o service.Origin, take func(service.Origin) (grants.Grant, error), g grants.Grant, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil:
		w.promises = append(w.promises, promise{kind, g.ID, o.Person, about(kind, g)})
	case errors.Is(err, kvtest.ErrDead), errors.Is(err, context.Canceled):
		w.unanswered = append(w.unanswered, func() {
			g, err := take(o)
			w.heard(kind, o, take, g, err)
		})
	}
}

// pressAgain repeats every press that died unanswered, as the same envelope.
func (w *world) pressAgain() {
	w.mu.Lock()
	again := w.unanswered
	w.unanswered = nil
	w.mu.Unlock()
	for _, press := range again {
		press()
	}
}

// meanwhile does something beside the story, which waits for it before the process ends.
func (w *world) meanwhile(f func()) { w.beside.Go(f) }

// The verbs of people. Each returns what the service answered.

func (w *world) asks(user, role string, d time.Duration) (grants.Grant, error) {
	w.mu.Lock()
	w.asked++
	w.mu.Unlock()
	return w.press(grants.KindAsked, user, func(o service.Origin) (grants.Grant, error) {
		return w.svc.Request(w.ctx, service.Ask{Origin: o, Role: role, Duration: d, Reason: "orders are stuck", Channel: "C9"})
	})
}

func (w *world) votes(user, grant string, yes bool) (grants.Grant, error) {
	kind := grants.KindVoted
	if !yes {
		kind = grants.KindDenied
	}
	return w.press(kind, user, func(o service.Origin) (grants.Grant, error) {
		return w.svc.Vote(w.ctx, service.Ballot{Origin: o, Grant: grant, Yes: yes})
	})
}

func (w *world) explains(user, grant, text string) (grants.Grant, error) {
	return w.press(grants.KindExplained, user, func(o service.Origin) (grants.Grant, error) {
		return w.svc.Explain(w.ctx, service.Explanation{Origin: o, Grant: grant, Text: text})
	})
}

func (w *world) withdraws(user, grant string) (grants.Grant, error) {
	return w.press(grants.KindWithdrawn, user, func(o service.Origin) (grants.Grant, error) {
		return w.svc.Withdraw(w.ctx, service.Press{Origin: o, Grant: grant})
	})
}

func (w *world) returns(user, grant string) (grants.Grant, error) {
	return w.press(grants.KindClosing, user, func(o service.Origin) (grants.Grant, error) {
		return w.svc.Return(w.ctx, service.Press{Origin: o, Grant: grant})
	})
}

func (w *world) revokes(user, grant string) (grants.Grant, error) {
	return w.press(grants.KindClosing, user, func(o service.Origin) (grants.Grant, error) {
		return w.svc.Revoke(w.ctx, service.Press{Origin: o, Grant: grant})
	})
}

func (w *world) reveals(user, grant string) (service.Revealed, error) {
	return w.replaces(user, grant, 0)
}

// replaces reveals a new secret and ends an old one.
func (w *world) replaces(user, grant string, old int) (service.Revealed, error) {
	return w.svc.Reveal(w.ctx, service.Showing{Origin: w.origin(user), Grant: grant, Ends: old})
}

// opened asks for a role and waits until it is open.
func (w *world) opened(user, role string, d time.Duration) grants.Grant {
	w.t.Helper()
	g, err := w.asks(user, role, d)
	w.must(err)
	return w.waits(g.ID, grants.Open)
}

// pending asks for a role and waits until it needs votes.
func (w *world) pending(user, role string, d time.Duration) grants.Grant {
	w.t.Helper()
	g, err := w.asks(user, role, d)
	w.must(err)
	return w.waits(g.ID, grants.Pending)
}

// shown reveals and must succeed.
func (w *world) shown(user, grant string) service.Revealed {
	w.t.Helper()
	r, err := w.reveals(user, grant)
	w.must(err)
	return r
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("not done: %v", err)
	}
}

// waits lets seconds pass until a grant is in a state.
func (w *world) waits(grant string, want grants.State) grants.Grant {
	w.t.Helper()
	var g grants.Grant
	for range 60 {
		if g = w.sees(grant); g.State == want {
			return g
		}
		w.passes(time.Second)
	}
	w.t.Fatalf("grant %s is %s (%s), want %s", grant, g.State, g.Outcome, want)
	return g
}

// logs keeps what the service logged.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
