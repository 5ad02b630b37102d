package view

import (
	"slices"

	"github.com/slack-go/slack"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// Card shows a grant to the people who decide about it: with Approve and Deny while it is
// pending, with Revoke while it is open, and from then on how it ended, without buttons.
func (f Frame) Card(n service.Notice) Message {
	switch n.Grant.State {
	case grants.Asked, grants.Pending:
		return f.cardPending(n)
	case grants.Open:
		return f.cardOpen(n)
	default:
		return f.cardOver(n)
	}
}

func (f Frame) cardPending(n service.Notice) Message {
	g := n.Grant
	title := f.mention(string(g.Person)) + " asks for " + bold(g.Role.Name) + " for " + length(g.Duration) + "."
	ask := f.voters(g.Voters) + " One no denies it."
	choice := []slack.BlockElement{button(Approve, g.ID, "Approve", slack.StylePrimary), button(Deny, g.ID, "Deny", slack.StyleDanger)}
	if g.Question().Approved() {
		ask, choice = "It has every yes that it needs, and opens as soon as PagerDuty answers. A no still denies it.", choice[1:]
	}
	return Message{
		Text: title,
		Blocks: []slack.Block{
			section(title + "\n" + f.explanation(ofThem, g.Reasons, g.Role)),
			quote("Their reason, in their own words:", n.Reason),
			literal("What they will be given", g.Role.Description, n.Plan),
			section(pieces(speed(n.Does), runbook(g.Role))),
			section(pieces(ask, f.votes(g.Votes), "Undecided, it lapses "+until(g.PendingUntil)+".")),
			buttons(choice...),
			footer(f.environment() + "Request " + g.ID),
		},
	}
}

func (f Frame) cardOpen(n service.Notice) Message {
	g := n.Grant
	title := f.mention(string(g.Person)) + " has " + bold(g.Role.Name) + " until " + until(g.Ends) + "."
	m := Message{
		Text: title,
		Blocks: []slack.Block{
			section(pieces(title, f.explanation(ofThem, unvoted(current(g)), g.Role), f.votes(g.Votes))),
			quote("Their reason, in their own words:", n.Reason),
			literal("What they are given", g.Role.Description, n.Plan),
			section(pieces(speed(n.Does), runbook(g.Role), revealed(g), undelivered(g))),
		},
	}
	if g.Role.Voters.Any() || g.Role.OffCall.Any() { // who votes may revoke; without voters nobody may
		m.Blocks = append(m.Blocks, buttons(button(Revoke, g.ID, "Revoke", slack.StyleDanger)))
	}
	m.Blocks = append(m.Blocks, footer(f.environment()+"Grant "+g.ID))
	return m
}

func (f Frame) cardOver(n service.Notice) Message {
	g := n.Grant
	verb, kind := " asked for ", "Request "
	if !g.Opened.IsZero() {
		verb, kind = " had ", "Grant "
	}
	title := f.mention(string(g.Person)) + verb + bold(g.Role.Name) + ". " + f.outcome(ofThem, g)
	why := ""
	if g.Outcome == grants.Refused {
		why = f.explanation(ofThem, g.Reasons, g.Role)
	}
	m := Message{
		Text: title,
		Blocks: []slack.Block{
			section(pieces(title, why, f.votes(g.Votes), evidence(g, n.Failing))),
			quote("Their reason, in their own words:", n.Reason),
		},
	}
	if n.Why != "" {
		m.Blocks = append(m.Blocks, quote("Why it was denied, in the words of who did:", n.Why))
	}
	m.Blocks = append(m.Blocks, footer(f.environment()+kind+g.ID))
	return m
}

// votes says who voted what, so that nobody has to ask.
func (f Frame) votes(vs []grants.Vote) string {
	var yes, no []string
	for _, v := range vs {
		if v.Yes {
			yes = append(yes, string(v.Person))
		} else {
			no = append(no, string(v.Person))
		}
	}
	var lines []string
	if len(yes) > 0 {
		lines = append(lines, "Said yes: "+f.mentions(yes, "and")+".")
	}
	if len(no) > 0 {
		lines = append(lines, "Said no: "+f.mentions(no, "and")+".")
	}
	return pieces(lines...)
}

// unvoted leaves out the votes, which a card lists by themselves.
func unvoted(reasons []grants.Reason) []grants.Reason {
	return slices.DeleteFunc(reasons, func(r grants.Reason) bool { return r.Code == grants.HasVotes })
}

// revealed says how often the secret was shown.
func revealed(g grants.Grant) string {
	switch g.Reveals {
	case 0:
		return "It was not revealed yet."
	case 1:
		return "It was revealed once."
	}
	return "It was revealed " + count(g.Reveals, "time") + "."
}
