package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The hours of the story.
func paged() time.Time { return time.Date(2026, time.March, 7, 3, 12, 0, 0, time.UTC) }

func six() time.Time { return time.Date(2026, time.March, 7, 6, 0, 0, 0, time.UTC) }

// play plays the night from the first step to the last. It stops at the first difference.
func (n *night) play(ctx context.Context) error {
	n.clock = newClock(paged())
	n.handover = n.clock.real(six())
	if err := n.populate(ctx, n.handover); err != nil {
		return fmt.Errorf("filling the emulators: %w", err)
	}
	if err := n.start(ctx); err != nil {
		return err
	}
	n.heading("One night with Nightlatch. Slack and PagerDuty are emulators, the program is the real one.\n" +
		"Left is the story's time, then the real seconds since the program was started.")
	for _, s := range story() {
		n.step(s.says)
		for _, do := range s.acts {
			if err := do(ctx, n); err != nil {
				return n.explained(err, s)
			}
		}
	}
	return nil
}

// story is the night, step by step.
func story() []step {
	return []step{
		{
			"PagerDuty pages Mara: checkout is failing. She is on call at level 1 until six, when Priya takes over; " +
				"Jonas is level 2.",
			[]act{
				onCall(mara, 1), onCall(jonas, 2),
				asksForHelp(mara, "orders-read", "orders-write"),
			},
		},
		{
			"Reading orders needs nobody's yes while she is on call.",
			[]act{
				types(mara, "/access orders-read 1h checkout is failing"),
				reads(mara, alone, "[Reveal] [Extend] [Return]", "You have orders-read", "You are on call until today at 06:00"),
				presses(mara, "Reveal"),
				getsSecret(mara, "orders-read"),
				introspects("orders-read", true),
			},
		},
		{
			"She finds order 4711 stuck, and returns what she no longer needs.",
			[]act{
				closesWindow(mara),
				presses(mara, "Return"),
				reads(mara, alone, "", "Your access to orders-read is over", "You returned it", "refused by its target (proven"),
				introspects("orders-read", false),
			},
		},
		{
			"Releasing an order is another role: somebody else must say yes.",
			[]act{
				types(mara, "/access orders-write 4h order 4711 is stuck, it must be released"),
				reads(mara, alone, "[Withdraw]", "waits for a yes", "Nobody gets this role without a yes"),
				reads(jonas, inChannel, "[Approve] [Deny]", "@Mara asks for orders-write for 4 hours", "order 4711 is stuck"),
			},
		},
		{
			"Mara sees that card too, and presses Approve herself.",
			[]act{
				presses(mara, "Approve"),
				reads(mara, alone, "", "Nobody decides about their own request"),
			},
		},
		{
			"Priya is awake as well, and would rather do it herself. She is not on call yet.",
			[]act{
				types(priya, "/access orders-write 30m I can release the order"),
				reads(priya, alone, "", "was refused", "You are not on call", "On call is @Mara, until today at 06:00"),
			},
		},
		{
			"Jonas, the next level, has read what will be given, and approves.",
			[]act{
				presses(jonas, "Approve"),
				reads(jonas, inChannel, "[Revoke]", "@Mara has orders-write until today at 06:00", "Said yes: @Jonas", "not revealed yet"),
				reads(mara, direct, "[Reveal] [Extend] [Return]", "You have orders-write until today at 06:00", "It ends with your shift"),
			},
		},
		{
			"Mara reveals the secret. It is made at this moment, and shown to her alone.",
			[]act{
				presses(mara, "Reveal"),
				getsSecret(mara, "orders-write"),
				introspects("orders-write", true),
			},
		},
		{
			"She has copied it and closes the window. There is no second look at it.",
			[]act{
				closesWindow(mara),
				nobodySees("orders-write"),
				presses(mara, "Reveal"),
				seesWindow(mara, "Shown already", "shown moments ago"),
				nobodySees("orders-write"),
				closesWindow(mara),
			},
		},
		{
			"Otto got hold of the coordinates of Mara's button, and presses it from his own account.",
			[]act{
				pressesStolen(otto, mara, "Reveal"),
				seesWindow(otto, "Not shown", "belongs to somebody else"),
				nobodySees("orders-write"),
				reads(jonas, inChannel, "[Revoke]", "revealed once"),
				introspects("orders-write", true),
			},
		},
		{
			"The hours until six pass at once: in PagerDuty, Mara's shift now ends in a few seconds, and Nightlatch notices.",
			[]act{
				movesHandover,
				introspects("orders-write", true),
			},
		},
		{
			"Six o'clock. Nobody does anything.",
			[]act{
				diesWithTheShift("orders-write"),
				reads(jonas, inChannel, "", "@Mara had orders-write", "Their PagerDuty shift ended, today at 06:00", "refused by its target (proven"),
				reads(mara, direct, "", "Your access to orders-write is over", "Your PagerDuty shift ended", "refused by its target (proven"),
			},
		},
		{
			"Where did the secrets go? Each token's signature is looked for, however spelled, in everything that Slack was " +
				"ever sent, in the log, and in the ledger's file.",
			[]act{findsSecretsOnlyIn(mara), noRulesBroken},
		},
		{
			"The program is told to stop.",
			[]act{stops},
		},
	}
}

// explained adds to a difference where in the story it was seen, and the end of the program's log. When a call failed
// because the program died, that is the difference.
func (n *night) explained(err error, s step) error {
	d, found := errors.AsType[*difference](err)
	if !found && !errors.Is(err, context.Canceled) {
		select {
		case <-n.program.done:
			d = n.program.died()
		case <-time.After(time.Second):
		}
	}
	if d == nil {
		return fmt.Errorf("playing %q: %w", s.says, err)
	}
	d.step, d.log = s.says, n.program.log.tail()
	return d
}
