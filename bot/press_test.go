package bot_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/bot"
	"nightlatch/bot/socket"
	"nightlatch/bot/view"
	"nightlatch/grants"
	"nightlatch/grants/service"
	"nightlatch/integrations/emulators/slackemu"
)

// taken is what the service recorded.
func (r *rig) taken() []string {
	r.service.mu.Lock()
	defer r.service.mu.Unlock()
	return append([]string(nil), r.service.taken...)
}

// button remembers a button as it is now, for somebody who presses it later.
func (r *rig) button(user, action string) slackemu.Button {
	r.t.Helper()
	b, ok := r.emu.SeenBy(user).Find(slackemu.Find{ActionID: action})
	if !ok {
		r.t.Fatalf("%s sees no %s", user, action)
	}
	return b
}

func (r *rig) pressAt(user string, b slackemu.Button) *slackemu.Act {
	r.t.Helper()
	act, err := r.emu.PressAt(user, b)
	if err != nil {
		r.t.Fatal(err)
	}
	r.settle()
	return act
}

func TestPressFromAnotherWorkspace(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.run("UADA", "/access orders-read 1h checkout is failing")
		r.acknowledged(r.press("UEVE", view.Approve))
		r.acknowledged(r.run("UEVE", "/access orders-read 1h me too"))
		if got := r.taken(); len(got) != 1 {
			t.Errorf("taken: %v", got)
		}
		if n := len(r.service.rejected); n != 2 {
			t.Errorf("rejected: %v", r.service.rejected)
		}
		r.reads("UEVE", "belongs to another one")
		if n := r.bot.Counts().Foreign; n != 2 {
			t.Errorf("%d were counted", n)
		}
	})
}

func TestPressWithAValueThatIsNoGrant(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.run("UADA", "/access orders-read 1h checkout is failing")
		b := r.button("UBEN", view.Approve)
		b.Value = "01'; DROP TABLE grants"
		r.acknowledged(r.pressAt("UBEN", b))
		if got := r.taken(); len(got) != 1 || len(r.service.rejected) != 1 {
			t.Errorf("taken: %v, rejected: %v", got, r.service.rejected)
		}
		if strings.Contains(fmt.Sprint(r.service.rejected), "DROP") {
			t.Error("what a stranger wrote is in the record")
		}
	})
}

func TestStalePressIsToldWhoDecided(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.run("UADA", "/access orders-read 1h checkout is failing")
		stale := r.button("UBEN", view.Approve)
		r.press("UBEN", view.Deny)
		time.Sleep(3 * time.Second)
		r.acknowledged(r.pressAt("UBEN", stale))
		r.reads("UBEN", "<@UBEN> said no")
		r.reads("UADA", "<@UBEN> said no")
	})
}

func TestFloodOfOnePerson(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.run("UBEN", "/access orders-read 1h checkout is failing")
		var last *slackemu.Act
		for i := range 300 {
			act, err := r.emu.RunCommand("UADA", channel, fmt.Sprintf("/access orders-read 1h number %d", i))
			if err != nil {
				t.Fatal(err)
			}
			last = act
			synctest.Wait()
		}
		r.settle()
		r.acknowledged(last)
		r.reads("UADA", view.Busy)
		if n := strings.Count(strings.Join(r.taken(), ","), "request UADA"); n != 10 {
			t.Errorf("%d requests passed, want the burst of 10", n)
		}
		id := r.service.newest("UADA")
		act := r.pressAt("UADA", slackemu.Button{ActionID: view.Deny, Value: id, Channel: channel, MessageTS: r.anyTS()})
		r.acknowledged(act)
		if got := r.taken(); got[len(got)-1] != "vote UADA" {
			t.Errorf("the No did not pass; last taken: %v", got[len(got)-1])
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		r.service.mu.Lock()
		defer r.service.mu.Unlock()
		if r.service.swallowed != 290 {
			t.Errorf("%d swallowed commands were reported, want 290", r.service.swallowed)
		}
	})
}

// newest is the newest grant of a person.
func (d *desk) newest(user string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	newest := ""
	for id, g := range d.grants {
		if g.Person.Slack() == user && id > newest {
			newest = id
		}
	}
	return newest
}

// anyTS is the time stamp of a message in the channel.
func (r *rig) anyTS() string {
	for _, m := range r.emu.SeenBy("UADA").Messages {
		if m.Channel == channel {
			return m.TS
		}
	}
	return ""
}

// What was not recorded is not acknowledged.
func TestAcknowledgedAfterTheRecord(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.service.slow.Store(int64(900 * time.Millisecond))
		act, err := r.emu.RunCommand("UADA", channel, "/access orders-read 1h checkout is failing")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		if act.Outcome().Acknowledged {
			t.Error("acknowledged before it was recorded")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		r.acknowledged(act)
	})
}

func TestWhatCouldNotBeRecorded(t *testing.T) {
	for name, err := range map[string]error{"busy": service.ErrBusy, "late": context.DeadlineExceeded} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(r *rig) {
				r.service.refuse = func(string, grants.PersonKey) error { return fmt.Errorf("recording: %w", err) }
				r.acknowledged(r.run("UADA", "/access orders-read 1h checkout is failing"))
				r.reads("UADA", view.Busy)
			})
		})
	}
}

// A full queue answers at once; nobody waits behind it.
func TestFullQueue(t *testing.T) {
	limits := func(c *bot.Config) {
		c.Limits = socket.Limits{PerPerson: 1000, PersonBurst: 1000, InAll: 1000, AllBurst: 1000}
	}
	inBubble(t, limits, func(r *rig) {
		r.run("UADA", "/access orders-read 1h checkout is failing")
		deny := r.button("UBEN", view.Deny)
		r.service.slow.Store(int64(2 * time.Second))
		for i := range 100 {
			if _, err := r.emu.RunCommand("UADA", channel, fmt.Sprintf("/access orders-read 1h number %d", i)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		r.reads("UADA", view.Busy)
		if n := r.bot.Counts().Swallowed; n != 100-64-4 {
			t.Errorf("%d found the queue full, want 32", n)
		}
		act := r.pressAt("UBEN", deny)
		time.Sleep(1500 * time.Millisecond)
		r.acknowledged(act)
		if !slices.Contains(r.taken(), "vote UBEN") {
			t.Error("the No waits behind the requests")
		}
		r.service.slow.Store(int64(0))
		time.Sleep(time.Minute)
	})
}

func TestHelpAndUsage(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.emu.Inject(slackemu.Fault{Method: "views.open", Error: "expired_trigger_id", Times: 1})
		r.acknowledged(r.run("UADA", "/access"))
		r.reads("UADA", "Write `/access ROLE DURATION REASON`")
		r.acknowledged(r.run("UADA", "/access help"))
		r.reads("UADA", "`/access orders-read 1h what happened`")
		for range 20 {
			r.service.roles = append(r.service.roles, ordersRead())
		}
		r.acknowledged(r.run("UBEN", "/access help"))
		r.reads("UBEN", "`/access orders-read 1h what happened`")
		r.acknowledged(r.run("UADA", "/access orders-read 90 because"))
		r.reads("UADA", "The duration is written")
		if got := r.taken(); len(got) > 0 {
			t.Errorf("taken: %v", got)
		}
	})
}

// An envelope that comes twice is acknowledged twice and answered once.
func TestDuplicateEnvelope(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		seen := map[string]bool{}
		r.service.refuse = func(verb string, p grants.PersonKey) error {
			if seen[verb] {
				return service.ErrDuplicate
			}
			seen[verb] = true
			return nil
		}
		r.emu.SetDelivery(slackemu.Delivery{Copies: 2})
		r.acknowledged(r.run("UADA", "/access orders-read 1h checkout is failing"))
		if got := r.taken(); len(got) != 1 {
			t.Errorf("taken: %v", got)
		}
	})
}

func TestWithdrawAndReturnInPlace(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.run("UADA", "/access orders-read 1h checkout is failing")
		r.acknowledged(r.press("UADA", view.Withdraw))
		time.Sleep(3 * time.Second)
		synctest.Wait()
		r.reads("UADA", "You withdrew the request")
		r.reads("UBEN", "They withdrew the request")
		r.openGrant()
		r.acknowledged(r.press("UADA", view.Return))
		time.Sleep(3 * time.Second)
		synctest.Wait()
		r.reads("UADA", "You returned it")
		for _, action := range []string{view.Withdraw, view.Return, view.Reveal} {
			if _, still := r.emu.SeenBy("UADA").Find(slackemu.Find{ActionID: action}); still {
				t.Errorf("%s is still there", action)
			}
		}
		if n := r.count("conversations.open"); n > 0 {
			t.Error("what the person did there and then was told by direct message, too")
		}
	})
}

func TestRevokeByTheCard(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.openGrant()
		time.Sleep(2 * time.Second)
		r.acknowledged(r.press("UBEN", view.Revoke))
		time.Sleep(3 * time.Second)
		synctest.Wait()
		r.reads("UADA", "<@UBEN> revoked it")
		r.reads("UBEN", "<@UBEN> revoked it")
		if r.count("conversations.open") != 1 {
			t.Error("the end was not told by direct message")
		}
	})
}
