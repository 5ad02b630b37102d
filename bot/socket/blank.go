package socket

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"nightlatch/bot/send"
	"nightlatch/bot/view"
	"nightlatch/grants/service"
)

// shown is how long a secret stands in its modal.
const shown = 90 * time.Second

// blanker takes secrets out of the modals that showed them for long enough.
type blanker struct {
	sender *send.Sender
	modal  view.Modal
	wake   chan struct{}

	mu   sync.Mutex
	open []showing
}

// showing is a modal that shows a secret.
type showing struct {
	window send.Window
	since  time.Time
	due    time.Time
	tries  int
}

func newBlanker(s *send.Sender, m view.Modal) *blanker {
	return &blanker{sender: s, modal: m, wake: make(chan struct{}, 1)}
}

// add remembers a modal that shows a secret from now on.
func (b *blanker) add(w send.Window, due time.Time) {
	w.Hash = "" // whatever it shows by then is blanked
	b.put(showing{window: w, since: due, due: due})
}

func (b *blanker) put(s showing) {
	b.mu.Lock()
	b.open = append(b.open, s)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// run blanks what is due until its context ends. Then it blanks what is still open, within
// the time that a shutdown leaves for it.
func (b *blanker) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		due, next := b.due(time.Now())
		b.blank(ctx, due)
		timer.Reset(next)
		select {
		case <-timer.C:
		case <-b.wake:
		case <-ctx.Done():
			return
		}
	}
}

// rest blanks everything at once, before the program ends.
func (b *blanker) rest(ctx context.Context) {
	all, _ := b.due(time.Now().Add(24 * time.Hour))
	b.blank(ctx, all)
}

// due takes the modals that are due, and says how long the next has time.
func (b *blanker) due(now time.Time) (due []showing, next time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	next = time.Hour
	var later []showing
	for _, s := range b.open {
		if s.due.After(now) {
			later, next = append(later, s), min(next, s.due.Sub(now))
		} else {
			due = append(due, s)
		}
	}
	b.open = later
	return due, next
}

// A modal that Slack does not let us blank is tried again, after longer and longer, for as
// long as somebody may leave it open.
const (
	blankPause = 2 * time.Second
	blankRest  = 2 * time.Minute
	blankFor   = time.Hour
)

// blank blanks modals, some at a time. One that was closed needs none; what Slack does not
// answer, or refuses for a reason of its own, is tried again.
func (b *blanker) blank(ctx context.Context, due []showing) {
	var group errgroup.Group
	group.SetLimit(8)
	for _, s := range due {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, fillTimeout)
			defer cancel()
			_, err := b.sender.Fill(ctx, s.window, b.modal)
			if err == nil || errors.Is(err, send.ErrModalClosed) || time.Since(s.since) > blankFor {
				return nil
			}
			pause := min(blankPause<<max(0, min(s.tries-4, 10)), blankRest)
			s.tries++
			if wait, ok := errors.AsType[*service.Wait](err); ok {
				pause = wait.For
			}
			s.due = time.Now().Add(pause)
			b.put(s)
			return nil
		})
	}
	_ = group.Wait() // its functions return no error
}
