package boltkv_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/grants/ledger"
	"nightlatch/grants/ledger/boltkv"
	"nightlatch/grants/ledger/kvtest"

	bolt "go.etcd.io/bbolt"
)

func config(dir string) boltkv.Config {
	return boltkv.Config{Path: filepath.Join(dir, "ledger.db"), Spaces: kvtest.Spaces()}
}

func open(t testing.TB, c boltkv.Config) *boltkv.Engine {
	t.Helper()
	e, err := boltkv.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		closeOf(t, e.Close)
		checkFile(t, c.Path)
	})
	return e
}

// checkFile lets bbolt look at every page of a closed file.
func checkFile(t testing.TB, path string) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, PreLoadFreelist: true, Timeout: time.Second})
	if err != nil {
		t.Error(err)
		return
	}
	defer closeOf(t, db.Close)
	err = db.View(func(tx *bolt.Tx) error {
		for err := range tx.Check() {
			t.Errorf("%s: %v", path, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// put sets keys of the suite's first space to a value.
func put(ctx context.Context, e ledger.Engine, value string, keys ...string) error {
	return e.Update(ctx, func(ledger.Reader) (ledger.Changes, error) {
		var changes ledger.Changes
		for _, k := range keys {
			changes = append(changes, ledger.Write{Space: space, Key: []byte(k), Value: []byte(value)})
		}
		return changes, nil
	})
}

func get(t *testing.T, e ledger.Engine, key string) string {
	t.Helper()
	var value string
	err := e.View(t.Context(), func(r ledger.Reader) error {
		value = string(r.Get(space, []byte(key)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

const space = "plain"

func TestContract(t *testing.T) {
	kvtest.Run(t, func(t *testing.T, dir string) ledger.Engine { return open(t, config(dir)) })
}

func TestContractInBubbles(t *testing.T) {
	// The suite makes subtests, which a bubble does not allow: so only what is special here, waiting and closing.
	synctest.Test(t, func(t *testing.T) {
		e := open(t, config(t.TempDir()))
		for i := range 3 {
			time.Sleep(time.Hour)
			if err := put(t.Context(), e, fmt.Sprint(i), "k"); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		release := hold(t, e)
		if err := put(ctx, e, "late", "k"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting behind a function for a minute answers %v", err)
		}
		release()
		if got := get(t, e, "k"); got != "2" {
			t.Errorf("got %q", got)
		}
	})
}

// hold keeps the writer inside of a function until release is called.
func hold(t *testing.T, e ledger.Engine) (release func()) {
	t.Helper()
	entered, leave, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- e.Update(t.Context(), func(ledger.Reader) (ledger.Changes, error) {
			close(entered)
			<-leave
			return nil, nil
		})
	}()
	<-entered
	return func() {
		close(leave)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestSecondOpening(t *testing.T) {
	c := config(t.TempDir())
	open(t, c)
	c.LockTimeout = time.Millisecond
	if e, err := boltkv.Open(c); !errors.Is(err, ledger.ErrInUse) {
		t.Errorf("opening twice answers %v, %v", e, err)
	}
}

func TestFileIsForItsOwnerAlone(t *testing.T) {
	c := config(t.TempDir())
	open(t, c)
	info, err := os.Stat(c.Path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("mode is %v", info.Mode())
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	foreign := filepath.Join(dir, "foreign")
	if err := os.WriteFile(foreign, make([]byte, 1<<16), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := boltkv.Open(boltkv.Config{Path: filepath.Join(dir, "missing", "ledger.db")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing directory answers %v", err)
	}
	if _, err := boltkv.Open(boltkv.Config{Path: filepath.Join(foreign, "ledger.db")}); err == nil {
		t.Error("a file in place of the directory was accepted")
	}
	if _, err := boltkv.Open(boltkv.Config{Path: foreign}); err == nil {
		t.Error("a file of another kind was accepted")
	}
	twice := boltkv.Config{Path: filepath.Join(dir, "x"), Spaces: []ledger.Space{{Name: "a"}, {Name: "a"}}}
	if _, err := boltkv.Open(twice); err == nil {
		t.Error("a space declared twice was accepted")
	}
}

func TestFullQueueIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config(t.TempDir())
		c.Queue = 1
		e := open(t, c)
		release := hold(t, e)
		waiting := make(chan error, 1)
		go func() { waiting <- put(t.Context(), e, "1", "waits") }()
		synctest.Wait() // the one place is taken

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := put(ctx, e, "1", "too many")
		if !errors.Is(err, ledger.ErrBusy) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a full queue answers %v", err)
		}
		release()
		if err := <-waiting; err != nil {
			t.Errorf("the one that waited: %v", err)
		}
		if got := get(t, e, "too many"); got != "" {
			t.Errorf("what was refused as busy was written")
		}
	})
}

func TestErrorHarmsNobodyInTheSameCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := open(t, config(t.TempDir()))
		wrong := errors.New("mine alone")
		release := hold(t, e)
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				err := e.Update(t.Context(), func(r ledger.Reader) (ledger.Changes, error) {
					if i%2 == 0 {
						return nil, wrong
					}
					seen := string(r.Get(space, []byte("seen")))
					return ledger.Changes{{Space: space, Key: []byte("seen"), Value: []byte(seen + "x")}}, nil
				})
				if (i%2 == 0) != errors.Is(err, wrong) {
					t.Errorf("update %d answers %v", i, err)
				}
			})
		}
		synctest.Wait() // all are queued, and will share a commit
		release()
		all.Wait()
		if got := get(t, e, "seen"); got != "xxxxxxxxxx" {
			t.Errorf("ten updates on top of each other left %q", got)
		}
	})
}

func TestCloseFinishesWhatIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config(t.TempDir())
		e, err := boltkv.Open(c)
		if err != nil {
			t.Fatal(err)
		}
		release := hold(t, e)
		queued, closed := make(chan error, 1), make(chan error, 1)
		go func() { queued <- put(t.Context(), e, "1", "queued") }()
		synctest.Wait()
		go func() { closed <- e.Close() }()
		synctest.Wait()
		if err := put(t.Context(), e, "1", "late"); !errors.Is(err, ledger.ErrClosed) {
			t.Errorf("an update after Close began answers %v", err)
		}
		release()
		if err := errors.Join(<-queued, <-closed); err != nil {
			t.Error(err)
		}
		e = open(t, c)
		if get(t, e, "queued") != "1" || get(t, e, "late") != "" {
			t.Error("what was queued is not what was written")
		}
	})
}

func TestFullFile(t *testing.T) {
	c := config(t.TempDir())
	c.MaxSize = 40 << 20
	e := open(t, c)
	big := string(make([]byte, 4<<20))
	var full error
	written := 0
	for ; full == nil && written < 20; written++ {
		full = put(t.Context(), e, big, fmt.Sprint("big", written))
	}
	written--
	if !errors.Is(full, ledger.ErrFull) || errors.Is(full, ledger.ErrUnknownOutcome) {
		t.Fatalf("after %d writes the file answers %v", written, full)
	}
	if got := get(t, e, fmt.Sprint("big", written)); got != "" {
		t.Error("what did not fit was written")
	}
	if err := put(t.Context(), e, "small", "small"); err != nil {
		t.Errorf("something small does not fit either: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = open(t, c)
	if get(t, e, "small") != "small" || len(get(t, e, "big0")) != len(big) {
		t.Error("after reopening something is missing")
	}
}
