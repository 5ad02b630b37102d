package slackemu_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"nightlatch/integrations/emulators/slackemu"
)

func home(blocks ...slack.Block) slack.HomeTabViewRequest {
	return slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: blocks}, CallbackID: "home"}
}

func (r *rig) publish(user, hash string, blocks ...slack.Block) (*slack.ViewResponse, error) {
	req := slack.PublishViewContextRequest{UserID: user, View: home(blocks...)}
	if hash != "" {
		req.Hash = &hash
	}
	return r.api.PublishViewContext(r.ctx, req)
}

func TestHomeIsPublishedOpenedAndPressed(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		var opened []slackevents.AppHomeOpenedEvent
		var pressed slack.InteractionCallback
		r.connect(func(c *socketmode.Client, ev socketmode.Event) {
			switch data := ev.Data.(type) {
			case slackevents.EventsAPIEvent:
				opened = append(opened, *data.InnerEvent.Data.(*slackevents.AppHomeOpenedEvent))
			case slack.InteractionCallback:
				pressed = data
			}
			c.Ack(*ev.Request)
		})
		if s := r.emu.SeenBy("UALICE"); s.Home != nil {
			t.Errorf("before anything is published: %+v", s.Home)
		}
		act, err := r.emu.OpenHome("UALICE")
		if err != nil {
			t.Fatal(err)
		}
		r.outcome(act)
		first, err := r.publish("UALICE", "", section("no grants"), button("reveal", "g1", "Reveal"))
		if err != nil {
			t.Fatal(err)
		}
		for _, open := range []func(string) (*slackemu.Act, error){r.emu.OpenMessages, r.emu.OpenHome} {
			if act, err = open("UALICE"); err != nil {
				t.Fatal(err)
			}
			r.outcome(act)
		}
		if len(opened) != 3 || opened[0].Tab != "home" || opened[0].View != nil || opened[1].Tab != "messages" ||
			opened[1].View != nil || opened[2].View == nil || opened[2].View.Hash != first.View.Hash || opened[2].User != "UALICE" {
			t.Errorf("opened = %+v", opened)
		}
		if _, err := r.emu.Press("UALICE", slackemu.Find{Text: "Reveal"}); err == nil {
			t.Error("a button of the home was found among the messages")
		}
		act, err = r.emu.Press("UALICE", slackemu.Find{Text: "Reveal", Home: true})
		if err != nil {
			t.Fatal(err)
		}
		r.outcome(act)
		if pressed.Container.Type != "view" || pressed.Container.ViewID != first.View.ID || pressed.View.Type != slack.VTHomeTab ||
			pressed.View.CallbackID != "home" || pressed.ResponseURL != "" || pressed.ActionCallback.BlockActions[0].Value != "g1" {
			t.Errorf("press = %+v", pressed)
		}
		if _, err := r.api.OpenViewContext(r.ctx, pressed.TriggerID, modal(section("secret"))); err != nil {
			t.Errorf("opening a modal from the home: %v", err)
		}
		if s := r.emu.SeenBy("UALICE"); s.Text() != "no grants\nAccess\nsecret" {
			t.Errorf("alice sees %q", s.Text())
		}
		if s := r.emu.SeenBy("UBOB"); s.Home != nil {
			t.Errorf("bob sees %+v", s.Home)
		}
		r.obeyed()
	})
}

func TestHomeIsReplaced(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		first, err := r.publish("UALICE", "", section("one"))
		if err != nil {
			t.Fatal(err)
		}
		second, err := r.publish("UALICE", first.View.Hash, section("two"))
		if err != nil || second.View.ID != first.View.ID || second.View.Hash == first.View.Hash {
			t.Errorf("published again: %+v, %v", second, err)
		}
		if _, err := r.publish("UALICE", first.View.Hash, section("late")); err == nil || err.Error() != "hash_conflict" {
			t.Errorf("with an old hash: %v", err)
		}
		if _, err := r.publish("UNOBODY", "", section("x")); err == nil || err.Error() != "invalid_arguments" {
			t.Errorf("for nobody: %v", err)
		}
		if got := call(r.emu, "views.publish", object{"user_id": "UALICE", "view": modal(section("x"))}); got.Error != "invalid_arguments" {
			t.Errorf("a modal as a home: %+v", got)
		}
		got := call(r.emu, "views.update", object{"view_id": first.View.ID, "view": home(section("three"))})
		if !got.OK || r.emu.SeenBy("UALICE").Text() != "three" {
			t.Errorf("updated: %+v, alice sees %q", got, r.emu.SeenBy("UALICE").Text())
		}
	})
}

func TestReloadTakesWhatIsNotKept(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		r.connect(nil)
		act := r.run("UALICE", "/access prod")
		r.outcome(act)
		r.reply(act.ResponseURL, object{"text": "granted"})
		view := modal(section("x"))
		view.NotifyOnClose = true
		opened, err := r.api.OpenViewContext(r.ctx, act.TriggerID, view)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.publish("UALICE", "", section("home")); err != nil {
			t.Fatal(err)
		}
		if _, err := r.api.PostEphemeralContext(r.ctx, "COPS", "UBOB", slack.MsgOptionText("for bob", false)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.api.PostMessageContext(r.ctx, "COPS", slack.MsgOptionText("kept", false)); err != nil {
			t.Fatal(err)
		}
		if err := r.emu.Reload("UALICE"); err != nil {
			t.Fatal(err)
		}
		if s := r.emu.SeenBy("UALICE"); s.Text() != "kept\nhome" || s.Modal != nil || len(s.Ephemerals) != 0 {
			t.Errorf("after the reload alice sees %q", s.Text())
		}
		if s := r.emu.SeenBy("UBOB"); len(s.Ephemerals) != 1 {
			t.Errorf("bob, who did not reload, sees %q", s.Text())
		}
		if _, err := r.api.UpdateViewContext(r.ctx, modal(section("late")), "", "", opened.View.ID); err == nil || err.Error() != "not_found" {
			t.Errorf("update of what was open: %v", err)
		}
		if r.seen(socketmode.EventTypeInteractive) != 0 {
			t.Error("the app was told")
		}
		r.reply(act.ResponseURL, object{"text": "anew", "replace_original": true})
		if s := r.emu.SeenBy("UALICE"); len(s.Ephemerals) != 1 || s.Ephemerals[0].Text != "anew" {
			t.Errorf("answered after the reload: %+v", s.Ephemerals)
		}
		r.obeyed()
	})
}

// toldOf connects a client that keeps the inner events it is told.
func (r *rig) toldOf(got *[]map[string]any) {
	r.connect(func(c *socketmode.Client, ev socketmode.Event) {
		*got = append(*got, inner(r.t, ev))
		c.Ack(*ev.Request)
	})
}

func TestADeviceKeepsWhatIsNotElsewhere(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		r.connect(nil)
		use := func(device string) {
			t.Helper()
			if err := r.emu.UseDevice("UALICE", device); err != nil {
				t.Fatal(err)
			}
		}
		open := func(title string) {
			t.Helper()
			act := r.run("UALICE", "/access")
			r.outcome(act)
			r.reply(act.ResponseURL, object{"text": "asked on the " + title})
			if title == "phone" { // the answer comes when she has moved on
				use("laptop")
				defer use("")
			}
			if _, err := r.api.OpenViewContext(r.ctx, act.TriggerID, modal(section(title))); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := r.api.PostMessageContext(r.ctx, "COPS", slack.MsgOptionText("for all", false)); err != nil {
			t.Fatal(err)
		}
		open("phone")
		use("laptop")
		if s := r.emu.SeenBy("UALICE"); s.Text() != "for all" || s.Modal != nil || s.Device != "laptop" {
			t.Errorf("on the laptop: %+v", s)
		}
		if _, err := r.emu.CloseView("UALICE"); err == nil {
			t.Error("the phone's modal was closed on the laptop")
		}
		open("laptop")
		if err := r.emu.Reload("UALICE"); err != nil {
			t.Fatal(err)
		}
		if s := r.emu.SeenBy("UALICE"); s.Text() != "for all" || s.Modal != nil {
			t.Errorf("on the laptop after a reload: %q", s.Text())
		}
		use("")
		if s := r.emu.SeenBy("UALICE"); s.Text() != "for all\nasked on the phone\nAccess\nphone" {
			t.Errorf("back on the phone: %q", s.Text())
		}
		if err := r.emu.UseDevice("UNOBODY", "phone"); err == nil {
			t.Error("nobody has a device")
		}
		r.obeyed()
	})
}

func TestPeopleChange(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		var got []map[string]any
		r.toldOf(&got)
		time.Sleep(time.Hour)
		carol := slackemu.User{ID: "UCAROL", Name: "carol", Email: "carol@example.com"}
		r.outcome(r.emu.ChangeUser(carol))
		carol.Deleted = true
		r.outcome(r.emu.ChangeUser(carol))
		r.outcome(r.emu.ChangeUser(slackemu.User{ID: "USTRANGE", TeamID: "TELSE", IsStranger: true}))
		var kinds []any
		for _, event := range got {
			kinds = append(kinds, event["type"])
		}
		if !slices.Equal(kinds, []any{"team_join", "user_change", "user_change"}) {
			t.Fatalf("events = %v", kinds)
		}
		joined, left := got[0]["user"].(map[string]any), got[1]["user"].(map[string]any)
		profile := joined["profile"].(map[string]any)
		if profile["email"] != "carol@example.com" || joined["updated"] != float64(time.Now().Unix()) ||
			joined["is_restricted"] != false || got[0]["cache_ts"] == nil || got[0]["event_ts"] == got[1]["event_ts"] {
			t.Errorf("joined = %+v", got[0])
		}
		if _, has := left["is_restricted"]; left["deleted"] != true || has {
			t.Errorf("left = %+v", left)
		}
		if u, ok := r.emu.User("UCAROL"); !ok || !u.Deleted {
			t.Errorf("carol is now %+v", u)
		}
		r.obeyed()
	})
}

func TestGroupsChange(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		var got []map[string]any
		r.toldOf(&got)
		change := func(g slackemu.UserGroup) []any {
			got = nil
			for _, act := range r.emu.ChangeUserGroup(g) {
				r.outcome(act)
			}
			var kinds []any
			for _, event := range got {
				kinds = append(kinds, event["type"])
			}
			return kinds
		}
		g := slackemu.UserGroup{ID: "SOPS", Handle: "ops", Name: "Ops", Users: []string{"UALICE"}}
		if kinds := change(g); !slices.Equal(kinds, []any{"subteam_created", "subteam_members_changed"}) {
			t.Errorf("made: %v", kinds)
		}
		if kinds := change(g); len(kinds) != 0 {
			t.Errorf("the same again: %v", kinds)
		}
		g.Users = []string{"UBOB", "U0BOT"}
		if kinds := change(g); !slices.Equal(kinds, []any{"subteam_updated", "subteam_members_changed", "subteam_self_added"}) {
			t.Fatalf("other members: %v", kinds)
		}
		members := got[1]
		if !slices.Equal(members["added_users"].([]any), []any{"UBOB", "U0BOT"}) || members["removed_users_count"] != 1.0 ||
			members["subteam_id"] != "SOPS" || got[0]["subteam"].(map[string]any)["user_count"] != 2.0 {
			t.Errorf("told %+v", got)
		}
		g.Users, g.Disabled = nil, true
		if kinds := change(g); !slices.Equal(kinds, []any{"subteam_updated", "subteam_members_changed", "subteam_self_removed"}) {
			t.Errorf("disabled: %v", kinds)
		}
		r.emu.PutUserGroup(slackemu.UserGroup{ID: "SSEC", Handle: "sec", Users: []string{"UALICE", "UEVE"}})
		r.emu.PutUser(slackemu.User{ID: "UEVE", Deleted: true})
		groups, err := r.api.GetUserGroupsContext(r.ctx, slack.GetUserGroupsOptionIncludeUsers(true), slack.GetUserGroupsOptionIncludeCount(true))
		if err != nil || len(groups) != 1 || groups[0].Handle != "sec" || !slices.Equal(groups[0].Users, []string{"UALICE"}) || groups[0].UserCount != 1 {
			t.Errorf("listed %+v, %v", groups, err)
		}
		groups, err = r.api.GetUserGroupsContext(r.ctx, slack.GetUserGroupsOptionIncludeDisabled(true))
		if err != nil || len(groups) != 2 || groups[0].DateDelete == 0 || len(groups[1].Users) != 0 {
			t.Errorf("listed with disabled ones %+v, %v", groups, err)
		}
		r.obeyed()
	})
}

func TestAnEventNames500MembersOfAGroup(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		var got []map[string]any
		r.toldOf(&got)
		var users []string
		for i := range 501 {
			users = append(users, fmt.Sprintf("UZ%03d", i))
		}
		for _, act := range r.emu.ChangeUserGroup(slackemu.UserGroup{ID: "SALL", Users: users}) {
			r.outcome(act)
		}
		group := got[0]["subteam"].(map[string]any)
		if named := group["users"].([]any); len(named) != 500 || group["user_count"] != 501.0 {
			t.Errorf("%d members are named of %v", len(named), group["user_count"])
		}
		if all, err := r.api.GetUserGroupMembersContext(r.ctx, "SALL"); err != nil || len(all) != 501 {
			t.Errorf("%d members are listed, %v", len(all), err)
		}
	})
}
