package bot_test

import (
	"strings"
	"testing"

	"nightlatch/bot/view"
	"nightlatch/integrations/emulators/slackemu"
)

// listed is the list of somebody's own grants, and its button of an action.
func (r *rig) listed(user, action string) (text string, b slackemu.Button) {
	r.t.Helper()
	for _, m := range r.emu.SeenBy(user).Ephemerals {
		if !strings.Contains(string(m.Blocks), view.Listed) && !strings.Contains(m.Text, "no request or grant") {
			continue
		}
		text = m.Visible()
		for _, found := range m.Buttons {
			if found.ActionID == action {
				b = found
			}
		}
	}
	return text, b
}

func TestShowMine(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.acknowledged(r.run("UADA", "/access show"))
		r.reads("UADA", "You have no request or grant")
		r.run("UADA", "/access orders-read 1h checkout is failing")
		r.openGrant()
		r.later()
		r.acknowledged(r.run("UADA", "/access show"))
		text, reveal := r.listed("UADA", view.Reveal)
		if !strings.Contains(text, "waits for a yes") || !strings.Contains(text, "is yours until") {
			t.Fatalf("listed: %s", text)
		}
		r.acknowledged(r.pressAt("UADA", reveal))
		r.reads("UADA", "[Your secret]")
		if _, err := r.emu.CloseView("UADA"); err != nil {
			t.Fatal(err)
		}
		_, back := r.listed("UADA", view.Return)
		r.acknowledged(r.pressAt("UADA", back))
		r.later()
		if text, _ := r.listed("UADA", ""); strings.Contains(text, "is yours until") || !strings.Contains(text, "waits for a yes") {
			t.Errorf("the list is not what is true now: %s", text)
		}
		r.reads("UADA", "You returned it")
		r.acknowledged(r.run("UBEN", "/access show"))
		r.reads("UBEN", "You have no request or grant")
	})
}
