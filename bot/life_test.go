package bot_test

import (
	"slices"
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
		if n := r.count("apps.connections.open") - before; n > 140 || n < 60 {
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
		synctest.Wait()
		if n := r.emu.Connections(); n != 2 {
			t.Errorf("%d connections", n)
		}
		r.emu.Disconnect("refresh_requested")
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		r.acknowledged(r.run("UADA", "/access help"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := r.emu.Connections(); n != 2 {
			t.Errorf("%d connections", n)
		}
		if n := r.bot.Counts(); n.Surplus > 0 || n.Connected != 2 {
			t.Errorf("our own connections are taken for somebody else's: %+v", n)
		}
	})
}

// Two connections are never born together, so that Slack does not refresh them together.
func TestConnectionsAreStaggered(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		for hour := range 24 {
			if n := r.emu.Connections(); n == 0 {
				t.Fatalf("no connection in hour %d", hour)
			}
			act, err := r.emu.RunCommand("UADA", channel, "/access help")
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			r.acknowledged(act)
		}
		if n := r.bot.Counts(); n.Hellos < 10 || n.Surplus > 0 {
			t.Errorf("counts: %+v", n)
		}
	})
}

// Whenever one connection ends in the middle of a press, the press is taken and acknowledged.
func TestRefreshInTheMiddleOfAPress(t *testing.T) {
	// Not at 1 s: what slack-go is about to write then, it keeps for the next connection.
	for after := time.Duration(0); after < 1200*time.Millisecond; after += 150 * time.Millisecond {
		inBubble(t, nil, func(r *rig) {
			time.Sleep(10 * time.Minute)
			r.emu.Inject(slackemu.Fault{Method: "apps.connections.open", Delay: 5 * time.Second}) // later than Slack waits
			r.service.slow.Store(int64(time.Second))
			for range 6 {
				act, err := r.emu.RunCommand("UADA", channel, "/access orders-read 1h checkout is failing")
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait() // slack-go drops what it has read when the socket closes at that very moment
				time.Sleep(after)
				r.emu.DisconnectOne("refresh_requested")
				time.Sleep(3 * time.Second)
				synctest.Wait()
				r.acknowledged(act)
				if n := len(r.emu.SeenBy("UADA").Warnings); n > 0 {
					t.Errorf("%d warnings, disconnected after %s", n, after)
				}
				time.Sleep(10 * time.Minute)
			}
			if n := len(r.taken()); n != 6 {
				t.Errorf("%d presses were taken", n)
			}
			r.service.slow.Store(0)
		})
	}
}

// Slack disables the link again and again: it is asked with growing pauses, and then all is well.
func TestStormOfDisabledLinks(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		before := r.count("apps.connections.open")
		for range 600 {
			r.emu.Disconnect("link_disabled")
			time.Sleep(time.Second)
		}
		if n := r.count("apps.connections.open") - before; n > 40 {
			t.Errorf("asked for %d connections in ten minutes", n)
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if n := r.emu.Connections(); n != 2 {
			t.Errorf("%d connections", n)
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
		time.Sleep(time.Hour)
		other, err := bot.New(r.config)
		if err != nil {
			t.Fatal(err)
		}
		stop := r.runs(other)
		time.Sleep(40 * time.Second)
		synctest.Wait()
		if n := other.Counts().Surplus; n > 0 {
			t.Error("an alarm before it is sure: a connection that is no more may be counted for a while")
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		r.service.mu.Lock()
		overheard := slices.Clone(r.service.overheard)
		r.service.mu.Unlock()
		// Two are the rig's; a third may be one of either that was just made anew, and that Slack still counts.
		if n := other.Counts().Surplus; n != 1 || len(overheard) != 1 || overheard[0] < 2 || overheard[0] > 3 {
			t.Errorf("%d alarms, recorded: %v", n, overheard)
		}
		if !strings.Contains(r.logs.String(), "somebody else listens with our app token") {
			t.Error("nothing was logged")
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// A connection of an earlier run that Slack still counts is no alarm.
func TestConnectionsOfAnEarlierRun(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		other, err := bot.New(r.config)
		if err != nil {
			t.Fatal(err)
		}
		stop := r.runs(other)
		time.Sleep(10 * time.Second)
		if err := stop(); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if n := r.bot.Counts(); n.Surplus > 0 || n.Connected != 2 {
			t.Errorf("counts: %+v", n)
		}
		r.acknowledged(r.run("UADA", "/access help"))
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
			if strings.HasPrefix(m.Channel, "D") && strings.Contains(m.Visible(), "You have") && len(m.Buttons) == 3 {
				return
			}
		}
		t.Errorf("no direct message:\n%s", screen.Text())
	})
}
