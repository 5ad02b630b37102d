package bot_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/bot"
	"nightlatch/bot/view"
	"nightlatch/integrations/emulators/slackemu"
)

// A server that closes each socket right after its hello is not asked for thousands of new ones.
func TestServerThatClosesAfterHello(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		before := r.count("apps.connections.open")
		for end := time.Now().Add(time.Hour); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			r.emu.CutSockets()
		}
		if n := r.count("apps.connections.open") - before; n > 70 || n < 30 {
			t.Errorf("asked for %d connections in an hour", n)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		r.acknowledged(r.run("UADA", "/access help"))
	})
}

func TestReconnectsAtOnceAfterALongLife(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		time.Sleep(time.Hour)
		r.emu.Disconnect("refresh_requested")
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if n := r.emu.Connections(); n != 1 {
			t.Errorf("%d connections", n)
		}
		if n := r.bot.Counts().Surplus; n > 0 {
			t.Error("our own connection is taken for somebody else's")
		}
		r.acknowledged(r.run("UADA", "/access help"))
	})
}

// An app token that only a human can mend ends the bot instead of being tried for ever.
func TestUnusableAppToken(t *testing.T) {
	for _, code := range []string{"missing_scope", "not_allowed_token_type", "invalid_auth"} {
		t.Run(code, func(t *testing.T) {
			inBubble(t, nil, func(r *rig) {
				r.emu.Inject(slackemu.Fault{Method: "apps.connections.open", Error: code})
				r.emu.CutSockets()
				time.Sleep(time.Minute)
				synctest.Wait()
				err := r.stop()
				if err == nil || !strings.Contains(err.Error(), code) {
					t.Errorf("Run: %v", err)
				}
				r.stop = func() error { return nil }
			})
		})
	}
}

func TestSomebodyElseListens(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		other, err := bot.New(r.config)
		if err != nil {
			t.Fatal(err)
		}
		stop := r.runs(other)
		r.settle()
		if n := other.Counts().Surplus; n != 1 {
			t.Errorf("%d alarms", n)
		}
		if !strings.Contains(r.logs.String(), "somebody else listens with our app token") {
			t.Error("nothing was logged")
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// What was taken before the end is recorded and acknowledged; what comes later is not.
func TestShutdownFinishesWhatWasTaken(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.service.slow.Store(int64(time.Second))
		act, err := r.emu.RunCommand("UADA", channel, "/access orders-read 1h checkout is failing")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if err := r.stop(); err != nil {
			t.Error(err)
		}
		r.acknowledged(act)
		if got := r.taken(); len(got) != 1 {
			t.Errorf("taken: %v", got)
		}
		r.settle()
		if n := r.emu.Connections(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}

// After a restart nobody remembers a response URL: what is to be told goes by direct message.
func TestVerdictAfterARestart(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.run("UADA", "/access orders-read 1h checkout is failing")
		r.forget()
		r.press("UBEN", view.Approve)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		screen := r.emu.SeenBy("UADA")
		for _, m := range screen.Messages {
			if strings.HasPrefix(m.Channel, "D") && strings.Contains(m.Visible(), "You have") && len(m.Buttons) == 2 {
				return
			}
		}
		t.Errorf("no direct message:\n%s", screen.Text())
	})
}
