package socket

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"nightlatch/bot/view"
	"nightlatch/grants"
)

// form is what a person filled in: by block, by action.
type form struct {
	Values map[string]map[string]struct {
		Value    string `json:"value"`
		Selected struct {
			Value string `json:"value"`
		} `json:"selected_option"`
	} `json:"values"`
}

// text is what was typed into an input.
func (f form) text(input string) string { return strings.TrimSpace(f.Values[input][input].Value) }

// chosen is the value of an option.
func (f form) chosen(input string) string { return f.Values[input][input].Selected.Value }

// composed reads the form of a request. What is wrong with it stands under its input.
func (c Command) composed(channel string, f form) (Command, error) {
	c.Verb, c.Channel, c.Field = Ask, channel, view.InputReason
	if channel != "" && !slackID.MatchString(channel) {
		return Command{}, fmt.Errorf("%w: it has an ID that is none", errMalformed)
	}
	c.Line = Line{Verb: Ask, Role: f.chosen(view.InputRole), Reason: f.text(view.InputReason)}
	if utf8.RuneCountInString(c.Line.Role) > longestRole {
		return Command{}, fmt.Errorf("%w: it names no role", errMalformed)
	}
	return c.lasting(f), nil
}

// lasting reads how long, and checks what was typed with it.
func (c Command) lasting(f form) Command {
	if c.Usage = tooLong(c.Line.Reason); c.Usage != nil {
		c.Line.Reason = ""
		return c
	}
	if d := f.chosen(view.InputDuration); d != view.UsualTime && d != "" {
		if c.Line.Duration, c.Usage = parseDuration(d); c.Usage != nil {
			c.Field = view.InputDuration
		}
	}
	return c
}

// extended reads the form of an extension.
func (c Command) extended(metadata string, f form) (Command, error) {
	c.Verb, c.Field = Extend, view.InputReason
	if !grants.ValidID(metadata) {
		return c, errNoGrant
	}
	c.Grant, c.Line = metadata, Line{Verb: Extend, Reason: f.text(view.InputReason)}
	return c.lasting(f), nil
}

// explained reads the modal in which whoever denied a request may say why. Saying nothing is fine.
func (c Command) explained(metadata string, f form) (Command, error) {
	why := f.text(view.InputWhy)
	if why == "" {
		return c, nil
	}
	c.Verb, c.Field = Explain, view.InputWhy
	if !grants.ValidID(metadata) {
		return c, errNoGrant
	}
	c.Grant, c.Line.Reason = metadata, why
	c.Usage = tooLong(why)
	return c, nil
}

// tooLong says when a reason is longer than is kept.
func tooLong(reason string) error {
	if utf8.RuneCountInString(reason) <= longestReason {
		return nil
	}
	return view.UsageError(fmt.Sprintf("The reason is longer than %d characters, so nothing was asked. Say it in a sentence.", longestReason))
}
