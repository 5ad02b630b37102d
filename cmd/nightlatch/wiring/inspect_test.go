package wiring_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nightlatch/bot/send"
	"nightlatch/cmd/nightlatch/inspect"
	"nightlatch/cmd/nightlatch/wiring"
	"nightlatch/grants"
	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/emulators/slackemu"
)

// named adds a role and security that name one of each kind.
const named = `
  - name: named
    on_call: [{schedule: SPRIME}]
    voters: {usergroup: SVOTERS, count: 1}
    off_call: {users: [U0LOU], policy: PORDERS, count: 1}
    channel: C0NAMED
    max: 1h
    audience: https://named.example
    scopes: ["GET /"]
security: {channel: C0NAMED, people: [U0LOU]}
`

// furnish makes what the further role names.
func furnish(n *night) {
	n.enrol("C0NAMED", "U0MAX")
	n.slack.PutUserGroup(slackemu.UserGroup{ID: "SVOTERS", Users: []string{lou}})
}

// inspected is what an operator is told who looks now.
func (n *night) inspected() []inspect.Finding {
	n.t.Helper()
	found, err := wiring.Inspect(n.t.Context(), n.loaded, wiring.Wires{Slack: n.transport, PagerDuty: n.transport, Web: n.transport})
	n.must(err)
	return found
}

// finds wants a finding of a kind and key whose text contains something.
func (n *night) finds(kind inspect.Kind, key, text string) {
	n.t.Helper()
	found := n.inspected()
	if !slices.ContainsFunc(found, func(f inspect.Finding) bool {
		return f.Kind == kind && f.Key == key && strings.Contains(f.Text, text)
	}) {
		n.t.Errorf("no %s of %s that says %q among:", kind, key, text)
		for _, f := range found {
			n.t.Logf("%s: %s: %s", f.Kind, f.Key, f.Text)
		}
	}
}

// TestAConfigurationThatWorksHasNoProblem: beside a running bot, with nothing changed by it.
func TestAConfigurationThatWorksHasNoProblem(t *testing.T) {
	readOnly := pagerdutyemu.Config{ReadOnly: true}
	play(t, plan{roles: named, world: furnish, pager: readOnly}, func(n *night) {
		before := n.slack.Connections()
		kinds := map[inspect.Kind]int{}
		for _, f := range n.inspected() {
			kinds[f.Kind]++
			if f.Kind != inspect.OK {
				t.Errorf("%s: %s: %s", f.Kind, f.Key, f.Text)
			}
		}
		if kinds[inspect.OK] < 15 {
			t.Errorf("only %d things were looked at", kinds[inspect.OK])
		}
		if n.slack.Connections() != before {
			t.Error("a connection was opened")
		}
		for _, key := range []string{"roles[0].channel", "roles[2].channel", "roles[2].voters.usergroup", "roles[1].off_call.users[0]", "roles[0].on_call[0].policy", "roles[2].on_call[0].schedule", "ledger.path", "token.key_file", "http.url"} {
			n.finds(inspect.OK, key, "")
		}
	})
}

// TestEachThingThatIsWrongIsFound: what is wrong, what is said of it, and under which key.
func TestEachThingThatIsWrongIsFound(t *testing.T) {
	channelLike := func(change func(*slackemu.Channel)) func(*night) {
		return func(n *night) {
			c := slackemu.Channel{ID: "C0NAMED", Name: "named", Members: []string{ada}}
			change(&c)
			n.slack.PutChannel(c)
		}
	}
	userLike := func(change func(*slackemu.User)) func(*night) {
		return func(n *night) {
			u := slackemu.User{ID: lou, Name: "lou", Email: "lou@example.com"}
			change(&u)
			n.slack.PutUser(u)
		}
	}
	for name, c := range map[string]struct {
		breaks    func(*night)
		kind      inspect.Kind
		key, says string
	}{
		"channel that there is not": {func(n *night) { n.slack.RemoveChannel("C0NAMED") }, inspect.Problem, "roles[2].channel", "is no channel that the bot can see"},
		"channel without the bot":   {channelLike(func(c *slackemu.Channel) { c.WithoutBot = true }), inspect.Problem, "roles[2].channel", "/invite @nightlatch in it (also security.channel)"},
		"archived channel":          {channelLike(func(c *slackemu.Channel) { c.IsArchived = true }), inspect.Problem, "roles[2].channel", "archived"},
		"shared channel":            {channelLike(func(c *slackemu.Channel) { c.IsExtShared = true }), inspect.Problem, "roles[2].channel", "shared with another organisation"},
		"private and not invited": {
			channelLike(func(c *slackemu.Channel) { c.IsPrivate, c.WithoutBot = true, true }), inspect.Problem, "roles[2].channel", "/invite @nightlatch there",
		},
		"channel that nobody says": {
			func(n *night) { n.slack.Inject(slackemu.Fault{Method: "conversations.info", Error: "fatal_error"}) }, inspect.Unknown, "roles[2].channel", "could not be asked",
		},
		"channels that it may not look at": {
			func(n *night) { n.slack.Inject(slackemu.Fault{Method: "conversations.info", Error: "missing_scope"}) }, inspect.Problem, "roles[2].channel", "reinstall the app",
		},
		"voter who left":          {userLike(func(u *slackemu.User) { u.Deleted = true }), inspect.Problem, "roles[1].off_call.users[0]", "is deactivated"},
		"voter who is a guest":    {userLike(func(u *slackemu.User) { u.IsRestricted = true }), inspect.Problem, "roles[1].off_call.users[0]", "is a guest"},
		"voter who is a bot":      {userLike(func(u *slackemu.User) { u.IsBot = true }), inspect.Problem, "roles[1].off_call.users[0]", "is a bot"},
		"voter of elsewhere":      {userLike(func(u *slackemu.User) { u.TeamID = "T0ELSE" }), inspect.Problem, "roles[1].off_call.users[0]", "U0LOU"},
		"voter without address":   {userLike(func(u *slackemu.User) { u.EmailUnconfirmed = true }), inspect.Problem, "roles[1].off_call.users[0]", "confirmed"},
		"voter whom nobody is":    {func(n *night) { n.slack.RemoveUser(lou) }, inspect.Problem, "roles[1].off_call.users[0]", "nobody in this workspace"},
		"people whom nobody says": {func(n *night) { n.slack.Inject(slackemu.Fault{Method: "users.list", Status: 500}) }, inspect.Unknown, "roles[1].off_call.users[0]", "could not be asked"},
		"group that there is not": {func(n *night) { n.slack.RemoveUserGroup("SVOTERS") }, inspect.Problem, "roles[2].voters.usergroup", "no user group"},
		"group that is disabled": {
			func(n *night) {
				n.slack.PutUserGroup(slackemu.UserGroup{ID: "SVOTERS", Users: []string{lou}, Disabled: true})
			}, inspect.Problem, "roles[2].voters.usergroup", "disabled",
		},
		"group of nobody":          {func(n *night) { n.slack.PutUserGroup(slackemu.UserGroup{ID: "SVOTERS"}) }, inspect.Problem, "roles[2].voters.usergroup", "no members"},
		"policy that there is not": {func(n *night) { n.pager.RemovePolicy("PORDERS") }, inspect.Problem, "roles[0].on_call[0].policy", "no escalation policy PORDERS"},
		"level that there is not": {
			func(n *night) {
				n.pager.PutPolicy(pagerdutyemu.Policy{ID: "PORDERS", Name: "Orders", Levels: []pagerdutyemu.Level{{{Schedule: prime}}}})
			}, inspect.Problem, "roles[0].voters.levels", "no level 2",
		},
		"schedule in no policy": {
			func(n *night) {
				n.pager.PutPolicy(pagerdutyemu.Policy{ID: "PORDERS", Name: "Orders", Levels: []pagerdutyemu.Level{{{Schedule: second}}, {{Schedule: second}}}})
			}, inspect.Problem, "roles[2].on_call[0].schedule", "stands in no escalation policy",
		},
		"nobody on call": {func(n *night) { n.pager.SetShifts(prime) }, inspect.Note, "roles[0].on_call[0]", "nobody is on call"},
		"schedule that there is not": {
			func(n *night) { n.loaded.Config.Roles[2].OnCall[0].Schedule = "SNONE" }, inspect.Problem, "roles[2].on_call[0].schedule", "no schedule SNONE",
		},
		"PagerDuty is down": {func(n *night) { n.pagerDown() }, inspect.Unknown, "pagerduty.api_url", "reaches PagerDuty"},
		"PagerDuty refuses the key": {
			func(n *night) { n.loaded.Secrets.PagerDuty = grants.NewSecret("u+wrong") }, inspect.Problem, "NIGHTLATCH_PAGERDUTY_KEY", "refuses the key",
		},
		"the key may write":          {func(*night) {}, inspect.Note, "NIGHTLATCH_PAGERDUTY_KEY", "may write too"},
		"nobody says of its rights":  {func(n *night) { n.pager.Inject(pagerdutyemu.Fault{Method: "override.delete", Drop: true}) }, inspect.Note, "NIGHTLATCH_PAGERDUTY_KEY", "could not be seen"},
		"Slack refuses the token":    {func(n *night) { n.loaded.Secrets.SlackBot = grants.NewSecret("xoxb-wrong") }, inspect.Problem, "NIGHTLATCH_SLACK_BOT_TOKEN", "invalid_auth"},
		"Slack is silent":            {func(n *night) { n.slack.Inject(slackemu.Fault{Method: "auth.test", Drop: true}) }, inspect.Unknown, "slack.api_url", "reaches Slack"},
		"token of another workspace": {func(n *night) { n.loaded.Config.Slack.Team = "T0ELSE" }, inspect.Problem, "slack.team", "T0NIGHT"},
		"workspace that is not said": {func(n *night) { n.loaded.Config.Slack.Team = "" }, inspect.Note, "slack.team", "with T0NIGHT there"},
		"app token that is wrong":    {func(n *night) { n.loaded.Secrets.SlackApp = grants.NewSecret("xapp-1-A0NIGHT-wrong") }, inspect.Problem, "NIGHTLATCH_SLACK_APP_TOKEN", "connections:write"},
		"no connection to be had": {
			func(n *night) {
				n.slack.Inject(slackemu.Fault{Method: "apps.connections.open", RetryAfter: time.Minute})
			}, inspect.Unknown, "NIGHTLATCH_SLACK_APP_TOKEN", "pause",
		},
		"clock that is slow": {func(n *night) { n.slack.SetDateSkew(2 * time.Minute) }, inspect.Problem, "clock", "time synchronisation"},
		"clock that is fast": {func(n *night) { n.slack.SetDateSkew(-2 * time.Minute) }, inspect.Problem, "clock", "from Slack's"},
		"ledger of nowhere":  {func(n *night) { n.loaded.Config.Ledger.Path = filepath.Join(n.dir, "none", "ledger.db") }, inspect.Problem, "ledger.path", "install -d"},
		"key that others read": {
			func(n *night) { n.must(os.Chmod(n.loaded.Config.Token.KeyFile, 0o644)) }, inspect.Problem, "token.key_file", "chmod 600",
		},
		"key of nowhere":         {func(n *night) { n.loaded.Config.Token.KeyFile = filepath.Join(n.dir, "none", "key") }, inspect.Problem, "token.key_file", "cannot be made"},
		"key that is made later": {func(n *night) { n.loaded.Config.Token.KeyFile = filepath.Join(n.dir, "key") }, inspect.OK, "token.key_file", "first start"},
		"door that is shut":      {func(n *night) { n.loaded.Config.HTTP.URL = "http://127.0.0.1:1" }, inspect.Note, "http.url", "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, plan{roles: named, world: furnish}, func(n *night) {
				running := n.loaded
				n.loaded.Config.Roles = slices.Clone(running.Config.Roles)
				for i := range n.loaded.Config.Roles {
					n.loaded.Config.Roles[i].OnCall = slices.Clone(running.Config.Roles[i].OnCall)
				}
				c.breaks(n)
				n.finds(c.kind, c.key, c.says)
				n.loaded = running
				n.slack.ClearFaults()
				if n.pagerServer == nil {
					n.pagerUp()
				}
				n.must(os.Chmod(n.loaded.Config.Token.KeyFile, 0o600))
			})
		})
	}
}

// TestScopesThatDiffer: too few are a problem, too many are worth a word.
func TestScopesThatDiffer(t *testing.T) {
	more := append(send.Scopes(), "channels:history")
	play(t, plan{slack: slackemu.Config{BotScopes: more}}, func(n *night) {
		n.finds(inspect.Note, "NIGHTLATCH_SLACK_BOT_TOKEN", "channels:history")
	})
	fewer := slices.DeleteFunc(send.Scopes(), func(s string) bool { return s == "im:write" })
	play(t, plan{slack: slackemu.Config{BotScopes: fewer}}, func(n *night) {
		n.finds(inspect.Problem, "NIGHTLATCH_SLACK_BOT_TOKEN", "lacks the scopes im:write")
	})
}

// TestTokensOfTwoAppsAreFound: they would serve, one workspace each.
func TestTokensOfTwoAppsAreFound(t *testing.T) {
	play(t, plan{slack: slackemu.Config{AppToken: "xapp-1-A0OTHER-12-emulated"}}, func(n *night) {
		n.finds(inspect.Problem, "NIGHTLATCH_SLACK_APP_TOKEN", "take both from one app")
	})
}

// TestARunningBotNamesWhatCannotBeUsed: once, with key and line, and once more when it can be.
func TestARunningBotNamesWhatCannotBeUsed(t *testing.T) {
	const warning = "the configuration names what cannot be used"
	world := func(n *night) {
		furnish(n)
		n.slack.PutChannel(slackemu.Channel{ID: "C0NAMED", Name: "named", WithoutBot: true})
		n.pager.RemovePolicy("PORDERS")
	}
	play(t, plan{roles: named, world: world, reread: 10 * time.Minute}, func(n *night) {
		count := func(text string) int { return strings.Count(n.logs.String(), text) }
		n.pass(time.Hour)
		for _, want := range []string{
			`key=roles[2].channel line=38 what="the bot is not in #named (C0NAMED)`,
			`key=roles[0].on_call[0].policy line=18 what="PagerDuty has no escalation policy PORDERS`,
		} {
			if count(warning) != 3 || count(want) != 1 {
				t.Errorf("%d warnings, %d of them say %s:\n%s", count(warning), count(want), want, n.logs.String())
			}
		}
		n.slack.Inject(slackemu.Fault{Method: "conversations.info", Status: 500, Times: 40})
		n.pass(30 * time.Minute)
		n.slack.ClearFaults()
		n.pass(time.Hour)
		if count(warning) != 3 {
			t.Errorf("a silent Slack made it tell again:\n%s", n.logs.String())
		}
		n.slack.PutChannel(slackemu.Channel{ID: "C0NAMED", Name: "named"})
		n.pass(20 * time.Minute)
		if over := "what the configuration names can be used now"; count(over) != 1 || count(warning) != 3 {
			t.Errorf("what is mended is not told once:\n%s", n.logs.String())
		}
		n.slack.PutChannel(slackemu.Channel{ID: "C0NAMED", Name: "named", IsArchived: true})
		n.pass(20 * time.Minute)
		if count(warning) != 4 {
			t.Errorf("what broke again is not told:\n%s", n.logs.String())
		}
	})
}

// TestNamesOfALoadedConfigurationAreLookedAt: soon, and not with the next reading of the directory.
func TestNamesOfALoadedConfigurationAreLookedAt(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.pass(time.Minute)
		next := n.loaded
		next.Config.Roles = slices.Clone(next.Config.Roles)
		next.Config.Roles[1].Channel = "C0NOPE"
		n.reloads <- next
		n.pass(time.Minute)
		if want := `msg="the configuration names what cannot be used" key=roles[1].channel`; strings.Count(n.logs.String(), want) != 1 {
			t.Errorf("no %s in\n%s", want, n.logs.String())
		}
	})
}
