package bot_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"nightlatch/bot"
	"nightlatch/bot/send"
	"nightlatch/bot/socket"
	"nightlatch/grants"
	"nightlatch/integrations/emulators/memnet"
	"nightlatch/integrations/emulators/slackemu"
)

const (
	team    = "T0NIGHT"
	channel = "COPS"
)

// rig is the bot with its real Slack client, the emulator, and a service that the test
// leads, all in one bubble.
type rig struct {
	t       *testing.T
	ctx     context.Context
	emu     *slackemu.Emulator
	service *desk
	sender  *send.Sender
	bot     *bot.Bot
	config  bot.Config
	logs    *safeBuffer
	stop    func() error // ends the bot as a signal would

	secrets func() []string // all that were made
	leave   func()          // ends the service
}

// back is what stands behind the bot.
type back interface {
	socket.Taker
	socket.Ender
	socket.Revealer
	socket.Clerk
	socket.People
	socket.Directory
}

// inBubble runs a test against a running bot, and checks afterwards that no rule of Slack's
// was broken and that nobody wrote down a secret or a token.
func inBubble(t *testing.T, adjust func(*bot.Config), run func(*rig)) {
	t.Helper()
	inBubbleWith(t, adjust, run, func(r *rig) back {
		r.service = newDesk(r.sender)
		r.secrets, r.leave = r.service.secrets, r.service.wait
		return r.service
	})
}

// inBubbleWith is inBubble with another service.
func inBubbleWith(t *testing.T, adjust func(*bot.Config), run func(*rig), serve func(*rig) back) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		emu := slackemu.New(slackemu.Config{})
		listener, err := network.Listen("slack.test:80")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: emu}
		go func() { _ = server.Serve(listener) }()
		transport := &http.Transport{DialContext: network.Dial}
		r := &rig{t: t, ctx: t.Context(), emu: emu, logs: &safeBuffer{}}
		r.people()
		r.start(transport, &websocket.Dialer{NetDialContext: network.Dial}, adjust, serve)
		synctest.Wait()

		run(r)

		if err := r.stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		r.leave()
		r.check()
		emu.Close()
		_ = server.Close()
		transport.CloseIdleConnections()
		if err := network.Close(); err != nil {
			t.Error(err)
		}
	})
}

func (r *rig) people() {
	for _, u := range []slackemu.User{
		{ID: "UADA", Name: "ada", RealName: "Ada", Email: "ada@example.com"},
		{ID: "UBEN", Name: "ben", RealName: "Ben", Email: "ben@example.com"},
		{ID: "UEVE", Name: "eve", RealName: "Eve", Email: "eve@elsewhere.example", TeamID: "T0ELSE", IsStranger: true},
	} {
		r.emu.PutUser(u)
	}
	r.emu.PutChannel(slackemu.Channel{ID: channel, Name: "ops", Members: []string{"UADA", "UBEN", "UEVE"}})
}

func (r *rig) start(transport http.RoundTripper, dialer *websocket.Dialer, adjust func(*bot.Config), serve func(*rig) back) {
	r.t.Helper()
	cfg := r.emu.Config()
	log := slog.New(slog.NewTextHandler(r.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	r.sender, err = send.New(send.Config{
		BotToken: grants.NewSecret(cfg.BotToken), APIURL: cfg.BaseURL + "/api", Transport: transport, Environment: "playground", Log: log,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	identity, err := r.sender.Identify(r.ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	behind := serve(r)
	c := bot.Config{
		AppToken: grants.NewSecret(cfg.AppToken), APIURL: cfg.BaseURL + "/api", Transport: transport, Dialer: dialer,
		Sender: r.sender, Identity: identity, Environment: "playground", Log: log,
		Taker: behind, Ender: behind, Revealer: behind, Clerk: behind, People: behind, Directory: behind,
	}
	if adjust != nil {
		adjust(&c)
	}
	r.config = c
	r.bot, err = bot.New(c)
	if err != nil {
		r.t.Fatal(err)
	}
	r.stop = r.runs(r.bot)
}

// runs starts a bot until the returned function ends it as a signal would.
func (r *rig) runs(b *bot.Bot) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	return sync.OnceValue(func() error {
		cancel()
		began := time.Now()
		err := <-done
		if took := time.Since(began); took > 5*time.Second {
			r.t.Errorf("the bot took %v to end", took)
		}
		return err
	})
}

// forget makes the sender as new as after a restart.
func (r *rig) forget() {
	r.t.Helper()
	cfg := r.emu.Config()
	s, err := send.New(send.Config{
		BotToken: grants.NewSecret(cfg.BotToken), APIURL: cfg.BaseURL + "/api/", Transport: r.config.Transport, Environment: "playground",
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.service.mu.Lock()
	defer r.service.mu.Unlock()
	r.service.sender = s
}

// check is what must hold after every test.
func (r *rig) check() {
	r.t.Helper()
	for _, v := range r.emu.Violations() {
		r.t.Errorf("a rule of Slack's was broken: %s: %s: %s", v.Method, v.Rule, v.Detail)
	}
	cfg := r.emu.Config()
	logs := r.logs.String()
	for _, secret := range append(r.secrets(), cfg.AppToken, cfg.BotToken, "/response/") {
		if strings.Contains(logs, secret) {
			r.t.Errorf("the log holds %q:\n%s", secret, logs)
		}
	}
	for _, secret := range r.secrets() {
		for _, p := range r.emu.Received() {
			if p.Kind != slackemu.KindView && bytes.Contains(p.Bytes, []byte(secret)) {
				r.t.Errorf("%s (%s) holds the secret", p.Method, p.Kind)
			}
		}
	}
}

func (r *rig) run(user, line string) *slackemu.Act {
	r.t.Helper()
	act, err := r.emu.RunCommand(user, channel, line)
	if err != nil {
		r.t.Fatal(err)
	}
	r.settle()
	return act
}

func (r *rig) press(user, action string) *slackemu.Act {
	r.t.Helper()
	act, err := r.emu.Press(user, slackemu.Find{ActionID: action})
	if err != nil {
		r.t.Fatalf("%s finds no %s: %v\n%s", user, action, err, r.emu.SeenBy(user).Text())
	}
	r.settle()
	return act
}

// settle lets a second pass, after which everything that need not wait has happened.
func (r *rig) settle() {
	time.Sleep(time.Second)
	synctest.Wait()
}

// reads checks that a person sees texts somewhere.
func (r *rig) reads(user string, texts ...string) {
	r.t.Helper()
	seen := r.seen(user)
	for _, text := range texts {
		if !strings.Contains(seen, text) {
			r.t.Errorf("%s does not read %q but\n%s", user, text, seen)
		}
	}
}

// seen is all that a person sees.
func (r *rig) seen(user string) string {
	screen := r.emu.SeenBy(user)
	text := screen.Text()
	if screen.Modal != nil {
		text += "\n[" + screen.Modal.Title + "] " + screen.Modal.Visible()
	}
	return text
}

func (r *rig) acknowledged(act *slackemu.Act) {
	r.t.Helper()
	if out := act.Outcome(); !out.Acknowledged {
		r.t.Errorf("%s was not acknowledged: %q", act.Kind, out.Warning)
	}
}

// count counts what was called of a method.
func (r *rig) count(method string) int {
	n := 0
	for _, p := range r.emu.Received() {
		if p.Method == method {
			n++
		}
	}
	return n
}

// safeBuffer is written by many and read by the test.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
