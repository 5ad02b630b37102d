package inspect

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"nightlatch/bot/send"
	"nightlatch/grants"
	"nightlatch/integrations/pagerduty"
)

// The variables of the secrets, under which their findings stand.
const (
	botToken     = "NIGHTLATCH_SLACK_BOT_TOKEN"
	appToken     = "NIGHTLATCH_SLACK_APP_TOKEN"
	pagerDutyKey = "NIGHTLATCH_PAGERDUTY_KEY"
)

// mostAhead is how far our clock may be from Slack's, either way.
const mostAhead = time.Minute

// slack looks at the two tokens and what they may do. It reports whether the bot token is any good.
func (i Inspector) slack(ctx context.Context, f *findings) bool {
	in, err := i.Slack.Inspect(ctx)
	switch {
	case errors.Is(err, send.ErrAuth):
		f.problem(botToken, "%v: copy the bot token (xoxb-…) of the installed app again; if the app was removed, install it from deploy/slack-manifest.yaml", err)
		return false
	case err != nil && in.Team == "":
		f.add(Unknown, "slack.api_url", "%v: see whether this machine reaches Slack", err)
		return false
	case err != nil:
		f.unknown(botToken, err)
	}
	i.workspace(f, in)
	i.scopes(f, in.Scopes)
	switch {
	case !in.Dated:
		f.add(Unknown, "clock", "could not be compared: Slack's answer has no date")
	case in.Ahead.Abs() > mostAhead:
		f.problem("clock", "this machine's is %s from Slack's: grants would end at the wrong time; set up time synchronisation (timedatectl, chrony)", short(in.Ahead.Abs()))
	default:
		f.ok("clock", "as Slack's")
	}
	i.socket(ctx, f, in.App)
	return true
}

func (i Inspector) workspace(f *findings, in send.Installation) {
	switch team := i.Config.Slack.Team; team {
	case in.Team:
		f.ok(botToken, "works in %s (%s)", in.TeamName, in.Team)
	case "":
		f.ok(botToken, "works in %s (%s)", in.TeamName, in.Team)
		f.note("slack.team", "is not set; with %s there, a start needs no answer of Slack", in.Team)
	default:
		f.problem("slack.team", "is %s, and the bot token is of %s (%s); correct one of them", team, in.TeamName, in.Team)
	}
}

func (i Inspector) scopes(f *findings, granted []string) {
	needed := send.Scopes()
	if granted == nil {
		f.add(Unknown, botToken, "could not be asked for its scopes: Slack's answer does not name them")
		return
	}
	missing := slices.DeleteFunc(slices.Clone(needed), func(s string) bool { return slices.Contains(granted, s) })
	more := slices.DeleteFunc(slices.Clone(granted), func(s string) bool { return slices.Contains(needed, s) })
	switch {
	case len(missing) > 0:
		f.problem(botToken, "lacks the scopes %s: put deploy/slack-manifest.yaml into the app's settings, and reinstall the app", strings.Join(missing, ", "))
	case len(more) > 0:
		f.note(botToken, "has scopes that nothing here uses: %s; take them away in the app's settings", strings.Join(more, ", "))
	default:
		f.ok(botToken, "has the %d scopes that are needed, and no other", len(needed))
	}
}

// socket looks at the app-level token. A connection is asked for, and not opened.
func (i Inspector) socket(ctx context.Context, f *findings, app string) {
	via := send.Config{APIURL: i.Config.Slack.URL, Transport: i.Sockets}
	of := send.AppOf(i.Secrets.SlackApp)
	switch err := send.CanConnect(ctx, via, i.Secrets.SlackApp); {
	case errors.Is(err, send.ErrAuth):
		f.problem(appToken, "%v: make an app-level token (xapp-…) with the scope connections:write, in the app's Basic Information", err)
	case err != nil:
		f.unknown(appToken, err)
	case app != "" && of != "" && app != of:
		f.problem(appToken, "is of the app %s, and the bot token is of %s: take both from one app", of, app)
	case app == "" || of == "":
		f.ok(appToken, "opens a socket; whether it is of the bot token's app could not be seen")
	default:
		f.ok(appToken, "opens a socket, and is of the same app (%s)", app)
	}
}

// pagerDuty looks at the key. It reports whether it may read.
func (i Inspector) pagerDuty(ctx context.Context, f *findings) bool {
	users, err := i.PagerDuty.Users(ctx)
	switch {
	case errors.Is(err, pagerduty.ErrUnauthorized):
		f.problem(pagerDutyKey, "%v: make a read-only REST API key (Integrations, API Access Keys); a key of an account in the EU needs pagerduty.api_url: https://api.eu.pagerduty.com", err)
		return false
	case err != nil:
		f.add(Unknown, "pagerduty.api_url", "%v: see whether this machine reaches PagerDuty", err)
		return false
	}
	switch may, err := i.PagerDuty.MayWrite(ctx); {
	case err != nil:
		f.ok(pagerDutyKey, "reads %d users", len(users))
		f.note(pagerDutyKey, "whether it may write could not be seen: %v", err)
	case may:
		f.note(pagerDutyKey, "reads %d users, and may write too: a read-only key is enough, and worth less to a thief", len(users))
	default:
		f.ok(pagerDutyKey, "reads %d users, and may not write", len(users))
	}
	return true
}

// onCall looks whether somebody is on call now.
func (i Inspector) onCall(ctx context.Context, f *findings) {
	all := i.sources()
	if len(all) == 0 {
		return
	}
	var sources []grants.Source
	for _, s := range all {
		sources = append(sources, s.Source)
	}
	live, err := i.PagerDuty.Entries(ctx, sources, time.Time{}, time.Time{})
	if err != nil {
		f.unknown(all[0].key, err)
		return
	}
	for _, s := range all {
		users := map[string]bool{}
		for _, e := range live.Entries {
			if s.Covers(e) {
				users[e.User] = true
			}
		}
		if len(users) == 0 {
			f.note(s.key, "nobody is on call for it now; while that is so, nobody has it by being on call")
			continue
		}
		f.ok(s.key, "on call now: %s", strings.Join(sorted(users), ", "))
	}
}
