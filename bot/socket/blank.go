package socket

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"nightlatch/bot/send"
	"nightlatch/bot/view"
	"nightlatch/grants"
	"nightlatch/grants/service"
)

// shown is how long a secret stands in its modal.
const shown = 90 * time.Second

// lookPause is how often the grant of a secret that is shown is looked at.
const lookPause = time.Second

// blanker takes secrets out of the modals that showed them for long enough, or whose grant is over.
type blanker struct {
	sender *send.Sender
	people People
	frame  view.Frame
	wake   chan struct{}

	mu   sync.Mutex
	open []showing
}

// showing is a modal that shows a secret.
type showing struct {
	window send.Window
	grant  string
	person grants.PersonKey
	modal  view.Modal // what takes its place
	since  time.Time
	due    time.Time
	tries  int
}

func newBlanker(c Config, f view.Frame) *blanker {
	return &blanker{sender: c.Sender, people: c.People, frame: f, wake: make(chan struct{}, 1)}
}

// add remembers a modal that shows a secret from now on until a time, or until the secret expires.
func (b *blanker) add(w send.Window, r service.Revealed, due time.Time) {
	if !r.Expires.IsZero() && r.Expires.Before(due) {
		due = r.Expires
	}
	w.Hash = "" // whatever it shows by then is blanked
	b.put(showing{window: w, grant: r.Grant.ID, person: r.Grant.Person, modal: b.frame.Blanked(), since: due, due: due})
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
		b.look(ctx)
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

// look makes due what shows a secret of a grant that is over. What cannot be found out waits for its time.
func (b *blanker) look(ctx context.Context) {
	b.mu.Lock()
	open := slices.DeleteFunc(slices.Clone(b.open), func(s showing) bool { return s.tries > 0 })
	b.mu.Unlock()
	over := map[string]bool{}
	for _, s := range open {
		mine, err := b.people.Mine(ctx, s.person)
		over[s.grant] = err == nil && !slices.ContainsFunc(mine, func(n service.Notice) bool {
			return n.Grant.ID == s.grant && n.Grant.State == grants.Open
		})
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, s := range b.open {
		if over[s.grant] && s.tries == 0 { // what Slack did not let us blank is due at a time of its own
			b.open[i].due, b.open[i].modal = time.Time{}, b.frame.BlankedAtEnd()
		}
	}
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
			if s.tries == 0 {
				next = min(next, lookPause)
			}
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
			_, err := b.sender.Fill(ctx, s.window, s.modal)
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
