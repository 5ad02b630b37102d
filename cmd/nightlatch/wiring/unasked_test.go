package wiring_test

import (
	"testing"
	"time"

	"nightlatch/integrations/emulators/slackemu"
)

// room is the channel in which orders-write is voted on.
func room(change func(*slackemu.Channel)) slackemu.Channel {
	c := slackemu.Channel{ID: channel, Name: "on-call", Members: []string{ada, ben, lou}}
	change(&c)
	return c
}

// TestWhoeverCouldNotBeAskedIsNotSaidToBe: the bot was not invited, or the channel is no more. It is the mistake of a
// first day, and found by whoever waits at night.
func TestWhoeverCouldNotBeAskedIsNotSaidToBe(t *testing.T) {
	for name, closed := range map[string]func(*slackemu.Channel){
		"not invited":            func(c *slackemu.Channel) { c.WithoutBot = true },
		"private, so not to see": func(c *slackemu.Channel) { c.WithoutBot, c.IsPrivate = true, true },
		"archived":               func(c *slackemu.Channel) { c.IsArchived = true },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, plan{world: func(n *night) { n.slack.PutChannel(room(closed)) }}, func(n *night) {
				n.types(ada, "/access orders-write 1h order 4711 is stuck")
				n.pass(time.Second)
				n.reads(ada, "waits for a yes", "They could not be asked", "has to invite it there")
				if n.misread(ada, "They are asked in") {
					t.Error("somebody is said to be asked")
				}
				n.pass(5 * time.Minute)
				posts := n.calls("chat.postMessage")
				n.slack.PutChannel(room(func(*slackemu.Channel) {}))
				n.pass(2 * time.Minute)
				n.reads(ada, "They are asked in")
				if n.misread(ada, "They could not be asked") {
					t.Error("nobody is said to be asked, and the card is there")
				}
				if more := n.calls("chat.postMessage") - posts; more != 1 {
					t.Errorf("%d messages were posted, want the card alone", more)
				}
				n.presses(ben, "approve")
				n.pass(3 * time.Second)
				n.reads(ada, "You have *orders-write*")
			})
		})
	}
}

// TestARestartKeepsThatNobodyWasAsked: it is no news then, and when the card is there that is told.
func TestARestartKeepsThatNobodyWasAsked(t *testing.T) {
	play(t, plan{world: func(n *night) {
		n.slack.PutChannel(room(func(c *slackemu.Channel) { c.WithoutBot = true }))
	}}, func(n *night) {
		n.types(ada, "/access orders-write 1h order 4711 is stuck")
		n.pass(3 * time.Second)
		n.restart()
		n.pass(time.Minute)
		n.reads(ada, "They could not be asked")
		if n.misread(ada, "They are asked in") {
			t.Error("somebody is said to be asked")
		}
		n.slack.PutChannel(room(func(*slackemu.Channel) {}))
		n.pass(2 * time.Minute)
		n.reads(ada, "They are asked in") // by direct message
	})
}
