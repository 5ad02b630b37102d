package slackemu

// shape is what a property of a block or an element must be.
type shape int

const (
	anything shape = iota // not looked into
	isString
	isBool
	isInt
	isPlain    // a plain_text object
	isText     // a plain_text or mrkdwn object
	isTexts    // a list of text objects
	isElement  // one element of the listed types
	isElements // a list of elements of the listed types; text objects count as the type "text"
	isOption
	isOptions
	isGroups
	isConfirm
)

// prop is one property that a type may have. Any other one is refused, as Slack does. Its limits are those whose names
// begin with limit.
type prop struct {
	name     string
	is       shape
	limit    string
	required bool
	types    []string
}

// blockShapes are the blocks that the emulator understands; another type is refused.
func blockShapes() map[string][]prop {
	interactive := []string{
		"button", "overflow", "static_select", "users_select", "conversations_select", "channels_select", "datepicker",
		"timepicker", "checkboxes", "radio_buttons",
	}
	inputs := []string{
		"plain_text_input", "number_input", "email_text_input", "url_text_input", "static_select", "users_select",
		"conversations_select", "channels_select", "datepicker", "timepicker", "checkboxes", "radio_buttons",
	}
	return map[string][]prop{
		"section": {
			{name: "text", is: isText, limit: "section.text"},
			{name: "fields", is: isTexts, limit: "section.fields"},
			{name: "accessory", is: isElement, types: append([]string{"image"}, interactive...)},
			{name: "expand", is: isBool},
		},
		"header":  {{name: "text", is: isPlain, limit: "header.text", required: true}},
		"divider": {},
		"context": {{name: "elements", is: isElements, limit: "context.elements", required: true, types: []string{"text", "image"}}},
		"actions": {{name: "elements", is: isElements, limit: "actions.elements", required: true, types: interactive}},
		"input": {
			{name: "label", is: isPlain, limit: "input.label", required: true},
			{name: "element", is: isElement, required: true, types: inputs},
			{name: "hint", is: isPlain, limit: "input.hint"},
			{name: "dispatch_action", is: isBool},
			{name: "optional", is: isBool},
		},
		"image": append([]prop{{name: "title", is: isPlain, limit: "image.alt_text"}}, imageProps()...),
		"markdown": {
			{name: "text", is: isString, limit: "markdown.text", required: true},
		},
		"rich_text": {{name: "elements", required: true}},
	}
}

func imageProps() []prop {
	return []prop{
		{name: "image_url", is: isString, limit: "image.image_url"},
		{name: "slack_file"},
		{name: "alt_text", is: isString, limit: "image.alt_text", required: true},
	}
}

// elementShapes are the elements that the emulator understands.
func elementShapes() map[string][]prop {
	placeholder := prop{name: "placeholder", is: isPlain, limit: "select.placeholder"}
	confirm := prop{name: "confirm", is: isConfirm}
	focus := prop{name: "focus_on_load", is: isBool}
	picker := func(props ...prop) []prop { return append(props, placeholder, confirm, focus) }
	typed := func(props ...prop) []prop {
		return append(props, placeholder, focus, prop{name: "initial_value", is: isString}, prop{name: "dispatch_action_config"})
	}
	choices := func(limit string) []prop {
		return []prop{
			{name: "options", is: isOptions, limit: limit, required: true},
			{name: "initial_options"},
			{name: "initial_option"},
			confirm, focus,
		}
	}
	return map[string][]prop{
		"button": {
			{name: "text", is: isPlain, limit: "button.text", required: true},
			{name: "url", is: isString, limit: "button.url"},
			{name: "value", is: isString, limit: "button.value"},
			{name: "accessibility_label", is: isString, limit: "button.accessibility_label"},
			{name: "style", is: isString},
			confirm,
		},
		"image":    imageProps(),
		"overflow": {{name: "options", is: isOptions, limit: "overflow.options", required: true}, confirm},
		"static_select": picker(
			prop{name: "options", is: isOptions, limit: "select.options"},
			prop{name: "option_groups", is: isGroups, limit: "select.option_groups"},
			prop{name: "initial_option", is: isOption},
		),
		"users_select": picker(prop{name: "initial_user", is: isString}),
		"conversations_select": picker(
			prop{name: "initial_conversation", is: isString}, prop{name: "default_to_current_conversation", is: isBool},
			prop{name: "response_url_enabled", is: isBool}, prop{name: "filter"},
		),
		"channels_select": picker(
			prop{name: "initial_channel", is: isString}, prop{name: "response_url_enabled", is: isBool},
		),
		"datepicker":       picker(prop{name: "initial_date", is: isString}),
		"timepicker":       picker(prop{name: "initial_time", is: isString}, prop{name: "timezone", is: isString}),
		"checkboxes":       choices("checkboxes.options"),
		"radio_buttons":    choices("radio_buttons.options"),
		"email_text_input": typed(),
		"url_text_input":   typed(),
		"number_input": typed(
			prop{name: "is_decimal_allowed", is: isBool, required: true}, prop{name: "min_value"}, prop{name: "max_value"},
		),
		"plain_text_input": typed(
			prop{name: "multiline", is: isBool}, prop{name: "min_length", is: isInt},
			prop{name: "max_length", is: isInt, limit: "plain_text_input.max_length"},
		),
	}
}

// partShapes are the objects that elements are made of.
func partShapes() map[string][]prop {
	return map[string][]prop{
		"confirm": {
			{name: "title", is: isPlain, limit: "confirmation.title", required: true},
			{name: "text", is: isText, limit: "confirmation.text", required: true},
			{name: "confirm", is: isPlain, limit: "confirmation.confirm", required: true},
			{name: "deny", is: isPlain, limit: "confirmation.deny", required: true},
			{name: "style", is: isString},
		},
		"option": {
			{name: "text", is: isText, limit: "option.text", required: true},
			{name: "value", is: isString, limit: "option.value"},
			{name: "description", is: isText, limit: "option.description"},
			{name: "url", is: isString, limit: "option.url"},
		},
		"group": {
			{name: "label", is: isPlain, limit: "option_group.label", required: true},
			{name: "options", is: isOptions, limit: "option_group.options", required: true},
		},
		"modal": {
			{name: "title", is: isPlain, limit: "view.title", required: true},
			{name: "close", is: isPlain, limit: "view.close"},
			{name: "submit", is: isPlain, limit: "view.submit"},
			{name: "blocks", required: true}, // looked into by their own rules
			{name: "private_metadata", is: isString, limit: "view.private_metadata"},
			{name: "callback_id", is: isString, limit: "view.callback_id"},
			{name: "external_id", is: isString, limit: "view.external_id"},
			{name: "clear_on_close", is: isBool},
			{name: "notify_on_close", is: isBool},
			{name: "submit_disabled", is: isBool},
		},
		"home": {
			{name: "blocks", required: true},
			{name: "private_metadata", is: isString, limit: "view.private_metadata"},
			{name: "callback_id", is: isString, limit: "view.callback_id"},
			{name: "external_id", is: isString, limit: "view.external_id"},
		},
	}
}
