package view

import (
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// Listed begins the block IDs of buttons that stand in a list of somebody's own grants, not in
// the verdict on one.
const Listed = "mine/"

// listed is how many grants a list shows. Each takes two blocks.
const listed = 15

// Mine lists a person's own requests and grants that are not over, with their buttons.
func (f Frame) Mine(ns []service.Notice) Message {
	if len(ns) == 0 {
		return Plain("You have no request or grant that is not over. `/access` opens a form to ask.")
	}
	m := Message{Text: "Your requests and grants", Blocks: f.mine(ns)}
	if env := strings.TrimSuffix(f.environment(), " · "); env != "" {
		m.Blocks = append(m.Blocks, footer(env))
	}
	return m
}

// HomeTab is what the App Home shows.
type HomeTab = slack.HomeTabViewRequest

// Home shows a person what is theirs and not over, and how to ask for more.
func (f Frame) Home(t service.Tab) HomeTab {
	heading := func(text string) slack.Block { return slack.NewHeaderBlock(plain(text)) }
	blocks := []slack.Block{heading("Your requests and grants")}
	if len(t.Mine) == 0 {
		blocks = append(blocks, section("You have no request or grant that is not over."))
	}
	blocks = append(append(blocks, f.mine(t.Mine)...), slack.NewDividerBlock(), heading("What you can ask for"))
	if len(t.Roles) > 0 {
		blocks = append(blocks, slack.NewActionBlock("", slack.NewButtonBlockElement(OpenForm, "", plain("Ask for access"))))
	}
	blocks = append(blocks, f.Help(t.Roles).Blocks...)
	return HomeTab{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: blocks}}
}

func (f Frame) mine(ns []service.Notice) []slack.Block {
	var blocks []slack.Block
	for i, n := range ns {
		if i == listed {
			blocks = append(blocks, section("… and "+strconv.Itoa(len(ns)-listed)+" more."))
			break
		}
		blocks = append(blocks, section(f.line(n)))
		if bs := pressable(n.Grant); len(bs) > 0 {
			blocks = append(blocks, slack.NewActionBlock(Listed+n.Grant.ID, bs...))
		}
	}
	return blocks
}

// line says how one grant stands, to whom it belongs.
func (f Frame) line(n service.Notice) string {
	g := n.Grant
	name := bold(g.Role.Name)
	switch g.State {
	case grants.Asked:
		return name + " for " + length(g.Duration) + " is asked for. PagerDuty is being asked whether you are on call."
	case grants.Pending:
		return pieces(name+" for "+length(g.Duration)+" waits for a yes. Undecided, it lapses "+until(g.PendingUntil)+".", f.votes(g.Votes))
	case grants.Open:
		return pieces(name+" is yours until "+until(g.Ends)+". "+revealed(g), waitsMore(g), shorter(g), runbook(g.Role), undelivered(g))
	}
	return pieces(name+" is over. "+f.outcome(toThem, g), evidence(g, n.Failing))
}

// pressable are the buttons that somebody has for their own grant.
func pressable(g grants.Grant) []slack.BlockElement {
	switch g.State {
	case grants.Asked, grants.Pending:
		return []slack.BlockElement{button(Withdraw, g.ID, "Withdraw", slack.StyleDefault)}
	case grants.Open:
		bs := []slack.BlockElement{button(Reveal, g.ID, "Reveal", slack.StylePrimary)}
		if len(g.InState(grants.Live)) > 0 {
			bs = append(bs, button(Replace, g.ID, "Replace", slack.StyleDefault))
		}
		more := button(OpenMore, g.ID, "Extend", slack.StyleDefault)
		if x, waits := g.Extending(); waits {
			more = button(Withdraw, onExtension(g, x), "Withdraw extension", slack.StyleDefault)
		}
		return append(bs, more, button(Return, g.ID, "Return", slack.StyleDefault))
	}
	return nil
}
