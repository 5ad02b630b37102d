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
