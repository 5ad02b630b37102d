package kvtest_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"nightlatch/grants/ledger"
	"nightlatch/grants/ledger/boltkv"
	"nightlatch/grants/ledger/kvtest"
)

func open(t *testing.T, dir string) ledger.Engine {
	t.Helper()
	e, err := boltkv.Open(boltkv.Config{
		Path:   filepath.Join(dir, "ledger.db"),
		Spaces: []ledger.Space{{Name: "s"}},
	})
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

func put(t *testing.T, e ledger.Engine, key string) error {
	t.Helper()
	return e.Update(t.Context(), func(ledger.Reader) (ledger.Changes, error) {
		return ledger.Changes{{Space: "s", Key: []byte(key), Value: []byte{1}}}, nil
	})
}

func keys(t *testing.T, e ledger.Engine) string {
	t.Helper()
	var all []string
	err := e.View(t.Context(), func(r ledger.Reader) error {
		r.Scan("s", nil, nil, func(k, _ []byte) bool {
			all = append(all, string(k))
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func TestDyingBeforeAndAfterEachCommit(t *testing.T) {
	const total = 4
	for at := range total + 1 {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("at %d, after %v", at, after), func(t *testing.T) {
				dir := t.TempDir()
				kills := 0
				d := &kvtest.Dying{Engine: open(t, dir), At: at, After: after, Kill: func() { kills++ }}
				acknowledged := die(t, d, total)
				if d.Dead() != (at > 0) || kills != min(at, 1) {
					t.Errorf("dead is %v after %d kills", d.Dead(), kills)
				}
				if want := min(at, total); at > 0 && d.Commits() != want || at == 0 && d.Commits() != total {
					t.Errorf("%d commits", d.Commits())
				}
				if err := d.Close(); err != nil {
					t.Fatal(err)
				}

				// What was acknowledged is there; what was not may be there only if the death came after the commit.
				want := acknowledged
				if at > 0 && after {
					want++
				}
				if got := len(strings.Fields(keys(t, open(t, dir)))); got != want {
					t.Errorf("%d commits are on disk, %d were acknowledged", got, acknowledged)
				}
			})
		}
	}
}

// die makes commits, each after an Update that is none, and returns how many were acknowledged.
func die(t *testing.T, d *kvtest.Dying, total int) int {
	t.Helper()
	acknowledged := 0
	for i := range total {
		err := d.Update(t.Context(), func(ledger.Reader) (ledger.Changes, error) { return nil, nil })
		if d.Dead() != errors.Is(err, kvtest.ErrDead) {
			t.Errorf("an update without writes answers %v", err)
		}
		if err := put(t, kvtest.Twice{Engine: d, T: t}, fmt.Sprint(i)); err == nil {
			acknowledged++
		} else if !errors.Is(err, kvtest.ErrDead) {
			t.Errorf("update %d answers %v", i, err)
		}
		err = d.View(t.Context(), func(ledger.Reader) error { return nil })
		if d.Dead() != errors.Is(err, kvtest.ErrDead) {
			t.Errorf("dead is %v, and a view answers %v", d.Dead(), err)
		}
	}
	return acknowledged
}

func TestDyingAmongMany(t *testing.T) {
	dir := t.TempDir()
	d := &kvtest.Dying{Engine: open(t, dir), At: 20, After: true}
	var mu sync.Mutex
	var all sync.WaitGroup
	acknowledged := map[string]bool{}
	for g := range 8 {
		all.Go(func() {
			for i := range 10 {
				key := fmt.Sprint(g, "/", i)
				if put(t, d, key) == nil {
					mu.Lock()
					acknowledged[key] = true
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	found := strings.Fields(keys(t, open(t, dir)))
	if len(found) != 20 {
		t.Errorf("%d commits are on disk after a death at the 20th", len(found))
	}
	for _, key := range found {
		delete(acknowledged, key)
	}
	if len(acknowledged) > 0 {
		t.Errorf("acknowledged and lost: %v", acknowledged)
	}
}

// complaints is a test that only notes what it is told.
type complaints struct {
	testing.TB
	all []string
}

func (c *complaints) Errorf(format string, args ...any) {
	c.all = append(c.all, fmt.Sprintf(format, args...))
}

func TestTwiceFindsWhatIsNotPure(t *testing.T) {
	runs := 0
	write := func(value string) ledger.Changes {
		return ledger.Changes{{Space: "s", Key: []byte("k"), Value: []byte(value)}}
	}
	for name, c := range map[string]struct {
		f    func(ledger.Reader) (ledger.Changes, error)
		pure bool
	}{
		"the same each time": {func(ledger.Reader) (ledger.Changes, error) { return write("v"), nil }, true},
		"the same error":     {func(ledger.Reader) (ledger.Changes, error) { return nil, errors.New("no") }, true},
		"nothing":            {func(ledger.Reader) (ledger.Changes, error) { return nil, nil }, true},
		"a counter": {func(ledger.Reader) (ledger.Changes, error) {
			runs++
			return write(fmt.Sprint(runs)), nil
		}, false},
		"an error once": {func(ledger.Reader) (ledger.Changes, error) {
			runs++
			if runs%2 == 0 {
				return nil, errors.New("no")
			}
			return nil, nil
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			noted := &complaints{TB: t}
			_ = kvtest.Twice{Engine: open(t, t.TempDir()), T: noted}.Update(t.Context(), c.f)
			if (len(noted.all) == 0) != c.pure {
				t.Errorf("complaints: %q", noted.all)
			}
		})
	}
}
