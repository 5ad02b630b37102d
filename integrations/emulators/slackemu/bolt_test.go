package slackemu_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nightlatch/integrations/emulators/slackemu"
)

// bolt is an app on Slack's own framework that runs against an emulator.
type bolt struct {
	t         *testing.T
	emu       *slackemu.Emulator
	connected chan struct{} // one for each hello that the app has got
}

// startBolt starts the app of testdata/bolt and waits until it is connected.
func startBolt(t *testing.T) *bolt {
	t.Helper()
	missing := t.Skipf
	if os.Getenv("CI") != "" {
		missing = t.Fatalf
	}
	node, err := exec.LookPath("node")
	if err != nil {
		missing("there is no node: on Debian apt-get install nodejs npm, then make npm")
	}
	dir := filepath.Join("testdata", "bolt")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json")); err != nil {
		missing("@slack/bolt is not installed: make npm")
	}
	emu, _ := overLoopback(t)
	emu.PutUser(slackemu.User{ID: "UALICE", Name: "alice", Email: "alice@example.com"})
	emu.PutChannel(slackemu.Channel{ID: "COPS", Name: "ops", Members: []string{"UALICE"}})
	cfg := emu.Config()
	cmd := exec.CommandContext(t.Context(), node, "app.js")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SLACK_API_URL="+cfg.BaseURL+"/api/", "SLACK_APP_TOKEN="+cfg.AppToken,
		"SLACK_BOT_TOKEN="+cfg.BotToken, "NO_PROXY=127.0.0.1")
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting node: %v", err)
	}
	b := &bolt{t: t, emu: emu, connected: make(chan struct{}, 100)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if lines.Text() == "connected" {
				b.connected <- struct{}{}
				continue
			}
			t.Logf("the app says: %s", lines.Text())
		}
		io.Copy(io.Discard, out) // after a line that is too long, so that the app is not stopped by it
	}()
	t.Cleanup(func() {
		cmd.Wait() // the end of the test's context has killed it
		in.Close()
		<-read
	})
	b.await(b.connected, "the app's connection")
	return b
}

// await waits for something that the app does soon, or never.
func (b *bolt) await(c <-chan struct{}, what string) {
	b.t.Helper()
	select {
	case <-c:
	case <-time.After(30 * time.Second):
		b.t.Fatalf("waiting for %s: nothing within half a minute", what)
	}
}

// did waits until the app has acknowledged an act.
func (b *bolt) did(act *slackemu.Act, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	out, err := act.Wait(ctx)
	if err != nil || !out.Acknowledged {
		b.t.Fatalf("%s: %+v, %v", act.Kind, out, err)
	}
}

// sees demands that something is on alice's screen.
func (b *bolt) sees(want string) slackemu.Screen {
	b.t.Helper()
	s := b.emu.SeenBy("UALICE")
	if !strings.Contains(s.Text(), want) {
		b.t.Errorf("alice does not see %q, but %q", want, s.Text())
	}
	return s
}

func (b *bolt) obeyed() {
	b.t.Helper()
	for _, v := range b.emu.Violations() {
		b.t.Errorf("violation: %s: %s: %s", v.Method, v.Rule, v.Detail)
	}
}

func TestBoltAsksAcrossARefresh(t *testing.T) {
	b := startBolt(t)
	b.did(b.emu.RunCommand("UALICE", "COPS", "/bolt the moon"))
	if s := b.sees("alice wants the moon"); len(s.Ephemerals) != 1 {
		t.Errorf("ephemerals = %+v", s.Ephemerals)
	}
	b.did(b.emu.Press("UALICE", slackemu.Find{Text: "Ask"}))
	if s := b.sees("why"); s.Modal == nil || s.Modal.CallbackID != "ask" || s.Modal.Values["hours"] != "1" {
		t.Fatalf("modal = %+v", s.Modal)
	}
	if _, err := b.emu.Submit("UALICE", map[string]string{"why": "hm"}); !errors.Is(err, slackemu.ErrInvalid) {
		t.Errorf("too short a reason was submitted: %v", err)
	}

	// Slack takes the socket away; who presses now is shown a warning, and presses again afterwards.
	b.emu.Disconnect("refresh_requested")
	act, err := b.emu.Submit("UALICE", map[string]string{"why": "to look at the other side"})
	if err != nil {
		t.Fatal(err)
	}
	if out := act.Outcome(); out.Warning != "dispatch_failed" {
		t.Errorf("submitted without a socket: %+v", out)
	}
	b.await(b.connected, "the new connection")
	if s := b.sees("why"); s.Modal == nil || len(s.Warnings) != 1 || s.Modal.Values["why"] != "to look at the other side" {
		t.Fatalf("after the refresh: %+v", s)
	}

	b.did(b.emu.Submit("UALICE", map[string]string{"hours": "8"}))
	if s := b.emu.SeenBy("UALICE"); s.Modal == nil || s.Modal.Errors["hours"] != "Too long." {
		t.Errorf("after a refusal: %+v", s.Modal)
	}
	b.did(b.emu.Submit("UALICE", map[string]string{"hours": "1"}))
	b.sees("noted: to look at the other side")
	b.sees("It is noted.")
	b.obeyed()
}

func TestBoltHasAHome(t *testing.T) {
	b := startBolt(t)
	for _, tab := range []func(string) (*slackemu.Act, error){b.emu.OpenMessages, b.emu.OpenHome} {
		// The framework acknowledges events before it handles them.
		published := b.emu.Hold(slackemu.Hold{Method: "views.publish", When: slackemu.After})
		b.did(tab("UALICE"))
		b.await(published.Arrived(), "views.publish")
		published.Release()
	}
	if s := b.sees("the tab home"); s.Modal != nil || s.Home.Type != "home" {
		t.Errorf("the screen = %+v", s)
	}
	b.did(b.emu.Press("UALICE", slackemu.Find{Text: "Press", Home: true}))
	b.sees("pressed in a view of type home")
	if err := b.emu.Reload("UALICE"); err != nil {
		t.Fatal(err)
	}
	b.sees("pressed in a view of type home")
	b.obeyed()
}
