package wiring_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/slackemu"
)

// payload is one way in which Slack tells the program what somebody wants.
type payload struct {
	name     string
	send     func(n *night, user, grant string) *slackemu.Act
	recorded bool // what it asks for is refused by an event; the others show nothing and change nothing
}

// payloads are all of them: each command, each button, each modal, and the home.
func payloads() []payload {
	var all []payload
	for _, line := range []string{"", "help", "show", "anybody-write nonsense 10m", "people", "people thaw"} {
		all = append(all, payload{"/access " + line, typed(line), strings.HasPrefix(line, "anybody")})
	}
	for _, line := range []string{
		"anybody-write 10m let me in", "extend 10m it goes on", "people list", "people approve @cat", "people freeze @cat because", "no-such-role let me in",
	} {
		all = append(all, payload{"/access " + line, typed(line), true})
	}
	for _, action := range []string{"approve", "deny", "revoke", "withdraw", "return", "reveal", "replace", "more"} {
		all = append(all, payload{action + " on a card", pressed(action, false), true}, payload{action + " in the home", pressed(action, true), true})
	}
	for _, action := range []string{"approve", "deny", "withdraw"} {
		all = append(all, payload{action + " an extension", pressedOn(action, " 1"), true})
	}
	return append(all,
		payload{"the button of the form", pressed("form", false), false},
		payload{"the form", submitted("ask", "C0ANY"), true},
		payload{"the form of an extension", submitted("extend", "GRANT"), true},
		payload{"why it was denied", submitted("explain", "GRANT"), true},
		payload{"the end of the oldest", submitted("reveal_ends", "GRANT 1"), true},
		payload{"the home", func(n *night, user, _ string) *slackemu.Act {
			act, err := n.slack.OpenHome(user)
			n.must(err)
			return act
		}, false},
	)
}

func typed(line string) func(*night, string, string) *slackemu.Act {
	return func(n *night, user, _ string) *slackemu.Act {
		act, err := n.slack.RunCommand(user, "C0ANY", "/access "+line)
		n.must(err)
		return act
	}
}

func pressed(action string, home bool) func(*night, string, string) *slackemu.Act {
	return func(n *night, user, grant string) *slackemu.Act {
		b := slackemu.Button{Text: action, ActionID: action, BlockID: "b", Value: grant, Channel: "C0ANY", MessageTS: "1.000001"}
		if home {
			b.Channel, b.MessageTS, b.ViewID = "", "", "V0HOME"
		}
		act, err := n.slack.PressAt(user, b)
		n.must(err)
		return act
	}
}

// pressedOn presses a button whose value says more than the grant.
func pressedOn(action, more string) func(*night, string, string) *slackemu.Act {
	return func(n *night, user, grant string) *slackemu.Act { return pressed(action, false)(n, user, grant+more) }
}

// submitted submits a modal as it would be if the program had opened it for this person.
func submitted(callback, metadata string) func(*night, string, string) *slackemu.Act {
	return func(n *night, user, grant string) *slackemu.Act {
		n.t.Helper()
		act := pressed("nothing", false)(n, user, grant)
		inputs := map[string]string{"reason": "let me in", "why": "because"}
		var blocks []map[string]any
		for name := range inputs {
			blocks = append(blocks, map[string]any{
				"type": "input", "block_id": name, "label": plainText(name),
				"element": map[string]any{"type": "plain_text_input", "action_id": name},
			})
		}
		for name, value := range map[string]string{"role": "anybody-write", "duration": "10m"} {
			option := map[string]any{"text": plainText(value), "value": value}
			blocks = append(blocks, map[string]any{
				"type": "input", "block_id": name, "label": plainText(name),
				"element": map[string]any{"type": "static_select", "action_id": name, "options": []any{option}, "initial_option": option},
			})
		}
		n.callsSlack("views.open", map[string]any{"trigger_id": act.TriggerID, "view": map[string]any{
			"type": "modal", "callback_id": callback, "private_metadata": strings.ReplaceAll(metadata, "GRANT", grant),
			"title": plainText("t"), "submit": plainText("s"), "blocks": blocks,
		}})
		act, err := n.slack.Submit(user, inputs)
		n.must(err)
		return act
	}
}

func plainText(text string) map[string]any { return map[string]any{"type": "plain_text", "text": text} }

// callsSlack calls a method as the program might.
func (n *night) callsSlack(method string, args map[string]any) {
	n.t.Helper()
	body, err := json.Marshal(args)
	n.must(err)
	r, err := http.NewRequestWithContext(n.t.Context(), http.MethodPost, "http://"+slackAt+"/api/"+method, bytes.NewReader(body))
	n.must(err)
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("Authorization", "Bearer "+n.slack.Config().BotToken)
	answer, err := n.transport.RoundTrip(r)
	n.must(err)
	defer answer.Body.Close()
	var said struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil || !said.OK {
		n.t.Fatalf("%s answers %q (%v)", method, said.Error, err)
	}
}

// TestNoPayloadOfAStrangerDoesAnything: whatever they send, with the grant of somebody else in it, changes nothing, shows
// nothing, and is acknowledged in time; and where it asks for something, the refusal is recorded.
func TestNoPayloadOfAStrangerDoesAnything(t *testing.T) {
	for i, who := range strangers {
		if raceDetector && i%3 != 0 {
			continue // all of them without it
		}
		t.Run(who.name, func(t *testing.T) {
			p := withStrangers()
			p.roles += "security: {channel: C0ANY, people: [U0LOU, " + who.user + "]}\n"
			play(t, p, func(n *night) {
				n.appear()
				_, err := n.slack.RunCommand(cat, "C0ANY", "/access anybody-write 4h helping")
				n.must(err)
				n.pass(2 * time.Second)
				n.presses(ben, "approve")
				n.pass(2 * time.Second)
				token := n.reveals(cat)
				before := n.grant(cat)
				refusals := n.refusalsOf(who.user)
				for _, p := range payloads() {
					n.sendsInVain(p, who.user, before.ID)
					all := n.refusalsOf(who.user)
					if p.recorded && all == refusals {
						t.Errorf("%s: no refusal is recorded", p.name)
					}
					refusals = all
				}
				n.tokenIs(token, true)
				if after := n.grant(cat); after.Seq != before.Seq {
					t.Errorf("the grant of another is %+v", after)
				}
				if slices.ContainsFunc(n.book().grants, func(s grants.Stored) bool { return s.Grant.Person.Slack() == who.user }) {
					t.Error("a stranger's request was taken")
				}
				screen := n.slack.SeenBy(who.user)
				if text := screen.Text(); aToken.MatchString(text) || screen.Home != nil || strings.Contains(text, "orders-read") {
					t.Errorf("a stranger sees\n%s", text)
				}
				n.presses(cat, "return")
				n.tokenIs(token, false)
			})
		})
	}
}

// sendsInVain has a stranger send something, and closes the window that says why not.
func (n *night) sendsInVain(p payload, user, grant string) {
	n.t.Helper()
	act := p.send(n, user, grant)
	n.pass(4 * time.Second) // no more than twenty a minute are recorded
	n.acknowledged(act)
	if m := n.slack.SeenBy(user).Modal; m != nil {
		if m.Title != "Not shown" && act.Kind != "view_submission" || aToken.MatchString(m.Visible()) {
			n.t.Errorf("%s: a stranger is shown %q", p.name, m.Visible())
		}
		_, err := n.slack.CloseView(user)
		n.must(err)
	}
}
