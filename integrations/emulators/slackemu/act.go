package slackemu

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ErrUnseen is what a person gets who wants to use something that is not on the screen.
var ErrUnseen = errors.New("it is not on the screen")

// Find describes a button. Every field that is given must match exactly.
type Find struct {
	Text      string `json:"text"`
	ActionID  string `json:"action_id"`
	Value     string `json:"value"`
	Channel   string `json:"channel"`
	MessageTS string `json:"message_ts"`
	Home      bool   `json:"home"` // in the App Home, where no other button is looked for
}

// actor is the account that acts, if it can. Call it locked.
func (e *Emulator) actor(user string) (User, error) {
	u, ok := e.users[user]
	switch {
	case !ok:
		return u, fmt.Errorf("acting as %q: there is no such user", user)
	case u.Deleted:
		return u, fmt.Errorf("acting as %q: the account is deactivated", user)
	}
	return u, nil
}

// RunCommand lets a person type a line such as "/access prod 1h disk full" in a channel, or in the direct message with
// the app if channel is empty. Slack escapes &, < and > in the text, and makes a mention of @ and an account's name, as
// should_escape in the manifest asks.
func (e *Emulator) RunCommand(user, channel, line string) (*Act, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	u, err := e.actor(user)
	if err != nil {
		return nil, err
	}
	if channel == "" {
		channel = e.dm(user)
	}
	ch, ok := e.channels[channel]
	if !ok || !slices.Contains(ch.Members, user) {
		return nil, fmt.Errorf("running a command in %q: %w", channel, ErrUnseen)
	}
	command, text, _ := strings.Cut(line, " ")
	if !strings.HasPrefix(command, "/") {
		return nil, fmt.Errorf("running a command: %q is none", command)
	}
	act := &Act{Kind: "slash_commands", User: user, TriggerID: e.newTrigger(user, nil)}
	reply := e.newResponse(user, ch.ID, nil)
	act.ResponseURL = reply.url
	payload := object{
		"token": "emulated", "team_id": u.TeamID, "team_domain": e.cfg.TeamDomain, "channel_id": ch.ID,
		"channel_name": ch.payloadName(), "user_id": u.ID, "user_name": u.Name, "command": command,
		"text":       e.typed(text),
		"api_app_id": e.cfg.AppID, "is_enterprise_install": "false", "response_url": reply.url, "trigger_id": act.TriggerID,
	}
	return e.dispatch(act, "slash_commands", payload, true, func(answer json.RawMessage) {
		if answer != nil {
			e.respond(reply, answer, "ack")
		}
	}), nil
}

// typed is the text of a command as Slack sends it. Call it locked.
func (e *Emulator) typed(text string) string {
	text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(strings.TrimSpace(text))
	words := strings.Split(text, " ")
	for i, w := range words {
		for id, u := range e.users {
			if u.Name != "" && w == "@"+u.Name {
				words[i] = "<@" + id + "|" + u.Name + ">"
			}
		}
	}
	return strings.Join(words, " ")
}

// Press lets a person press a button that they see: in the open modal first, then in the newest message; or in their App
// Home.
func (e *Emulator) Press(user string, f Find) (*Act, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	b, ok := e.screen(user).Find(f)
	if !ok {
		return nil, fmt.Errorf("pressing %+v as %s: %w", f, user, ErrUnseen)
	}
	return e.press(user, b)
}

// PressAt lets a person press a button by its coordinates, whether or not it is there, or theirs: a client that has not
// heard of a change yet, or someone who forges a press.
func (e *Emulator) PressAt(user string, b Button) (*Act, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.press(user, b)
}

func (e *Emulator) press(user string, b Button) (*Act, error) {
	u, err := e.actor(user)
	if err != nil {
		return nil, err
	}
	from := e.viewByID(b.ViewID, "")
	act := &Act{Kind: "block_actions", User: user, TriggerID: e.newTrigger(user, from)}
	action := object{
		"type": "button", "action_id": b.ActionID, "block_id": b.BlockID, "action_ts": e.stamp(),
		"text": object{"type": "plain_text", "text": b.Text, "emoji": true},
	}
	if b.Value != "" {
		action["value"] = b.Value
	}
	if b.Style != "" {
		action["style"] = b.Style
	}
	payload := e.interaction("block_actions", u, act.TriggerID)
	payload["actions"] = []object{action}
	if b.ViewID != "" {
		payload["container"] = object{"type": "view", "view_id": b.ViewID}
		if from != nil {
			payload["view"] = e.wireView(from)
			payload["state"] = object{"values": from.state}
		}
		return e.dispatch(act, "interactive", payload, false, nil), nil
	}
	m := e.find(b.Channel, b.MessageTS)
	if m == nil {
		// Slack may not know the message any more; the client that pressed still did.
		m = &message{channel: b.Channel, ts: b.MessageTS}
		if b.Ephemeral {
			m.onlyFor = user
		}
	}
	reply := e.newResponse(user, b.Channel, m)
	act.ResponseURL = reply.url
	payload["response_url"] = reply.url
	payload["channel"] = object{"id": b.Channel, "name": e.channels[b.Channel].payloadName()}
	payload["container"] = object{
		"type": "message", "message_ts": b.MessageTS, "channel_id": b.Channel, "is_ephemeral": m.onlyFor != "",
	}
	payload["state"] = object{"values": initialState(m.blocks, nil)}
	if m.onlyFor == "" { // Slack does not keep ephemeral messages, and so does not echo them
		payload["message"] = e.wire(m)
	}
	return e.dispatch(act, "interactive", payload, false, nil), nil
}

// interaction is what all interaction payloads have.
func (e *Emulator) interaction(kind string, u User, trigger string) object {
	out := object{
		"type": kind, "token": "emulated", "api_app_id": e.cfg.AppID, "is_enterprise_install": false, "enterprise": nil,
		"team": object{"id": e.cfg.TeamID, "domain": e.cfg.TeamDomain},
		"user": object{"id": u.ID, "username": u.Name, "name": u.Name, "team_id": u.TeamID},
	}
	if trigger != "" {
		out["trigger_id"] = trigger
	}
	return out
}

// top is the modal that a person sees on a device. Call it locked.
func (e *Emulator) top(at seat) *view {
	stack := e.stacks[at]
	if len(stack) == 0 {
		return nil
	}
	return stack[len(stack)-1]
}

// submitted does to a submitted view what the acknowledgement says; without a word, it closes.
func (e *Emulator) submitted(v *view, raw json.RawMessage) {
	if e.viewByID(v.id, "") != v {
		return // closed while the app thought about it
	}
	var answer struct {
		Action string            `json:"response_action"`
		View   json.RawMessage   `json:"view"`
		Errors map[string]string `json:"errors"`
	}
	if raw != nil && json.Unmarshal(raw, &answer) != nil {
		e.violate("ack", "view_submission", "the payload is no JSON object")
		return
	}
	stack := e.stacks[v.seat]
	switch answer.Action {
	case "":
		e.stacks[v.seat] = slices.DeleteFunc(stack, func(other *view) bool { return other == v })
	case "clear":
		delete(e.stacks, v.seat)
	case "errors":
		v.errors = answer.Errors
		for block := range answer.Errors {
			if _, ok := v.state[block]; !ok {
				e.violate("ack", "view_submission", "an error is meant for block "+block+", which has no input")
			}
		}
	case "update", "push":
		body, a := e.parseView("ack", "modal", string(answer.View))
		switch {
		case a.err != "":
		case answer.Action == "update":
			e.changeView(v, body)
		case len(stack) >= stackLimit:
			e.violate("ack", "view_submission", "three modals lie on one another already")
		default:
			e.stacks[v.seat] = append(stack, e.show(v.seat, body, v))
		}
	default:
		e.violate("ack", "view_submission", "there is no response_action "+answer.Action)
	}
}

// CloseView lets a person close the modal on top. The app hears of it only if the view says notify_on_close; otherwise
// the act is nil.
func (e *Emulator) CloseView(user string) (*Act, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	v := e.top(e.seat(user))
	if v == nil {
		return nil, fmt.Errorf("closing a modal as %s: %w", user, ErrUnseen)
	}
	stack := e.stacks[v.seat]
	e.stacks[v.seat] = stack[:len(stack)-1]
	if v.body["clear_on_close"] == true {
		delete(e.stacks, v.seat)
	}
	if v.body["notify_on_close"] != true {
		return nil, nil
	}
	act := &Act{Kind: "view_closed", User: user}
	payload := e.interaction(act.Kind, e.users[user], "")
	payload["view"], payload["is_cleared"] = e.wireView(v), v.body["clear_on_close"] == true
	return e.dispatch(act, "interactive", payload, false, nil), nil
}

// uuid is an identifier of the form that envelopes have. Call it locked.
func (e *Emulator) uuid() string {
	r := strings.ToLower(e.random(16))
	return strings.Join([]string{r[:8], r[8:12], r[12:16], r[16:20], r[20:]}, "-")
}

// responseLife and responseUses bound a response URL.
const (
	responseLife = 30 * time.Minute
	responseUses = 5
)
