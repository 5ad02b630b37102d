package boltkv_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"nightlatch/grants/ledger"
	"nightlatch/grants/ledger/boltkv"
)

// replaceFile puts another file behind the descriptor with which the engine writes, and returns the way back. What the
// engine reads goes through the map and stays.
func replaceFile(t *testing.T, path, by string) (restore func()) {
	t.Helper()
	fd := descriptor(t, path)
	kept, err := syscall.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.OpenFile(by, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer closeOf(t, other.Close)
	if err := syscall.Dup3(int(other.Fd()), fd, syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := errors.Join(syscall.Dup3(kept, fd, syscall.O_CLOEXEC), syscall.Close(kept)); err != nil {
			t.Fatal(err)
		}
	}
}

func descriptor(t *testing.T, path string) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if target, err := os.Readlink(filepath.Join("/proc/self/fd", entry.Name())); err == nil && target == path {
			fd, err := strconv.Atoi(entry.Name())
			if err != nil {
				t.Fatal(err)
			}
			return fd
		}
	}
	t.Fatalf("no descriptor of %s", path)
	return 0
}

// warm makes free pages, so that the commits to come need not grow the file.
func warm(t *testing.T, e ledger.Engine) {
	t.Helper()
	for i := range 10 {
		if err := put(t.Context(), e, fmt.Sprint(i), "k"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNoRoomOnTheDisk(t *testing.T) {
	c := config(t.TempDir())
	e := open(t, c)
	warm(t, e)
	restore := replaceFile(t, c.Path, "/dev/full")
	for range 3 {
		if err := put(t.Context(), e, "lost", "k"); !errors.Is(err, ledger.ErrFull) {
			t.Errorf("a full disk answers %v", err)
		}
		if got := get(t, e, "k"); got != "9" {
			t.Errorf("after a full disk the value is %q", got)
		}
	}
	restore()
	if err := put(t.Context(), e, "room again", "k"); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if got := get(t, open(t, c), "k"); got != "room again" {
		t.Errorf("after reopening the value is %q", got)
	}
}

func TestUnknownOutcomeStays(t *testing.T) {
	c := config(t.TempDir())
	e, err := boltkv.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	warm(t, e)
	// A pipe takes no writes at an offset: ESPIPE, about which nothing is known.
	restore := replaceFile(t, c.Path, fifo(t))
	if err := put(t.Context(), e, "who knows", "k"); !errors.Is(err, ledger.ErrUnknownOutcome) {
		t.Errorf("a commit that broke answers %v", err)
	}
	restore()
	if err := put(t.Context(), e, "never", "k"); !errors.Is(err, ledger.ErrUnknownOutcome) {
		t.Errorf("the next update answers %v", err)
	}
	err = e.View(t.Context(), func(ledger.Reader) error {
		t.Error("a view ran")
		return nil
	})
	if !errors.Is(err, ledger.ErrUnknownOutcome) {
		t.Errorf("the next view answers %v", err)
	}
	if err := e.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
	e = open(t, c)
	if got := get(t, e, "k"); got != "9" && got != "who knows" {
		t.Errorf("recovered value is %q", got)
	}
	if err := put(t.Context(), e, "on", "k"); err != nil {
		t.Error(err)
	}
}

func TestUnknownOutcomeReachesWhoeverIsQueued(t *testing.T) {
	c := config(t.TempDir())
	e := open(t, c)
	warm(t, e)
	restore := replaceFile(t, c.Path, fifo(t))
	defer restore()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if err := put(t.Context(), e, "who knows", "k"); !errors.Is(err, ledger.ErrUnknownOutcome) {
				t.Errorf("got %v", err)
			}
		})
	}
	all.Wait()
}

func fifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
