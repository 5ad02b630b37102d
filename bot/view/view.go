// Package view turns values into what Slack shows: messages for the surfaces of a
// grant and of its extensions, modals around a secret, and the sentences in them.
//
// It is pure: no clock, no wire, nothing kept. Whatever a person typed or is called is
// cleaned and escaped here, and only here. Every reason of a verdict becomes a sentence in
// [Frame.Explain], every error in [Frame.Sentence].
//
// Caveat: one function puts a secret into a view, [Frame.Secret]. Its result goes into one
// views.update and nowhere else, above all into no log.
package view

import (
	"time"

	"github.com/slack-go/slack"

	"nightlatch/grants"
)

// The action IDs of the buttons. Each button's value is a grant's ID; where it is about an
// extension of the grant, a space and its ordinal follow.
const (
	Approve  = "approve"
	Deny     = "deny"
	Revoke   = "revoke"
	Withdraw = "withdraw"
	Return   = "return"
	Reveal   = "reveal"
	Replace  = "replace"
)

// OpenMore is the action ID of the button that opens the form of an extension. Its value is a grant's ID.
const OpenMore = "more"

// Extend is the callback ID of the form of an extension. Its private metadata is the grant's ID.
const Extend = "extend"

// OpenForm is the action ID of the button that opens the form of a request. It has no value.
const OpenForm = "form"

// Ask is the callback ID of the form of a request. Its private metadata is the channel where it was called.
const Ask = "ask"

// TellWhy is the callback ID of the modal in which whoever denied a request may say why. Its
// private metadata is the grant's ID.
const TellWhy = "explain"

// ConfirmReveal is the callback ID of the modal whose submission ends the oldest credential
// and shows a new one. Its private metadata is the grant's ID, a space and the ordinal of the oldest.
const ConfirmReveal = "reveal_ends"

// Message is what a message shows. Text stands in for the blocks in notifications and for
// screen readers.
type Message struct {
	Text   string        `json:"text"`
	Blocks []slack.Block `json:"blocks,omitempty"`
}

// Frame is what every view needs beside its own values.
type Frame struct {
	Environment string                                // "playground" is shown on every card and verdict
	Who         func(id string) (grants.Person, bool) // by person key or PagerDuty user ID; nil: nobody is known
}

// Plain is a message of one sentence.
func Plain(sentence string) Message {
	return Message{Text: sentence, Blocks: []slack.Block{section(sentence)}}
}

// section is a block of mrkdwn in which Slack looks for no names or links of its own.
func section(text string) slack.Block {
	return slack.NewSectionBlock(markdown(text, longestText), nil, nil)
}

// footer is a block of small print.
func footer(text string) slack.Block {
	return slack.NewContextBlock("", markdown(text, longestText))
}

const longestText = 3000 // of one text object, by Slack

func markdown(text string, most int) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, cut(text, most), false, true)
}

func plain(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
}

// quote shows a text of other people literally: rich text has no markup to inject.
func quote(intro, text string) slack.Block {
	return slack.NewRichTextBlock("",
		slack.NewRichTextSection(slack.NewRichTextSectionTextElement(intro, nil)),
		&slack.RichTextQuote{Type: slack.RTEQuote, Elements: []slack.RichTextSectionElement{
			slack.NewRichTextSectionTextElement(Clean(text, longestReason), nil),
		}},
	)
}

// literal shows words of the configuration and of issuers, whose asterisks are no markup.
func literal(title string, lines ...string) slack.Block {
	text := ""
	for _, l := range lines {
		if l != "" {
			text += "\n" + Clean(l, longestPlan)
		}
	}
	heading := slack.NewRichTextSectionTextElement(title, &slack.RichTextSectionTextStyle{Bold: true})
	if text == "" {
		text = "\nIt is not known yet."
	}
	return slack.NewRichTextBlock("", slack.NewRichTextSection(heading, slack.NewRichTextSectionTextElement(text, nil)))
}

const longestPlan = 1500 // characters of an issuer's sentence that are shown

const longestReason = 500 // characters of a typed reason that are shown

func buttons(bs ...slack.BlockElement) slack.Block { return slack.NewActionBlock("", bs...) }

func button(action, grant, label string, style slack.Style) slack.BlockElement {
	return slack.NewButtonBlockElement(action, grant, plain(label)).WithStyle(style)
}

// environment is the footer's warning, on everything that belongs to no real workspace.
func (f Frame) environment() string {
	if f.Environment == "" || f.Environment == "production" {
		return ""
	}
	return "Environment: *" + escape(f.Environment) + "* · "
}

// until says when something ends and how long that is from now on, in the reader's time zone.
func until(t time.Time) string {
	return date(t, "{date_short_pretty} at {time}") + " (" + date(t, "{ago}") + ")"
}

func at(t time.Time) string { return date(t, "{date_short_pretty} at {time_secs}") }
