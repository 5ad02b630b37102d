package bot_test

import (
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
	"nightlatch/integrations/emulators/slackemu"
)

func TestChangesOfAccountsAreHandedOn(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		act := r.emu.ChangeUser(slackemu.User{ID: "UADA", Name: "ada", RealName: "Ada", Email: "ada@example.com", IsRestricted: true})
		r.settle()
		r.acknowledged(act)
		heard := r.service.heard
		if len(heard) != 1 || heard[0].ID != "UADA" || heard[0].Team != team || !heard[0].Guest || heard[0].Deleted {
			t.Errorf("heard %+v", heard)
		}
		r.acknowledged(r.changed(slackemu.User{ID: "UNEW", Name: "new", Email: "new@example.com"}))
		for _, act := range r.emu.ChangeUserGroup(slackemu.UserGroup{ID: "SLEADS", Handle: "leads", Users: []string{"UADA"}}) {
			r.settle()
			r.acknowledged(act)
		}
		if n := r.service.rereads; n < 3 {
			t.Errorf("the directory is to be read %d times", n)
		}
	})
}

// What is not on disk is not acknowledged, so that Slack says it again.
func TestAChangeThatWasNotRecordedIsNotAcknowledged(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.service.mu.Lock()
		r.service.deaf = 1
		r.service.mu.Unlock()
		act := r.emu.ChangeUser(slackemu.User{ID: "UADA", Name: "ada", Email: "ada@example.com", Deleted: true})
		time.Sleep(2 * time.Second)
		if act.Outcome().Acknowledged {
			t.Error("it was acknowledged")
		}
		r.service.mu.Lock()
		defer r.service.mu.Unlock()
		if r.service.rereads == 0 {
			t.Error("nothing will know it if Slack does not say it again")
		}
	})
}

// The real service behind the bot: who becomes a guest loses what they hold within a second.
func TestWhoBecomesAGuestLosesTheirGrant(t *testing.T) {
	whole(t, func(r *rig, _ *shifts) {
		r.run("UADA", "/access orders-read 1h checkout is failing")
		r.later()
		r.reads("UADA", "You have *orders-read*")
		r.acknowledged(r.changed(slackemu.User{ID: "UADA", Name: "ada", RealName: "Ada", Email: "ada@example.com", IsRestricted: true}))
		r.acknowledged(r.run("UADA", "/access show"))
		r.reads("UADA", "Your access to *orders-read* is over")
		r.reads("UADA", "Guests of this workspace cannot take part")
	})
}

func (r *rig) changed(u slackemu.User) *slackemu.Act {
	act := r.emu.ChangeUser(u)
	r.settle()
	return act
}

func TestNewsAreToldInTheirChannel(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		news := service.Announcement{Channel: channel, At: time.Now(), News: grants.GoneNow, Person: grants.KeyOf(team, "UADA"), Detail: "guest"}
		if err := r.sender.Announce(r.ctx, news); err != nil {
			t.Fatal(err)
		}
		r.reads("UBEN", "<@UADA> may no longer take part (guest)")
		news.Channel = "CNONE"
		time.Sleep(time.Second)
		if err := r.sender.Announce(r.ctx, news); err == nil {
			t.Error("a channel that is none takes news")
		}
	})
}

func TestSecurityFreezesAndApproves(t *testing.T) {
	whole(t, func(r *rig, _ *shifts) {
		r.acknowledged(r.run("UADA", "/access people freeze @ben he asks too much"))
		r.reads("UADA", "This is not for you")
		r.acknowledged(r.run("UBEN", "/access people freeze @ada her laptop was stolen"))
		r.reads("UBEN", "<@UADA> is frozen")
		r.acknowledged(r.run("UBEN", "/access people list"))
		r.reads("UBEN", "frozen by UBEN")
		r.run("UADA", "/access orders-read 1h checkout is failing")
		r.later()
		r.reads("UADA", "Somebody of security froze your account")
		r.acknowledged(r.run("UBEN", "/access people approve @ada"))
		r.reads("UBEN", "<@UADA> is no longer frozen")
		r.acknowledged(r.run("UBEN", "/access people approve @ada"))
		r.reads("UBEN", "They are not frozen")
		r.acknowledged(r.run("UBEN", "/access people thaw ada"))
		r.reads("UBEN", "Nothing was done")
	})
}
