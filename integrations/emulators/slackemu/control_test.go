package slackemu_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"nightlatch/integrations/emulators/slackemu"
)

// remote drives an emulator as a script does, over real sockets.
type remote struct {
	t    *testing.T
	base string
}

func (r remote) do(method, path, token string, body any, out any) int {
	r.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		r.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.base+"/control/"+path, bytes.NewReader(b))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("X-Control-Token", token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if out != nil {
		if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
			r.t.Fatalf("%s: %v", path, err)
		}
	}
	return resp.StatusCode
}

func (r remote) post(path string, body, out any) {
	r.t.Helper()
	if status := r.do(http.MethodPost, path, "open sesame", body, out); status != http.StatusOK {
		r.t.Errorf("POST %s: status %d, %v", path, status, out)
	}
}

func (r remote) get(path string, out any) {
	r.t.Helper()
	if status := r.do(http.MethodGet, path, "open sesame", object{}, out); status != http.StatusOK {
		r.t.Errorf("GET %s: status %d", path, status)
	}
}

// overLoopback serves an emulator on a real port.
func overLoopback(t *testing.T) (*slackemu.Emulator, remote) {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	emu := slackemu.New(slackemu.Config{BaseURL: "http://" + l.Addr().String(), ControlToken: "open sesame"})
	srv := &http.Server{Handler: emu, ReadHeaderTimeout: time.Minute}
	go srv.Serve(l)
	t.Cleanup(func() {
		emu.Close()
		srv.Close()
	})
	return emu, remote{t: t, base: emu.Config().BaseURL}
}

func TestControlOverLoopback(t *testing.T) {
	emu, r := overLoopback(t)
	r.post("user", object{"id": "UALICE", "name": "alice", "email": "alice@example.com"}, nil)
	r.post("channel", object{"id": "COPS", "name": "ops", "members": []string{"UALICE"}}, nil)
	r.post("group", object{"id": "SOPS", "users": []string{"UALICE"}}, nil)

	cfg := emu.Config()
	api := slack.New(cfg.BotToken, slack.OptionAppLevelToken(cfg.AppToken), slack.OptionAPIURL(cfg.BaseURL+"/api/"))
	client := socketmode.New(api)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go client.RunContext(ctx)
	greeted := make(chan struct{}, 1)
	go func() {
		for {
			select {
			case ev := <-client.Events:
				switch data := ev.Data.(type) {
				case slack.SlashCommand:
					client.Ack(*ev.Request, object{"blocks": []any{
						object{"type": "section", "text": mrkdwn("hello " + data.UserName)},
						object{"type": "actions", "elements": []any{object{"type": "button", "text": plainText("Reveal"), "action_id": "reveal"}}},
					}})
				case slack.InteractionCallback:
					client.Ack(*ev.Request)
				default:
					if ev.Type == socketmode.EventTypeHello {
						greeted <- struct{}{}
					}
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	<-greeted

	var act struct {
		EnvelopeID string `json:"envelope_id"`
		Outcome    *slackemu.Outcome
	}
	r.post("command", object{"user": "UALICE", "channel": "COPS", "line": "/access prod"}, &act)
	if act.Outcome == nil || !act.Outcome.Acknowledged {
		t.Fatalf("command: %+v", act)
	}
	var screen slackemu.Screen
	r.get("screen?user=UALICE", &screen)
	reveal, ok := screen.Find(slackemu.Find{Text: "Reveal"})
	if !ok || !strings.Contains(screen.Text(), "hello alice") {
		t.Fatalf("screen = %+v", screen)
	}
	r.post("press", object{"user": "UALICE", "action_id": "reveal"}, &act)
	r.post("press_at", object{"user": "UALICE", "button": reveal}, &act)
	if !act.Outcome.Acknowledged {
		t.Errorf("press: %+v", act)
	}

	var hold struct{ ID string }
	r.post("hold", object{"method": "auth.test", "when": "before"}, &hold)
	done := make(chan error, 1)
	go func() {
		_, err := api.AuthTestContext(ctx)
		done <- err
	}()
	r.post("hold/wait", hold, nil)
	r.post("hold/release", hold, nil)
	if err := <-done; err != nil {
		t.Errorf("held and released: %v", err)
	}
	r.post("fault", object{"method": "auth.test", "error": "fatal_error", "delay": "1ms", "times": 1}, nil)
	if _, err := api.AuthTestContext(ctx); err == nil || err.Error() != "fatal_error" {
		t.Errorf("a fault: %v", err)
	}
	r.post("sockets/cut", object{}, nil)
	<-greeted

	var pieces []slackemu.Piece
	r.get("received", &pieces)
	var violations []slackemu.Violation
	r.get("violations", &violations)
	if len(pieces) == 0 || len(violations) != 0 {
		t.Errorf("%d pieces, violations %+v", len(pieces), violations)
	}
}

func TestControlKeepsOthersOut(t *testing.T) {
	_, r := overLoopback(t)
	if status := r.do(http.MethodGet, "violations", "guess", nil, nil); status != http.StatusForbidden {
		t.Errorf("a wrong token: status %d", status)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.base+"/control/violations", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Control-Token", "open sesame")
	req.Host = "rebound.example.com"
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("another host: status %d", resp.StatusCode)
	}
	for path, want := range map[string]int{"command": http.StatusBadRequest, "submit": http.StatusBadRequest, "nothing": http.StatusNotFound} {
		if status := r.do(http.MethodPost, path, "open sesame", object{"user": "UNOBODY"}, nil); status != want {
			t.Errorf("%s: status %d, want %d", path, status, want)
		}
	}
	if status := r.do(http.MethodPost, "user", "open sesame", object{"id": "U1", "colour": "red"}, nil); status != http.StatusBadRequest {
		t.Errorf("an unknown field: status %d", status)
	}
}

func TestControlOfHomesReloadsAndChanges(t *testing.T) {
	emu, r := overLoopback(t)
	type act struct {
		Kind    string
		User    string
		Outcome *slackemu.Outcome
	}
	var joined act
	r.post("user/change", object{"id": "UALICE", "name": "alice"}, &joined)
	var changed struct{ Acts []act }
	r.post("group/change", object{"id": "SOPS", "users": []string{"UALICE"}}, &changed)
	if joined.Kind != "team_join" || len(changed.Acts) != 2 || changed.Acts[0].Kind != "subteam_created" {
		t.Errorf("told of %+v and %+v", joined, changed)
	}
	press := object{"type": "actions", "elements": []any{object{"type": "button", "text": plainText("Reveal"), "action_id": "reveal"}}}
	got := call(emu, "views.publish", object{"user_id": "UALICE", "view": object{"type": "home", "blocks": []any{press}}})
	if !got.OK {
		t.Fatalf("publishing: %+v", got)
	}
	var opened act
	r.post("messages", object{"user": "UALICE"}, nil)
	r.post("home", object{"user": "UALICE"}, &opened)
	if opened.Kind != "app_home_opened" || opened.User != "UALICE" {
		t.Errorf("opened %+v", opened)
	}
	if status := r.do(http.MethodPost, "press", "open sesame", object{"user": "UALICE", "text": "Reveal"}, nil); status != http.StatusNotFound {
		t.Errorf("pressed outside the home: status %d", status)
	}
	var pressed act
	r.post("press", object{"user": "UALICE", "text": "Reveal", "home": true}, &pressed)
	if pressed.Outcome == nil || pressed.Outcome.Warning != "dispatch_failed" {
		t.Errorf("pressed while no app listens: %+v", pressed)
	}
	call(emu, "chat.postEphemeral", object{"channel": "UALICE", "user": "UALICE", "text": "soon gone"})
	r.post("reload", object{"user": "UALICE"}, nil)
	var screen slackemu.Screen
	r.get("screen?user=UALICE", &screen)
	if screen.Home == nil || len(screen.Home.Buttons) != 1 || len(screen.Ephemerals) != 0 {
		t.Errorf("the screen = %+v", screen)
	}
	r.post("device", object{"user": "UALICE", "device": "laptop"}, nil)
	if r.get("screen?user=UALICE", &screen); screen.Device != "laptop" {
		t.Errorf("on the laptop: %+v", screen)
	}
	for _, path := range []string{"home", "messages", "reload", "device"} {
		if status := r.do(http.MethodPost, path, "open sesame", object{"user": "UNOBODY"}, nil); status != http.StatusBadRequest {
			t.Errorf("%s by nobody: status %d", path, status)
		}
	}
}
