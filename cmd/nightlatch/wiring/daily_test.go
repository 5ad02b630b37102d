package wiring_test

import (
	"strings"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/slackemu"
)

// TestASocketIsRefreshedInTheMiddleOfAPress: Slack ends the connection by which the press comes, at that very moment or
// while it is being done. It is done once and acknowledged by whichever connection is there, or Slack warns its person, and
// then it can be pressed again.
func TestASocketIsRefreshedInTheMiddleOfAPress(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.pager.SetShifts(prime) // everything is decided by people
		acknowledged := 0
		refreshed := func(act *slackemu.Act, err error) *slackemu.Act {
			n.must(err)
			n.slack.DisconnectOne("refresh_requested")
			n.pass(4 * time.Second)
			if out := act.Outcome(); !out.Acknowledged && out.Warning == "" {
				t.Errorf("%s of %s is neither acknowledged nor warned of", act.Kind, act.User)
			} else if out.Acknowledged {
				acknowledged++
			}
			return act
		}
		const rounds = 4
		for range rounds {
			asked, opened := len(n.book().of(grants.KindAsked)), len(n.book().of(grants.KindOpened))
			n.pass(10 * time.Minute)
			if !refreshed(n.slack.RunCommand(dan, channel, "/access orders-write 30m checkout is failing")).Outcome().Acknowledged &&
				len(n.book().of(grants.KindAsked)) == asked {
				n.types(dan, "/access orders-write 30m checkout is failing")
			}
			n.counts(grants.KindAsked, asked+1)
			n.pass(10 * time.Minute)
			refreshed(n.slack.Press(lou, slackemu.Find{ActionID: "approve"}))
			if n.hasButton(lou, "approve") {
				n.presses(lou, "approve")
			}
			n.pass(5 * time.Second)
			n.counts(grants.KindOpened, opened+1)

			held := n.slack.Hold(slackemu.Hold{Method: "views.open", When: slackemu.Before})
			act := n.presses(dan, "reveal")
			<-held.Arrived()
			n.slack.DisconnectOne("refresh_requested")
			held.Release()
			n.pass(4 * time.Second)
			n.acknowledged(act)
			token := n.copies(dan)
			n.tokenIs(token, true)

			refreshed(n.slack.Press(dan, slackemu.Find{ActionID: "return"}))
			if n.hasButton(dan, "return") {
				n.presses(dan, "return")
			}
			n.tokenIs(token, false)
		}
		if acknowledged < rounds { // most are; what slack-go has just read when its socket closes is lost
			t.Errorf("of %d presses %d were acknowledged", 3*rounds, acknowledged)
		}
	})
}

// revealsAtHome has a person press Reveal in the App Home and copy the token.
func (n *night) revealsAtHome(user string) string {
	n.t.Helper()
	act, err := n.slack.Press(user, slackemu.Find{ActionID: "reveal", Home: true})
	if err != nil {
		n.t.Fatalf("%v\n%s sees\n%s", err, user, n.slack.SeenBy(user).Text())
	}
	n.pass(time.Second)
	n.acknowledged(act)
	return n.copies(user)
}

// TestAReloadBeforeReveal: what stood in the channel for this person alone is gone, and the App Home still offers it, as
// often as the client is reloaded.
func TestAReloadBeforeReveal(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.openFor("15m")
		n.must(n.slack.Reload(ada))
		n.buttonsAre(ada, "-reveal", "-return")
		_, err := n.slack.OpenHome(ada)
		n.must(err)
		n.pass(time.Second)
		n.must(n.slack.Reload(ada))
		token := n.revealsAtHome(ada)
		n.must(n.slack.Reload(ada)) // with the secret before their eyes
		if aToken.MatchString(n.slack.SeenBy(ada).Text()) {
			t.Error("a reload left the secret where it was")
		}
		n.tokenIs(token, true)
		n.pass(15 * time.Second)
		n.tokenIs(n.revealsAtHome(ada), true)
		_, err = n.slack.CloseView(ada)
		n.must(err)
		_, err = n.slack.Press(ada, slackemu.Find{ActionID: "return", Home: true})
		n.must(err)
		n.pass(2 * time.Second)
		n.tokenIs(token, false)
		if home := n.slack.SeenBy(ada).Home; home == nil || !strings.Contains(home.Visible(), "You have no request or grant") {
			t.Error("the home still offers what is over")
		}
	})
}

// TestACardPressedAfterItWasDecided: whoever looks at an old card is told who decided, and decides nothing.
func TestACardPressedAfterItWasDecided(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.types(dan, "/access orders-write 10m helping")
		screen := n.slack.SeenBy(lou)
		yes, _ := screen.Find(slackemu.Find{ActionID: "approve"})
		no, _ := screen.Find(slackemu.Find{ActionID: "deny"})
		n.presses(lou, "approve")
		n.pass(2 * time.Second)
		token := n.reveals(dan)
		voted := len(n.book().of(grants.KindVoted)) + len(n.book().of(grants.KindDenied))
		for _, old := range []slackemu.Button{no, yes} {
			act, err := n.slack.PressAt(lou, old)
			n.must(err)
			n.pass(2 * time.Second)
			n.acknowledged(act)
		}
		if told := n.toldAlone(lou); strings.Count(told, "The request of <@"+dan+">") != 2 || strings.Count(told, "Said yes: <@"+lou+">") != 2 {
			t.Errorf("two presses too late are answered %q", told)
		}
		n.tokenIs(token, true)
		if got := len(n.book().of(grants.KindVoted)) + len(n.book().of(grants.KindDenied)); got != voted {
			t.Errorf("%d more votes were recorded", got-voted)
		}
		revoke, _ := n.slack.SeenBy(lou).Find(slackemu.Find{ActionID: "revoke"})
		n.presses(dan, "return")
		n.pass(2 * time.Second)
		closing := len(n.book().of(grants.KindClosing))
		act, err := n.slack.PressAt(lou, revoke)
		n.must(err)
		n.pass(2 * time.Second)
		n.acknowledged(act)
		if told := n.toldAlone(lou); !strings.Contains(told, "returned it") {
			t.Errorf("a press on what is over is answered %q", told)
		}
		n.counts(grants.KindClosing, closing)
		if g := n.grant(dan); g.Outcome != grants.Returned || g.EndedBy.Slack() != dan {
			t.Errorf("it ended as %s, by %s", g.Outcome, g.EndedBy)
		}
	})
}

// toldAlone is what only this person sees.
func (n *night) toldAlone(user string) string {
	var all []string
	for _, m := range n.slack.SeenBy(user).Ephemerals {
		all = append(all, m.Visible())
	}
	return strings.Join(all, "\n")
}

// TestTwoOverlappingGrants: of one person for two roles and for one, and of two people. The end of one never touches the
// others, whichever way it ends.
func TestTwoOverlappingGrants(t *testing.T) {
	ends := map[string]func(n *night, id string){
		"returned": func(n *night, id string) { n.pressesOn(ada, id, "return") },
		"revoked":  func(n *night, id string) { n.pressesOn(ben, id, "revoke") },
		"over":     func(n *night, _ string) { n.pass(5 * time.Minute) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			play(t, plan{}, func(n *night) {
				live := map[string]string{} // token by grant
				shown := func(user, id string) {
					n.pressesOn(user, id, "reveal")
					live[id] = n.copies(user)
					_, err := n.slack.CloseView(user)
					n.must(err)
				}
				n.openFor("5m")
				first := n.grantOf(ada, "orders-read").ID
				shown(ada, first)
				n.openFor("15m")
				second := n.grantOf(ada, "orders-read").ID
				shown(ada, second)
				n.types(ada, "/access orders-write 15m checkout is failing")
				n.presses(ben, "approve")
				n.pass(2 * time.Second)
				third := n.grantOf(ada, "orders-write").ID
				shown(ada, third)
				n.types(cat, "/access orders-write 15m helping")
				n.presses(lou, "approve")
				n.pass(2 * time.Second)
				fourth := n.grant(cat).ID
				shown(cat, fourth)
				if len(live) != 4 {
					t.Fatalf("%d grants are open", len(live))
				}
				end(n, first)
				n.pass(5 * time.Second)
				for id, token := range live {
					n.tokenIs(token, id != first)
				}
				for _, s := range n.book().grants {
					if over := s.Grant.State == grants.Closed; over != (s.Grant.ID == first) {
						t.Errorf("grant %s is %s", s.Grant.ID, s.Grant.State)
					}
				}
				n.pressesOn(ada, second, "replace")
				n.pass(5 * time.Second)
				n.tokenIs(live[second], false)
				n.tokenIs(live[third], true)
				n.tokenIs(live[fourth], true)
				n.tokenIs(n.copies(ada), true)
			})
		})
	}
}
