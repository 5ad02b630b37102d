package slackemu

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrInvalid is what a person gets whose form Slack's client does not send. What is wrong stands under the inputs then.
var ErrInvalid = errors.New("the form is not complete")

// Fill lets a person enter values into inputs of the open modal, by action_id. Of a choice the value is an option's; of
// checkboxes several, divided by commas; of a date "2026-11-22", of a time "22:30". An empty one takes back what was there.
func (e *Emulator) Fill(user string, inputs map[string]string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.fill(user, inputs)
}

func (e *Emulator) fill(user string, inputs map[string]string) error {
	v := e.top(e.seat(user))
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
				value, err := e.entered(element, text)
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

// entered is the state of an element after a person entered text. Only what the client's pickers cannot do is refused
// here; what can be typed is looked at when the form is sent.
func (e *Emulator) entered(element object, text string) (object, error) {
	kind, _ := element["type"].(string)
	key, isInput := valueKey(kind)
	if !isInput {
		return nil, fmt.Errorf("%s takes no input", kind)
	}
	if text == "" {
		return cleared(kind), nil
	}
	known, layout := true, ""
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
	case "selected_user":
		_, known = e.users[text]
	case "selected_channel", "selected_conversation":
		_, known = e.channels[text]
	case "selected_date":
		layout = time.DateOnly
	case "selected_time":
		layout = "15:04"
	}
	if !known {
		return nil, fmt.Errorf("there is no %q to select: %w", text, ErrUnseen)
	}
	if _, err := time.Parse(layout, text); layout != "" && err != nil {
		return nil, fmt.Errorf("picking a %s: %w", kind, err)
	}
	return object{"type": kind, key: text}, nil
}

func choose(element object, value string) (any, error) {
	for _, option := range optionsOf(element) {
		if option["value"] == value {
			return option, nil
		}
	}
	return nil, fmt.Errorf("there is no option %q: %w", value, ErrUnseen)
}

// optionsOf lists the options of a choice, those in groups too.
func optionsOf(element object) []object {
	lists := []any{element["options"]}
	groups, _ := element["option_groups"].([]any)
	for _, raw := range groups {
		group, _ := raw.(object)
		lists = append(lists, group["options"])
	}
	var out []object
	for _, list := range lists {
		options, _ := list.([]any)
		for _, raw := range options {
			if option, ok := raw.(object); ok {
				out = append(out, option)
			}
		}
	}
	return out
}

// Submit lets a person fill in the open modal and send it. As in Slack's client, nothing is sent while an input is
// empty that is not optional, or holds what it does not take: the error is ErrInvalid then, and the View says more.
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
	v := e.top(e.seat(user))
	if v.body["submit"] == nil {
		return nil, fmt.Errorf("submitting a modal without a submit button: %w", ErrUnseen)
	}
	if v.errors = v.mistakes(); len(v.errors) > 0 {
		return nil, fmt.Errorf("submitting a modal: %w: %v", ErrInvalid, v.errors)
	}
	act := &Act{Kind: "view_submission", User: user, TriggerID: e.newTrigger(user, v)}
	payload := e.interaction(act.Kind, u, act.TriggerID)
	payload["view"], payload["response_urls"] = e.wireView(v), []any{}
	return e.dispatch(act, "interactive", payload, true, func(answer json.RawMessage) { e.submitted(v, answer) }), nil
}

// mistakes are what Slack's client writes under the inputs of a form instead of sending it, by block_id.
func (v *view) mistakes() map[string]string {
	out := map[string]string{}
	for _, raw := range v.body["blocks"].([]any) {
		block := raw.(object)
		element, _ := block["element"].(object)
		if block["type"] != "input" || element == nil {
			continue
		}
		id := block["block_id"].(string)
		kind := element["type"].(string)
		key, _ := valueKey(kind)
		entered := v.state[id][element["action_id"].(string)][key]
		list, isList := entered.([]any)
		if entered == nil || (isList && len(list) == 0) {
			if block["optional"] != true {
				out[id] = "Please complete this required field."
			}
			continue
		}
		if text, ok := entered.(string); ok {
			if problem := mistyped(element, kind, text); problem != "" {
				out[id] = problem
			}
		}
	}
	return out
}

// mistyped says what is wrong with a text that was entered into an element, or nothing.
func mistyped(element object, kind, text string) string {
	switch kind {
	case "plain_text_input":
		n, most := float64(utf8.RuneCountInString(text)), 3000.0
		if given, ok := element["max_length"].(float64); ok {
			most = given
		}
		if least, ok := element["min_length"].(float64); ok && n < least {
			return fmt.Sprintf("Please enter at least %v characters.", least)
		}
		if n > most {
			return fmt.Sprintf("Please enter no more than %v characters.", most)
		}
	case "number_input":
		return misnumbered(element, text)
	case "email_text_input":
		if a, err := mail.ParseAddress(text); err != nil || a.Address != text {
			return "Please enter a valid email address."
		}
	case "url_text_input":
		if u, err := url.Parse(text); err != nil || u.Scheme == "" || u.Host == "" {
			return "Please enter a valid URL."
		}
	}
	return ""
}

func misnumbered(element object, text string) string {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return "Please enter a number."
	}
	if _, err := strconv.ParseInt(text, 10, 64); err != nil && element["is_decimal_allowed"] != true {
		return "Please enter a whole number."
	}
	if least, ok := bound(element["min_value"]); ok && n < least {
		return fmt.Sprintf("Please enter a number of at least %v.", least)
	}
	if most, ok := bound(element["max_value"]); ok && n > most {
		return fmt.Sprintf("Please enter a number of at most %v.", most)
	}
	return ""
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

// cleared is the state of an empty input: null, not an empty string.
func cleared(kind string) object {
	key, _ := valueKey(kind)
	if kind == "checkboxes" {
		return object{"type": kind, key: []any{}}
	}
	return object{"type": kind, key: nil}
}

func initialValue(element object) object {
	kind := element["type"].(string)
	key, _ := valueKey(kind)
	value := cleared(kind)
	for _, name := range []string{
		"initial_value", "initial_option", "initial_options", "initial_user", "initial_conversation", "initial_channel",
		"initial_date", "initial_time",
	} {
		if initial := element[name]; initial != nil && initial != "" {
			value[key] = initial
		}
	}
	return value
}

// filled is what inputs hold, by action_id, in the form that Fill takes.
func filled(state map[string]map[string]object) map[string]string {
	out := map[string]string{}
	for _, inputs := range state {
		for action, value := range inputs {
			kind, _ := value["type"].(string)
			key, _ := valueKey(kind)
			switch entered := value[key].(type) {
			case string:
				out[action] = entered
			case object:
				out[action], _ = entered["value"].(string)
			case []any:
				var values []string
				for _, raw := range entered {
					option, _ := raw.(object)
					chosen, _ := option["value"].(string)
					values = append(values, chosen)
				}
				out[action] = strings.Join(values, ",")
			}
		}
	}
	return out
}
