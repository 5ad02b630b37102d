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
// the app if channel is empty. Slack escapes &, < and > in the text.
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
	act := &Act{Kind: "slash_commands", User: user, TriggerID: e.newTrigger(user)}
	reply := e.newResponse(user, ch.ID, nil)
	act.ResponseURL = reply.url
	payload := object{
		"token": "emulated", "team_id": u.TeamID, "team_domain": e.cfg.TeamDomain, "channel_id": ch.ID,
		"channel_name": ch.payloadName(), "user_id": u.ID, "user_name": u.Name, "command": command,
		"text":       strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(strings.TrimSpace(text)),
		"api_app_id": e.cfg.AppID, "is_enterprise_install": "false", "response_url": reply.url, "trigger_id": act.TriggerID,
	}
	return e.dispatch(act, "slash_commands", payload, true, func(answer json.RawMessage) {
		if answer != nil {
			e.respond(reply, answer, "ack")
		}
	}), nil
}

// Press lets a person press a button that they see: in the open modal first, then the newest.
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
	act := &Act{Kind: "block_actions", User: user, TriggerID: e.newTrigger(user)}
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
		if v := e.viewByID(b.ViewID, ""); v != nil {
			payload["view"] = e.wireView(v)
			payload["state"] = object{"values": v.state}
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

// top is the modal that a person sees. Call it locked.
func (e *Emulator) top(user string) *view {
	stack := e.stacks[user]
	if len(stack) == 0 {
		return nil
	}
	return stack[len(stack)-1]
}

// Fill lets a person enter values into inputs of the open modal, by action_id. Of a choice the value is an option's; of
// checkboxes several, divided by commas.
func (e *Emulator) Fill(user string, inputs map[string]string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.fill(user, inputs)
}

func (e *Emulator) fill(user string, inputs map[string]string) error {
	v := e.top(user)
	if v == nil {
		return fmt.Errorf("filling in a modal as %s: %w", user, ErrUnseen)
	}
	for action, text := range inputs {
		found := false
		for _, raw := range v.body["blocks"].([]any) {
			block := raw.(object)
			for _, element := range elementsOf(block) {
				if element["action_id"] != action {
					continue
				}
				value, err := entered(element, text)
				if err != nil {
					return fmt.Errorf("filling in %q: %w", action, err)
				}
				v.state[block["block_id"].(string)][action], found = value, true
			}
		}
		if !found {
			return fmt.Errorf("filling in %q: %w", action, ErrUnseen)
		}
	}
	return nil
}

// entered is the state of an element after a person entered text.
func entered(element object, text string) (object, error) {
	kind, _ := element["type"].(string)
	key, isInput := valueKey(kind)
	if !isInput {
		return nil, fmt.Errorf("%s takes no input", kind)
	}
	switch key {
	case "selected_option":
		option, err := choose(element, text)
		return object{"type": kind, key: option}, err
	case "selected_options":
		chosen := []any{}
		for value := range strings.SplitSeq(text, ",") {
			option, err := choose(element, value)
			if err != nil {
				return nil, err
			}
			chosen = append(chosen, option)
		}
		return object{"type": kind, key: chosen}, nil
	}
	if most, ok := element["max_length"].(float64); ok && len([]rune(text)) > int(most) {
		return nil, fmt.Errorf("it takes %v characters at most", most)
	}
	return object{"type": kind, key: text}, nil
}

func choose(element object, value string) (any, error) {
	lists := []any{element["options"]}
	groups, _ := element["option_groups"].([]any)
	for _, g := range groups {
		lists = append(lists, g.(object)["options"])
	}
	for _, list := range lists {
		options, _ := list.([]any)
		for _, option := range options {
			if o := option.(object); o["value"] == value {
				return o, nil
			}
		}
	}
	return nil, fmt.Errorf("there is no option %q: %w", value, ErrUnseen)
}

// Submit lets a person fill in the open modal and send it. As in Slack's client, nothing is sent while an input that is
// not optional is empty.
func (e *Emulator) Submit(user string, inputs map[string]string) (*Act, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	u, err := e.actor(user)
	if err != nil {
		return nil, err
	}
	if err := e.fill(user, inputs); err != nil {
		return nil, err
	}
	v := e.top(user)
	if v.body["submit"] == nil {
		return nil, fmt.Errorf("submitting a modal without a submit button: %w", ErrUnseen)
	}
	for _, raw := range v.body["blocks"].([]any) {
		block := raw.(object)
		if block["type"] != "input" || block["optional"] == true {
			continue
		}
		for action, value := range v.state[block["block_id"].(string)] {
			key, _ := valueKey(value["type"].(string))
			if entered := value[key]; entered == nil || entered == "" {
				return nil, fmt.Errorf("submitting a modal: the input %q is empty", action)
			}
		}
	}
	v.errors = nil
	act := &Act{Kind: "view_submission", User: user, TriggerID: e.newTrigger(user)}
	payload := e.interaction(act.Kind, u, act.TriggerID)
	payload["view"], payload["response_urls"] = e.wireView(v), []any{}
	return e.dispatch(act, "interactive", payload, true, func(answer json.RawMessage) { e.submitted(v, answer) }), nil
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
	stack := e.stacks[v.user]
	switch answer.Action {
	case "":
		e.stacks[v.user] = slices.DeleteFunc(stack, func(other *view) bool { return other == v })
	case "clear":
		delete(e.stacks, v.user)
	case "errors":
		v.errors = answer.Errors
		for block := range answer.Errors {
			if _, ok := v.state[block]; !ok {
				e.violate("ack", "view_submission", "an error is meant for block "+block+", which has no input")
			}
		}
	case "update", "push":
		body, a := e.parseView("ack", string(answer.View))
		switch {
		case a.err != "":
		case answer.Action == "update":
			e.changeView(v, body)
		case len(stack) >= stackLimit:
			e.violate("ack", "view_submission", "three modals lie on one another already")
		default:
			e.stacks[v.user] = append(stack, e.show(v.user, body, v))
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
	v := e.top(user)
	if v == nil {
		return nil, fmt.Errorf("closing a modal as %s: %w", user, ErrUnseen)
	}
	stack := e.stacks[user]
	e.stacks[user] = stack[:len(stack)-1]
	if v.body["clear_on_close"] == true {
		delete(e.stacks, user)
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
