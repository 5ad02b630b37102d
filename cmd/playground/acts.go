package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/emulators/slackemu"
)

// place is where a person reads something in Slack.
type place string

// The places.
const (
	alone     place = "alone"          // an ephemeral message, for that person only
	direct    place = "direct message" // from the bot
	inChannel place = "#" + channelName
)

// messages are those of a screen that stand at the place, the newest first.
func (p place) messages(s slackemu.Screen) []slackemu.Message {
	if p == alone {
		return newestFirst(s.Ephemerals)
	}
	return newestFirst(slices.DeleteFunc(slices.Clone(s.Messages), func(m slackemu.Message) bool {
		return (p == direct) != strings.HasPrefix(m.Channel, "D")
	}))
}

func newestFirst(list []slackemu.Message) []slackemu.Message {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b slackemu.Message) int { return strings.Compare(b.TS, a.TS) })
	return list
}

// onCall checks what PagerDuty says about a level now.
func onCall(who person, level int) act {
	return func(ctx context.Context, n *night) error {
		var now []pagerdutyemu.OnCall
		if err := n.pagerduty.get(ctx, "oncall", &now); err != nil {
			return err
		}
		if !slices.ContainsFunc(now, func(o pagerdutyemu.OnCall) bool { return o.User == who.pagerduty() && o.Level == level }) {
			return &difference{expected: fmt.Sprintf("%s is on call at level %d", who.first(), level), seen: fmt.Sprint(now)}
		}
		return nil
	}
}

// asksForHelp asks what can be had, again and again until the program has read who the people are.
func asksForHelp(who person, roles ...string) act {
	return func(ctx context.Context, n *night) error {
		const line = "/access help"
		next := time.Now()
		var seen slackemu.Message
		err := n.eventually(ctx, who.first()+" is told about "+strings.Join(roles, " and "), func(ctx context.Context) (string, bool, error) {
			if now := time.Now(); now.After(next) {
				next = now.Add(time.Second)
				if err := n.slack.act(ctx, "command", object{"user": who, "channel": channel, "line": line}); err != nil {
					return "", false, err
				}
			}
			s, err := n.slack.screen(ctx, who)
			if err != nil || len(s.Ephemerals) == 0 {
				return "nothing", false, err
			}
			seen = newestFirst(s.Ephemerals)[0]
			return n.readable(seen.Visible()), hasAll(n.readable(seen.Visible()), roles), nil
		})
		if err == nil {
			n.deed("%s types %s", who.first(), line)
			n.shown(fmt.Sprintf("Nightlatch to %s alone", who.first()), seen.Visible(), nil)
		}
		return err
	}
}

// types lets a person run a command in the channel.
func types(who person, line string) act {
	return func(ctx context.Context, n *night) error {
		n.deed("%s types %s", who.first(), line)
		return n.slack.act(ctx, "command", object{"user": who, "channel": channel, "line": line})
	}
}

// reads waits until a person sees a message at a place that has all the phrases and exactly these buttons.
func reads(who person, where place, buttons string, phrases ...string) act {
	return func(ctx context.Context, n *night) error {
		expected := fmt.Sprintf("%s reads (%s) %q with the buttons %q", who.first(), where, phrases, buttons)
		return n.eventually(ctx, expected, func(ctx context.Context) (string, bool, error) {
			s, err := n.slack.screen(ctx, who)
			if err != nil {
				return "", false, err
			}
			var all []string
			for _, m := range where.messages(s) {
				text := n.readable(m.Visible())
				if hasAll(text, phrases) && labels(m.Buttons) == buttons {
					n.shown(heard(who, where), m.Visible(), m.Buttons)
					return "", true, nil
				}
				all = append(all, text+"\n"+labels(m.Buttons))
			}
			return strings.Join(all, "\n--\n"), false, nil
		})
	}
}

// heard says who reads where.
func heard(who person, where place) string {
	switch where {
	case alone:
		return "Nightlatch to " + who.first() + " alone"
	case direct:
		return "Nightlatch to " + who.first() + ", by direct message"
	default:
		return "Nightlatch in " + string(where)
	}
}

// presses lets a person press the newest button of that label, and remembers where it is.
func presses(who person, label string) act {
	return func(ctx context.Context, n *night) error {
		s, err := n.slack.screen(ctx, who)
		if err != nil {
			return err
		}
		b, ok := s.Find(slackemu.Find{Text: label})
		if !ok {
			return &difference{expected: who.first() + " sees the button " + label, seen: n.readable(s.Text())}
		}
		n.stolen[label] = b
		n.deed("%s presses [%s]", who.first(), label)
		return n.slack.act(ctx, "press_at", object{"user": who, "button": b})
	}
}

// pressesStolen lets a person press the button that another one pressed last.
func pressesStolen(who, owner person, label string) act {
	return func(ctx context.Context, n *night) error {
		n.deed("%s presses %s's [%s]", who.first(), owner.first(), label)
		return n.slack.act(ctx, "press_at", object{"user": who, "button": n.stolen[label]})
	}
}

// seesWindow waits until a person sees a modal of that title with all the phrases.
func seesWindow(who person, title string, phrases ...string) act {
	return func(ctx context.Context, n *night) error {
		return n.window(ctx, who, fmt.Sprintf("titled %q with %q", title, phrases), func(v slackemu.View) bool {
			return v.Title == title && hasAll(n.readable(v.Visible()), phrases)
		})
	}
}

// getsSecret waits until a person sees a secret, and keeps it. The window must be one that Slack never sends back.
func getsSecret(who person, role string) act {
	return func(ctx context.Context, n *night) error {
		var echoes []string
		err := n.window(ctx, who, "with a secret for "+role, func(v slackemu.View) bool {
			n.secrets[role], echoes = tokens.FindString(v.Visible()), echoing(v)
			return n.secrets[role] != "" && strings.Contains(n.readable(v.Visible()), role)
		})
		if err == nil && len(echoes) > 0 {
			return &difference{expected: "Slack never sends the window of a secret back", seen: "it has " + strings.Join(echoes, ", ")}
		}
		return err
	}
}

// echoing lists what makes Slack send a whole modal back to the app.
func echoing(v slackemu.View) (why []string) {
	for what, has := range map[string]bool{
		"a button": len(v.Buttons) > 0, "an input": len(v.Inputs) > 0, "a submission": v.Submit != "", "a notice of its closing": v.NotifyOnClose,
	} {
		if has {
			why = append(why, what)
		}
	}
	return why
}

// window waits for a person's modal.
func (n *night) window(ctx context.Context, who person, what string, fits func(slackemu.View) bool) error {
	return n.eventually(ctx, who.first()+" sees a window "+what, func(ctx context.Context) (string, bool, error) {
		s, err := n.slack.screen(ctx, who)
		switch {
		case err != nil:
			return "", false, err
		case s.Modal == nil:
			return "no window; " + n.readable(s.Text()), false, nil
		case fits(*s.Modal):
			n.shown("Window, to "+who.first()+" alone", s.Modal.Visible(), s.Modal.Buttons)
			return "", true, nil
		}
		return n.readable(s.Modal.Visible()), false, nil
	})
}

// closesWindow lets a person close their modal.
func closesWindow(who person) act {
	return func(ctx context.Context, n *night) error {
		return n.slack.post(ctx, "close", object{"user": who}, nil)
	}
}

func hasAll(text string, phrases []string) bool {
	return !slices.ContainsFunc(phrases, func(p string) bool { return !strings.Contains(text, p) })
}
