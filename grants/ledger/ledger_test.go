package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/grants/ledger"
	"nightlatch/grants/ledger/boltkv"
	"nightlatch/grants/ledger/kvtest"
)

// openEngine opens the file in a directory. Tests that damage it declare no space append-only.
func openEngine(t testing.TB, dir string, spaces []ledger.Space) *boltkv.Engine {
	t.Helper()
	e, err := boltkv.Open(boltkv.Config{Path: filepath.Join(dir, "ledger.db"), Spaces: spaces})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// open opens a ledger that runs every function twice.
func open(t testing.TB, e ledger.Engine, c ledger.Config) *ledger.Ledger {
	t.Helper()
	c.Engine = kvtest.Twice{Engine: e, T: t}
	l, err := ledger.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// fresh returns a new ledger.
func fresh(t testing.TB) *ledger.Ledger {
	t.Helper()
	return open(t, openEngine(t, t.TempDir(), ledger.Spaces()), ledger.Config{})
}

func update(t testing.TB, l *ledger.Ledger, c ledger.Change) {
	t.Helper()
	if err := tryUpdate(t, l, c); err != nil {
		t.Fatal(err)
	}
}

func tryUpdate(t testing.TB, l *ledger.Ledger, c ledger.Change) error {
	t.Helper()
	return l.Update(t.Context(), func(*ledger.View) (ledger.Change, error) { return c, nil })
}

func view(t testing.TB, l *ledger.Ledger, f func(v *ledger.View)) {
	t.Helper()
	err := l.View(t.Context(), func(v *ledger.View) error {
		f(v)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// events makes a change of events with the given leaves.
func events(leaves ...string) ledger.Change {
	var c ledger.Change
	for _, leaf := range leaves {
		c.Events = append(c.Events, ledger.Event{Leaf: []byte(leaf)})
	}
	return c
}

func TestBirthIsKept(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, dir, ledger.Spaces())
	born := open(t, e, ledger.Config{Environment: "playground"})
	if !regexp.MustCompile(`^[a-z2-7]{8}$`).MatchString(born.Instance()) {
		t.Errorf("instance is %q", born.Instance())
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, openEngine(t, dir, ledger.Spaces()), ledger.Config{Environment: "playground"})
	if again.Instance() != born.Instance() || again.Environment() != "playground" {
		t.Errorf("born as %q, found as %q in %q", born.Instance(), again.Instance(), again.Environment())
	}
	if other := fresh(t); other.Instance() == born.Instance() {
		t.Error("two ledgers have the same instance")
	}
}

func TestOpenRefusesAnotherLedger(t *testing.T) {
	e := openEngine(t, t.TempDir(), ledger.Spaces())
	if _, err := ledger.Open(t.Context(), ledger.Config{Engine: e, Instance: "NOT-OURS"}); err == nil {
		t.Error("an instance of other characters was accepted")
	}
	open(t, e, ledger.Config{Instance: "aaaabbbb"})
	for field, c := range map[string]ledger.Config{
		"environment": {Engine: e, Environment: "playground"},
		"instance":    {Engine: e, Instance: "ccccdddd"},
	} {
		_, err := ledger.Open(t.Context(), c)
		if mismatch, ok := errors.AsType[*ledger.MismatchError](err); !ok || mismatch.Field != field {
			t.Errorf("another %s answers %v", field, err)
		}
	}
	open(t, e, ledger.Config{Instance: "aaaabbbb"})
}

func TestRestartKeepsTheLog(t *testing.T) {
	dir := t.TempDir()
	var size int64
	var root string
	for range 3 {
		e := openEngine(t, dir, ledger.Spaces())
		l := open(t, e, ledger.Config{})
		view(t, l, func(v *ledger.View) {
			if got := rootOf(t, v); root != "" && (v.Size() != size || got != root) {
				t.Errorf("before: %d events, root %s; after: %d events, root %s", size, root, v.Size(), got)
			}
		})
		update(t, l, events("a", "b", "c"))
		view(t, l, func(v *ledger.View) { size, root = v.Size(), rootOf(t, v) })
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if size != 9 {
		t.Errorf("%d events after three times three", size)
	}
}

func rootOf(t testing.TB, v *ledger.View) string {
	t.Helper()
	root, err := v.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root.String()
}

func TestConcurrentUpdatesLeaveNoGap(t *testing.T) {
	l := fresh(t)
	const goroutines, each = 8, 40
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			for range each {
				err := l.Update(t.Context(), func(v *ledger.View) (ledger.Change, error) {
					// A goroutine's number of events differs, so that the changes do not fall into step.
					var c ledger.Change
					for i := range int64(g%3 + 1) {
						c.Events = append(c.Events, ledger.Event{Leaf: fmt.Append(nil, v.Size()+i)})
					}
					return c, nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	view(t, l, func(v *ledger.View) {
		if want := int64(each * (3*1 + 3*2 + 2*3)); v.Size() != want {
			t.Errorf("%d events, want %d", v.Size(), want)
		}
		next := int64(0)
		v.Events(0, func(seq int64, leaf []byte) bool {
			if seq != next || string(leaf) != fmt.Sprint(seq) {
				t.Errorf("at %d stands event %d, which believed to be %s", next, seq, leaf)
			}
			next++
			return !t.Failed()
		})
	})
	if err := l.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestErrorsPassThrough(t *testing.T) {
	l := fresh(t)
	mine := errors.New("mine")
	if err := l.View(t.Context(), func(*ledger.View) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("View answers %v", err)
	}
	err := l.Update(t.Context(), func(*ledger.View) (ledger.Change, error) { return events("never"), mine })
	if !errors.Is(err, mine) {
		t.Errorf("Update answers %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Verify(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Verify answers %v", err)
	}
	view(t, l, func(v *ledger.View) {
		if v.Size() != 0 {
			t.Errorf("an update that erred left %d events", v.Size())
		}
	})
}

func TestLedgerLivesInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := fresh(t)
		for range 100 {
			time.Sleep(time.Hour)
			update(t, l, events(time.Now().UTC().Format(time.RFC3339)))
		}
		if err := l.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
