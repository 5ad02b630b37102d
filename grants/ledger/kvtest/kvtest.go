// Package kvtest is the suite that every ledger engine passes, and two engines that make other tests harder: [Twice] finds
// functions that are not pure, [Dying] ends the process at a chosen commit.
//
// # Life cycle
//
// An engine's own test calls [Run] with a function that opens the engine in a directory, and adds the faults that only
// that engine has. Run opens a directory again after closing it, and expects to find everything.
//
// # Caveats
//
// The part with many goroutines draws from a seed that is printed; NIGHTLATCH_SEED in the environment replays one. It
// replays what each goroutine does, not how they are scheduled.
package kvtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"nightlatch/grants/ledger"
)

// The spaces that the suite uses.
const (
	plain    = "plain"
	other    = "other"
	appended = "appended"
)

// Spaces returns what an engine under test must be opened with.
func Spaces() []ledger.Space {
	return []ledger.Space{{Name: plain}, {Name: other}, {Name: appended, AppendOnly: true}}
}

// Run holds an engine to its contract. open makes or reopens an engine in a directory; the suite closes it.
func Run(t *testing.T, open func(t *testing.T, dir string) ledger.Engine) {
	cases := []struct {
		name string
		run  func(t *testing.T, e ledger.Engine)
	}{
		{"what was written is read", testBasics},
		{"order is by bytes", testOrder},
		{"a scan can begin, end and stop anywhere", testScan},
		{"an empty value is not an absent one", testEmpty},
		{"what a reader gave stays valid", testCopies},
		{"an error writes nothing", testError},
		{"changes are whole or absent", testRefusedWhole},
		{"append-only spaces only grow", testAppendOnly},
		{"keys have a limit", testKeys},
		{"big values", testBig},
		{"a view does not move", testSnapshot},
		{"contexts", testContext},
		{"a function that panics harms nobody else", testPanic},
		{"a function that ends its goroutine harms nobody else", testGoexit},
		{"a queued update can be left", testLeave},
		{"a closed engine", testClosed},
		{"goroutines against a model", testModel},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := open(t, t.TempDir())
			t.Cleanup(func() {
				if err := e.Close(); err != nil {
					t.Errorf("closing: %v", err)
				}
			})
			c.run(t, e)
		})
	}
	t.Run("reopening keeps everything", func(t *testing.T) { testReopen(t, open) })
	t.Run("closing answers everybody", func(t *testing.T) { testClosing(t, open) })
}

// put writes and must succeed; each function runs twice.
func put(t *testing.T, e ledger.Engine, changes ...ledger.Write) {
	t.Helper()
	err := Twice{e, t}.Update(t.Context(), func(ledger.Reader) (ledger.Changes, error) {
		return slices.Clone(changes), nil
	})
	if err != nil {
		t.Fatalf("writing %v: %v", changes, err)
	}
}

func set(space, key, value string) ledger.Write {
	return ledger.Write{Space: space, Key: []byte(key), Value: []byte(value)}
}

func del(space, key string) ledger.Write {
	return ledger.Write{Space: space, Key: []byte(key)}
}

// dump reads a whole space as "key=value" lines.
func dump(t *testing.T, e ledger.Engine, space string) []string {
	t.Helper()
	var lines []string
	view(t, e, func(r ledger.Reader) { lines = scan(r, space, nil, nil) })
	return lines
}

func scan(r ledger.Reader, space string, from, to []byte) []string {
	var lines []string
	r.Scan(space, from, to, func(k, v []byte) bool {
		lines = append(lines, fmt.Sprintf("%s=%s", k, v))
		return true
	})
	return lines
}

func view(t *testing.T, e ledger.Engine, f func(ledger.Reader)) {
	t.Helper()
	err := e.View(t.Context(), func(r ledger.Reader) error {
		f(r)
		return nil
	})
	if err != nil {
		t.Fatalf("viewing: %v", err)
	}
}

func wantLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func testBasics(t *testing.T, e ledger.Engine) {
	put(t, e, set(plain, "a", "1"), set(plain, "b", "2"), set(other, "a", "3"))
	put(t, e, del(plain, "a"), set(plain, "b", "4"), del(plain, "absent"))
	put(t, e, set(plain, "c", "5"), del(plain, "c"), set(plain, "d", "6"), set(plain, "d", "7"))
	wantLines(t, dump(t, e, plain), "b=4", "d=7")
	wantLines(t, dump(t, e, other), "a=3")

	want := errors.New("from the function")
	if err := e.View(t.Context(), func(ledger.Reader) error { return want }); !errors.Is(err, want) {
		t.Errorf("View answers %v, want the function's own error", err)
	}
	view(t, e, func(r ledger.Reader) {
		if got := r.Get(plain, []byte("a")); got != nil {
			t.Errorf("a deleted key reads %q", got)
		}
	})
}

func testOrder(t *testing.T, e ledger.Engine) {
	keys := [][]byte{{0}, {0, 0}, {1}, {'a'}, {'a', 0}, {'a', 'b'}, {0x7f}, {0x80}, {0xff}, {0xff, 0}, {0xff, 0xff}}
	var changes ledger.Changes
	for i := range keys {
		changes = append(changes, ledger.Write{Space: plain, Key: keys[len(keys)-1-i], Value: []byte{1}})
	}
	put(t, e, changes...)
	var got [][]byte
	view(t, e, func(r ledger.Reader) {
		r.Scan(plain, nil, nil, func(k, _ []byte) bool {
			got = append(got, k)
			return true
		})
		if last, _ := r.Last(plain); !bytes.Equal(last, keys[len(keys)-1]) {
			t.Errorf("last key is %x", last)
		}
	})
	if !slices.EqualFunc(got, keys, bytes.Equal) {
		t.Errorf("got %x, want %x", got, keys)
	}
}

func testScan(t *testing.T, e ledger.Engine) {
	put(t, e, set(plain, "b", ""), set(plain, "d", ""), set(plain, "f", ""))
	view(t, e, func(r ledger.Reader) {
		for _, c := range []struct {
			from, to []byte
			want     []string
		}{
			{nil, nil, []string{"b=", "d=", "f="}},
			{[]byte("b"), []byte("f"), []string{"b=", "d="}},
			{[]byte("c"), []byte("e"), []string{"d="}},
			{[]byte("c"), nil, []string{"d=", "f="}},
			{nil, []byte("d"), []string{"b="}},
			{[]byte("d"), []byte("d"), nil},
			{[]byte("e"), []byte("b"), nil},
			{nil, []byte{}, nil},
			{[]byte("g"), nil, nil},
		} {
			if got := scan(r, plain, c.from, c.to); !slices.Equal(got, c.want) {
				t.Errorf("from %q to %q: got %q, want %q", c.from, c.to, got, c.want)
			}
		}
		calls := 0
		r.Scan(plain, nil, nil, func(_, _ []byte) bool {
			calls++
			return calls < 2
		})
		if calls != 2 {
			t.Errorf("a scan that was stopped at 2 made %d calls", calls)
		}
		if k, v := r.Last(other); k != nil || v != nil {
			t.Errorf("the last of an empty space is %q=%q", k, v)
		}
	})
}

func testEmpty(t *testing.T, e ledger.Engine) {
	put(t, e, set(plain, "empty", ""))
	for range 2 { // from the transaction itself, and from what it left
		err := e.Update(t.Context(), func(r ledger.Reader) (ledger.Changes, error) {
			if got := r.Get(plain, []byte("empty")); got == nil || len(got) != 0 {
				t.Errorf("an empty value reads %#v", got)
			}
			if got := r.Get(plain, []byte("absent")); got != nil {
				t.Errorf("an absent value reads %#v", got)
			}
			return nil, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func testCopies(t *testing.T, e ledger.Engine) {
	filler := strings.Repeat("x", 1000) // a space of some size, which no engine keeps in one piece
	for i := range 50 {
		put(t, e, set(plain, fmt.Sprintf("filler %02d", i), filler))
	}
	put(t, e, set(plain, "a", "1"))
	var kept [][]byte
	keep := func(r ledger.Reader) {
		r.Scan(plain, []byte("a"), []byte("b"), func(k, v []byte) bool {
			kept = append(kept, k, v)
			return true
		})
		k, v := r.Last(plain)
		kept = append(kept, k, v[:1], r.Get(plain, []byte("a")))
	}
	view(t, e, keep)
	err := e.Update(t.Context(), func(r ledger.Reader) (ledger.Changes, error) {
		keep(r)
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Clone(bytes.Join(kept, nil))
	for i := range 50 {
		put(t, e, set(plain, "a", fmt.Sprint(i)), set(plain, "filler 49", strings.Repeat("y", i)))
	}
	if got := bytes.Join(kept, nil); !bytes.Equal(got, want) {
		t.Errorf("kept slices became %q, were %q", got, want)
	}
	for _, b := range kept {
		b[0] = '!' // they are the reader's own
	}
	wantLines(t, dump(t, e, plain)[:2], "a=49", "filler 00="+filler)
}

func testBig(t *testing.T, e ledger.Engine) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<17) // 2 MiB
	for i := range 8 {
		put(t, e, ledger.Write{Space: plain, Key: []byte{byte(i + 1)}, Value: big[i:]})
	}
	view(t, e, func(r ledger.Reader) {
		for i := range 8 {
			if got := r.Get(plain, []byte{byte(i + 1)}); !bytes.Equal(got, big[i:]) {
				t.Errorf("value %d came back with %d bytes, or changed", i, len(got))
			}
		}
	})
}

func testReopen(t *testing.T, open func(t *testing.T, dir string) ledger.Engine) {
	dir := t.TempDir()
	for i := range 3 {
		e := open(t, dir)
		put(t, e, set(plain, fmt.Sprint("key", i), "kept"), set(appended, fmt.Sprint(i), "kept"))
		if got := len(dump(t, e, plain)); got != i+1 {
			t.Errorf("opening %d shows %d keys", i+1, got)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	e := open(t, dir)
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	wantLines(t, dump(t, e, appended), "0=kept", "1=kept", "2=kept")
	if err := update(t.Context(), e, set(appended, "1", "again")); !errors.Is(err, ledger.ErrAppendOnly) {
		t.Errorf("after reopening, overwriting answers %v", err)
	}
}

func update(ctx context.Context, e ledger.Engine, changes ...ledger.Write) error {
	return e.Update(ctx, func(ledger.Reader) (ledger.Changes, error) { return slices.Clone(changes), nil })
}
