package view

import (
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"nightlatch/grants"
)

// Longer is the form of an extension: how much longer, and why if there is more to say. While
// an earlier one waits there is nothing to fill in.
func (f Frame) Longer(g grants.Grant) Modal {
	if _, waits := g.Extending(); waits {
		return modal("Asked already", section(pieces(waitsMore(g),
			"To ask differently, withdraw it first: `/access show` has the button.")))
	}
	why := input(InputReason, "Why?", "Whoever decides reads it, beside your first reason. No passwords or tokens, please.").WithOptional(true)
	m := modal("Extend your grant",
		section(pieces(bold(g.Role.Name)+" is yours until "+until(g.Ends)+".", limits(g))),
		slack.NewInputBlock(InputDuration, plain("How much longer?"), plain("Counted from the end that it has now."), longer(g.Role)),
		why,
	)
	if env := strings.TrimSuffix(f.environment(), " · "); env != "" {
		m.Blocks.BlockSet = append(m.Blocks.BlockSet, footer(env))
	}
	m.Submit, m.Close = plain("Extend"), plain("Cancel")
	m.CallbackID, m.PrivateMetadata = Extend, g.ID
	return m
}

// LongerTyped takes the place of the form when Slack does not open it.
func (f Frame) LongerTyped(g grants.Grant) Message {
	return Plain("Slack did not open the window, so nothing was asked. Press Extend again, or write it: " + extendLine(g) + ".")
}

// limits says who decides about an extension, and what can cut it.
func limits(g grants.Grant) string {
	by := "Others have to say yes, as they would to a request."
	if g.Role.Automatic == grants.WhenOnCall && g.Basis != grants.ByOffCallVotes {
		by = "While you are on call it is extended at once; otherwise others are asked."
	}
	most := "From now on it can last " + length(g.Role.Max) + " at most"
	if g.BoundToShift() && !g.Shift.Until.IsZero() {
		most += ", and not beyond the end of your shift, " + until(g.Shift.Until)
	}
	return pieces(by, most+".")
}

// longer is the choice of how much longer, with the role's usual time chosen.
func longer(r grants.Role) slack.BlockElement {
	choices := []time.Duration{r.Default, r.Max}
	for _, d := range steps {
		if d < r.Max {
			choices = append(choices, d)
		}
	}
	slices.Sort(choices)
	choices = slices.Compact(choices)
	var options []*slack.OptionBlockObject
	for _, d := range choices {
		options = append(options, choice(d.String(), length(d), ""))
	}
	e := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, InputDuration, options...)
	return e.WithInitialOption(options[slices.Index(choices, r.Default)])
}

// NotYours answers whoever wants to extend what is no open grant of theirs.
const NotYours = "This is no open grant of yours, so nothing was done. If you still need it, ask for it anew with `/access`."

// AskingMore is the answer to an extension that was recorded and is being decided.
func (f Frame) AskingMore(g grants.Grant) Message {
	by := "more time"
	if x, waits := g.Extending(); waits {
		by = length(x.By) + " more"
	}
	return Plain("Asked for " + by + " of " + bold(g.Role.Name) + ", which ends " + until(g.Ends) + " so far. You will be told by direct message what becomes of it.")
}

// WhichOne answers a command that does not say which open grant is to be extended.
func (f Frame) WhichOne(open []grants.Grant, role string) Message {
	if len(open) == 0 {
		return Plain("You have no open grant, so there is nothing to extend. `/access` opens a form to ask for one.")
	}
	lead := "You have more than one open grant, so nothing was asked. Say which one:"
	if !slices.ContainsFunc(open, func(g grants.Grant) bool { return g.Role.Name == role }) && role != "" {
		lead = "You have no open grant of that role, so nothing was asked. These can be extended:"
	}
	lines := []string{lead}
	twice := false
	for i, g := range open[:min(len(open), listed)] {
		twice = twice || slices.ContainsFunc(open[:i], func(o grants.Grant) bool { return o.Role.Name == g.Role.Name })
		lines = append(lines, extendLine(g)+" for "+bold(g.Role.Name)+" until "+until(g.Ends))
	}
	if twice {
		lines = append(lines, "Of two with the same role, press Extend on the one that you mean: `/access show` lists them.")
	}
	return Plain(pieces(lines...))
}

// extendLine is the command that extends a grant.
func extendLine(g grants.Grant) string {
	return "`/access extend " + escape(Clean(g.Role.Name, 80)) + " " + short(g.Role) + " still failing`"
}
