package deaths_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"nightlatch/bot/view"
	"nightlatch/grants"
	"nightlatch/integrations/emulators/slackemu"
)

// extends has somebody ask for more time in a form, and waits until they are told what is to become of it.
func (n *night) extends(who, grant string) {
	n.t.Helper()
	submitted := false
	form := func() bool {
		m := n.slack.SeenBy(who).Modal
		return m != nil && m.CallbackID == view.Extend
	}
	heard := func() bool { return len(n.more(who, grant, false)) > 0 }
	act := func() (*slackemu.Act, error) {
		if submitted = form(); submitted {
			return n.slack.Submit(who, nil)
		}
		_, _ = n.slack.CloseView(who) // something else, if anything
		return n.button(who, grant, view.OpenMore)()
	}
	n.insist(press{what: who + " opens the form of an extension", done: func() bool { return form() || heard() }, act: act})
	n.insist(press{
		what: who + " asks for an extension",
		done: heard,
		act:  act,
		took: func(answer json.RawMessage) {
			if submitted && len(answer) == 0 { // otherwise the form says what is wrong
				n.keeps(promise{grants.KindExtensionAsked, grant, who})
			}
		},
	})
	_, _ = n.slack.CloseView(who) // a form that was opened twice
}

// approvesMore has somebody say yes to every extension of a grant that waits for one.
func (n *night) approvesMore(who, owner, grant string) {
	n.t.Helper()
	waits := func() (b slackemu.Button, any bool) {
		for _, m := range n.more(who, grant, true) {
			if i := slices.IndexFunc(m.Buttons, func(b slackemu.Button) bool { return b.ActionID == view.Approve }); i >= 0 {
				return m.Buttons[i], true
			}
		}
		return b, false
	}
	n.insist(press{
		what: who + " approves an extension",
		done: func() bool {
			_, any := waits()
			return !any && n.moreDecided(who, grant, true) && n.moreDecided(owner, grant, false)
		},
		act: func() (*slackemu.Act, error) {
			b, any := waits()
			if !any {
				return nil, fmt.Errorf("looking for a card: %w", slackemu.ErrUnseen)
			}
			return n.slack.PressAt(who, b)
		},
		took: func(json.RawMessage) { n.keeps(promise{grants.KindExtensionVoted, grant, who}) },
	})
}

// more is the newest message about each extension of a grant, by what its footer says.
func (n *night) more(who, grant string, card bool) map[string]slackemu.Message {
	last := map[string]slackemu.Message{}
	s := n.slack.SeenBy(who)
	for _, m := range slices.Concat(s.Messages, s.Ephemerals) {
		if _, ordinal, about := strings.Cut(m.Visible(), "Grant "+grant+", extension "); about && isCard(m) == card && m.TS > last[ordinal].TS {
			last[ordinal] = m
		}
	}
	return last
}

// moreDecided reports whether somebody sees that each extension of a grant is decided.
func (n *night) moreDecided(who, grant string, card bool) bool {
	all := n.more(who, grant, card)
	for _, m := range all {
		if len(m.Buttons) > 0 || strings.Contains(m.Visible(), "is recorded.") {
			return false
		}
	}
	return len(all) > 0
}

// toldMore checks that everybody sees how the extensions of a grant were decided.
func (n *night) toldMore(g grants.Grant) {
	n.t.Helper()
	if len(g.Extensions) == 0 {
		return
	}
	owner := g.Person.Slack()
	if got := len(n.more(owner, g.ID, false)); got != len(g.Extensions) || !n.moreDecided(owner, g.ID, false) {
		n.t.Errorf("%s was told of %d of %d extensions of %s, or not how they were decided", owner, got, len(g.Extensions), g.ID)
	}
	if len(n.more(ben, g.ID, true)) > 0 && !n.moreDecided(ben, g.ID, true) {
		n.t.Errorf("a card of an extension of %s does not show how it was decided", g.ID)
	}
	for _, x := range g.Extensions {
		if x.State != grants.Closed {
			n.t.Errorf("extension %d of %s is %s", x.Ordinal, g.ID, x.State)
		}
	}
}

func isCard(m slackemu.Message) bool { return m.Channel == channel && !m.Ephemeral }
