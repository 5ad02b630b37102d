package bot_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/bot/view"
	"nightlatch/grants"
	"nightlatch/grants/service"
	"nightlatch/integrations/emulators/slackemu"
)

// openGrant gives Ada an open grant with its Reveal button.
func (r *rig) openGrant() {
	r.t.Helper()
	r.service.automatic = true
	r.acknowledged(r.run("UADA", "/access orders-read 1h checkout is failing"))
	r.reads("UADA", "You have")
}

// lost is what was reported as undelivered.
func (r *rig) lost() []string {
	r.service.mu.Lock()
	defer r.service.mu.Unlock()
	return append([]string(nil), r.service.lost...)
}

func TestNoModalNoSecret(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.openGrant()
		r.emu.Inject(slackemu.Fault{Method: "views.open", Error: "expired_trigger_id", Times: 1})
		r.acknowledged(r.press("UADA", view.Reveal))
		if s := r.service.secrets(); len(s) > 0 {
			t.Errorf("%d secrets were made without a modal", len(s))
		}
		r.reads("UADA", "did not open the window")
		r.acknowledged(r.press("UADA", view.Reveal))
		r.reads("UADA", r.service.secrets()[0])
	})
}

// Whatever keeps Slack from confirming the secret: it is taken back once, and the person is told.
func TestUnconfirmedSecretIsTakenBack(t *testing.T) {
	for name, fault := range map[string]slackemu.Fault{
		"refused":              {Error: "hash_conflict"},
		"server error":         {Status: 500},
		"rate limited":         {RetryAfter: 30 * time.Second, Error: "ratelimited"},
		"dropped":              {Drop: true},
		"done but not told":    {Drop: true, After: true},
		"too slow":             {Delay: 8 * time.Second},
		"done but told slowly": {Delay: 8 * time.Second, After: true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(r *rig) {
				r.openGrant()
				fault.Method, fault.Times = "views.update", 1
				r.emu.Inject(fault)
				r.acknowledged(r.press("UADA", view.Reveal))
				time.Sleep(20 * time.Second)
				synctest.Wait()
				if lost := r.lost(); len(lost) != 1 || !strings.HasSuffix(lost[0], "/1") {
					t.Errorf("undelivered: %v, want one", lost)
				}
				if n := len(r.service.secrets()); n != 1 {
					t.Fatalf("%d secrets were made", n)
				}
				r.reads("UADA", "revoked at once")
				if strings.Contains(r.seen("UADA"), r.service.secrets()[0]) {
					t.Error("the secret that was taken back is still shown")
				}
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				if lost := r.lost(); len(lost) != 1 {
					t.Errorf("undelivered again: %v", lost)
				}
			})
		})
	}
}

func TestHeldUpdateIsTakenBack(t *testing.T) {
	for _, when := range []slackemu.When{slackemu.Before, slackemu.After} {
		inBubble(t, nil, func(r *rig) {
			r.openGrant()
			held := r.emu.Hold(slackemu.Hold{Method: "views.update", When: when})
			r.press("UADA", view.Reveal)
			<-held.Arrived()
			time.Sleep(6 * time.Second)
			synctest.Wait()
			if lost := r.lost(); len(lost) != 1 {
				t.Errorf("undelivered: %v, want one", lost)
			}
			held.Release()
			synctest.Wait()
		})
	}
}

// A tardy Slack may show a secret after it was taken back; then it is a dead one. What is
// tested here is that a person who closes the window early loses nothing but this secret.
func TestWindowClosedBeforeTheSecret(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.openGrant()
		r.service.reveal = func(service.Showing) (service.Revealed, error) {
			if _, err := r.emu.CloseView("UADA"); err != nil {
				t.Error(err)
			}
			g := r.service.grants[r.onlyID()]
			return r.service.make(g), nil
		}
		r.acknowledged(r.press("UADA", view.Reveal))
		if lost := r.lost(); len(lost) != 1 {
			t.Errorf("undelivered: %v, want one", lost)
		}
		r.reads("UADA", "Press Reveal again for a new one")
	})
}

// onlyID is for hooks that already hold the desk's lock.
func (r *rig) onlyID() string {
	for id := range r.service.grants {
		return id
	}
	return ""
}

func TestRevealThatMakesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"just shown": {service.ErrJustShown, "shown moments ago"},
		"over":       {service.ErrOver, "This is over"},
		"issuer":     {service.ErrIssuer, "did not make a secret"},
		"busy":       {service.ErrBusy, "Busy right now"},
		"off call":   {&service.Refusal{Reasons: []grants.Reason{{Code: grants.NotOnCall, People: []string{"PBEN"}}}}, "On call is <@UBEN>"},
		"silent":     {&service.Refusal{Reasons: []grants.Reason{{Code: grants.CannotAsk}}}, "PagerDuty does not answer"},
		"anything":   {context.DeadlineExceeded, "Busy right now"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(r *rig) {
				r.openGrant()
				r.service.reveal = func(service.Showing) (service.Revealed, error) { return service.Revealed{}, c.err }
				r.acknowledged(r.press("UADA", view.Reveal))
				r.reads("UADA", c.says)
				if lost := r.lost(); len(lost) > 0 {
					t.Errorf("undelivered: %v", lost)
				}
			})
		})
	}
}

func TestThirdSecretAsksFirst(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.openGrant()
		var ends []int
		r.service.reveal = func(s service.Showing) (service.Revealed, error) {
			ends = append(ends, s.Ends)
			g := r.service.grants[s.Grant]
			if s.Ends == 0 {
				return service.Revealed{}, &service.TwoLiveError{Grant: g, Oldest: grants.Credential{Ordinal: 1, Issued: time.Now()}}
			}
			return r.service.make(g), nil
		}
		r.acknowledged(r.press("UADA", view.Reveal))
		r.reads("UADA", "number 1")
		act, err := r.emu.Submit("UADA", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.settle()
		r.acknowledged(act)
		r.reads("UADA", r.service.secrets()[0])
		if len(ends) != 2 || ends[1] != 1 {
			t.Errorf("reveals that end %v, want none and then number 1", ends)
		}
	})
}

// A secret that is still shown when the program ends is blanked first.
func TestSecretsAreBlankedAtTheEnd(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.openGrant()
		r.press("UADA", view.Reveal)
		secret := r.service.secrets()[0]
		r.reads("UADA", secret)
		if err := r.stop(); err != nil {
			t.Error(err)
		}
		if strings.Contains(r.seen("UADA"), secret) {
			t.Error("the secret is still shown")
		}
		r.reads("UADA", "no longer shown")
	})
}

// A secret that is still shown when its grant ends is blanked with it.
func TestASecretIsBlankedWithItsGrant(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.openGrant()
		r.acknowledged(r.press("UADA", view.Reveal))
		secret := r.service.secrets()[0]
		time.Sleep(5 * time.Second)
		synctest.Wait()
		r.reads("UADA", secret)
		r.service.finish(r.service.only().ID, grants.ShiftEnded)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if strings.Contains(r.seen("UADA"), secret) {
			t.Error("the secret is still shown when its grant is over")
		}
		r.reads("UADA", "The grant of this secret is over")
	})
}

func TestBlankingIsTriedAgain(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.openGrant()
		r.press("UADA", view.Reveal)
		secret := r.service.secrets()[0]
		r.emu.Inject(slackemu.Fault{Method: "views.update", Status: 503, Times: 3})
		time.Sleep(100 * time.Second)
		synctest.Wait()
		if strings.Contains(r.seen("UADA"), secret) {
			t.Error("the secret is still shown")
		}
	})
}

// Taking back is tried again until it is recorded.
func TestTakingBackIsTriedAgain(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.openGrant()
		r.service.mu.Lock()
		r.service.failing = 2
		r.service.mu.Unlock()
		r.emu.Inject(slackemu.Fault{Method: "views.update", Status: 500, Times: 1})
		r.press("UADA", view.Reveal)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if lost := r.lost(); len(lost) != 1 {
			t.Errorf("undelivered: %v, want one", lost)
		}
	})
}

// The program ends while Slack holds the update that carries the secret: it is taken back in time.
func TestEndWhileASecretIsOnItsWay(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.openGrant()
		held := r.emu.Hold(slackemu.Hold{Method: "views.update", When: slackemu.Before})
		r.press("UADA", view.Reveal)
		<-held.Arrived()
		if err := r.stop(); err != nil {
			t.Error(err)
		}
		if lost := r.lost(); len(lost) != 1 {
			t.Errorf("undelivered: %v, want one", lost)
		}
		held.Drop()
	})
}

// Slack's own trouble does not leave a secret on the screen.
func TestBlankingOutlivesSlacksErrors(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.openGrant()
		r.acknowledged(r.press("UADA", view.Reveal))
		secret := r.service.secrets()[0]
		r.reads("UADA", secret)
		r.emu.Inject(slackemu.Fault{Method: "views.update", Error: "internal_error", Times: 1})
		time.Sleep(95 * time.Second)
		synctest.Wait()
		if strings.Contains(r.seen("UADA"), secret) {
			t.Error("the secret still stands there after Slack's internal error")
		}
	})
}

// A modal that its person has closed is not asked for again.
func TestAClosedModalIsBlankedOnce(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.openGrant()
		r.acknowledged(r.press("UADA", view.Reveal))
		r.reads("UADA", r.service.secrets()[0])
		before := r.count("views.update")
		r.emu.Inject(slackemu.Fault{Method: "views.update", Error: "not_found"})
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if n := r.count("views.update") - before; n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}
