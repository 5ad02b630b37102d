package slackemu

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// inspector finds what Slack would refuse in blocks and views. It collects every problem, in Slack's own form.
type inspector struct {
	limits   map[string]int
	blocks   map[string][]prop
	elements map[string][]prop
	parts    map[string][]prop
	problems []string
}

func newInspector(limits map[string]int) *inspector {
	return &inspector{limits: limits, blocks: blockShapes(), elements: elementShapes(), parts: partShapes()}
}

func (in *inspector) complain(at, format string, args ...any) {
	in.problems = append(in.problems, "[ERROR] "+fmt.Sprintf(format, args...)+" [json-pointer:"+at+"]")
}

// message checks the blocks of a message. Their characters are counted apart: see legible.
func (in *inspector) message(blocks []any) {
	in.count("/blocks", "message.blocks", len(blocks))
	in.list("/blocks", blocks)
}

// view checks a view of the kind "modal" or "home".
func (in *inspector) view(v object, kind string) {
	if v["type"] != kind {
		in.complain("/view/type", "must be a valid view type: %q", kind)
		return
	}
	in.props("/view", v, in.parts[kind], "type")
	blocks, ok := v["blocks"].([]any)
	if !ok {
		in.complain("/view/blocks", "must be an array")
		return
	}
	in.count("/view/blocks", "view.blocks", len(blocks))
	in.list("/view/blocks", blocks)
	asks := slices.ContainsFunc(blocks, func(b any) bool { o, _ := b.(object); return o["type"] == "input" })
	if asks && kind == "modal" && v["submit"] == nil {
		in.complain("/view", "missing required field: submit")
	}
}

func (in *inspector) list(at string, blocks []any) {
	ids := map[string]bool{}
	for i, raw := range blocks {
		here := fmt.Sprintf("%s/%d", at, i)
		block, ok := raw.(object)
		if !ok {
			in.complain(here, "must be an object")
			continue
		}
		if id, _ := block["block_id"].(string); id != "" {
			if ids[id] {
				in.complain(here+"/block_id", "`block_id` %s already exists", id)
			}
			ids[id] = true
		}
		in.block(here, block)
	}
}

func (in *inspector) block(at string, block object) {
	kind, _ := block["type"].(string)
	props, ok := in.blocks[kind]
	if !ok {
		in.complain(at+"/type", "unsupported type: %s", kind)
		return
	}
	in.length(at+"/block_id", "block_id", block["block_id"])
	in.props(at, block, props, "type", "block_id")
	switch kind {
	case "section":
		if block["text"] == nil && block["fields"] == nil {
			in.complain(at, "missing required field: text or fields")
		}
	case "image":
		in.oneOf(at, block, "image_url", "slack_file")
	}
}

func (in *inspector) element(at string, raw any, types []string) {
	element, ok := raw.(object)
	if !ok {
		in.complain(at, "must be an object")
		return
	}
	kind, _ := element["type"].(string)
	if (kind == "plain_text" || kind == "mrkdwn") && slices.Contains(types, "text") {
		in.text(at, raw, "text", false)
		return
	}
	props, ok := in.elements[kind]
	if !ok || !slices.Contains(types, kind) {
		in.complain(at+"/type", "unsupported type: %s", kind)
		return
	}
	in.length(at+"/action_id", "action_id", element["action_id"])
	in.props(at, element, props, "type", "action_id")
	switch kind {
	case "image":
		in.oneOf(at, element, "image_url", "slack_file")
	case "static_select":
		in.oneOf(at, element, "options", "option_groups")
		in.offered(at, element, "initial_option")
	case "radio_buttons":
		in.offered(at, element, "initial_option")
	case "button":
		if style, has := element["style"]; has && style != "primary" && style != "danger" {
			in.complain(at+"/style", "must be one of: primary, danger")
		}
	case "number_input":
		low, lowOK := bound(element["min_value"])
		high, highOK := bound(element["max_value"])
		if lowOK && highOK && low > high {
			in.complain(at+"/min_value", "must not be greater than max_value")
		}
	}
}

// offered complains of an option that is chosen beforehand and is none of those that can be chosen.
func (in *inspector) offered(at string, element object, property string) {
	chosen, ok := element[property].(object)
	if !ok {
		return
	}
	for _, option := range optionsOf(element) {
		if option["value"] == chosen["value"] && plain(option["text"]) == plain(chosen["text"]) {
			return
		}
	}
	in.complain(at+"/"+property, "must be one of the options")
}

// bound reads a number that Slack takes as a string.
func bound(raw any) (f float64, ok bool) {
	_, err := fmt.Sscan(fmt.Sprint(raw), &f)
	return f, raw != nil && err == nil
}

func (in *inspector) oneOf(at string, o object, a, b string) {
	if (o[a] != nil) == (o[b] != nil) {
		in.complain(at, "exactly one of %s and %s is needed", a, b)
	}
}

// props checks an object's properties against its shape; beside says which others it has anyway.
func (in *inspector) props(at string, o object, props []prop, beside ...string) {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		known := slices.ContainsFunc(props, func(p prop) bool { return p.name == name })
		if !known && !slices.Contains(beside, name) {
			in.complain(at, "invalid additional property: %s", name)
		}
	}
	for _, p := range props {
		value, has := o[p.name]
		if !has || value == nil {
			if p.required {
				in.complain(at, "missing required field: %s", p.name)
			}
			continue
		}
		in.value(at+"/"+p.name, value, p)
	}
}

func (in *inspector) value(at string, value any, p prop) {
	switch p.is {
	case isString:
		in.length(at, p.limit, value)
	case isBool:
		if _, ok := value.(bool); !ok {
			in.complain(at, "must be a boolean")
		}
	case isInt:
		in.number(at, p.limit, value)
	case isPlain, isText:
		in.text(at, value, p.limit, p.is == isPlain)
	case isElement:
		in.element(at, value, p.types)
	case isOption:
		in.part(at, value, "option")
	case isConfirm:
		in.part(at, value, "confirm")
	case isTexts, isElements, isOptions, isGroups:
		in.items(at, value, p)
	}
}

func (in *inspector) items(at string, value any, p prop) {
	items, ok := value.([]any)
	if !ok {
		in.complain(at, "must be an array")
		return
	}
	in.count(at, p.limit, len(items))
	seen := map[string]bool{}
	for i, item := range items {
		here := fmt.Sprintf("%s/%d", at, i)
		switch p.is {
		case isTexts:
			in.text(here, item, p.limit+".item", false)
		case isElements:
			in.element(here, item, p.types)
			o, _ := item.(object)
			if id, _ := o["action_id"].(string); id != "" {
				if seen[id] {
					in.complain(here, "`action_id` %s already exists", id)
				}
				seen[id] = true
			}
		case isOptions:
			in.part(here, item, "option")
		case isGroups:
			in.part(here, item, "group")
		}
	}
}

func (in *inspector) part(at string, value any, name string) {
	o, ok := value.(object)
	if !ok {
		in.complain(at, "must be an object")
		return
	}
	in.props(at, o, in.parts[name])
}

func (in *inspector) text(at string, value any, limit string, plain bool) {
	o, _ := value.(object)
	kind := o["type"]
	if kind != "plain_text" && (plain || kind != "mrkdwn") {
		in.complain(at+"/type", "must be a valid text type")
		return
	}
	more := "emoji"
	if kind == "mrkdwn" {
		more = "verbatim"
	}
	in.props(at, o, []prop{{name: "text", is: isString, limit: "text", required: true}}, "type", more)
	if limit == "section.fields.item" { // named so in the published list
		in.most(at+"/text", in.limits["section.fields.item_max_length"], o["text"])
		return
	}
	in.length(at+"/text", limit, o["text"])
}

func (in *inspector) length(at, limit string, value any) {
	if value == nil {
		return
	}
	s, ok := value.(string)
	if !ok {
		in.complain(at, "must be a string")
		return
	}
	if least := in.limits[limit+".min_length"]; utf8.RuneCountInString(s) < least {
		in.complain(at, "must be more than %d characters", least-1)
	}
	in.most(at, in.limits[limit+".max_length"], value)
}

func (in *inspector) most(at string, most int, value any) {
	if s, _ := value.(string); most > 0 && utf8.RuneCountInString(s) > most {
		in.complain(at, "must be less than %d characters", most+1)
	}
}

func (in *inspector) number(at, limit string, value any) {
	n, ok := value.(float64)
	if !ok {
		in.complain(at, "must be an integer")
		return
	}
	if most := in.limits[limit+".max"]; most > 0 && n > float64(most) {
		in.complain(at, "must be at most %d", most)
	}
}

func (in *inspector) count(at, limit string, n int) {
	least := in.limits[limit+".min_items"]
	if n < least {
		in.complain(at, "no fewer than %d items are needed", least)
	}
	if most := in.limits[limit+".max_items"]; most > 0 && n > most {
		in.complain(at, "no more than %d items allowed", most)
	}
}

// legible gathers what a reader sees of blocks, in their order: every text, but no button's label.
func legible(value any) []string {
	var lines []string
	var walk func(any)
	walk = func(value any) {
		switch v := value.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case object:
			if v["type"] == "button" {
				return
			}
			for _, key := range []string{"label", "title", "text", "fields", "elements", "element", "accessory", "hint", "alt_text"} {
				if s, ok := v[key].(string); ok {
					lines = append(lines, s)
					continue
				}
				walk(v[key])
			}
		}
	}
	walk(value)
	return lines
}

// characters counts what Slack's bound on a message's blocks counts.
func characters(blocks []any) int {
	n := 0
	for _, line := range legible(blocks) {
		n += utf8.RuneCountInString(line)
	}
	return n
}

// identify gives a block_id to each block and an action_id to each element without one, as Slack does.
func (e *Emulator) identify(blocks []any) {
	for _, raw := range blocks {
		block, _ := raw.(object)
		if id, _ := block["block_id"].(string); id == "" {
			block["block_id"] = e.random(3)
		}
		for _, element := range elementsOf(block) {
			if id, _ := element["action_id"].(string); id == "" && element["type"] != "image" {
				element["action_id"] = e.random(3)
			}
		}
	}
}

// elementsOf lists the elements of a block, in their order.
func elementsOf(block object) []object {
	var out []object
	add := func(raw any) {
		if o, ok := raw.(object); ok && o["type"] != "plain_text" && o["type"] != "mrkdwn" {
			out = append(out, o)
		}
	}
	if block["type"] == "rich_text" {
		return nil
	}
	if list, ok := block["elements"].([]any); ok {
		for _, raw := range list {
			add(raw)
		}
	}
	add(block["accessory"])
	add(block["element"])
	return out
}

// encode is for values that came from JSON or are made of the emulator's own structs, so that it cannot fail.
func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("slackemu: encoding: %v", err))
	}
	return b
}
