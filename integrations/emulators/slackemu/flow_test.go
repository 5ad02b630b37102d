package slackemu_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"nightlatch/integrations/emulators/slackemu"
)

func TestHelloAndLongLife(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		r.connect(nil)
		if got := r.emu.Connections(); got != 1 {
			t.Fatalf("connections = %d", got)
		}
		if r.seen(socketmode.EventTypeHello) != 1 {
			t.Error("the client was not greeted")
		}
		time.Sleep(4 * time.Hour)
		if r.seen(socketmode.EventTypeConnected) != 1 {
			t.Error("the client reconnected within a connection's life: it missed pings")
		}
		time.Sleep(2 * time.Hour)
		if r.seen(socketmode.EventTypeConnected) != 2 || r.emu.Connections() != 1 {
			t.Errorf("after a connection's life: connected %d times", r.seen(socketmode.EventTypeConnected))
		}
		r.obeyed()
	})
}

func TestCommandAckAndResponseURL(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		var got slack.SlashCommand
		r.connect(func(c *socketmode.Client, ev socketmode.Event) {
			got = ev.Data.(slack.SlashCommand)
			c.Ack(*ev.Request, map[string]any{"text": "one moment"})
		})
		act := r.run("UALICE", "/access prod 1h load > 3 & rising")
		if out := r.outcome(act); !out.Acknowledged || len(out.Payload) == 0 {
			t.Fatalf("outcome = %+v", out)
		}
		if got.Command != "/access" || got.Text != "prod 1h load &gt; 3 &amp; rising" || got.UserID != "UALICE" ||
			got.ChannelID != "COPS" || got.TeamID != "T0NIGHT" || got.TriggerID == "" {
			t.Errorf("command = %+v", got)
		}
		if s := r.emu.SeenBy("UALICE"); len(s.Ephemerals) != 1 || s.Ephemerals[0].Text != "one moment" {
			t.Fatalf("ephemerals = %+v", s.Ephemerals)
		}
		if status := r.reply(got.ResponseURL, map[string]any{"text": "granted", "replace_original": true}); status != 200 {
			t.Errorf("status = %d", status)
		}
		s := r.emu.SeenBy("UALICE")
		if len(s.Ephemerals) != 1 || s.Ephemerals[0].Text != "granted" {
			t.Errorf("after replacing: %+v", s.Ephemerals)
		}
		if other := r.emu.SeenBy("UBOB"); other.Text() != "" {
			t.Errorf("bob sees %q", other.Text())
		}
		r.obeyed()
		for range 4 {
			r.reply(got.ResponseURL, map[string]any{"text": "more"})
		}
		if status := r.reply(got.ResponseURL, map[string]any{"text": "sixth"}); status != 404 {
			t.Errorf("the sixth use: status %d", status)
		}
		r.broke("response_url", "uses")
	})
}

func TestResponseURLExpires(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		r.connect(nil)
		act := r.run("UALICE", "/access help")
		time.Sleep(30*time.Minute - time.Second)
		if status := r.reply(act.ResponseURL, map[string]any{"text": "just in time"}); status != 200 {
			t.Errorf("within half an hour: status %d", status)
		}
		time.Sleep(time.Second)
		if status := r.reply(act.ResponseURL, map[string]any{"text": "late"}); status != 404 {
			t.Errorf("after half an hour: status %d", status)
		}
		if got := r.emu.SeenBy("UALICE").Text(); got != "just in time" {
			t.Errorf("alice sees %q", got)
		}
	})
}

// An ephemeral message can be replaced and deleted by nothing but the URL of a press in it.
func TestAnEphemeralIsAnsweredByItsOwnURL(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		r.connect(nil)
		asked := r.run("UALICE", "/access")
		r.outcome(asked)
		r.reply(asked.ResponseURL, object{"blocks": []slack.Block{section("sure?"), button("yes", "", "Yes")}})
		press := func() string {
			t.Helper()
			act, err := r.emu.Press("UALICE", slackemu.Find{Text: "Yes"})
			if err != nil {
				t.Fatal(err)
			}
			r.outcome(act)
			return act.ResponseURL
		}
		first := press()
		r.reply(first, object{"text": "beside it"})
		if got := r.emu.SeenBy("UALICE").Text(); got != "sure?\nbeside it" {
			t.Errorf("answered: %q", got)
		}
		second := press()
		r.reply(second, object{"text": "done", "replace_original": true})
		if got := r.emu.SeenBy("UALICE").Text(); got != "done\nbeside it" {
			t.Errorf("replaced: %q", got)
		}
		r.reply(second, object{"delete_original": true})
		if got := r.emu.SeenBy("UALICE").Text(); got != "beside it" {
			t.Errorf("deleted: %q", got)
		}
		if got := r.emu.SeenBy("UBOB").Text(); got != "" {
			t.Errorf("bob sees %q", got)
		}
		r.obeyed()
	})
}

func TestAResponseURLTakesOneKindOfBody(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		r.connect(nil)
		act := r.run("UALICE", "/access")
		send := func(url, kind, body string) int {
			t.Helper()
			resp, err := r.http.Post(url, kind, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			return resp.StatusCode
		}
		for _, test := range []struct {
			name, url, kind, body string
			want                  int
		}{
			{"JSON", act.ResponseURL, "application/json; charset=utf-8", `{"text":"x"}`, 200},
			{"a form", act.ResponseURL, "application/x-www-form-urlencoded", "text=x", 400},
			{"no object", act.ResponseURL, "application/json", `["x"]`, 400},
			{"nothing to show", act.ResponseURL, "application/json", `{}`, 400},
			{"another URL", act.ResponseURL + "0", "application/json", `{"text":"x"}`, 404},
		} {
			if status := send(test.url, test.kind, test.body); status != test.want {
				t.Errorf("%s: status %d, want %d", test.name, status, test.want)
			}
		}
		if s := r.emu.SeenBy("UALICE"); len(s.Ephemerals) != 1 {
			t.Errorf("alice sees %q", s.Text())
		}
	})
}

func TestCardIsPressedUpdatedAndPressedStale(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		var presses []slack.InteractionCallback
		r.connect(func(c *socketmode.Client, ev socketmode.Event) {
			presses = append(presses, ev.Data.(slack.InteractionCallback))
			c.Ack(*ev.Request)
		})
		_, ts, err := r.api.PostMessageContext(r.ctx, "COPS", slack.MsgOptionText("fallback", false),
			slack.MsgOptionBlocks(section("<@UALICE> asks for prod"), button("approve", "g1", "Approve")))
		if err != nil {
			t.Fatal(err)
		}
		screen := r.emu.SeenBy("UBOB")
		if len(screen.Messages) != 1 || screen.Messages[0].Visible() != "<@UALICE> asks for prod" {
			t.Fatalf("bob sees %+v", screen.Messages)
		}
		stale, ok := screen.Find(slackemu.Find{Text: "Approve"})
		if !ok {
			t.Fatal("bob sees no button")
		}
		if _, err := r.emu.Press("UEVE", slackemu.Find{Text: "Approve"}); err == nil {
			t.Error("eve, who is not in the channel, could press")
		}
		act, err := r.emu.Press("UBOB", slackemu.Find{ActionID: "approve"})
		if err != nil {
			t.Fatal(err)
		}
		r.outcome(act)
		_, _, _, err = r.api.UpdateMessageContext(r.ctx, "COPS", ts, slack.MsgOptionBlocks(section("approved by <@UBOB>")))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.emu.Press("UBOB", slackemu.Find{ActionID: "approve"}); err == nil {
			t.Error("the button is still there")
		}
		act, err = r.emu.PressAt("UEVE", stale)
		if err != nil {
			t.Fatal(err)
		}
		r.outcome(act)
		first, second := presses[0], presses[1]
		if first.User.ID != "UBOB" || first.User.TeamID != "T0NIGHT" || first.ActionCallback.BlockActions[0].Value != "g1" ||
			first.Container.MessageTs != ts || first.Channel.ID != "COPS" || first.ResponseURL == "" ||
			len(first.Message.Blocks.BlockSet) != 2 || first.APIAppID != "A0NIGHT" {
			t.Errorf("first press = %+v", first)
		}
		if second.User.ID != "UEVE" || second.ActionCallback.BlockActions[0].ActionID != "approve" ||
			len(second.Message.Blocks.BlockSet) != 1 {
			t.Errorf("stale press = %+v", second)
		}
		r.obeyed()
	})
}

func TestModal(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		var opened *slack.ViewResponse
		var closed []slack.InteractionCallback
		r.connect(func(c *socketmode.Client, ev socketmode.Event) {
			switch data := ev.Data.(type) {
			case slack.SlashCommand:
				view := modal(section("one moment"), button("more", "1", "More"))
				view.NotifyOnClose = true
				var err error
				if opened, err = r.api.OpenViewContext(r.ctx, data.TriggerID, view); err != nil {
					t.Error(err)
				}
				if _, err := r.api.OpenViewContext(r.ctx, data.TriggerID, view); err == nil || err.Error() != "exchanged_trigger_id" {
					t.Errorf("second use of a trigger: %v", err)
				}
			case slack.InteractionCallback:
				closed = append(closed, data)
			}
			c.Ack(*ev.Request)
		})
		r.outcome(r.run("UALICE", "/access prod"))
		if s := r.emu.SeenBy("UALICE"); s.Modal == nil || !strings.Contains(s.Text(), "one moment") {
			t.Fatalf("alice sees %+v", s)
		}
		if s := r.emu.SeenBy("UBOB"); s.Modal != nil {
			t.Error("bob sees alice's modal")
		}
		press, err := r.emu.Press("UALICE", slackemu.Find{Text: "More"})
		if err != nil {
			t.Fatal(err)
		}
		r.outcome(press)
		if got := closed[0]; got.Type != slack.InteractionTypeBlockActions || got.View.ID != opened.View.ID ||
			got.Container.ViewID != opened.View.ID || got.ResponseURL != "" {
			t.Errorf("press in a modal = %+v", got)
		}
		filled, err := r.api.UpdateViewContext(r.ctx, modal(section("secret")), "", opened.View.Hash, opened.View.ID)
		if err != nil {
			t.Fatal(err)
		}
		if filled.View.Hash == opened.View.Hash || len(filled.View.Blocks.BlockSet) != 1 {
			t.Errorf("the answer to the update is no whole new view: %+v", filled.View)
		}
		if _, err := r.api.UpdateViewContext(r.ctx, modal(section("again")), "", opened.View.Hash, opened.View.ID); err == nil ||
			err.Error() != "hash_conflict" {
			t.Errorf("update with an old hash: %v", err)
		}
		if act, err := r.emu.CloseView("UALICE"); err != nil || act != nil {
			t.Errorf("closing a view that does not want to know: %v, %v", act, err)
		}
		if _, err := r.api.UpdateViewContext(r.ctx, modal(section("late")), "", "", opened.View.ID); err == nil || err.Error() != "not_found" {
			t.Errorf("update of a closed view: %v", err)
		}
		r.obeyed()
	})
}

func TestClosedViewIsTold(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		var told []slack.InteractionCallback
		r.connect(func(c *socketmode.Client, ev socketmode.Event) {
			if data, ok := ev.Data.(slack.InteractionCallback); ok {
				told = append(told, data)
			}
			c.Ack(*ev.Request)
		})
		view := modal(section("x"))
		view.NotifyOnClose, view.PrivateMetadata, view.ExternalID = true, "g1", "grant-1"
		opened, err := r.api.OpenViewContext(r.ctx, r.run("UALICE", "/access").TriggerID, view)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.api.OpenViewContext(r.ctx, r.run("UBOB", "/access").TriggerID, view); err == nil || err.Error() != "duplicate_external_id" {
			t.Errorf("the same external ID twice: %v", err)
		}
		if _, err := r.api.UpdateViewContext(r.ctx, view, "grant-1", "", ""); err != nil {
			t.Errorf("update by external ID: %v", err)
		}
		act, err := r.emu.CloseView("UALICE")
		if err != nil || act == nil {
			t.Fatalf("closing: %v, %v", act, err)
		}
		r.outcome(act)
		if len(told) != 1 || told[0].Type != slack.InteractionTypeViewClosed || told[0].View.ID != opened.View.ID ||
			told[0].View.PrivateMetadata != "g1" {
			t.Errorf("told %+v", told)
		}
		r.obeyed()
	})
}

func TestReplacingAndDeletingByResponseURL(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		r.connect(nil)
		if _, _, err := r.api.PostMessageContext(r.ctx, "COPS", slack.MsgOptionBlocks(section("card"), button("a", "", "Go"))); err != nil {
			t.Fatal(err)
		}
		act, err := r.emu.Press("UBOB", slackemu.Find{Text: "Go"})
		if err != nil {
			t.Fatal(err)
		}
		r.outcome(act)
		r.reply(act.ResponseURL, map[string]any{"text": "only for bob"})
		r.reply(act.ResponseURL, map[string]any{"text": "for all", "response_type": "in_channel"})
		r.reply(act.ResponseURL, map[string]any{"text": "card is done", "replace_original": true})
		if got := r.emu.SeenBy("UALICE").Text(); got != "card is done\nfor all" {
			t.Errorf("alice sees %q", got)
		}
		if got := r.emu.SeenBy("UBOB").Text(); got != "card is done\nfor all\nonly for bob" {
			t.Errorf("bob sees %q", got)
		}
		r.reply(act.ResponseURL, map[string]any{"delete_original": true})
		if got := r.emu.SeenBy("UALICE").Text(); got != "for all" {
			t.Errorf("after deleting alice sees %q", got)
		}
		if status := r.reply(act.ResponseURL, map[string]any{"text": strings.Repeat("x", 40001)}); status != 400 {
			t.Errorf("too long an answer: status %d", status)
		}
	})
}

func TestTriggerExpires(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		r.connect(nil)
		act := r.run("UALICE", "/access prod")
		if _, err := r.api.OpenViewContext(r.ctx, act.TriggerID+"0", modal(section("x"))); err == nil || err.Error() != "invalid_trigger_id" {
			t.Errorf("a trigger that was never given out: %v", err)
		}
		time.Sleep(3 * time.Second)
		if _, err := r.api.OpenViewContext(r.ctx, act.TriggerID, modal(section("x"))); err == nil || err.Error() != "expired_trigger_id" {
			t.Errorf("after three seconds: %v", err)
		}
	})
}

func TestSubmission(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		view := modal(slack.NewInputBlock("why", text("Why not?"), nil, slack.NewPlainTextInputBlockElement(nil, "reason")))
		view.Submit = text("Deny")
		var answers []any
		r.connect(func(c *socketmode.Client, ev socketmode.Event) {
			if data, ok := ev.Data.(slack.SlashCommand); ok {
				if _, err := r.api.OpenViewContext(r.ctx, data.TriggerID, view); err != nil {
					t.Error(err)
				}
				c.Ack(*ev.Request)
				return
			}
			data := ev.Data.(slack.InteractionCallback)
			if got := data.View.State.Values["why"]["reason"].Value; got != "no" && got != "not tonight" {
				t.Errorf("submitted %q", got)
			}
			answer := answers[0]
			answers = answers[1:]
			if answer == nil {
				c.Ack(*ev.Request)
				return
			}
			c.Ack(*ev.Request, answer)
		})
		r.outcome(r.run("UALICE", "/access deny"))
		if _, err := r.emu.Submit("UALICE", nil); err == nil {
			t.Error("an empty input was submitted")
		}
		answers = []any{
			slack.NewErrorsViewSubmissionResponse(map[string]string{"why": "say more"}), nil,
		}
		for i, reason := range []string{"no", "not tonight"} {
			act, err := r.emu.Submit("UALICE", map[string]string{"reason": reason})
			if err != nil {
				t.Fatal(err)
			}
			r.outcome(act)
			s := r.emu.SeenBy("UALICE")
			if i == 0 && (s.Modal == nil || s.Modal.Errors["why"] != "say more") {
				t.Errorf("after an error: %+v", s.Modal)
			}
			if i == 1 && s.Modal != nil {
				t.Error("the modal is still open")
			}
		}
		r.obeyed()
	})
}

func TestWarningAfterThreeSeconds(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		act := r.run("UALICE", "/access prod")
		if got := act.Outcome().Warning; got != "dispatch_failed" {
			t.Errorf("nobody listens: warning %q", got)
		}
		r.connect(func(c *socketmode.Client, ev socketmode.Event) {
			time.Sleep(4 * time.Second)
			c.Ack(*ev.Request)
		})
		start := time.Now()
		act = r.run("UALICE", "/access prod")
		if out := r.outcome(act); out.Acknowledged || out.Warning != "operation_timeout" || time.Since(start) != 3*time.Second {
			t.Errorf("outcome = %+v after %v", out, time.Since(start))
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if w := r.emu.SeenBy("UALICE").Warnings; len(w) != 2 {
			t.Errorf("warnings = %+v", w)
		}
		r.obeyed() // late is no broken rule
	})
}
