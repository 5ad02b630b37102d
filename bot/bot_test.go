package bot_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/bot/view"
	"nightlatch/grants"
	"nightlatch/integrations/emulators/slackemu"
)

func TestANight(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.acknowledged(r.run("UADA", "/access orders-read 1h checkout is <!channel> failing"))
		r.reads("UADA", "waits for a yes")
		r.reads("UBEN", "asks for")
		r.reads("UBEN", "checkout is <!channel> failing")
		r.reads("UBEN", "playground")

		r.acknowledged(r.press("UBEN", view.Approve))
		time.Sleep(3 * time.Second)
		synctest.Wait()
		r.reads("UADA", "You have")
		if _, still := r.emu.SeenBy("UADA").Find(slackemu.Find{ActionID: view.Withdraw}); still {
			t.Error("Withdraw is still there after the yes")
		}
		if _, still := r.emu.SeenBy("UBEN").Find(slackemu.Find{ActionID: view.Approve}); still {
			t.Error("Approve is still there after the yes")
		}

		r.acknowledged(r.press("UADA", view.Reveal))
		secret := r.service.secrets()[0]
		r.reads("UADA", secret)
		if n := r.holding(secret); n != 1 {
			t.Errorf("%d requests hold the secret, not one", n)
		}
		if m := r.emu.SeenBy("UADA").Modal; len(m.Buttons) > 0 || len(m.Inputs) > 0 || m.Submit != "" || m.NotifyOnClose {
			t.Errorf("the secret's view would come back: %+v", m)
		}
		time.Sleep(91 * time.Second)
		synctest.Wait()
		if strings.Contains(r.seen("UADA"), secret) {
			t.Error("the secret is not blanked after 90 s")
		}

		r.service.finish(r.service.only().ID, grants.ShiftEnded)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		r.reads("UADA", "PagerDuty shift ended")
		r.reads("UADA", "refused by its target")
		for _, user := range []string{"UADA", "UBEN"} {
			for _, action := range []string{view.Reveal, view.Return, view.Revoke, view.Approve} {
				if _, still := r.emu.SeenBy(user).Find(slackemu.Find{ActionID: action}); still {
					t.Errorf("%s still sees %s", user, action)
				}
			}
		}
	})
}

// holding counts the requests that hold a secret.
func (r *rig) holding(secret string) int {
	n := 0
	for _, p := range r.emu.Received() {
		if bytes.Contains(p.Bytes, []byte(secret)) {
			n++
		}
	}
	return n
}
