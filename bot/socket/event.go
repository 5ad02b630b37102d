package socket

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/slack-go/slack"

	"nightlatch/bot/send"
	"nightlatch/grants"
)

// parseEvent reads what happened in the workspace. What nobody here waits for, and what cannot be
// understood, is only acknowledged: Slack would send it again.
func parseEvent(envelope string, payload []byte) Command {
	nothing := Command{Envelope: envelope, Verb: Nothing}
	var p struct {
		Team       string `json:"team_id"`
		Enterprise string `json:"enterprise_id"`
		Event      struct {
			Type string          `json:"type"`
			User json.RawMessage `json:"user"`
			Tab  string          `json:"tab"`
		} `json:"event"`
	}
	if json.Unmarshal(payload, &p) != nil {
		return nothing
	}
	c := Command{Envelope: envelope, Team: p.Team, Enterprise: p.Enterprise}
	switch e := p.Event; {
	case e.Type == "app_home_opened" && e.Tab == "home" && json.Unmarshal(e.User, &c.User) == nil:
		if c.Verb = OpenHome; c.checkIDs() != nil {
			return nothing
		}
		return c
	case !slackID.MatchString(c.Team):
	case e.Type == "user_change":
		return c.about(e.User)
	case e.Type == "team_join", strings.HasPrefix(e.Type, "subteam_"):
		c.Verb = DirectoryChanged
		return c
	}
	return nothing
}

// about reads whose account changed. Where the event does not say all that decides what somebody is, the
// directory is read instead.
func (c Command) about(user []byte) Command {
	var u slack.User
	var said struct {
		Confirmed *bool `json:"is_email_confirmed"`
	}
	c.Verb = DirectoryChanged
	if json.Unmarshal(user, &u) != nil || json.Unmarshal(user, &said) != nil || !slackID.MatchString(u.TeamID) || !slackID.MatchString(u.ID) {
		return c
	}
	if said.Confirmed != nil || u.Deleted || u.IsBot {
		c.Verb, c.About = UserChanged, send.Person(u)
	}
	return c
}

// hear hands on what Slack says of its people. What was not recorded is not acknowledged: Slack
// says it again, a few times. In case it stops before that, the directory is read.
func (l *Listener) hear(j job) {
	switch {
	case j.foreign(l.c.Identity):
		l.foreign.Add(1)
		l.sorry(j, nil)
		return
	case j.Verb == DirectoryChanged:
		l.c.Directory.DirectoryChanged()
		l.sorry(j, nil)
		return
	}
	j.then = func(ctx context.Context) {
		recording, cancel := context.WithDeadline(ctx, j.deadline)
		defer cancel()
		if err := l.c.Directory.UserChanged(recording, j.About); err != nil {
			l.c.Log.Warn("a change of an account was not recorded", "person", string(grants.KeyOf(j.About.Team, j.About.ID)), "error", err)
			l.c.Directory.DirectoryChanged()
			return
		}
		l.ack(ctx, j, nil)
	}
	select {
	case l.windows <- j:
	default:
		l.c.Directory.DirectoryChanged()
	}
}
