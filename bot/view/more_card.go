package view

import (
	"github.com/slack-go/slack"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// MoreCard shows an extension to the people who decide about it, with Approve and Deny while
// it is pending, and from then on who decided what.
func (f Frame) MoreCard(n service.Notice) Message {
	g, x := n.Grant, n.Extension
	who := f.mention(string(g.Person))
	if x.State != grants.Closed {
		return f.moreCardPending(n, who+" asks for "+length(x.By)+" more of "+bold(g.Role.Name)+".")
	}
	title := who + " asked for " + length(x.By) + " more of " + bold(g.Role.Name) + ". " + f.outcomeMore(g, x)
	why := ""
	if x.Outcome == grants.Refused {
		why = f.explanation(ofThem, x.Reasons, g.Role)
	}
	m := Message{Text: title, Blocks: append([]slack.Block{section(pieces(title, why, f.votes(x.Votes)))}, f.theirWords(n)...)}
	m.Blocks = append(m.Blocks, f.footerMore(n))
	return m
}

func (f Frame) moreCardPending(n service.Notice, title string) Message {
	g, x := n.Grant, n.Extension
	// Asked is when the least would be given; a yes at the last moment gives the most.
	wants := "It is open until " + until(g.Ends) + ", and would go on until " + until(x.Wants(g, x.PendingUntil))
	if x.Basis == grants.ByVotes {
		wants += " or the end of their shift"
	}
	ask := f.voters(x.Voters) + " One no denies it, and the grant ends as it would."
	value := onExtension(g, x)
	choice := []slack.BlockElement{button(Approve, value, "Approve", slack.StylePrimary), button(Deny, value, "Deny", slack.StyleDanger)}
	if x.Question(g).Approved() {
		ask, choice = "It has every yes that it needs, and is decided as soon as PagerDuty answers. A no still denies it.", choice[1:]
	}
	blocks := append([]slack.Block{section(pieces(title, wants+" at the latest.", f.explanation(ofThem, x.Reasons, g.Role)))}, f.theirWords(n)...)
	return Message{Text: title, Blocks: append(blocks,
		literal("What they go on being given", g.Role.Description, n.Plan),
		section(pieces(speed(n.Does), runbook(g.Role), revealed(g), undelivered(g))),
		section(pieces(ask, f.votes(x.Votes), lapses(x))),
		buttons(choice...),
		f.footerMore(n),
	)}
}

// theirWords are both reasons: of the request, and of the extension if there is one.
func (f Frame) theirWords(n service.Notice) []slack.Block {
	blocks := []slack.Block{quote("Their reason for the request, in their own words:", n.Reason)}
	if n.Because != "" {
		blocks = append(blocks, quote("Why they need longer:", n.Because))
	}
	return blocks
}
