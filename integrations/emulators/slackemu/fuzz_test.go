package slackemu_test

import (
	"encoding/json"
	"testing"

	"nightlatch/integrations/emulators/slackemu"
)

// FuzzBlocks looks for blocks that are accepted and then cannot be shown, echoed or filled in.
func FuzzBlocks(f *testing.F) {
	for _, blocks := range []any{
		[]any{elementCase("button", "value", "v")},
		[]any{elementCase("static_select")},
		[]any{elementCase("plain_text_input", "action_id", "a")},
		[]any{elementCase("number_input", "min_value", "1", "max_value", "x")},
		[]any{elementCase("checkboxes", "initial_options", []any{option()})},
		[]any{elementCase("static_select", "initial_option", option())},
		[]any{blockCase("section", "fields", []any{mrkdwn("x")}), blockCase("divider")},
		[]any{blockCase("rich_text", "elements", []any{object{"type": "rich_text_preformatted"}})},
	} {
		raw, err := json.Marshal(blocks)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var blocks any
		if json.Unmarshal(raw, &blocks) != nil {
			return
		}
		emu := desk(t)
		call(emu, "chat.postMessage", object{"channel": "COPS", "blocks": blocks, "attachments": string(raw)})
		act, err := emu.RunCommand("UALICE", "", "/access")
		if err != nil {
			t.Fatal(err)
		}
		call(emu, "views.open", object{"trigger_id": act.TriggerID, "view": object{
			"type": "modal", "title": plainText("t"), "submit": plainText("go"), "blocks": blocks,
		}})
		call(emu, "views.publish", object{"user_id": "UALICE", "view": object{"type": "home", "blocks": blocks}})
		screen := emu.SeenBy("UALICE")
		if _, err := json.Marshal(screen); err != nil {
			t.Errorf("the screen cannot be encoded: %v", err)
		}
		// What can be done depends on what came; that it can be tried is enough.
		emu.Press("UALICE", slackemu.Find{})
		emu.Press("UALICE", slackemu.Find{Home: true})
		emu.OpenHome("UALICE")
		if screen.Modal != nil {
			for _, input := range screen.Modal.Inputs {
				emu.Fill("UALICE", map[string]string{input: "v"})
			}
			emu.Submit("UALICE", nil)
		}
	})
}
