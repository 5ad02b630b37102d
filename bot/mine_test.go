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

// home is what the App Home of a person shows.
func (r *rig) home(user string) string {
	r.t.Helper()
	if h := r.emu.SeenBy(user).Home; h != nil {
		return h.Visible()
	}
	return ""
}

func (r *rig) pressHome(user, action string) *slackemu.Act {
	r.t.Helper()
	act, err := r.emu.Press(user, slackemu.Find{ActionID: action, Home: true})
	if err != nil {
		r.t.Fatalf("%s finds no %s: %v\n%s", user, action, err, r.home(user))
	}
	r.settle()
	return act
}

// The home of whoever opened it shows what is true, with buttons that work, also after a reload.
func TestHome(t *testing.T) {
	whole(t, func(r *rig, _ *shifts) {
		r.run("UADA", "/access orders-read 1h checkout is failing")
		r.later()
		if r.home("UADA") != "" {
			t.Error("a home was published before anybody looked")
		}
		if _, err := r.emu.OpenHome("UADA"); err != nil {
			t.Fatal(err)
		}
		r.later()
		if home := r.home("UADA"); !strings.Contains(home, "orders-read* is yours until") || !strings.Contains(home, "playground") {
			t.Fatalf("home: %s", home)
		}
		if err := r.emu.Reload("UADA"); err != nil {
			t.Fatal(err)
		}
		r.acknowledged(r.pressHome("UADA", view.Reveal))
		r.later()
		if n := len(r.tokens()); n != 1 {
			t.Errorf("%d tokens were sent", n)
		}
		r.reads("UADA", "[Your secret]")
		if home := r.home("UADA"); !strings.Contains(home, "revealed once") {
			t.Errorf("home: %s", home)
		}
		if _, err := r.emu.CloseView("UADA"); err != nil {
			t.Fatal(err)
		}
		r.acknowledged(r.pressHome("UADA", view.Return))
		r.later()
		if home := r.home("UADA"); !strings.Contains(home, "You have no request or grant") {
			t.Errorf("home: %s", home)
		}
		r.acknowledged(r.pressHome("UADA", view.OpenForm))
		r.reads("UADA", "[Ask for access]")
		r.acknowledged(r.submit("UADA", map[string]string{view.InputRole: "orders-write", view.InputReason: "checkout is failing"}))
		r.later()
		r.acknowledged(r.pressHome("UADA", view.Withdraw))
		r.later()
		if home := r.home("UADA"); !strings.Contains(home, "You have no request or grant") {
			t.Errorf("home: %s", home)
		}
		if _, err := r.emu.OpenMessages("UBEN"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.emu.OpenHome("UEVE"); err != nil {
			t.Fatal(err)
		}
		r.later()
		if r.home("UBEN") != "" || r.home("UEVE") != "" {
			t.Error("a home was published to somebody who opened the messages, or to a stranger")
		}
	})
}

func TestReplace(t *testing.T) {
	whole(t, func(r *rig, _ *shifts) {
		r.run("UADA", "/access orders-read 1h checkout is failing")
		r.later()
		if _, there := r.emu.SeenBy("UADA").Find(slackemu.Find{ActionID: view.Replace}); there {
			t.Error("there is something to replace before anything was shown")
		}
		r.press("UADA", view.Reveal)
		r.later()
		if _, err := r.emu.CloseView("UADA"); err != nil {
			t.Fatal(err)
		}
		r.acknowledged(r.press("UADA", view.Replace))
		r.later()
		r.reads("UADA", "What was shown before no longer works")
		tokens := r.tokens()
		if len(tokens) != 2 {
			t.Fatalf("%d tokens were sent", len(tokens))
		}
		for _, token := range tokens {
			if n := r.holding(token); n != 1 {
				t.Errorf("%d requests hold a token", n)
			}
		}
	})
}
