package view

import (
	"strings"
	"time"

	"github.com/slack-go/slack"

	"nightlatch/grants"
)

// UsageError says how a command is to be written. Its text is for people.
type UsageError string

func (e UsageError) Error() string { return string(e) }

const usage = "Write `/access ROLE DURATION REASON`, for example `/access orders-read 1h checkout is failing`. `/access` alone opens a form, `/access extend 30m still failing` asks for more of what is open, `/access show` lists what you have, `/access help` your roles."

// Usage is the answer to a bare command whose form could not be opened.
func (f Frame) Usage() Message { return Plain(usage) }

// Asking is the answer to a request that was recorded and is being decided.
func (f Frame) Asking(g grants.Grant) Message {
	return Plain("Your request for " + bold(g.Role.Name) + " is recorded. PagerDuty is being asked whether you are on call.")
}

const helped = 30 // roles that help lists

// Help lists the roles that can concern a person, each with an example that works.
func (f Frame) Help(roles []grants.Role) Message {
	if len(roles) == 0 {
		return Plain("There is no role that you could ask for. If you think there should be, ask whoever looks after Nightlatch here.")
	}
	m := Message{Text: "What you can ask for", Blocks: []slack.Block{section(usage +
		"\nThe duration is written 30m, 1h or 1h30m; without one it is the role's usual time.")}}
	for i, r := range roles {
		if i == helped {
			m.Blocks = append(m.Blocks, section("… and "+count(len(roles)-helped, "more role")+"."))
			break
		}
		m.Blocks = append(m.Blocks, section(helpLine(r)))
	}
	if env := strings.TrimSuffix(f.environment(), " · "); env != "" {
		m.Blocks = append(m.Blocks, footer(env))
	}
	return m
}

func helpLine(r grants.Role) string {
	how := "After a yes by others."
	if r.Automatic == grants.WhenOnCall {
		how = "At once while you are on call for it."
	}
	return pieces(
		bold(r.Name)+"  "+escape(Clean(orElse(r.Description, "No description."), 300)),
		how+" Usually for "+length(r.Default)+", at most "+length(r.Max)+". "+runbook(r),
		"`/access "+escape(Clean(r.Name, 80))+" "+short(r)+" what happened`",
	)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// short is the role's usual time as the command reads it.
func short(r grants.Role) string {
	s := strings.TrimSuffix(r.Default.Round(time.Second).String(), "0s")
	if t, ok := strings.CutSuffix(s, "h0m"); ok {
		return t + "h"
	}
	return orElse(s, "30m")
}
