package slackemu_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"nightlatch/integrations/emulators/slackemu"
)

// answer is what every method says about itself.
type answer struct {
	OK       bool   `json:"ok"`
	Error    string `json:"error"`
	Metadata struct {
		Messages []string `json:"messages"`
	} `json:"response_metadata"`
}

// call sends arguments as JSON, without a network and without a client that would have its own opinion of them.
func call(emu *slackemu.Emulator, method string, args map[string]any) answer {
	raw, err := json.Marshal(callRaw(emu, method, true, args))
	if err != nil {
		panic(err)
	}
	var out answer
	if err := json.Unmarshal(raw, &out); err != nil {
		panic(err)
	}
	return out
}

// callRaw sends arguments, as JSON or as a form.
func callRaw(emu *slackemu.Emulator, method string, asJSON bool, args map[string]any) map[string]any {
	body, err := json.Marshal(args)
	if err != nil {
		panic(err)
	}
	kind := "application/json; charset=utf-8"
	if !asJSON {
		form := url.Values{}
		for name, value := range args {
			form.Set(name, value.(string))
		}
		body, kind = []byte(form.Encode()), "application/x-www-form-urlencoded"
	}
	token := emu.Config().BotToken
	if method == "apps.connections.open" {
		token = emu.Config().AppToken
	}
	req := httptest.NewRequest(http.MethodPost, "/api/"+method, bytes.NewReader(body))
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	emu.ServeHTTP(w, req)
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		panic(err)
	}
	return out
}

// desk is a workspace without a network.
func desk(t *testing.T) *slackemu.Emulator {
	t.Helper()
	emu := slackemu.New(slackemu.Config{})
	t.Cleanup(emu.Close)
	emu.PutUser(slackemu.User{ID: "UALICE", Name: "alice"})
	emu.PutChannel(slackemu.Channel{ID: "COPS", Name: "ops", Members: []string{"UALICE"}})
	return emu
}

type object = map[string]any

func mrkdwn(s string) object { return object{"type": "mrkdwn", "text": s} }

func plainText(s string) object { return object{"type": "plain_text", "text": s} }

func times(n int, v any) []any {
	out := []any{}
	for range n {
		out = append(out, v)
	}
	return out
}

func xs(n int) string { return strings.Repeat("x", n) }

// postBlocks posts them as a message and returns the error.
func postBlocks(t *testing.T, blocks ...any) answer {
	t.Helper()
	return call(desk(t), "chat.postMessage", object{"channel": "COPS", "blocks": blocks})
}

// openBlocks opens a modal with a change made to it.
func openView(t *testing.T, change object, blocks ...any) answer {
	t.Helper()
	emu := desk(t)
	act, err := emu.RunCommand("UALICE", "", "/access")
	if err != nil {
		t.Fatal(err)
	}
	view := object{"type": "modal", "title": plainText("t"), "submit": plainText("go"), "blocks": blocks}
	maps.Copy(view, change)
	return call(emu, "views.open", object{"trigger_id": act.TriggerID, "view": view})
}

func TestMessageLimits(t *testing.T) {
	divider := object{"type": "divider"}
	block := func(s string) object { return object{"type": "section", "text": mrkdwn(s)} }
	press := func(change object) object {
		b := object{"type": "button", "text": plainText("ok"), "action_id": "a"}
		maps.Copy(b, change)
		return object{"type": "actions", "elements": []any{b}}
	}
	tests := []struct {
		name   string
		blocks []any
		want   string
	}{
		{"50 blocks", times(50, divider), ""},
		{"51 blocks", times(51, divider), "invalid_blocks"},
		{"3000 characters", []any{block(xs(3000))}, ""},
		{"3001 characters", []any{block(xs(3001))}, "invalid_blocks"},
		{"3000 characters of two bytes", []any{block(strings.Repeat("é", 3000))}, ""},
		{"13200 characters in all", append(times(4, block(xs(3000))), block(xs(1200))), ""},
		{"13201 characters in all", append(times(4, block(xs(3000))), block(xs(1201))), "msg_blocks_too_long"},
		{"button text of 75", []any{press(object{"text": plainText(xs(75))})}, ""},
		{"button text of 76", []any{press(object{"text": plainText(xs(76))})}, "invalid_blocks"},
		{"button text with markup", []any{press(object{"text": mrkdwn("x")})}, "invalid_blocks"},
		{"value of 2000", []any{press(object{"value": xs(2000)})}, ""},
		{"value of 2001", []any{press(object{"value": xs(2001)})}, "invalid_blocks"},
		{"action_id of 255", []any{press(object{"action_id": xs(255)})}, ""},
		{"action_id of 256", []any{press(object{"action_id": xs(256)})}, "invalid_blocks"},
		{"no such style", []any{press(object{"style": "loud"})}, "invalid_blocks"},
		{"no such property", []any{press(object{"colour": "red"})}, "invalid_blocks"},
		{"no such block", []any{object{"type": "blink"}}, "invalid_blocks"},
		{"empty text", []any{block("")}, "invalid_blocks"},
		{"same block_id", times(2, object{"type": "divider", "block_id": "b"}), "invalid_blocks"},
		{
			"same action_id",
			[]any{object{"type": "actions", "elements": times(2, object{"type": "button", "text": plainText("ok"), "action_id": "a"})}},
			"invalid_blocks",
		},
		{"nothing", nil, "no_text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := postBlocks(t, tt.blocks...); got.Error != tt.want {
				t.Errorf("answered %+v, want %q", got, tt.want)
			}
		})
	}
}

func TestViewLimits(t *testing.T) {
	one := object{"type": "section", "text": mrkdwn("x")}
	ask := object{"type": "input", "label": plainText("why"), "element": object{"type": "plain_text_input"}}
	// Of the 250 KB each block can hold 10 fields of 2,000 characters of several bytes.
	fields := object{"type": "section", "fields": times(10, mrkdwn(strings.Repeat("é", 2000)))}
	tests := []struct {
		name   string
		change object
		blocks []any
		want   string
	}{
		{"100 blocks", nil, times(100, one), ""},
		{"101 blocks", nil, times(101, one), "invalid_arguments"},
		{"title of 24", object{"title": plainText(xs(24))}, []any{one}, ""},
		{"title of 25", object{"title": plainText(xs(25))}, []any{one}, "invalid_arguments"},
		{"submit of 25", object{"submit": plainText(xs(25))}, []any{one}, "invalid_arguments"},
		{"private_metadata of 3000", object{"private_metadata": xs(3000)}, []any{one}, ""},
		{"private_metadata of 3001", object{"private_metadata": xs(3001)}, []any{one}, "invalid_arguments"},
		{"callback_id of 256", object{"callback_id": xs(256)}, []any{one}, "invalid_arguments"},
		{"a home as a modal", object{"type": "home", "title": nil, "submit": nil}, []any{one}, "invalid_arguments"},
		{"input without submit", object{"submit": nil}, []any{ask}, "invalid_arguments"},
		{"240 KB", nil, times(6, fields), ""},
		{"280 KB", nil, times(7, fields), "view_too_large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := openView(t, tt.change, tt.blocks...); got.Error != tt.want {
				t.Errorf("answered %+v, want %q", got, tt.want)
			}
		})
	}
}
