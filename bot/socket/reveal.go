package socket

import (
	"context"
	"errors"
	"time"

	"github.com/slack-go/slack"

	"nightlatch/bot/send"
	"nightlatch/bot/view"
	"nightlatch/grants/service"
)

// Times of a reveal. The trigger is dead after three seconds; the service asks PagerDuty
// and the issuer; a view that Slack has not confirmed after fillTimeout counts as refused.
const (
	openTimeout   = 2500 * time.Millisecond
	ackSettles    = 500 * time.Millisecond
	revealTimeout = 12 * time.Second
	fillTimeout   = 5 * time.Second
	retireTimeout = 1500 * time.Millisecond
	retireTries   = 5
)

// reveal acknowledges, opens an empty modal, has the secret made and fills it in. Without a
// modal nothing is made; a secret that Slack does not take is taken back.
func (l *Listener) reveal(ctx context.Context, j job) {
	c := j.Command
	if time.Now().After(j.deadline) { // the trigger is as good as dead
		l.reply(ctx, j, view.Plain(view.Busy))
		return
	}
	if c.Ephemeral { // the press brings a fresh URL by which the verdict can be replaced
		l.c.Sender.Remember(c.Grant, c.ResponseURL)
	}
	window, err := l.oneMoment(ctx, j)
	if err != nil {
		l.c.Log.Warn("could not open the modal of a secret", "grant", c.Grant, "error", err)
		l.tell(ctx, c, view.Plain(l.frame.NotOpened()))
		return
	}
	making, cancel := context.WithTimeout(ctx, revealTimeout)
	defer cancel()
	revealed, err := l.c.Revealer.Reveal(making, service.Showing{
		Origin: c.origin(), Grant: c.Grant, Ends: c.Ends, Replace: c.Verb == Replace,
	})
	if err != nil {
		l.note(j, err)
		l.say(ctx, c, window, l.noSecret(err))
		return
	}
	if err := l.deliver(ctx, window, revealed); err != nil {
		l.takeBack(ctx, c, window, revealed, err)
	}
}

// oneMoment acknowledges and opens the modal, or, when a modal was submitted, keeps that one.
// Slack changes a submitted modal when it gets to the acknowledgement, in its own time; the hash
// of an update after that keeps a late one from covering the secret.
func (l *Listener) oneMoment(ctx context.Context, j job) (send.Window, error) {
	c := j.Command
	wait := l.frame.OneMoment()
	opening, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if c.Window == "" {
		l.ack(ctx, j, nil)
		return l.c.Sender.Open(opening, c.Trigger, wait)
	}
	l.ack(ctx, j, slack.NewUpdateViewSubmissionResponse(&wait))
	select {
	case <-time.After(ackSettles):
	case <-opening.Done():
	}
	return l.c.Sender.Fill(opening, send.Window{ID: c.Window}, wait)
}

// deliver fills the secret into its modal, and remembers to blank it.
func (l *Listener) deliver(ctx context.Context, w send.Window, r service.Revealed) error {
	modal, fits := l.frame.Secret(r, shown)
	if !fits {
		return errors.New("the secret does not fit into a modal")
	}
	filling, cancel := context.WithTimeout(ctx, fillTimeout)
	defer cancel()
	w, err := l.c.Sender.Fill(filling, w, modal)
	if err != nil {
		return err
	}
	l.blanker.add(w, r, time.Now().Add(shown))
	return nil
}

// takeBack has a secret revoked that Slack did not confirm, and says so. It is recorded
// even while the program ends.
func (l *Listener) takeBack(ctx context.Context, c Command, w send.Window, r service.Revealed, why error) {
	l.c.Log.Error("a secret was not delivered", "grant", c.Grant, "credential", r.Ordinal, "error", why)
	for try := 1; ; try++ {
		retiring, cancel := context.WithTimeout(context.WithoutCancel(ctx), retireTimeout)
		err := l.c.Revealer.Undelivered(retiring, c.Grant, r.Ordinal, why.Error())
		cancel()
		if err == nil {
			break
		}
		l.c.Log.Error("could not take back a secret that was not delivered", "grant", c.Grant, "credential", r.Ordinal, "attempt", try, "error", err)
		if try == retireTries || ctx.Err() != nil {
			break
		}
		time.Sleep(time.Second)
	}
	// Slack may have taken the secret without saying so: it is covered, whatever is there, also
	// while the program ends.
	w.Hash = ""
	covering, cancel := context.WithTimeout(context.WithoutCancel(ctx), retireTimeout)
	defer cancel()
	lost := l.frame.Undelivered(r.Grant.Role.Verify)
	l.say(covering, c, w, l.frame.Problem(lost))
	l.tell(ctx, c, view.Plain(lost))
}

// noSecret is the modal for a reveal that made nothing.
func (l *Listener) noSecret(err error) view.Modal {
	if errors.Is(err, service.ErrJustShown) {
		return l.frame.JustShown()
	}
	if two, ok := errors.AsType[*service.TwoLiveError](err); ok {
		return l.frame.EndOldest(two)
	}
	return l.frame.Problem(l.frame.Sentence(err))
}

// say shows something in the modal that is open.
func (l *Listener) say(ctx context.Context, c Command, w send.Window, m view.Modal) {
	filling, cancel := context.WithTimeout(ctx, fillTimeout)
	defer cancel()
	if _, err := l.c.Sender.Fill(filling, w, m); err != nil {
		l.c.Log.Warn("could not fill a modal", "grant", c.Grant, "error", err)
	}
}
