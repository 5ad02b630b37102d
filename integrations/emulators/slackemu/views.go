package slackemu

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"
)

// stackLimit is how many modals may lie on one another.
const stackLimit = 3

// view is one modal that is open for a person.
type view struct {
	id, hash, root, previous string
	user                     string
	body                     object                       // as it was sent, with IDs given
	state                    map[string]map[string]object // block_id → action_id → value
	errors                   map[string]string            // by block_id, from the last submission
}

// trigger is a press or a command that may open one modal.
type trigger struct {
	user    string
	expires time.Time
	used    bool
}

// triggerLife is how long a trigger_id can be exchanged.
const triggerLife = 3 * time.Second

// newTrigger makes a trigger_id for a person. Call it locked.
func (e *Emulator) newTrigger(user string) string {
	id := fmt.Sprintf("%d.%s", time.Now().UnixNano(), strings.ToLower(e.random(8)))
	e.triggers[id] = &trigger{user: user, expires: time.Now().Add(triggerLife)}
	return id
}

func (e *Emulator) newHash() string {
	return fmt.Sprintf("%d.%s", time.Now().Unix(), strings.ToLower(e.random(4)))
}

// parseView reads and checks a view argument.
func (e *Emulator) parseView(method, text string) (object, answer) {
	if len(text) > e.limits["view.size.max_bytes"] {
		e.violate(method, "view_too_large", fmt.Sprintf("%d bytes", len(text)))
		return nil, refuse("view_too_large")
	}
	var body object
	if json.Unmarshal([]byte(text), &body) != nil {
		e.violate(method, "view", "it is no JSON object")
		return nil, answer{err: "invalid_arguments", messages: []string{"[ERROR] failed to match all allowed schemas [json-pointer:/view]"}}
	}
	in := newInspector(e.limits)
	in.view(body)
	if len(in.problems) > 0 {
		e.violate(method, "view", strings.Join(in.problems, "; "))
		return nil, answer{err: "invalid_arguments", messages: in.problems}
	}
	e.identify(body["blocks"].([]any))
	return body, answer{}
}

// viewByID finds an open view. External IDs are unique among the open ones.
func (e *Emulator) viewByID(id, external string) *view {
	for _, stack := range e.stacks {
		for _, v := range stack {
			if (id != "" && v.id == id) || (id == "" && external != "" && v.body["external_id"] == external) {
				return v
			}
		}
	}
	return nil
}

// duplicate reports whether another open view has the external ID of this body.
func (e *Emulator) duplicate(body object, mine *view) bool {
	external, _ := body["external_id"].(string)
	other := e.viewByID("", external)
	return other != nil && other != mine
}

// wireView is the view as Slack tells the app about it: everything that the app sent, and more.
func (e *Emulator) wireView(v *view) object {
	out := object{
		"id": v.id, "team_id": e.cfg.TeamID, "app_id": e.cfg.AppID, "bot_id": e.cfg.BotID,
		"app_installed_team_id": e.cfg.TeamID, "hash": v.hash, "root_view_id": v.root, "previous_view_id": nil,
		"private_metadata": "", "callback_id": "", "external_id": "", "clear_on_close": false, "notify_on_close": false,
		"close": nil, "submit": nil, "state": object{"values": v.state},
	}
	if v.previous != "" {
		out["previous_view_id"] = v.previous
	}
	maps.Copy(out, v.body)
	return out
}

// show makes a view of a body. previous is the view that it is pushed onto, or nil. Call it locked.
func (e *Emulator) show(user string, body object, previous *view) *view {
	v := &view{id: "V" + e.random(5), hash: e.newHash(), user: user, body: body}
	v.root = v.id
	if previous != nil {
		v.root, v.previous = previous.root, previous.id
	}
	v.state = initialState(body["blocks"].([]any), nil)
	return v
}

// change replaces what a view shows. What the person filled in stays where the same input is still there.
func (e *Emulator) changeView(v *view, body object) {
	v.body, v.hash, v.errors = body, e.newHash(), nil
	v.state = initialState(body["blocks"].([]any), v.state)
}

func (e *Emulator) openView(c *call) answer {
	t := e.triggers[c.args["trigger_id"]]
	switch {
	case t == nil:
		return refuse("invalid_trigger_id")
	case t.used:
		c.piece.Person = t.user
		return refuse("exchanged_trigger_id")
	case !time.Now().Before(t.expires):
		c.piece.Person = t.user
		return refuse("expired_trigger_id")
	}
	c.piece.Person = t.user
	body, a := e.parseView(c.method.Name, c.args["view"])
	if a.err != "" {
		return a
	}
	if e.duplicate(body, nil) {
		return refuse("duplicate_external_id")
	}
	t.used = true
	v := e.show(t.user, body, nil)
	e.stacks[t.user] = []*view{v} // a new root takes the place of what was open
	return answer{fields: object{"view": e.wireView(v)}}
}

func (e *Emulator) updateView(c *call) answer {
	v := e.viewByID(c.args["view_id"], c.args["external_id"])
	if v == nil {
		return refuse("not_found")
	}
	c.piece.Person = v.user
	if hash := c.args["hash"]; hash != "" && hash != v.hash {
		return refuse("hash_conflict")
	}
	body, a := e.parseView(c.method.Name, c.args["view"])
	if a.err != "" {
		return a
	}
	if e.duplicate(body, v) {
		return refuse("duplicate_external_id")
	}
	e.changeView(v, body)
	return answer{fields: object{"view": e.wireView(v)}}
}

// initialState is the state of the inputs among blocks, with what old says about the same inputs.
func initialState(blocks []any, old map[string]map[string]object) map[string]map[string]object {
	state := map[string]map[string]object{}
	for _, raw := range blocks {
		block := raw.(object)
		blockID, _ := block["block_id"].(string)
		for _, element := range elementsOf(block) {
			kind, _ := element["type"].(string)
			action, _ := element["action_id"].(string)
			if _, isInput := valueKey(kind); !isInput {
				continue
			}
			value, kept := old[blockID][action]
			if !kept || value["type"] != kind {
				value = initialValue(element)
			}
			if state[blockID] == nil {
				state[blockID] = map[string]object{}
			}
			state[blockID][action] = value
		}
	}
	return state
}

// valueKey names the property of the state that holds what a person entered into an element of this type.
func valueKey(kind string) (key string, isInput bool) {
	key, isInput = map[string]string{
		"plain_text_input": "value", "number_input": "value", "email_text_input": "value", "url_text_input": "value",
		"static_select": "selected_option", "radio_buttons": "selected_option", "checkboxes": "selected_options",
		"users_select": "selected_user", "conversations_select": "selected_conversation",
		"channels_select": "selected_channel", "datepicker": "selected_date", "timepicker": "selected_time",
	}[kind]
	return key, isInput
}

func initialValue(element object) object {
	kind := element["type"].(string)
	key, _ := valueKey(kind)
	value := object{"type": kind, key: nil}
	if kind == "checkboxes" {
		value[key] = []any{}
	}
	for _, name := range []string{
		"initial_value", "initial_option", "initial_options", "initial_user", "initial_conversation", "initial_channel",
		"initial_date", "initial_time",
	} {
		if initial := element[name]; initial != nil {
			value[key] = initial
		}
	}
	return value
}
