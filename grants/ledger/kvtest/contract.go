package kvtest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"nightlatch/grants/ledger"
)

func testError(t *testing.T, e ledger.Engine) {
	want := errors.New("from the function")
	err := e.Update(t.Context(), func(ledger.Reader) (ledger.Changes, error) {
		return ledger.Changes{set(plain, "a", "1")}, want
	})
	if !errors.Is(err, want) {
		t.Errorf("Update answers %v, want the function's own error", err)
	}
	wantLines(t, dump(t, e, plain))
}

func testRefusedWhole(t *testing.T, e ledger.Engine) {
	put(t, e, set(appended, "b", "kept"))
	for _, bad := range []ledger.Write{
		set(appended, "a", "before the end"),
		set("undeclared", "a", "1"),
		set(plain, "", "1"),
	} {
		if err := update(t.Context(), e, set(plain, "a", "1"), set(appended, "c", "1"), bad); err == nil {
			t.Errorf("writing %q to %q was not refused", bad.Key, bad.Space)
		}
	}
	wantLines(t, dump(t, e, plain))
	wantLines(t, dump(t, e, appended), "b=kept")
}

func testAppendOnly(t *testing.T, e ledger.Engine) {
	put(t, e, set(appended, "b", "1"), set(appended, "c", "2"))
	for name, changes := range map[string]ledger.Changes{
		"overwriting":         {set(appended, "c", "9")},
		"deleting":            {del(appended, "c")},
		"deleting nothing":    {del(appended, "x")},
		"inserting":           {set(appended, "bb", "9")},
		"twice in one change": {set(appended, "d", "9"), set(appended, "d", "9")},
		"descending":          {set(appended, "e", "9"), set(appended, "d", "9")},
	} {
		if err := update(t.Context(), e, changes...); !errors.Is(err, ledger.ErrAppendOnly) {
			t.Errorf("%s answers %v, want ErrAppendOnly", name, err)
		}
	}
	put(t, e, set(appended, "d", "3"))
	wantLines(t, dump(t, e, appended), "b=1", "c=2", "d=3")
}

func testKeys(t *testing.T, e ledger.Engine) {
	longest := strings.Repeat("k", ledger.MaxKey)
	put(t, e, set(plain, longest, "1"))
	if err := update(t.Context(), e, set(plain, longest+"k", "1")); !errors.Is(err, ledger.ErrTooLarge) {
		t.Errorf("a longer key answers %v, want ErrTooLarge", err)
	}
	wantLines(t, dump(t, e, plain), longest+"=1")
}

func testSnapshot(t *testing.T, e ledger.Engine) {
	put(t, e, set(plain, "a", "old"))
	view(t, e, func(r ledger.Reader) {
		done := make(chan error)
		go func() { done <- update(t.Context(), e, set(plain, "a", "new"), set(plain, "b", "new")) }()
		if err := <-done; err != nil {
			t.Errorf("writing beside a view: %v", err)
		}
		wantLines(t, scan(r, plain, nil, nil), "a=old")
	})
	wantLines(t, dump(t, e, plain), "a=new", "b=new")
}

func testContext(t *testing.T, e ledger.Engine) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.View(ended, func(ledger.Reader) error {
		t.Error("a view ran although its context had ended")
		return nil
	}); !errors.Is(err, context.Canceled) {
		t.Errorf("View answers %v", err)
	}
	if err := e.Update(ended, func(ledger.Reader) (ledger.Changes, error) {
		t.Error("an update ran although its context had ended")
		return nil, nil
	}); !errors.Is(err, context.Canceled) {
		t.Errorf("Update answers %v", err)
	}

	// A context that ends once the function runs changes nothing.
	ctx, cancel := context.WithCancel(t.Context())
	err := e.Update(ctx, func(ledger.Reader) (ledger.Changes, error) {
		cancel()
		return ledger.Changes{set(plain, "a", "1")}, nil
	})
	if err != nil {
		t.Errorf("a context that ends while the function runs: %v, want the true outcome", err)
	}
	wantLines(t, dump(t, e, plain), "a=1")
}

// testLeave holds the writer inside of one function, so that the next one is certainly queued behind it.
func testLeave(t *testing.T, e ledger.Engine) {
	entered, release := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() {
		runs := 0
		first <- e.Update(t.Context(), func(ledger.Reader) (ledger.Changes, error) {
			if runs++; runs == 1 {
				close(entered)
			}
			<-release
			return ledger.Changes{set(plain, "first", "1")}, nil
		})
	}()
	<-entered

	ctx, cancel := context.WithCancel(t.Context())
	second := make(chan error, 1)
	go func() {
		second <- e.Update(ctx, func(ledger.Reader) (ledger.Changes, error) {
			return ledger.Changes{set(plain, "second", "1")}, nil
		})
	}()
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("leaving the queue answers %v", err)
	}
	close(release)
	if err := <-first; err != nil {
		t.Error(err)
	}
	put(t, e, set(plain, "third", "1"))
	wantLines(t, dump(t, e, plain), "first=1", "third=1")
}

func testPanic(t *testing.T, e ledger.Engine) {
	func() {
		defer func() {
			if got := recover(); got != "on purpose" {
				t.Errorf("Update panics with %v, want what the function panicked with", got)
			}
		}()
		err := e.Update(t.Context(), func(ledger.Reader) (ledger.Changes, error) { panic("on purpose") })
		t.Errorf("Update of a function that panics returned %v", err)
	}()
	put(t, e, set(plain, "a", "1"))
	wantLines(t, dump(t, e, plain), "a=1")
}

func testGoexit(t *testing.T, e ledger.Engine) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = e.Update(t.Context(), func(ledger.Reader) (ledger.Changes, error) {
			runtime.Goexit()
			return ledger.Changes{set(plain, "never", "1")}, nil
		})
		t.Error("Update went on after its goroutine had ended")
	}()
	<-done
	put(t, e, set(plain, "a", "1"))
	wantLines(t, dump(t, e, plain), "a=1")
}

func testClosed(t *testing.T, e ledger.Engine) {
	put(t, e, set(plain, "a", "1"))
	for range 2 {
		if err := e.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	}
	if err := e.View(t.Context(), func(ledger.Reader) error { return nil }); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("View of a closed engine answers %v", err)
	}
	if err := update(t.Context(), e, set(plain, "a", "2")); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("Update of a closed engine answers %v", err)
	}
}

// testClosing closes an engine among Updates: each gets an answer, and what was acknowledged is there afterwards.
func testClosing(t *testing.T, open func(t *testing.T, dir string) ledger.Engine) {
	dir := t.TempDir()
	acknowledged := 0
	for round := range 20 {
		e := open(t, dir)
		var mu sync.Mutex
		var all sync.WaitGroup
		for g := range modelGoroutines {
			all.Go(func() {
				for i := 0; ; i++ {
					err := update(t.Context(), e, set(plain, fmt.Sprint(round, g, i), ""))
					if errors.Is(err, ledger.ErrClosed) {
						return
					}
					if err != nil {
						t.Errorf("an update while closing answers %v", err)
						return
					}
					mu.Lock()
					acknowledged++
					mu.Unlock()
				}
			})
		}
		for range round {
			put(t, e, set(other, "pause", ""))
		}
		if err := e.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
		all.Wait()
	}
	e := open(t, dir)
	if got := len(dump(t, e, plain)); got != acknowledged {
		t.Errorf("%d keys after %d acknowledged updates", got, acknowledged)
	}
	if err := e.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
}
