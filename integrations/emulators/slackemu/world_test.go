package slackemu_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"nightlatch/integrations/emulators/slackemu"
)

func TestUsersArePaged(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		for i := range 100 {
			r.emu.PutUser(slackemu.User{ID: fmt.Sprintf("UZ%03d", i), Name: fmt.Sprint("z", i), IsRestricted: i == 7, Deleted: i == 8})
		}
		var ids []string
		pages := 0
		p := r.api.GetUsersPaginated(slack.GetUsersOptionLimit(40))
		for {
			var err error
			if p, err = p.Next(r.ctx); err != nil {
				if !p.Done(err) {
					t.Fatal(err)
				}
				break
			}
			pages++
			if len(p.Users) > 40 {
				t.Errorf("a page of %d", len(p.Users))
			}
			for _, u := range p.Users {
				ids = append(ids, u.ID)
			}
		}
		slices.Sort(ids)
		if pages != 3 || len(ids) != 105 || len(slices.Compact(ids)) != 105 {
			t.Errorf("%d pages, %d users", pages, len(ids))
		}
		u, err := r.api.GetUserInfoContext(r.ctx, "UZ007")
		if err != nil || !u.IsRestricted || !u.IsEmailConfirmed || u.TeamID != "T0NIGHT" {
			t.Errorf("a guest = %+v, %v", u, err)
		}
		if u, err = r.api.GetUserInfoContext(r.ctx, "UALICE"); err != nil || u.Profile.Email != "alice@example.com" {
			t.Errorf("alice = %+v, %v", u, err)
		}
		if _, err := r.api.GetUserInfoContext(r.ctx, "UNONE"); err == nil || err.Error() != "user_not_found" {
			t.Errorf("nobody = %v", err)
		}
		stranger := slackemu.User{ID: "UELSE", TeamID: "T0ELSE", IsStranger: true}
		r.emu.PutUser(stranger)
		if _, err := r.api.GetUserInfoContext(r.ctx, stranger.ID); err == nil || err.Error() != "user_not_visible" {
			t.Errorf("a stranger in no channel = %v", err)
		}
		r.emu.PutChannel(slackemu.Channel{ID: "CSHARED", Members: []string{stranger.ID}, IsExtShared: true})
		if u, err = r.api.GetUserInfoContext(r.ctx, stranger.ID); err != nil || !u.IsStranger || u.TeamID != "T0ELSE" {
			t.Errorf("a stranger in a shared channel = %+v, %v", u, err)
		}
		r.obeyed()
	})
}

func TestListsOfUsersAndGroupsAreRefused(t *testing.T) {
	emu := desk(t)
	for i := range 1000 {
		emu.PutUser(slackemu.User{ID: fmt.Sprintf("UZ%04d", i)})
	}
	emu.PutUserGroup(slackemu.UserGroup{ID: "SOLD", Users: []string{"UALICE"}, Disabled: true})
	for _, test := range []struct {
		method string
		args   object
		want   string
	}{
		{"users.list", object{"limit": "1000"}, ""},
		{"users.list", object{}, "limit_required"},
		{"users.list", object{"limit": "10", "cursor": "x"}, "invalid_cursor"},
		{"users.info", object{"user": "UNOBODY"}, "user_not_found"},
		{"usergroups.users.list", object{"usergroup": "SNONE"}, "no_such_subteam"},
		{"usergroups.users.list", object{"usergroup": "SOLD"}, "no_such_subteam"},
		{"usergroups.users.list", object{"usergroup": "SOLD", "include_disabled": "true"}, ""},
	} {
		if got := callRaw(emu, test.method, false, test.args); got["ok"] != (test.want == "") || test.want != "" && got["error"] != test.want {
			t.Errorf("%s %v answers %v, want %q", test.method, test.args, got["error"], test.want)
		}
	}
}

func TestScopes(t *testing.T) {
	scopes := slices.DeleteFunc(slackemu.DefaultScopes(), func(s string) bool {
		return s == "users:read.email" || s == "usergroups:read" || s == "groups:read"
	})
	inBubble(t, slackemu.Config{BotScopes: scopes}, func(r *rig) {
		u, err := r.api.GetUserInfoContext(r.ctx, "UALICE")
		if err != nil || u.Profile.Email != "" {
			t.Errorf("without users:read.email: %q, %v", u.Profile.Email, err)
		}
		r.emu.PutUserGroup(slackemu.UserGroup{ID: "SOPS", Users: []string{"UBOB"}})
		_, err = r.api.GetUserGroupMembersContext(r.ctx, "SOPS")
		if e, ok := errors.AsType[slack.SlackErrorResponse](err); !ok || e.Err != "missing_scope" || e.Needed != "usergroups:read" {
			t.Errorf("without usergroups:read: %v", err)
		}
		r.broke("usergroups.users.list", "missing scope")
		r.emu.PutChannel(slackemu.Channel{ID: "CPRIV", Name: "priv", IsPrivate: true})
		_, err = r.api.GetConversationInfoContext(r.ctx, &slack.GetConversationInfoInput{ChannelID: "CPRIV"})
		if err == nil || err.Error() != "missing_scope" {
			t.Errorf("without groups:read: %v", err)
		}
		wrong := slack.New(r.emu.Config().AppToken, slack.OptionAPIURL("http://slack.test/api/"), slack.OptionHTTPClient(r.http))
		if _, err := wrong.AuthTestContext(r.ctx); err == nil {
			t.Error("the app-level token was accepted in a form")
		}
	})
}

func TestPeopleAndPlaces(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		auth, err := r.api.AuthTestContext(r.ctx)
		if err != nil || auth.TeamID != "T0NIGHT" || auth.UserID != "U0BOT" || auth.BotID != "B0BOT" {
			t.Errorf("auth.test = %+v, %v", auth, err)
		}
		r.emu.PutUserGroup(slackemu.UserGroup{ID: "SOPS", Users: []string{"UBOB", "UEVE"}})
		eve, _ := r.emu.User("UEVE")
		eve.Deleted = true
		r.emu.PutUser(eve)
		if got, err := r.api.GetUserGroupMembersContext(r.ctx, "SOPS"); err != nil || !slices.Equal(got, []string{"UBOB"}) {
			t.Errorf("group = %v, %v", got, err)
		}
		if _, err := r.emu.RunCommand("UEVE", "", "/access"); err == nil {
			t.Error("a deactivated account ran a command")
		}
		ch, _, _, err := r.api.OpenConversationContext(r.ctx, &slack.OpenConversationParameters{Users: []string{"UALICE"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.api.PostMessageContext(r.ctx, ch.ID, slack.MsgOptionText("your access is open", false)); err != nil {
			t.Fatal(err)
		}
		if got := r.emu.SeenBy("UALICE").Text(); got != "your access is open" {
			t.Errorf("alice sees %q", got)
		}
		if got := r.emu.SeenBy("UBOB").Text(); got != "" {
			t.Errorf("bob sees %q", got)
		}
		if _, err := r.api.PostEphemeralContext(r.ctx, "COPS", "UEVE", slack.MsgOptionText("psst", false)); err == nil || err.Error() != "user_not_in_channel" {
			t.Errorf("ephemeral to somebody who left: %v", err)
		}
		r.emu.PutChannel(slackemu.Channel{ID: "CSHARED", Name: "shared", IsExtShared: true, WithoutBot: true})
		if _, _, err := r.api.PostMessageContext(r.ctx, "CSHARED", slack.MsgOptionText("x", false)); err == nil || err.Error() != "not_in_channel" {
			t.Errorf("posting where the bot is not: %v", err)
		}
		info, err := r.api.GetConversationInfoContext(r.ctx, &slack.GetConversationInfoInput{ChannelID: "CSHARED"})
		if err != nil || !info.IsExtShared || info.IsMember {
			t.Errorf("info = %+v, %v", info, err)
		}
		r.obeyed()
	})
}

func TestUnknownThingsAreRefused(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		if _, err := r.api.GetTeamInfoContext(r.ctx); err == nil || err.Error() != "unknown_method" {
			t.Errorf("team.info: %v", err)
		}
		r.broke("team.info", "unknown_method")
		got := call(r.emu, "chat.postMessage", map[string]any{"channel": "COPS", "text": "x", "colour": "red"})
		if got.Error != "invalid_arg_name" {
			t.Errorf("an unknown argument: %+v", got)
		}
		r.broke("chat.postMessage", "unknown argument")
	})
}

func TestEventsAreRetried(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		var attempts []int
		r.connect(func(c *socketmode.Client, ev socketmode.Event) {
			attempts = append(attempts, ev.Request.RetryAttempt)
			if len(attempts) == 3 {
				c.Ack(*ev.Request)
			}
		})
		act, err := r.emu.SendUserChange("UALICE")
		if err != nil {
			t.Fatal(err)
		}
		if out, err := act.Wait(r.ctx); err != nil || !out.Acknowledged {
			t.Errorf("outcome = %+v, %v", out, err)
		}
		if !slices.Equal(attempts, []int{0, 1, 2}) {
			t.Errorf("attempts = %v", attempts)
		}
	})
}

func TestSocketsBreak(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		r.connect(nil)
		r.emu.Inject(slackemu.Fault{Method: "apps.connections.open", Delay: 100 * time.Millisecond, Times: 1}) // or it is back already
		r.emu.CutSockets()
		if got := r.emu.Connections(); got != 0 {
			t.Errorf("after the cut: %d connections", got)
		}
		time.Sleep(time.Second)
		if got := r.emu.Connections(); got != 1 {
			t.Errorf("the client did not come back: %d", got)
		}
		for i, reason := range []string{"link_disabled", "refresh_requested", "warning"} {
			r.emu.Inject(slackemu.Fault{Method: "apps.connections.open", Delay: time.Second, Times: 1})
			r.emu.Disconnect(reason)
			time.Sleep(20 * time.Second)
			if got := r.seen(socketmode.EventTypeConnected); got != i+3 || r.emu.Connections() != 1 {
				t.Errorf("after %s: connected %d times, %d connections", reason, got, r.emu.Connections())
			}
		}
		r.obeyed()
	})
}

func TestTenSocketsEachEnvelopeToOne(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		per := map[*socketmode.Client]int{}
		for range 2 {
			r.connect(func(c *socketmode.Client, ev socketmode.Event) {
				r.mu.Lock()
				per[c]++
				r.mu.Unlock()
				c.Ack(*ev.Request)
			})
		}
		for range 10 {
			r.outcome(r.run("UALICE", "/access help"))
		}
		r.mu.Lock()
		if len(per) != 2 {
			t.Errorf("%d of two connections got envelopes", len(per))
		}
		total := 0
		for _, n := range per {
			total += n
		}
		r.mu.Unlock()
		if total != 10 {
			t.Errorf("%d deliveries of 10 commands", total)
		}
		r.obeyed()
	})
}

func TestEnvelopesLostHeldReorderedDoubled(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		var got []string
		r.connect(func(c *socketmode.Client, ev socketmode.Event) {
			got = append(got, ev.Data.(slack.SlashCommand).Text)
			c.Ack(*ev.Request)
		})
		r.emu.SetDelivery(slackemu.Delivery{Suppress: true})
		if out := r.outcome(r.run("UALICE", "/access lost")); out.Warning != "operation_timeout" {
			t.Errorf("a lost envelope: %+v", out)
		}
		r.emu.SetDelivery(slackemu.Delivery{Hold: true})
		first, second := r.run("UALICE", "/access 1"), r.run("UBOB", "/access 2")
		if held := r.emu.Undelivered(); !slices.Equal(held, []string{first.EnvelopeID, second.EnvelopeID}) {
			t.Fatalf("held = %v", held)
		}
		for _, act := range []*slackemu.Act{second, first, second} {
			if err := r.emu.Deliver(act.EnvelopeID); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		r.emu.SetDelivery(slackemu.Delivery{Copies: 1})
		r.outcome(r.run("UALICE", "/access twice"))
		synctest.Wait()
		if want := []string{"2", "1", "2", "twice", "twice"}; !slices.Equal(got, want) {
			t.Errorf("delivered %q, want %q", got, want)
		}
		r.obeyed()
	})
}
