package slackemu

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// stackLimit is how many modals may lie on one another.
const stackLimit = 3

// view is a modal that is open for a person, or what their App Home shows.
type view struct {
	seat
	id, hash, root, previous string
	body                     object                       // as it was sent, with IDs given
	state                    map[string]map[string]object // block_id → action_id → value
	errors                   map[string]string            // by block_id, from the last submission
}

// kind is "modal" or "home".
func (v *view) kind() string { return v.body["type"].(string) }

// trigger is a press or a command that may open one modal.
type trigger struct {
	seat
	from    *view // where the press was, or nil
	expires time.Time
	used    bool
}

// triggerLife is how long a trigger_id can be exchanged.
const triggerLife = 3 * time.Second

// newTrigger makes a trigger_id for a person; from is the view that they pressed something in, or nil. Call it locked.
func (e *Emulator) newTrigger(user string, from *view) string {
	id := fmt.Sprintf("%d.%s", time.Now().UnixNano(), strings.ToLower(e.random(8)))
	e.triggers[id] = &trigger{seat: e.seat(user), from: from, expires: time.Now().Add(triggerLife)}
	return id
}

// redeem finds the trigger of a call, if it may still be used. Who uses it marks it.
func (e *Emulator) redeem(c *call) (*trigger, answer) {
	t := e.triggers[c.args["trigger_id"]]
	if t == nil {
		return nil, refuse("invalid_trigger_id")
	}
	c.piece.Person = t.user
	switch {
	case t.used:
		return nil, refuse("exchanged_trigger_id")
	case !time.Now().Before(t.expires):
		return nil, refuse("expired_trigger_id")
	}
	return t, answer{}
}

func (e *Emulator) newHash() string {
	return fmt.Sprintf("%d.%s", time.Now().Unix(), strings.ToLower(e.random(4)))
}

// parseView reads and checks a view argument, which must be of the kind "modal" or "home".
func (e *Emulator) parseView(method, kind, text string) (object, answer) {
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
	in.view(body, kind)
	if len(in.problems) > 0 {
		e.violate(method, "view", strings.Join(in.problems, "; "))
		return nil, answer{err: "invalid_arguments", messages: in.problems}
	}
	e.identify(body["blocks"].([]any))
	return body, answer{}
}

// viewByID finds an open modal or a published home. External IDs are unique among these.
func (e *Emulator) viewByID(id, external string) *view {
	is := func(v *view) bool {
		return (id != "" && v.id == id) || (id == "" && external != "" && v.body["external_id"] == external)
	}
	for _, stack := range e.stacks {
		if i := slices.IndexFunc(stack, is); i >= 0 {
			return stack[i]
		}
	}
	for _, home := range e.homes {
		if is(home) {
			return home
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
func (e *Emulator) show(at seat, body object, previous *view) *view {
	v := &view{id: "V" + e.random(5), hash: e.newHash(), seat: at, body: body}
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

// asked reads a call that wants a new modal.
func (e *Emulator) asked(c *call) (*trigger, object, answer) {
	t, a := e.redeem(c)
	if a.err != "" {
		return nil, nil, a
	}
	body, a := e.parseView(c.method.Name, "modal", c.args["view"])
	if a.err == "" && e.duplicate(body, nil) {
		a = refuse("duplicate_external_id")
	}
	return t, body, a
}

func (e *Emulator) openView(c *call) answer {
	t, body, a := e.asked(c)
	if a.err != "" {
		return a
	}
	t.used = true
	v := e.show(t.seat, body, nil)
	e.stacks[t.seat] = []*view{v} // a new root takes the place of what was open
	return answer{fields: object{"view": e.wireView(v)}}
}

// pushView lays a modal onto the one in which something was pressed.
func (e *Emulator) pushView(c *call) answer {
	t, body, a := e.asked(c)
	if a.err != "" {
		return a
	}
	stack := e.stacks[t.seat]
	switch {
	case !slices.Contains(stack, t.from): // pressed elsewhere, or closed since
		return refuse("not_found")
	case len(stack) >= stackLimit:
		e.violate(c.method.Name, "push_limit_reached", "three modals lie on one another already")
		return refuse("push_limit_reached")
	}
	t.used = true
	v := e.show(t.seat, body, e.top(t.seat))
	e.stacks[t.seat] = append(stack, v)
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
	body, a := e.parseView(c.method.Name, v.kind(), c.args["view"])
	if a.err != "" {
		return a
	}
	if e.duplicate(body, v) {
		return refuse("duplicate_external_id")
	}
	e.changeView(v, body)
	return answer{fields: object{"view": e.wireView(v)}}
}
