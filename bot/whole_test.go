package bot_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/bot/view"
	"nightlatch/grants"
	"nightlatch/grants/ledger"
	"nightlatch/grants/ledger/boltkv"
	"nightlatch/grants/service"
	"nightlatch/integrations/emulators/slackemu"
	"nightlatch/integrations/token"
)

// shifts say who is on call.
type shifts struct {
	mu      sync.Mutex
	entries []grants.Entry
	silent  bool
}

func (s *shifts) set(entries ...grants.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = entries
}

func (s *shifts) Entries(_ context.Context, _ []grants.Source, from, until time.Time) (grants.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.silent {
		return grants.Snapshot{}, context.DeadlineExceeded
	}
	now := time.Now().UTC()
	out := grants.Snapshot{Read: now, From: from, Until: until}
	if from.IsZero() {
		until = now.Add(1)
	}
	for _, e := range s.entries {
		if e.Start.Before(until) && (e.End.IsZero() || e.End.After(now)) {
			out.Entries = append(out.Entries, e)
		}
	}
	return out, nil
}

func (s *shifts) Users(context.Context) ([]grants.PagerUser, error) {
	return []grants.PagerUser{{ID: "PADA", Email: "ada@example.com"}, {ID: "PBEN", Email: "ben@example.com"}}, nil
}

// whole runs a test with the real service, ledger and token issuer behind the bot.
func whole(t *testing.T, run func(*rig, *shifts)) {
	t.Helper()
	dir := t.TempDir()
	on := &shifts{}
	inBubbleWith(t, nil, func(r *rig) {
		time.Sleep(5 * time.Second) // the directory and the shifts are read
		run(r, on)
	}, func(r *rig) back {
		now := time.Now().UTC()
		on.set(
			grants.Entry{User: "PADA", Policy: "PORDERS", Level: 1, Start: now.Add(-time.Hour), End: now.Add(2 * time.Hour)},
			grants.Entry{User: "PBEN", Policy: "PORDERS", Level: 2},
		)
		return r.real(dir, on)
	})
}

// real makes the service, and what ends it.
func (r *rig) real(dir string, on *shifts) *service.Service {
	r.t.Helper()
	engine, err := boltkv.Open(boltkv.Config{Path: filepath.Join(dir, "ledger.db"), Spaces: ledger.Spaces()})
	if err != nil {
		r.t.Fatal(err)
	}
	book, err := ledger.Open(r.ctx, ledger.Config{Engine: engine, Environment: "playground"})
	if err != nil {
		r.t.Fatal(err)
	}
	key, err := token.NewKey()
	if err != nil {
		r.t.Fatal(err)
	}
	issuer, err := token.New(token.Config{Keys: token.Keys{Current: key}, URL: "https://nightlatch.example.com"})
	if err != nil {
		r.t.Fatal(err)
	}
	role := ordersRead()
	role.Audience, role.Scopes = "orders-api", []string{"GET /v1/orders/*"}
	role.Voters = grants.Voters{Policy: "PORDERS", Levels: []int{2}, Count: 1}
	guarded := role
	guarded.Name, guarded.Automatic = "orders-write", grants.Never
	svc, err := service.New(r.ctx, service.Config{
		Ledger: book, OnCall: on, Directory: r.sender, Notifier: r.sender, Issuers: map[string]service.Issuer{"token": issuer},
		Roles: []grants.Role{role, guarded}, Team: team, SecurityPeople: []string{"UBEN"}, Poll: time.Second, Log: slog.New(slog.NewTextHandler(r.logs, nil)),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- svc.Run(ctx) }()
	r.secrets = r.tokens
	r.leave = func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("the service: %v", err)
		}
		if err := book.Verify(context.Background()); err != nil {
			r.t.Errorf("the ledger: %v", err)
		}
		if err := engine.Close(); err != nil {
			r.t.Error(err)
		}
	}
	return svc
}

var tokenForm = regexp.MustCompile(token.Prefix + `[\w-]*\.[\w-]+\.([\w-]+)`)

// tokens are the signatures of all tokens that Slack was ever sent.
func (r *rig) tokens() []string {
	var all []string
	for _, p := range r.emu.Received() {
		for _, m := range tokenForm.FindAllSubmatch(p.Bytes, -1) {
			all = append(all, string(m[1]))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestTheWholeNight(t *testing.T) {
	whole(t, func(r *rig, on *shifts) {
		r.acknowledged(r.run("UADA", "/access orders-write 1h checkout is failing"))
		time.Sleep(3 * time.Second)
		synctest.Wait()
		r.reads("UADA", "waits for a yes")
		r.reads("UBEN", "checkout is failing")
		r.acknowledged(r.press("UBEN", view.Approve))
		time.Sleep(3 * time.Second)
		synctest.Wait()
		r.reads("UADA", "You have *orders-write*")

		r.acknowledged(r.press("UADA", view.Reveal))
		time.Sleep(time.Second)
		synctest.Wait()
		tokens := r.tokens()
		if len(tokens) != 1 {
			t.Fatalf("%d tokens were sent\n%s", len(tokens), r.seen("UADA"))
		}
		r.reads("UADA", tokens[0])
		if n := r.holding(tokens[0]); n != 1 {
			t.Errorf("%d requests hold the token", n)
		}
		r.acknowledged(r.press("UADA", view.Reveal))
		r.reads("UADA", "shown moments ago")

		on.set(grants.Entry{User: "PBEN", Policy: "PORDERS", Level: 2})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		r.reads("UADA", "refused by its target")
		for _, user := range []string{"UADA", "UBEN"} {
			for _, action := range []string{view.Reveal, view.Return, view.Revoke, view.Approve, view.Deny} {
				if _, still := r.emu.SeenBy(user).Find(slackemu.Find{ActionID: action}); still {
					t.Errorf("%s still sees %s", user, action)
				}
			}
		}
		r.acknowledged(r.run("UADA", "/access orders-read 1h once more"))
		time.Sleep(3 * time.Second)
		synctest.Wait()
		r.reads("UADA", "You are not on call")
	})
}

// Fifty people press at once: one decides, and everybody else is told who did.
func TestOneDecision(t *testing.T) {
	whole(t, func(r *rig, _ *shifts) {
		r.run("UADA", "/access orders-write 1h checkout is failing")
		time.Sleep(3 * time.Second)
		yes, no := r.button("UBEN", view.Approve), r.button("UBEN", view.Deny)
		r.pressAt("UADA", yes)
		r.reads("UADA", "Nobody decides about their own request")
		for range 5 {
			for _, b := range []slackemu.Button{no, yes} {
				if _, err := r.emu.PressAt("UBEN", b); err != nil {
					t.Fatal(err)
				}
			}
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		said := 0 // each press has an answer of its own, whichever came first
		for _, m := range r.emu.SeenBy("UBEN").Ephemerals {
			for _, answer := range []string{"The request of <@UADA>", "You have voted already", "Busy"} {
				if strings.Contains(m.Visible(), answer) {
					said++
					break
				}
			}
		}
		if said != 9 {
			t.Errorf("%d of the other 9 presses were answered\n%s", said, r.seen("UBEN"))
		}
	})
}

func TestPagerDutyIsSilent(t *testing.T) {
	whole(t, func(r *rig, on *shifts) {
		r.run("UADA", "/access orders-read 1h checkout is failing")
		time.Sleep(3 * time.Second)
		r.reads("UADA", "You have")
		on.mu.Lock()
		on.silent = true
		on.mu.Unlock()
		r.press("UADA", view.Reveal)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		r.reads("UADA", "PagerDuty does not answer")
		if n := len(r.tokens()); n > 0 {
			t.Errorf("%d tokens were sent", n)
		}
	})
}
