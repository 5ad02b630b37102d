package slackemu_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"

	"nightlatch/integrations/emulators/slackemu"
)

func TestFaults(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		post := func() error {
			_, _, err := r.api.PostMessageContext(r.ctx, "COPS", slack.MsgOptionText("x", false))
			return err
		}
		r.emu.Inject(slackemu.Fault{Method: "chat.postMessage", RetryAfter: 30 * time.Second, Times: 1})
		if e, ok := errors.AsType[*slack.RateLimitedError](post()); !ok || e.RetryAfter != 30*time.Second {
			t.Errorf("rate limit: %v", e)
		}
		r.emu.Inject(slackemu.Fault{Method: "chat.postMessage", Status: 503, Times: 1})
		if e, ok := errors.AsType[slack.StatusCodeError](post()); !ok || e.Code != http.StatusServiceUnavailable {
			t.Errorf("status: %v", e)
		}
		r.emu.Inject(slackemu.Fault{Method: "*", Error: "fatal_error", Times: 1})
		if err := post(); err == nil || err.Error() != "fatal_error" {
			t.Errorf("error: %v", err)
		}
		r.emu.Inject(slackemu.Fault{Method: "chat.postMessage", Drop: true, After: true, Times: 1})
		if err := post(); err == nil {
			t.Error("a dropped connection was answered")
		}
		if got := len(r.emu.SeenBy("UALICE").Messages); got != 1 {
			t.Errorf("%d messages: the one whose answer was lost took effect", got)
		}
		r.emu.Inject(slackemu.Fault{Method: "chat.postMessage", Delay: 10 * time.Second})
		start := time.Now()
		if err := post(); err != nil || time.Since(start) != 10*time.Second {
			t.Errorf("slow: %v after %v", err, time.Since(start))
		}
		r.emu.ClearFaults()
		start = time.Now()
		if err := post(); err != nil || time.Since(start) != 0 {
			t.Errorf("after clearing: %v after %v", err, time.Since(start))
		}
		r.obeyed()
	})
}

func TestHoldBeforeAndAfter(t *testing.T) {
	for _, when := range []slackemu.When{slackemu.Before, slackemu.After} {
		for _, drop := range []bool{false, true} {
			inBubble(t, slackemu.Config{}, func(r *rig) {
				held := r.emu.Hold(slackemu.Hold{Method: "chat.postMessage", When: when})
				result := make(chan error, 1)
				go func() {
					_, _, err := r.api.PostMessageContext(r.ctx, "COPS", slack.MsgOptionText("x", false))
					result <- err
				}()
				<-held.Arrived()
				time.Sleep(time.Minute)
				if got := len(r.emu.SeenBy("UALICE").Messages); (got == 1) != (when == slackemu.After) {
					t.Errorf("held %s: %d messages", when, got)
				}
				if drop {
					held.Drop()
				} else {
					held.Release()
				}
				if err := <-result; (err != nil) != drop {
					t.Errorf("held %s, dropped %v: %v", when, drop, err)
				}
				if got := len(r.emu.SeenBy("UALICE").Messages); (got == 1) != (when == slackemu.After || !drop) {
					t.Errorf("let go %s, dropped %v: %d messages", when, drop, got)
				}
			})
		}
	}
}

func TestHoldEndsWithItsCaller(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		r.emu.Hold(slackemu.Hold{Method: "auth.test", When: slackemu.Before})
		ctx, cancel := context.WithTimeout(r.ctx, time.Second)
		defer cancel()
		if _, err := r.api.AuthTestContext(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a held call: %v", err)
		}
		synctest.Wait()
		if _, err := r.api.AuthTestContext(r.ctx); err != nil {
			t.Errorf("the next call: %v", err)
		}
	})
}

func TestRealTiers(t *testing.T) {
	inBubble(t, slackemu.Config{RealTiers: true}, func(r *rig) {
		for range 20 {
			if _, err := r.api.GetUsersContext(r.ctx, slack.GetUsersOptionLimit(100)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(15 * time.Second)
		_, err := r.api.GetUsersPaginated().Next(r.ctx)
		if e, ok := errors.AsType[*slack.RateLimitedError](err); !ok || e.RetryAfter != 45*time.Second {
			t.Errorf("the 21st call in a minute: %v", err)
		}
		time.Sleep(45 * time.Second)
		if _, err := r.api.GetUsersPaginated().Next(r.ctx); err != nil {
			t.Errorf("a minute later: %v", err)
		}
	})
}

// What is searched for secrets must be all of it, whatever Slack did with it.
func TestEveryByteIsKept(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		r.connect(nil)
		act := r.run("UALICE", "/access prod")
		r.outcome(act)
		if _, err := r.api.OpenViewContext(r.ctx, act.TriggerID, modal(section("needle-view"))); err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.api.PostMessageContext(r.ctx, "COPS", slack.MsgOptionText("needle-message", false)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.api.PostMessageContext(r.ctx, "CNONE", slack.MsgOptionText("needle-refused", false)); err == nil {
			t.Fatal("posted to no channel")
		}
		if _, err := r.api.PostEphemeralContext(r.ctx, "COPS", "UBOB", slack.MsgOptionText("needle-ephemeral", false)); err != nil {
			t.Fatal(err)
		}
		r.reply(act.ResponseURL, map[string]any{"text": "needle-response"})
		want := []struct {
			needle, person string
			kind           slackemu.Kind
			refused        bool
		}{
			{"needle-view", "UALICE", slackemu.KindView, false},
			{"needle-message", "", slackemu.KindMessage, false},
			{"needle-refused", "", slackemu.KindMessage, true},
			{"needle-ephemeral", "UBOB", slackemu.KindEphemeral, false},
			{"needle-response", "UALICE", slackemu.KindResponse, false},
			{act.EnvelopeID, "UALICE", slackemu.KindAck, false},
		}
		for _, w := range want {
			pieces := slices.DeleteFunc(r.emu.Received(), func(p slackemu.Piece) bool { return !bytes.Contains(p.Bytes, []byte(w.needle)) })
			if len(pieces) != 1 || pieces[0].Kind != w.kind || pieces[0].Person != w.person || (pieces[0].Error != "") != w.refused {
				t.Errorf("%s: %+v", w.needle, pieces)
			}
		}
	})
}

func TestDateSkew(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		r.emu.SetDateSkew(90 * time.Second)
		resp, err := r.http.Post("http://slack.test/api/auth.test", "application/x-www-form-urlencoded", strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		date, err := http.ParseTime(resp.Header.Get("Date"))
		if err != nil || date.Sub(time.Now().Truncate(time.Second)) != 90*time.Second {
			t.Errorf("Date = %v, %v", date, err)
		}
	})
}
