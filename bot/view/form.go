package view

import (
	"strings"

	"github.com/slack-go/slack"

	"nightlatch/grants"
)

// The block IDs of what people fill in. Each block's input has the same action ID.
const (
	InputWhy = "why"
)

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

// input is a field of some lines. It has no initial value: some clients don't show one.
func input(id, label, hint string) *slack.InputBlock {
	field := slack.NewPlainTextInputBlockElement(nil, id).WithMultiline(true).WithMaxLength(LongestReason)
	return slack.NewInputBlock(id, plain(label), plain(hint), field)
}

// FieldError reports whether a sentence may stand under an input, where Slack reads no markup.
func FieldError(sentence string) bool { return !strings.Contains(sentence, "<") }
