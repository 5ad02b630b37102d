package slackemu_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"nightlatch/integrations/emulators/memnet"
	"nightlatch/integrations/emulators/slackemu"
)

// rig is an emulator and the official-looking client of an app, in one bubble.
type rig struct {
	t       *testing.T
	ctx     context.Context
	emu     *slackemu.Emulator
	network *memnet.Network
	api     *slack.Client
	http    *http.Client

	mu     sync.Mutex
	events []socketmode.Event
}

// inBubble runs a test against an emulator with two people in one channel.
func inBubble(t *testing.T, cfg slackemu.Config, run func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := &rig{t: t, ctx: ctx, emu: slackemu.New(cfg), network: memnet.New()}
		l, err := r.network.Listen("slack.test:80")
		if err != nil {
			t.Fatal(err)
		}
		srv := &http.Server{Handler: r.emu}
		go srv.Serve(l)
		transport := &http.Transport{DialContext: r.network.Dial}
		r.http = &http.Client{Transport: transport}
		full := r.emu.Config()
		r.api = slack.New(full.BotToken, slack.OptionAppLevelToken(full.AppToken),
			slack.OptionAPIURL(full.BaseURL+"/api/"), slack.OptionHTTPClient(r.http))
		r.emu.PutUser(slackemu.User{ID: "UALICE", Name: "alice", RealName: "Alice", Email: "alice@example.com"})
		r.emu.PutUser(slackemu.User{ID: "UBOB", Name: "bob", RealName: "Bob", Email: "bob@example.com"})
		r.emu.PutUser(slackemu.User{ID: "UEVE", Name: "eve", RealName: "Eve", Email: "eve@example.com"})
		r.emu.PutChannel(slackemu.Channel{ID: "COPS", Name: "ops", Members: []string{"UALICE", "UBOB"}})
		run(r)
		cancel()
		r.emu.Close()
		srv.Close()
		transport.CloseIdleConnections()
		if err := r.network.Close(); err != nil {
			t.Error(err)
		}
	})
}

// connect starts a client. Every event goes to handle, which may be nil: then everything is acknowledged.
func (r *rig) connect(handle func(*socketmode.Client, socketmode.Event)) {
	r.t.Helper()
	if handle == nil {
		handle = func(c *socketmode.Client, ev socketmode.Event) { c.Ack(*ev.Request) }
	}
	client := socketmode.New(r.api, socketmode.OptionDialer(&websocket.Dialer{NetDialContext: r.network.Dial}))
	go client.RunContext(r.ctx)
	go func() {
		for {
			select {
			case ev := <-client.Events:
				r.mu.Lock()
				r.events = append(r.events, ev)
				r.mu.Unlock()
				if ev.Request != nil && ev.Request.EnvelopeID != "" {
					handle(client, ev)
				}
			case <-r.ctx.Done():
				return
			}
		}
	}()
	synctest.Wait()
}

// seen counts the events of one type.
func (r *rig) seen(kind socketmode.EventType) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, ev := range r.events {
		if ev.Type == kind {
			n++
		}
	}
	return n
}

func (r *rig) obeyed() {
	r.t.Helper()
	for _, v := range r.emu.Violations() {
		r.t.Errorf("violation: %s: %s: %s", v.Method, v.Rule, v.Detail)
	}
}

func (r *rig) broke(method, rule string) {
	r.t.Helper()
	if !slices.ContainsFunc(r.emu.Violations(), func(v slackemu.Violation) bool { return v.Method == method && v.Rule == rule }) {
		r.t.Errorf("no violation of %q by %s; there are %+v", rule, method, r.emu.Violations())
	}
}

func (r *rig) run(user, line string) *slackemu.Act {
	r.t.Helper()
	act, err := r.emu.RunCommand(user, "COPS", line)
	if err != nil {
		r.t.Fatal(err)
	}
	return act
}

func (r *rig) outcome(act *slackemu.Act) slackemu.Outcome {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.ctx, time.Minute)
	defer cancel()
	out, err := act.Wait(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// reply posts to a response URL and returns the status.
func (r *rig) reply(url string, body any) int {
	r.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		r.t.Fatal(err)
	}
	resp, err := r.http.Post(url, "application/json", strings.NewReader(string(b)))
	if err != nil {
		r.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func text(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, s, false, false)
}

func section(s string) slack.Block {
	return slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, s, false, false), nil, nil)
}

func button(action, value, label string) slack.Block {
	return slack.NewActionBlock("", slack.NewButtonBlockElement(action, value, text(label)))
}

func modal(blocks ...slack.Block) slack.ModalViewRequest {
	return slack.ModalViewRequest{Type: slack.VTModal, Title: text("Access"), Blocks: slack.Blocks{BlockSet: blocks}}
}

// inner is what an envelope of the Events API tells, as it came.
func inner(t *testing.T, ev socketmode.Event) map[string]any {
	t.Helper()
	var payload struct{ Event map[string]any }
	if err := json.Unmarshal(ev.Request.Payload, &payload); err != nil || payload.Event["type"] == nil {
		t.Fatalf("an event without a type: %s, %v", ev.Request.Payload, err)
	}
	return payload.Event
}
