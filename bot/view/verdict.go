package view

import (
	"slices"

	"github.com/slack-go/slack"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// Verdict shows a grant to the person who asked: who can say yes and Withdraw while it is
// pending, how long, the runbook, Reveal and Return while it is open, and from then on how
// it ended and what proves it, without buttons.
func (f Frame) Verdict(n service.Notice) Message {
	g := n.Grant
	switch {
	case g.State == grants.Asked:
		return f.message(n, "Your request for "+bold(g.Role.Name)+" is recorded. PagerDuty is being asked whether you are on call.", "")
	case g.State == grants.Pending:
		return f.verdictPending(n)
	case g.State == grants.Open:
		return f.verdictOpen(n)
	case g.Outcome == grants.Refused:
		return f.verdictRefused(n)
	default:
		return f.verdictOver(n)
	}
}

// message is a verdict: a title, what it says, and the buttons if there are any.
func (f Frame) message(n service.Notice, title, body string, bs ...slack.BlockElement) Message {
	kind := "Request "
	if !n.Grant.Opened.IsZero() {
		kind = "Grant "
	}
	return told(title, body, footer(f.environment()+kind+n.Grant.ID), bs...)
}

func told(title, body string, foot slack.Block, bs ...slack.BlockElement) Message {
	m := Message{Text: title, Blocks: []slack.Block{section(pieces(title, body))}}
	if len(bs) > 0 {
		m.Blocks = append(m.Blocks, buttons(bs...))
	}
	m.Blocks = append(m.Blocks, foot)
	return m
}

func (f Frame) verdictPending(n service.Notice) Message {
	g := n.Grant
	title := "Your request for " + bold(g.Role.Name) + " (" + length(g.Duration) + ") waits for a yes."
	ask := f.voters(g.Voters) + f.asked(n)
	if g.Question().Approved() {
		title = "Your request for " + bold(g.Role.Name) + " (" + length(g.Duration) + ") has every yes that it needs."
		ask = "It opens as soon as PagerDuty answers."
	}
	body := pieces(
		f.explanation(toThem, g.Reasons, g.Role),
		ask,
		f.votes(g.Votes),
		"Undecided, it lapses "+until(g.PendingUntil)+". You will be told by direct message.",
	)
	return f.message(n, title, body, pressable(g)...)
}

// asked says where the voters were asked, or that they could not be.
func (f Frame) asked(n service.Notice) string {
	g := n.Grant
	if g.Role.Channel == "" {
		return ""
	}
	if n.Unasked {
		return "\n⚠ *They could not be asked*: Nightlatch can't write to " + channelOf(g) +
			". Whoever looks after it here has to invite it there, or to name another channel; until then it goes on trying."
	}
	return " They are asked in " + channelOf(g) + "."
}

func channelOf(g grants.Grant) string { return "<#" + escape(Clean(g.Role.Channel, 40)) + ">" }

func (f Frame) verdictOpen(n service.Notice) Message {
	g := n.Grant
	title := "You have " + bold(g.Role.Name) + " until " + until(g.Ends) + "."
	body := pieces(f.explanation(toThem, current(g), g.Role), waitsMore(g), shorter(g), runbook(g.Role), undelivered(g))
	m := f.message(n, title, body, pressable(g)...)
	m.Blocks = slices.Insert(m.Blocks, 1,
		literal("What you are given", g.Role.Description, n.Plan),
		section(how(g)))
	return m
}

// how says what the buttons of an open grant do.
func how(g grants.Grant) string {
	done := "Press Return when you are done."
	if _, waits := g.Extending(); !waits {
		done = "Press Extend if you need it longer, and Return when you are done."
	}
	s := "Press Reveal when you need it: the secret is made then, and shown to you alone. " + done
	if len(g.InState(grants.Live)) > 0 {
		s += " Did somebody else see it? Press Replace: what was shown stops working, and a new one is shown."
	}
	return s
}

// verdictRefused explains itself: why not, who is on call until when, who could say yes.
func (f Frame) verdictRefused(n service.Notice) Message {
	g := n.Grant
	title := "Your request for " + bold(g.Role.Name) + " was refused."
	who := ""
	nobody := slices.ContainsFunc(g.Reasons, func(r grants.Reason) bool { return r.Code == grants.NoVoters })
	if g.Role.OffCall.Any() && !nobody {
		who = "To somebody off call: " + f.voters(g.Role.OffCall)
	}
	return f.message(n, title, pieces(f.explanation(toThem, g.Reasons, g.Role), who))
}

func (f Frame) verdictOver(n service.Notice) Message {
	g := n.Grant
	title := "Your request for " + bold(g.Role.Name) + " is over."
	if !g.Opened.IsZero() {
		title = "Your access to " + bold(g.Role.Name) + " is over."
	}
	again := ""
	switch g.Outcome {
	case grants.Lapsed, grants.Expired:
		again = "If you still need it, ask again."
	case grants.Revoked, grants.Denied:
		again = "If you still need it, talk to them, then ask again."
	}
	m := f.message(n, title, pieces(f.outcome(toThem, g), evidence(g, n.Failing), again))
	if n.Why != "" {
		m.Blocks = slices.Insert(m.Blocks, 1, quote("Why it was denied, in the words of who did:", n.Why))
	}
	return m
}

const newest = "The newest direct message from Nightlatch shows how it stands."

// Elsewhere takes the place of a verdict that nobody updates any more: it has no buttons,
// and says where the one is that does.
func (f Frame) Elsewhere(n service.Notice) Message {
	return f.message(n, f.Verdict(n).Text, newest)
}

// current is what of the decision's reasons still matters while a grant is open, as of the
// shift that is known now.
func current(g grants.Grant) []grants.Reason {
	var rs []grants.Reason
	cut := g.BoundToShift() && !g.Shift.Until.IsZero() && g.Ends.Equal(g.Shift.Until)
	for _, r := range g.Reasons {
		switch r.Code {
		case grants.NeedsVotes, grants.CutToShift: // it has them; and what cuts it now is said below
			continue
		case grants.OnCallNow:
			if cut {
				continue
			}
			r.Until = g.Shift.Until
		}
		rs = append(rs, r)
	}
	if cut {
		rs = append(rs, grants.Reason{Code: grants.CutToShift, Until: g.Ends})
	}
	return rs
}
