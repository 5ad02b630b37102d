package bot_test

import (
	"slices"
	"testing"
	"time"

	"nightlatch/bot"
	"nightlatch/bot/view"
	"nightlatch/grants"
	"nightlatch/grants/service"
	"nightlatch/integrations/emulators/slackemu"
)

// elsewhere makes the bot one of another workspace: whatever it hears is not meant for it.
func elsewhere(c *bot.Config) { c.Identity.Team = "T0OTHER" }

// Every kind of payload that names another workspace than the bot's own is refused, whoever its person is.
func TestNothingFromAnotherWorkspaceIsTaken(t *testing.T) {
	grant := grants.NewID(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), [10]byte{1})
	asked := grants.Grant{ID: grant, Role: ordersRead()}
	type sender func(r *rig) (*slackemu.Act, error)
	payloads := map[string]sender{
		"the home":           func(r *rig) (*slackemu.Act, error) { return r.emu.OpenHome("UADA") },
		"a changed account":  func(r *rig) (*slackemu.Act, error) { return r.emu.SendUserChange("UADA") },
		"a new account":      func(r *rig) (*slackemu.Act, error) { return r.emu.SendTeamJoin("UADA") },
		"a group that moved": func(r *rig) (*slackemu.Act, error) { return r.emu.SendEvent(map[string]any{"type": "subteam_updated"}) },
	}
	for _, line := range []string{"", "help", "show", "extend 1h it goes on", "orders-read 1h checkout is failing", "people list", "people freeze @ada why", "people x"} {
		payloads["/access "+line] = func(r *rig) (*slackemu.Act, error) { return r.emu.RunCommand("UADA", channel, "/access "+line) }
	}
	pressed := func(action string) sender {
		return func(r *rig) (*slackemu.Act, error) {
			return r.emu.PressAt("UADA", slackemu.Button{ActionID: action, BlockID: "b", Value: grant, Channel: channel, MessageTS: "1.000001"})
		}
	}
	for _, action := range []string{
		view.Approve, view.Deny, view.Revoke, view.Withdraw, view.Return, view.Reveal, view.Replace, view.OpenMore, view.OpenForm,
	} {
		payloads["the button "+action] = pressed(action)
	}
	for name, modal := range map[string]view.Modal{
		"the form":            view.Frame{}.Compose([]grants.Role{ordersRead()}, channel),
		"more time":           view.Frame{}.Longer(asked),
		"why it was denied":   view.Frame{}.AskWhy(asked),
		"the end of a secret": view.Frame{}.EndOldest(&service.TwoLiveError{Grant: asked, Oldest: grants.Credential{Ordinal: 1}}),
	} {
		payloads[name] = func(r *rig) (*slackemu.Act, error) {
			act, err := pressed("nothing")(r)
			if err != nil {
				return nil, err
			}
			if _, err := r.sender.Open(r.ctx, act.TriggerID, modal); err != nil {
				return nil, err
			}
			inputs := map[string]string{}
			switch name {
			case "the form":
				inputs[view.InputReason] = "checkout is failing"
			case "why it was denied":
				inputs[view.InputWhy] = "because"
			}
			return r.emu.Submit("UADA", inputs)
		}
	}
	for name, send := range payloads {
		t.Run(name, func(t *testing.T) {
			inBubble(t, elsewhere, func(r *rig) {
				act, err := send(r)
				if err != nil {
					t.Fatal(err)
				}
				r.settle()
				r.acknowledged(act)
				if taken := r.taken(); len(taken) > 0 {
					t.Errorf("taken: %v", taken)
				}
				if r.service.rereads > 0 || len(r.service.heard) > 0 || r.count("views.publish") > 0 {
					t.Errorf("the directory was to be read %d times, %v was heard", r.service.rereads, r.service.heard)
				}
				isEvent := slices.Contains([]string{"the home", "a changed account", "a new account", "a group that moved"}, name)
				if n := len(r.service.rejected); n != 1 && !isEvent {
					t.Errorf("%d refusals are recorded", n)
				}
				if n := r.bot.Counts().Foreign; n != 1 {
					t.Errorf("%d were counted", n)
				}
			})
		})
	}
}
