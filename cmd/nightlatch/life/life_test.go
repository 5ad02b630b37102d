package life_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/cmd/nightlatch/life"
)

// recorder is a part that says when it stopped, after some time.
type recorder struct {
	mu      sync.Mutex
	stopped []string
}

func (r *recorder) part(name string, takes time.Duration) life.Part {
	return life.Part{Name: name, Run: func(ctx context.Context) error {
		<-ctx.Done()
		time.Sleep(takes)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.stopped = append(r.stopped, name)
		return nil
	}}
}

func TestPartsStopInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		// The first takes longest: the others wait for it all the same.
		err := life.RunAll(ctx, r.part("bot", time.Second), r.part("service", time.Millisecond), r.part("door", 0))
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]string{"bot", "service", "door"}, r.stopped); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAFailingPartStopsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		broken := errors.New("no more disk")
		err := life.RunAll(t.Context(), r.part("bot", 0),
			life.Part{Name: "service", Run: func(context.Context) error { return broken }}, r.part("door", 0))
		if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "running service: ") {
			t.Errorf("got %v", err)
		}
		if len(r.stopped) != 2 {
			t.Errorf("stopped: %v", r.stopped)
		}
	})
}

func TestAPartThatEndsByItselfIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		err := life.RunAll(t.Context(), r.part("bot", 0), life.Part{Name: "service", Run: func(context.Context) error { return nil }})
		if err == nil || err.Error() != "running service: it ended by itself" {
			t.Errorf("got %v", err)
		}
	})
}

func TestUntilTold(t *testing.T) {
	const patience = 5 * time.Second
	broken := errors.New("broken")
	obedient := func(ctx context.Context) error { <-ctx.Done(); return nil }
	for _, c := range []struct {
		name    string
		signals []time.Duration // from the start
		run     func(context.Context) error
		want    error
		after   time.Duration
	}{
		{"ends by itself", nil, func(context.Context) error { return broken }, broken, 0},
		{"stops when told", []time.Duration{time.Minute}, obedient, nil, time.Minute},
		{"fails while stopping", []time.Duration{time.Minute}, func(ctx context.Context) error { <-ctx.Done(); return broken }, broken, time.Minute},
		{"never stops", []time.Duration{time.Minute}, func(context.Context) error { time.Sleep(time.Hour); return nil }, life.ErrSlow, time.Minute + patience},
		{"second signal", []time.Duration{time.Minute, time.Minute + time.Second}, func(context.Context) error { time.Sleep(time.Hour); return nil }, life.ErrSlow, time.Minute + time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				signals := make(chan os.Signal, 2)
				for _, at := range c.signals {
					time.AfterFunc(at, func() { signals <- syscall.SIGTERM })
				}
				start := time.Now()
				err := life.UntilTold(t.Context(), signals, patience, c.run)
				if !errors.Is(err, c.want) || (c.want == nil && err != nil) {
					t.Errorf("got %v, want %v", err, c.want)
				}
				if took := time.Since(start); took != c.after {
					t.Errorf("it took %s, want %s", took, c.after)
				}
				time.Sleep(2 * time.Hour) // what still runs, ends within the bubble
			})
		})
	}
}

func TestCleanupsAreUndoneLastFirst(t *testing.T) {
	undo := life.Cleanups{Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	var order []string
	for _, name := range []string{"ledger", "listener", "bot"} {
		undo.Add(name, func() error {
			order = append(order, name)
			if name == "listener" {
				return errors.New("stuck")
			}
			return nil
		})
	}
	if err := undo.Run(); err == nil || err.Error() != "closing listener: stuck" {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"bot", "listener", "ledger"}, order); diff != "" {
		t.Error(diff)
	}
	if err := undo.Run(); err != nil || len(order) != 3 {
		t.Errorf("a second run: %v, %v", err, order)
	}
}
