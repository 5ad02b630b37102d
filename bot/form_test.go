package bot_test

import (
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/bot/view"
	"nightlatch/grants"
	"nightlatch/grants/service"
	"nightlatch/integrations/emulators/slackemu"
)

func (r *rig) submit(user string, inputs map[string]string) *slackemu.Act {
	r.t.Helper()
	act, err := r.emu.Submit(user, inputs)
	if err != nil {
		r.t.Fatalf("%s cannot submit: %v\n%s", user, err, r.seen(user))
	}
	r.settle()
	return act
}

// later lets what is told by a second message arrive.
func (r *rig) later() {
	time.Sleep(3 * time.Second)
	synctest.Wait()
}

// closed holds that no modal is open any more.
func (r *rig) closed(user string) {
	r.t.Helper()
	if m := r.emu.SeenBy(user).Modal; m != nil {
		r.t.Errorf("%s still has %q open: %s %v", user, m.Title, m.Visible(), m.Errors)
	}
}

// The no stands before anybody is asked why.
func TestDenyAndSayWhy(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.run("UADA", "/access orders-read 1h checkout is failing")
		r.acknowledged(r.press("UBEN", view.Deny))
		r.later()
		r.reads("UADA", "<@UBEN> said no")
		r.reads("UBEN", "You said no to the request of <@UADA>")
		r.acknowledged(r.submit("UBEN", map[string]string{view.InputWhy: "my token is xoxb-0123456789abcdef"}))
		if m := r.emu.SeenBy("UBEN").Modal; m == nil || m.Errors[view.InputWhy] == "" {
			t.Fatal("what looks like a secret is not refused under its input")
		}
		r.acknowledged(r.submit("UBEN", map[string]string{view.InputWhy: "the *database* is being moved <!here>"}))
		r.closed("UBEN")
		r.later()
		r.reads("UADA", "the *database* is being moved <!here>")
		r.reads("UBEN", "the *database* is being moved <!here>")
	})
}

func TestDenyAndSayNothing(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.run("UADA", "/access orders-read 1h checkout is failing")
		r.emu.Inject(slackemu.Fault{Method: "views.open", Error: "expired_trigger_id", Times: 1})
		r.acknowledged(r.press("UBEN", view.Deny))
		r.closed("UBEN")
		r.later()
		r.reads("UADA", "<@UBEN> said no")

		r.run("UADA", "/access orders-read 1h checkout is failing")
		r.acknowledged(r.press("UBEN", view.Deny))
		taken := len(r.taken())
		r.acknowledged(r.submit("UBEN", nil))
		r.closed("UBEN")
		if len(r.taken()) != taken {
			t.Error("nothing was said, and something was recorded")
		}
	})
}

func TestAskInAForm(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.service.automatic = true
		r.acknowledged(r.run("UADA", "/access"))
		r.reads("UADA", "[Ask for access]")
		fields := map[string]string{view.InputDuration: "2h0m0s", view.InputReason: "checkout\nis failing"}
		r.service.refuse = func(string, grants.PersonKey) error {
			return &service.Refusal{Reasons: []grants.Reason{{Code: grants.TooManyOpen, Count: 5}}}
		}
		r.acknowledged(r.submit("UADA", fields))
		if m := r.emu.SeenBy("UADA").Modal; m == nil || m.Errors[view.InputRole] == "" {
			t.Fatal("a refusal does not stand under the role")
		}
		r.service.refuse = nil
		r.acknowledged(r.submit("UADA", fields))
		r.closed("UADA")
		r.later()
		r.reads("UADA", "You have *orders-read*")
		if g := r.service.only(); g.Duration != 2*time.Hour || g.Channel != channel || r.service.reasons[g.ID] != "checkout\nis failing" {
			t.Errorf("asked for %s in %s: %q", g.Duration, g.Channel, r.service.reasons[g.ID])
		}
	})
}

// Who may ask for nothing gets no form, and a copy of the command no second one.
func TestNoForm(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.emu.SetDelivery(slackemu.Delivery{Copies: 2})
		r.acknowledged(r.run("UADA", "/access"))
		if n := r.count("views.open"); n != 1 {
			t.Errorf("%d forms were opened", n)
		}
		r.emu.SetDelivery(slackemu.Delivery{})
		r.service.roles = nil
		r.acknowledged(r.run("UBEN", "/access"))
		r.closed("UBEN")
		r.reads("UBEN", "There is no role that you could ask for")
	})
}
