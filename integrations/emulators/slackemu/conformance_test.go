package slackemu_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nightlatch/integrations/emulators/slackemu"
)

// published reads a file of the facts about Slack that this project did not write.
func published(t *testing.T, v any, path ...string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(append([]string{conformance(t), "slack"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatal(err)
	}
}

func conformance(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("NIGHTLATCH_CONFORMANCE")
	if dir == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("NIGHTLATCH_CONFORMANCE is not set")
		}
		t.Skip("NIGHTLATCH_CONFORMANCE is not set: nothing to compare with")
	}
	return dir
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

func TestMethodsAreAsPublished(t *testing.T) {
	for _, m := range slackemu.Methods() {
		t.Run(m.Name, func(t *testing.T) {
			var doc struct {
				Scope struct{ Bot []string } `json:"scope"`
				JSON  bool                   `json:"json_input_supported"`
				Tier  string                 `json:"rate_limits"`
				Args  struct {
					Required   []string
					Properties map[string]any
				}
				Errors map[string]any
			}
			published(t, &doc, "methods", m.Name+".json")
			if want := slices.Sorted(maps.Keys(doc.Args.Properties)); !slices.Equal(sorted(m.Arguments), want) {
				t.Errorf("arguments %v, published %v", sorted(m.Arguments), want)
			}
			if !slices.Equal(sorted(m.Required), sorted(doc.Args.Required)) {
				t.Errorf("required %v, published %v", m.Required, doc.Args.Required)
			}
			if !slices.Equal(sorted(m.Scopes), sorted(doc.Scope.Bot)) {
				t.Errorf("scopes %v, published %v", m.Scopes, doc.Scope.Bot)
			}
			if m.JSON != doc.JSON {
				t.Errorf("JSON bodies: %v, published %v", m.JSON, doc.JSON)
			}
			if "t"+string(rune('0'+m.Tier)) != doc.Tier {
				t.Errorf("tier %d, published %s", m.Tier, doc.Tier)
			}
			for _, code := range append(m.Errors, m.Missing) {
				if _, ok := doc.Errors[code]; !ok && code != "" {
					t.Errorf("error %s is not published for this method", code)
				}
			}
		})
	}
}

func TestAnswersAreAsPublished(t *testing.T) {
	emu := desk(t)
	emu.PutUserGroup(slackemu.UserGroup{ID: "SOPS", Users: []string{"UALICE"}})
	act, err := emu.RunCommand("UALICE", "", "/access")
	if err != nil {
		t.Fatal(err)
	}
	view := object{"type": "modal", "title": plainText("t"), "blocks": []any{object{"type": "divider"}}}
	arguments := map[string]object{
		"apps.connections.open": {}, "auth.test": {}, "users.list": {}, "users.info": {"user": "UALICE"},
		"usergroups.users.list": {"usergroup": "SOPS"}, "conversations.info": {"channel": "COPS"},
		"conversations.open": {"users": "UALICE"}, "chat.postMessage": {"channel": "COPS", "text": "x"},
		"chat.postEphemeral": {"channel": "COPS", "text": "x", "user": "UALICE"},
		"chat.update":        {"channel": "COPS", "text": "y"}, "views.open": {"trigger_id": act.TriggerID, "view": view},
		"views.update": {"view": view}, "views.push": {"view": view},
		"views.publish":   {"user_id": "UALICE", "view": object{"type": "home", "blocks": []any{object{"type": "divider"}}}},
		"usergroups.list": {"include_users": "true", "include_count": "true"},
	}
	for _, m := range slackemu.Methods() {
		t.Run(m.Name, func(t *testing.T) {
			var doc struct {
				Output struct {
					Required   []string
					Properties map[string]struct{ Type string }
				}
			}
			published(t, &doc, "methods", m.Name+".json")
			args := arguments[m.Name]
			switch screen := emu.SeenBy("UALICE"); m.Name {
			case "chat.update":
				args["ts"] = screen.Messages[0].TS
			case "views.update":
				args["view_id"] = screen.Modal.ID
			case "views.push":
				press, err := emu.PressAt("UALICE", slackemu.Button{ViewID: screen.Modal.ID, ActionID: "a", BlockID: "b"})
				if err != nil {
					t.Fatal(err)
				}
				args["trigger_id"] = press.TriggerID
			}
			got := callRaw(emu, m.Name, m.JSON, args)
			if got["ok"] != true {
				t.Fatalf("answered %v", got)
			}
			for _, name := range doc.Output.Required {
				if got[name] == nil {
					t.Errorf("%s is missing", name)
				}
			}
			for name, value := range got {
				p, known := doc.Output.Properties[name]
				if !known && name != "ok" {
					t.Errorf("%s is not published", name)
				}
				if kind := kindOf(value); p.Type != "" && strings.Replace(p.Type, "integer", "number", 1) != kind {
					t.Errorf("%s is a %s, published %s", name, kind, p.Type)
				}
			}
		})
	}
}

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case []any:
		return "array"
	default:
		return "object"
	}
}

// unlisted are common errors that no published method file names, and why they are answered all the same.
func unlisted() map[string]string {
	return map[string]string{
		"invalid_arg_name":       "general errors of every method page",
		"invalid_arguments":      "general errors of every method page; in the example of views.open",
		"invalid_form_data":      "general errors of every method page",
		"invalid_json":           "answered to every method that takes JSON",
		"invalid_post_type":      "general errors of every method page",
		"json_not_object":        "answered to every method that takes JSON",
		"not_allowed_token_type": "general errors of every method page",
		"not_authed":             "in the examples of auth.test",
		"ratelimited":            "the page on rate limits",
		"unknown_method":         "answered to every name without a method",
	}
}

func TestCommonErrorsAreAccountedFor(t *testing.T) {
	named := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(conformance(t), "slack", "methods", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d method files, %v", len(files), err)
	}
	for _, file := range files {
		var doc struct{ Errors map[string]any }
		published(t, &doc, "methods", filepath.Base(file))
		for code := range doc.Errors {
			named[code] = true
		}
	}
	for _, code := range slackemu.CommonErrors() {
		if _, reason := unlisted()[code]; !named[code] && !reason {
			t.Errorf("%s is published nowhere, and no reason is given", code)
		}
	}
}

// unpublished limits are the emulator's own: known from elsewhere.
func unpublished() []string {
	return []string{
		"message.blocks.max_items", "message.blocks.max_length", "message.text.max_length", "view.external_id.max_length",
		"view.size.max_bytes",
	}
}

// unsupported are the kinds whose blocks and elements the emulator refuses whole, because the app uses none.
func unsupported() []string {
	return []string{
		"alert", "card", "carousel", "container", "context_actions", "data_table", "data_visualization", "feedback_button",
		"file_input", "icon_button", "table", "url_source", "video",
	}
}

func TestLimitsAreAsPublished(t *testing.T) {
	var doc map[string]any
	published(t, &doc, "blocks", "limits.json")
	want := map[string]int{}
	var flatten func(string, any)
	flatten = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, inner := range v {
				flatten(path+"."+k, inner)
			}
		case float64:
			want[path[1:]] = int(v)
		}
	}
	flatten("", doc)
	have := slackemu.Limits()
	for path, n := range want {
		kind, _, _ := strings.Cut(path, ".")
		if slices.Contains(unsupported(), kind) {
			continue
		}
		if have[path] != n {
			t.Errorf("%s = %d, published %d", path, have[path], n)
		}
	}
	for path := range have {
		if _, ok := want[path]; !ok && !slices.Contains(unpublished(), path) {
			t.Errorf("%s is enforced and not published", path)
		}
	}
}

// refusedWhole are the fixtures that are valid at Slack and refused here, and why.
func refusedWhole() map[string]string {
	const unused = "the app sends none"
	return map[string]string{
		"alert_block": unused, "card_block": unused, "carousel_block": unused, "container_block": unused,
		"context_actions_feedback_buttons": unused, "context_actions_icon_button": unused, "data_table_block": unused,
		"data_visualization_area": unused, "data_visualization_bar": unused, "data_visualization_line": unused,
		"data_visualization_pie": unused, "file_block_only": "files come with a method that is not here",
		"plan_block": unused, "table_block": unused, "task_card_block": unused, "video_block_basic": unused,
		"video_block_full": unused, "datetime_picker_basic": unused, "file_input_basic": unused,
		"multi_select_channel": unused, "multi_select_conversation": unused, "multi_select_external": unused,
		"multi_select_static": unused, "multi_select_user": unused, "multi_select_user_with_initial_users": unused,
		"rich_text_input_basic": unused, "select_menu_external": "it asks the app for its options",
		"url_source_basic": unused, "workflow_button_basic": unused,
	}
}

func TestValidFixturesAreAccepted(t *testing.T) {
	for _, folder := range []string{"blocks", "elements"} {
		files, err := filepath.Glob(filepath.Join(conformance(t), "slack", "blocks", "valid", folder, "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d fixtures, %v", folder, len(files), err)
		}
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".json")
			t.Run(name, func(t *testing.T) {
				var fixture object
				published(t, &fixture, "blocks", "valid", folder, filepath.Base(file))
				got := openView(t, nil, holding(folder, fixture))
				if _, refused := refusedWhole()[name]; refused {
					if got.OK || !strings.Contains(strings.Join(got.Metadata.Messages, ""), "unsupported type") {
						t.Errorf("it is accepted by now: %+v", got)
					}
					return
				}
				if !got.OK {
					t.Errorf("refused: %+v", got)
				}
			})
		}
	}
}

// holding puts an element into a block that may hold it.
func holding(folder string, fixture object) object {
	if folder == "blocks" {
		return fixture
	}
	kind, _ := fixture["type"].(string)
	switch {
	case kind == "image":
		return object{"type": "context", "elements": []any{fixture}}
	case strings.HasSuffix(kind, "_input"):
		return object{"type": "input", "label": plainText("x"), "element": fixture}
	default:
		return object{"type": "actions", "elements": []any{fixture}}
	}
}

func TestValidViewsAreAccepted(t *testing.T) {
	var modal, home object
	published(t, &modal, "blocks", "valid", "views", "modal_with_blocks.json")
	if got := openView(t, modal, modal["blocks"].([]any)...); !got.OK {
		t.Errorf("the modal is refused: %+v", got)
	}
	published(t, &home, "blocks", "valid", "views", "hometab_view.json")
	emu := desk(t)
	if got := call(emu, "views.publish", object{"user_id": "UALICE", "view": home}); !got.OK {
		t.Errorf("the home is refused: %+v", got)
	}
	if got := emu.SeenBy("UALICE").Text(); got != "Example Block" {
		t.Errorf("alice sees %q", got)
	}
}
