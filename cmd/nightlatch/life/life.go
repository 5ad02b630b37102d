// Package life starts the parts of a program, and stops them in order.
//
// [UntilTold] waits for a signal, [RunAll] runs the parts under one roof, and [Cleanups]
// undoes what was built, also when building failed half-way.
//
// Caveats: UntilTold returns when its patience is over, whatever still runs; its caller
// is expected to leave the process.
package life

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
)

// ErrSlow ends a stop that took too long, or that somebody had no patience for.
var ErrSlow = errors.New("stopped before everything was closed")

// errEnded is of a part that stopped though nobody told it to.
var errEnded = errors.New("it ended by itself")

// UntilTold runs until it ends or a signal comes. From then on it has so much patience
// until everything is stopped, and less when a second signal comes.
func UntilTold(ctx context.Context, signals <-chan os.Signal, patience time.Duration, run func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	select {
	case err := <-done:
		return err
	case <-signals:
		stop()
	}
	select {
	case err := <-done:
		return err
	case s := <-signals:
		return fmt.Errorf("%w: a second signal came (%s)", ErrSlow, s)
	case <-time.After(patience):
		return fmt.Errorf("%w: %s were over", ErrSlow, patience)
	}
}

// Part is one long-running thing: it blocks until its context ends or it fails.
type Part struct {
	Name string
	Run  func(context.Context) error
}

// RunAll runs the parts at once. When one fails or the context ends, they are stopped
// one after another, each when the one before it is done.
func RunAll(ctx context.Context, parts ...Part) error {
	group, told := errgroup.WithContext(ctx)
	before := told.Done()
	for _, p := range parts {
		mine, stop := context.WithCancel(context.WithoutCancel(ctx))
		over, turn := make(chan struct{}), before
		group.Go(func() error {
			defer stop()
			select {
			case <-turn:
			case <-over:
			}
			return nil
		})
		group.Go(func() error {
			defer close(over)
			err := p.Run(mine)
			switch {
			case err != nil && (mine.Err() == nil || !errors.Is(err, context.Canceled)):
				return fmt.Errorf("running %s: %w", p.Name, err)
			case mine.Err() == nil:
				return fmt.Errorf("running %s: %w", p.Name, errEnded)
			}
			return nil
		})
		before = over
	}
	return group.Wait()
}

// Cleanups is what must be undone, last in first out, also when building failed half-way.
type Cleanups struct {
	Log  *slog.Logger
	list []cleanup
}

type cleanup struct {
	name string
	undo func() error
}

// Add remembers how a part is undone.
func (c *Cleanups) Add(name string, undo func() error) { c.list = append(c.list, cleanup{name, undo}) }

// Run undoes everything, whatever fails on the way.
func (c *Cleanups) Run() error {
	var errs []error
	for len(c.list) > 0 {
		last := c.list[len(c.list)-1]
		c.list = c.list[:len(c.list)-1]
		c.Log.Debug("closing", "part", last.name)
		if err := last.undo(); err != nil {
			errs = append(errs, fmt.Errorf("closing %s: %w", last.name, err))
		}
	}
	return errors.Join(errs...)
}
