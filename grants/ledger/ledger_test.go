package ledger_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/grants/ledger"
	"nightlatch/grants/ledger/boltkv"
	"nightlatch/grants/ledger/kvtest"
)

func engine(t testing.TB, dir string) ledger.Engine {
	t.Helper()
	e, err := boltkv.Open(boltkv.Config{Path: filepath.Join(dir, "ledger.db"), Spaces: ledger.Spaces()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return kvtest.Twice{Engine: e, T: t}
}

func TestSmoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := ledger.Open(t.Context(), ledger.Config{Engine: engine(t, t.TempDir())})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 9 {
			time.Sleep(time.Second)
			err := l.Update(t.Context(), func(v *ledger.View) (ledger.Change, error) {
				return ledger.Change{
					Docs:   []ledger.Doc{{Kind: "grant", Key: "g", Value: []byte{1}, Index: []ledger.Key{{"due", ledger.TimeKey(time.Now())}}}},
					Events: []ledger.Event{{Leaf: fmt.Appendf(nil, "leaf %d", i), Text: []byte("text")}, {Leaf: []byte("x")}},
				}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Verify(t.Context()); err != nil {
			t.Fatal(err)
		}
		err = l.View(t.Context(), func(v *ledger.View) error {
			n := 0
			v.ScanIndex("due", "", ledger.End, func(k, d string) bool { n++; t.Log(k, d); return true })
			t.Log(n, v.Size())
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
