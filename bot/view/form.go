package view

import (
	"strings"
	"time"

	"github.com/slack-go/slack"

	"nightlatch/grants"
)

// The block IDs of what people fill in. Each block's input has the same action ID.
const (
	InputWhy      = "why"
	InputRole     = "role"
	InputDuration = "duration"
	InputReason   = "reason"
)

// UsualTime is the choice of a duration that leaves it to the role.
const UsualTime = "usual"

// LongestReason is how many characters a person may type into a reason.
const LongestReason = 1000

// AskWhy asks whoever denied a request for a word of explanation. The no is recorded already.
func (f Frame) AskWhy(g grants.Grant) Modal {
	m := modal("Tell them why?",
		section("You said no to the request of "+f.mention(string(g.Person))+" for "+bold(g.Role.Name)+". That is recorded, whatever you do here."),
		input(InputWhy, "Why", "They read it, and so does the channel of the request.").WithOptional(true),
	)
	m.Submit, m.Close = plain("Tell them"), plain("Say nothing")
	m.CallbackID, m.PrivateMetadata = TellWhy, g.ID
	return m
}

// The bounds of a choice, by Slack.
const (
	mostOptions   = 100
	longestOption = 75 // characters of its text and of its description
)

// Compose is the form of a request: the roles that can concern the person, how long, and why.
// The channel is where they typed the command.
func (f Frame) Compose(roles []grants.Role, channel string) Modal {
	var names []*slack.OptionBlockObject
	var longest time.Duration
	for _, r := range roles[:min(len(roles), mostOptions)] {
		names = append(names, choice(r.Name, r.Name, r.Description))
		longest = max(longest, r.Max)
	}
	role := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plain("Choose one"), InputRole, names...)
	if len(names) == 1 {
		role.InitialOption = names[0]
	}
	reason := input(InputReason, "What for?", "Whoever decides reads it. No passwords or tokens, please.")
	m := modal("Ask for access",
		slack.NewInputBlock(InputRole, plain("Role"), nil, role),
		slack.NewInputBlock(InputDuration, plain("For how long?"), plain("It ends with your shift or the role's maximum at the latest."), f.durations(roles, longest)),
		reason,
	)
	if env := strings.TrimSuffix(f.environment(), " · "); env != "" {
		m.Blocks.BlockSet = append(m.Blocks.BlockSet, footer(env))
	}
	m.Submit, m.Close = plain("Ask"), plain("Cancel")
	m.CallbackID, m.PrivateMetadata = Ask, channel
	return m
}

// steps are the durations that people choose from.
var steps = [...]time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour, 24 * time.Hour}

// durations is the choice of how long, up to what the most generous role gives.
func (f Frame) durations(roles []grants.Role, longest time.Duration) slack.BlockElement {
	usual := "The role's usual time"
	if len(roles) == 1 {
		usual = "The usual " + length(roles[0].Default)
	}
	options := []*slack.OptionBlockObject{choice(UsualTime, usual, "")}
	for _, d := range steps {
		if d < longest {
			options = append(options, choice(d.String(), length(d), ""))
		}
	}
	options = append(options, choice(longest.String(), length(longest), ""))
	e := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, InputDuration, options...)
	return e.WithInitialOption(options[0])
}

// choice is an option. A role's name is never longer than Slack lets it be.
func choice(value, text, description string) *slack.OptionBlockObject {
	var more *slack.TextBlockObject
	if description != "" {
		more = plain(Clean(description, longestOption))
	}
	return slack.NewOptionBlockObject(value, plain(Clean(text, longestOption)), more)
}

// input is a field of some lines. It has no initial value: some clients don't show one.
func input(id, label, hint string) *slack.InputBlock {
	field := slack.NewPlainTextInputBlockElement(nil, id).WithMultiline(true).WithMaxLength(LongestReason)
	return slack.NewInputBlock(id, plain(label), plain(hint), field)
}

// FieldError reports whether a sentence may stand under an input, where Slack reads no markup.
func FieldError(sentence string) bool { return !strings.Contains(sentence, "<") }
