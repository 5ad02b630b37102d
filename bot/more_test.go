package bot_test

import (
	"strings"
	"testing"

	"nightlatch/bot/view"
	"nightlatch/integrations/emulators/slackemu"
)

// told are the direct messages of a person that hold a text, but for hints to newer ones.
func (r *rig) told(user, text string) (all []slackemu.Message) {
	for _, m := range r.emu.SeenBy(user).Messages {
		if strings.HasPrefix(m.Channel, "D") && strings.Contains(m.Visible(), text) && !strings.Contains(m.Visible(), newest) {
			all = append(all, m)
		}
	}
	return all
}

const newest = "The newest direct message from Nightlatch"

// once holds that a person was told something by one direct message.
func (r *rig) once(user, text string) {
	r.t.Helper()
	if n := len(r.told(user, text)); n != 1 {
		r.t.Errorf("%s was told %q %d times\n%s", user, text, n, r.seen(user))
	}
}

func (r *rig) has(user string, f slackemu.Find) bool {
	_, there := r.emu.SeenBy(user).Find(f)
	return there
}

// guarded opens a grant of the role that needs votes, and has more of it asked for.
func (r *rig) guarded() (grant string) {
	r.t.Helper()
	r.run("UADA", "/access orders-write 30m checkout is failing")
	r.later()
	r.press("UBEN", view.Approve)
	r.later()
	grant = r.button("UADA", view.Reveal).Value
	r.acknowledged(r.run("UADA", "/access extend 30m still failing over"))
	r.later()
	return grant
}

func TestExtendByCommand(t *testing.T) {
	whole(t, func(r *rig, _ *shifts) {
		r.acknowledged(r.run("UADA", "/access extend 30m"))
		r.reads("UADA", "You have no open grant")
		r.run("UADA", "/access orders-read 30m checkout is failing")
		r.later()
		r.acknowledged(r.run("UADA", "/access extend 30m still failing over"))
		r.reads("UADA", "Asked for 30 minutes more of *orders-read*")
		r.later()
		r.once("UADA", "*orders-read* goes on until")
		r.acknowledged(r.run("UADA", "/access extend orders-write 30m"))
		r.reads("UADA", "You have no open grant of that role")
		r.run("UADA", "/access orders-read 10m another thing")
		r.later()
		r.acknowledged(r.run("UADA", "/access extend"))
		r.reads("UADA", "You have more than one open grant", "`/access extend orders-read 1h still failing`", "Of two with the same role")
		r.acknowledged(r.run("UADA", "/access extend soon"))
		r.reads("UADA", "You have no open grant of that role")
	})
}

func TestExtendInAForm(t *testing.T) {
	whole(t, func(r *rig, _ *shifts) {
		r.run("UADA", "/access orders-read 30m checkout is failing")
		r.later()
		r.emu.SetDelivery(slackemu.Delivery{Copies: 2})
		r.acknowledged(r.press("UADA", view.OpenMore))
		r.emu.SetDelivery(slackemu.Delivery{})
		r.reads("UADA", "[Extend your grant]", "not beyond the end of your shift")
		if n := r.count("views.open"); n != 1 {
			t.Errorf("%d forms were opened", n)
		}
		r.acknowledged(r.submit("UADA", map[string]string{view.InputReason: "my token is xoxb-0123456789abcdef"}))
		if m := r.emu.SeenBy("UADA").Modal; m == nil || m.Errors[view.InputReason] == "" {
			t.Fatal("what looks like a secret is not refused under its input")
		}
		r.acknowledged(r.submit("UADA", map[string]string{view.InputDuration: "15m0s", view.InputReason: "still failing"}))
		r.closed("UADA")
		r.later()
		r.once("UADA", "*orders-read* goes on until")

		r.acknowledged(r.press("UADA", view.OpenMore)) // nothing typed, and the usual time
		r.acknowledged(r.submit("UADA", nil))
		r.closed("UADA")
		r.later()
		if n := len(r.told("UADA", "goes on until")); n != 2 {
			t.Errorf("told %d times", n)
		}
	})
}

// What was waited for is told by a message of its own, and what waited has no buttons any more.
func TestAnExtensionIsApproved(t *testing.T) {
	whole(t, func(r *rig, _ *shifts) {
		grant := r.guarded()
		r.once("UADA", "Your extension of *orders-write* by 30 minutes waits for a yes")
		r.reads("UBEN", "asks for 30 minutes more of *orders-write*", "checkout is failing", "still failing over", "stops working at once")
		own := slackemu.Find{ActionID: view.Withdraw, Value: grant + " 1"}
		if !r.has("UADA", own) {
			t.Error("what waits cannot be withdrawn")
		}
		r.press("UADA", view.Approve)
		r.reads("UADA", "Nobody decides about their own request")
		r.acknowledged(r.press("UBEN", view.Approve))
		r.closed("UBEN")
		r.later()
		r.once("UADA", "*orders-write* goes on until")
		r.once("UADA", "<@UBEN> said yes.\nReveal and Return are on")
		hints := 0
		for _, m := range r.emu.SeenBy("UADA").Messages {
			if seen := m.Visible(); strings.Contains(seen, newest) && strings.Contains(seen, "extension 1") {
				hints++
			}
		}
		if hints != 1 || len(r.told("UADA", "waits for a yes")) != 0 {
			t.Errorf("what waited is no hint to the decision\n%s", r.seen("UADA"))
		}
		r.reads("UBEN", "asked for 30 minutes more of *orders-write*. It goes on until")
		if r.has("UADA", own) || r.has("UBEN", slackemu.Find{ActionID: view.Approve}) {
			t.Error("there is something to press about what is decided")
		}
	})
}

// A no is asked no more about, and the card of an earlier extension never votes on a later one.
func TestACardOfAnEarlierExtension(t *testing.T) {
	whole(t, func(r *rig, _ *shifts) {
		grant := r.guarded()
		stale := r.button("UBEN", view.Approve)
		r.acknowledged(r.press("UBEN", view.Deny))
		r.closed("UBEN") // nobody asks why
		r.later()
		r.once("UADA", "was denied. <@UBEN> said no")
		r.reads("UADA", "Nothing changes: the grant ends")

		r.acknowledged(r.run("UADA", "/access extend 1h it is the database"))
		r.later()
		r.once("UADA", "by 1 hour waits for a yes")
		second := slackemu.Find{ActionID: view.Withdraw, Value: grant + " 2"}
		r.acknowledged(r.pressAt("UBEN", stale))
		r.reads("UBEN", "'s *orders-write* by 30 minutes is decided. <@UBEN> said no")
		r.later()
		if !r.has("UADA", second) {
			t.Fatalf("the second extension waits no more\n%s", r.seen("UADA"))
		}
		r.acknowledged(r.press("UBEN", view.Approve))
		r.later()
		r.once("UADA", "goes on until")
		r.acknowledged(r.pressAt("UBEN", stale))
		r.reads("UADA", "goes on until")
	})
}

// Whoever opened their home finds what waits there, with its Withdraw.
func TestAnExtensionIsWithdrawnAtHome(t *testing.T) {
	whole(t, func(r *rig, _ *shifts) {
		if _, err := r.emu.OpenHome("UADA"); err != nil {
			t.Fatal(err)
		}
		grant := r.guarded()
		if home := r.home("UADA"); !strings.Contains(home, "You asked for 30 minutes more, which waits for a yes") {
			t.Fatalf("home: %s", home)
		}
		before := r.count("chat.postMessage")
		act, err := r.emu.Press("UADA", slackemu.Find{ActionID: view.Withdraw, Value: grant + " 1", Home: true})
		if err != nil {
			t.Fatal(err)
		}
		r.later()
		r.acknowledged(act)
		if home := r.home("UADA"); strings.Contains(home, "You asked for") || !strings.Contains(home, "is yours until") {
			t.Errorf("home: %s", home)
		}
		r.once("UADA", "You withdrew your extension of *orders-write*")
		r.reads("UBEN", "It was withdrawn")
		if n := r.count("chat.postMessage"); n != before {
			t.Errorf("%d messages were sent to somebody who knows", n-before)
		}
		r.acknowledged(r.pressHome("UADA", view.OpenMore))
		r.reads("UADA", "[Extend your grant]", "Others have to say yes")
	})
}

// Whatever goes wrong with the form, nothing is asked, and it says so.
func TestNoFormOfAnExtension(t *testing.T) {
	whole(t, func(r *rig, _ *shifts) {
		r.run("UADA", "/access orders-read 30m checkout is failing")
		r.later()
		extend := r.button("UADA", view.OpenMore)
		r.emu.Inject(slackemu.Fault{Method: "views.open", Error: "expired_trigger_id", Times: 1})
		r.acknowledged(r.pressAt("UADA", extend))
		r.reads("UADA", "Slack did not open the window", "`/access extend orders-read 1h still failing`")

		r.acknowledged(r.pressAt("UBEN", extend))
		r.reads("UBEN", "This is no open grant of yours")
		r.acknowledged(r.press("UADA", view.Return))
		r.later()
		r.acknowledged(r.pressAt("UADA", extend)) // on a screen that was asleep
		r.reads("UADA", "This is no open grant of yours")
		if n := len(r.told("UADA", "goes on until")); n != 0 {
			t.Error("something was extended")
		}
	})
}

// Asking for more is limited as asking is, and taking it back is not.
func TestExtensionsAreLimited(t *testing.T) {
	whole(t, func(r *rig, _ *shifts) {
		grant := r.guarded()
		withdraw, _ := r.emu.SeenBy("UADA").Find(slackemu.Find{ActionID: view.Withdraw, Value: grant + " 1"})
		for range 15 {
			if _, err := r.emu.RunCommand("UADA", channel, "/access extend 5m"); err != nil {
				t.Fatal(err)
			}
		}
		r.acknowledged(r.pressAt("UADA", withdraw))
		r.later()
		r.reads("UADA", view.Busy, "You withdrew your extension")
		if n := r.bot.Counts().Swallowed; n == 0 {
			t.Error("nothing was swallowed")
		}
	})
}

// A refusal stands in the form in which it was asked.
func TestRefusedInTheForm(t *testing.T) {
	whole(t, func(r *rig, _ *shifts) {
		r.run("UADA", "/access orders-write 30m checkout is failing")
		r.later()
		r.press("UBEN", view.Approve)
		r.later()
		extend := r.button("UADA", view.OpenMore)
		r.pressAt("UADA", extend)
		r.run("UADA", "/access extend 15m") // on the phone, while the form is open on the laptop
		r.acknowledged(r.submit("UADA", nil))
		r.reads("UADA", "[Not done]", "You asked for more time already")
		if _, err := r.emu.CloseView("UADA"); err != nil {
			t.Fatal(err)
		}
		r.later()
		r.pressAt("UADA", extend)
		r.reads("UADA", "[Asked already]", "You asked for 15 minutes more")
	})
}
