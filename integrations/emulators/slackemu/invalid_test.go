package slackemu_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// astral is a character of four bytes and one code point.
const astral = "🚀"

// elementCase is a block with one element of the kind, changed by pairs of property and value.
func elementCase(kind string, pairs ...any) object {
	base := map[string]object{
		"button":           {"text": plainText("x")},
		"static_select":    {"placeholder": plainText("x"), "options": []any{option()}},
		"overflow":         {"options": []any{option()}},
		"checkboxes":       {"options": []any{option()}},
		"radio_buttons":    {"options": []any{option()}},
		"image":            {"image_url": "https://example.com/x.png", "alt_text": "x"},
		"plain_text_input": {},
		"number_input":     {"is_decimal_allowed": false},
	}[kind]
	element := with(base, append([]any{"type", kind}, pairs...)...)
	return holding("elements", element)
}

func option(pairs ...any) object {
	return with(object{"text": plainText("x"), "value": "v"}, pairs...)
}

func optionCase(pairs ...any) object {
	return elementCase("static_select", "options", []any{option(pairs...)})
}

func groupCase(label string, options []any) object {
	return elementCase("static_select", "options", nil, "option_groups", []any{
		object{"label": plainText(label), "options": options},
	})
}

func confirmCase(pairs ...any) object {
	c := object{"title": plainText("x"), "text": mrkdwn("x"), "confirm": plainText("x"), "deny": plainText("x")}
	return elementCase("button", "confirm", with(c, pairs...))
}

func blockCase(kind string, pairs ...any) object {
	return with(object{"type": kind}, pairs...)
}

// with returns a copy of an object with properties set.
func with(o object, pairs ...any) object {
	out := object{}
	maps.Copy(out, o)
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i].(string)] = pairs[i+1]
	}
	return out
}

// invalid makes, by the ID of each published case that this emulator knows the kind of, what must be refused.
func invalid() map[string]object {
	options := func(n int) []any { return times(n, option()) }
	input := object{"type": "plain_text_input"}
	return map[string]object{
		"text-empty":                          blockCase("section", "text", mrkdwn("")),
		"text-too-long":                       blockCase("section", "text", mrkdwn(xs(3001))),
		"button-action-id-too-long":           elementCase("button", "action_id", xs(256)),
		"button-text-too-long":                elementCase("button", "text", plainText(xs(76))),
		"button-url-too-long":                 elementCase("button", "url", xs(3001)),
		"button-value-too-long":               elementCase("button", "value", xs(2001)),
		"button-accessibility-label-too-long": elementCase("button", "accessibility_label", xs(76)),
		"confirmation-title-too-long":         confirmCase("title", plainText(xs(101))),
		"confirmation-text-too-long":          confirmCase("text", mrkdwn(xs(301))),
		"confirmation-confirm-too-long":       confirmCase("confirm", plainText(xs(31))),
		"confirmation-deny-too-long":          confirmCase("deny", plainText(xs(31))),
		"option-text-too-long":                optionCase("text", plainText(xs(76))),
		"option-value-too-long":               optionCase("value", xs(151)),
		"option-url-too-long":                 optionCase("url", strings.Repeat(astral, 3001)),
		"option-description-too-long":         optionCase("description", plainText(xs(76))),
		"option-group-label-too-long":         groupCase(xs(76), options(1)),
		"option-group-empty":                  groupCase("x", options(0)),
		"option-group-too-many-options":       groupCase("x", options(101)),
		"select-placeholder-too-long":         elementCase("static_select", "placeholder", plainText(xs(151))),
		"select-too-many-options":             elementCase("static_select", "options", options(101)),
		"select-too-many-option-groups": elementCase("static_select", "options", nil, "option_groups",
			times(101, object{"label": plainText("x"), "options": options(1)})),
		"static-select-options-and-groups": elementCase("static_select", "option_groups",
			times(1, object{"label": plainText("x"), "options": options(1)})),
		"overflow-empty":                        elementCase("overflow", "options", options(0)),
		"overflow-too-many-options":             elementCase("overflow", "options", options(6)),
		"checkboxes-empty":                      elementCase("checkboxes", "options", options(0)),
		"checkboxes-too-many-options":           elementCase("checkboxes", "options", options(11)),
		"radio-buttons-empty":                   elementCase("radio_buttons", "options", options(0)),
		"radio-buttons-too-many-options":        elementCase("radio_buttons", "options", options(11)),
		"plain-text-input-max-length-too-large": elementCase("plain_text_input", "max_length", 3001),
		"number-input-inverted-range":           elementCase("number_input", "min_value", "2", "max_value", "1"),
		"actions-too-many-elements":             blockCase("actions", "elements", times(26, object{"type": "button", "text": plainText("x")})),
		"context-too-many-elements":             blockCase("context", "elements", times(11, mrkdwn("x"))),
		"context-invalid-element":               blockCase("context", "elements", []any{object{"type": "button", "text": plainText("x")}}),
		"header-text-too-long":                  blockCase("header", "text", plainText(xs(151))),
		"image-url-too-long":                    blockCase("image", "alt_text", "x", "image_url", xs(3001)),
		"image-alt-text-too-long":               blockCase("image", "alt_text", xs(2001), "image_url", "x"),
		"image-url-and-slack-file":              elementCase("image", "slack_file", object{"id": "F1"}),
		"input-label-too-long":                  blockCase("input", "label", plainText(xs(2001)), "element", input),
		"input-hint-too-long":                   blockCase("input", "label", plainText("x"), "hint", plainText(xs(2001)), "element", input),
		"input-invalid-element":                 blockCase("input", "label", plainText("x"), "element", object{"type": "button", "text": plainText("x")}),
		"markdown-empty":                        blockCase("markdown", "text", ""),
		"markdown-too-long":                     blockCase("markdown", "text", xs(12001)),
		"section-text-too-long":                 blockCase("section", "text", mrkdwn(xs(3001))),
		"section-too-many-fields":               blockCase("section", "fields", times(11, mrkdwn("x"))),
		"section-field-too-long":                blockCase("section", "fields", times(1, mrkdwn(xs(2001)))),
		"section-missing-content":               blockCase("section"),
		"block-id-too-long":                     blockCase("divider", "block_id", xs(256)),
	}
}

// invalidViews are the cases that concern a view as a whole: the change and the number of blocks.
func invalidViews() map[string]object {
	return map[string]object{
		"view-private-metadata-too-long": {"private_metadata": xs(3001)},
		"view-callback-id-too-long":      {"callback_id": xs(256)},
		"view-title-too-long":            {"title": plainText(xs(25))},
		"view-close-too-long":            {"close": plainText(xs(25))},
		"view-submit-too-long":           {"submit": plainText(xs(25))},
		"view-missing-blocks":            {"blocks": []any{}},
		"view-too-many-blocks":           {"blocks": times(101, object{"type": "divider"})},
	}
}

func TestPublishedInvalidCasesAreRefused(t *testing.T) {
	var manifest struct {
		Cases []struct{ ID, Constraint string }
	}
	published(t, &manifest, "blocks", "invalid", "manifest.json")
	blocks, views := invalid(), invalidViews()
	for _, c := range manifest.Cases {
		t.Run(c.ID, func(t *testing.T) {
			kind, _, _ := strings.Cut(c.Constraint, ".")
			block, isBlock := blocks[c.ID]
			change, isView := views[c.ID]
			var got answer
			switch {
			case isBlock:
				got = openView(t, nil, block)
			case isView:
				got = openView(t, change, object{"type": "divider"})
			case slices.Contains(unsupported(), kind):
				return // the kind is refused whole: see TestValidFixturesAreAccepted
			default:
				t.Fatalf("no case for %s", c.Constraint)
			}
			if got.Error != "invalid_arguments" || len(got.Metadata.Messages) == 0 {
				t.Errorf("answered %+v", got)
			}
			if strings.Contains(strings.Join(got.Metadata.Messages, " "), "unsupported type") && !strings.HasSuffix(c.ID, "invalid-element") {
				t.Errorf("refused for another reason: %v", got.Metadata.Messages)
			}
		})
	}
	if left := len(blocks) + len(views); left == 0 {
		t.Error("no case was tried")
	}
}
