package ledger_test

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"nightlatch/grants/ledger"

	"golang.org/x/mod/sumdb/tlog"
)

// merkle is the tree hash of RFC 6962, section 2.1, written down as it stands there.
func merkle(leaves [][]byte) [sha256.Size]byte {
	switch n := len(leaves); n {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256(append([]byte{0}, leaves[0]...))
	default:
		k := 1
		for 2*k < n {
			k *= 2
		}
		left, right := merkle(leaves[:k]), merkle(leaves[k:])
		return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
	}
}

func TestRootIsThatOfRFC6962(t *testing.T) {
	l := fresh(t)
	var leaves [][]byte
	for n := range 70 {
		view(t, l, func(v *ledger.View) {
			root, err := v.Root()
			if err != nil {
				t.Fatal(err)
			}
			if root != merkle(leaves) || v.Size() != int64(len(leaves)) {
				t.Errorf("after %d events, size %d, root %v", len(leaves), v.Size(), root)
			}
		})
		var c ledger.Change
		for i := range n%3 + 1 {
			leaf := fmt.Appendf(nil, `{"v":1,"n":%d,"i":%d}`, n, i)
			leaves = append(leaves, leaf)
			c.Events = append(c.Events, ledger.Event{Leaf: leaf})
		}
		update(t, l, c)
	}
}

func TestProofs(t *testing.T) {
	l := fresh(t)
	for n := range 21 {
		update(t, l, events(fmt.Sprint("leaf ", n)))
	}
	view(t, l, func(v *ledger.View) {
		root, err := v.Root()
		if err != nil {
			t.Fatal(err)
		}
		for seq := range v.Size() {
			proof, err := tlog.ProveRecord(v.Size(), seq, v)
			if err != nil {
				t.Fatal(err)
			}
			leaf, _ := v.Event(seq)
			if err := tlog.CheckRecord(proof, v.Size(), root, seq, tlog.RecordHash(leaf)); err != nil {
				t.Errorf("event %d: %v", seq, err)
			}
		}
	})
}

func TestTextLiesBesideTheEvent(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, dir, ledger.Spaces())
	l := open(t, e, ledger.Config{})
	update(t, l, ledger.Change{Events: []ledger.Event{
		{Leaf: []byte("first")},
		{Leaf: []byte("second"), Text: []byte("what somebody typed")},
	}})
	view(t, l, func(v *ledger.View) {
		if text, ok := v.Text(0); ok {
			t.Errorf("event 0 has text %q", text)
		}
		if text, ok := v.Text(1); !ok || string(text) != "what somebody typed" {
			t.Errorf("event 1 has text %q, %v", text, ok)
		}
		if leaf, ok := v.Event(2); ok {
			t.Errorf("event 2 is %q", leaf)
		}
	})

	// Erasing breaks nothing.
	write(t, e, ledger.Write{Space: "texts", Key: number(1)})
	if err := l.Verify(t.Context()); err != nil {
		t.Errorf("after erasing: %v", err)
	}
	view(t, l, func(v *ledger.View) {
		if text, ok := v.Text(1); ok {
			t.Errorf("erased text is %q", text)
		}
	})
}

func number(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func write(t *testing.T, e ledger.Engine, changes ...ledger.Write) {
	t.Helper()
	err := e.Update(t.Context(), func(ledger.Reader) (ledger.Changes, error) { return changes, nil })
	if err != nil {
		t.Fatal(err)
	}
}

// unprotected returns the ledger's spaces with none append-only, as they are to somebody with the file in hand.
func unprotected() []ledger.Space {
	spaces := ledger.Spaces()
	for i := range spaces {
		spaces[i].AppendOnly = false
	}
	return spaces
}

func TestVerifyFindsTheFirstThatDoesNotFit(t *testing.T) {
	const size = 2500 // more than two pages
	hash := func(level int, n int64) []byte { return number(tlog.StoredHashIndex(level, n)) }
	for name, c := range map[string]struct {
		damage []ledger.Write
		want   int64
	}{
		"an edited leaf":        {[]ledger.Write{{Space: "leaves", Key: number(1234), Value: []byte("edited")}}, 1234},
		"an edited first leaf":  {[]ledger.Write{{Space: "leaves", Key: number(0), Value: []byte("edited")}}, 0},
		"an edited last leaf":   {[]ledger.Write{{Space: "leaves", Key: number(size - 1), Value: []byte("edited")}}, size - 1},
		"two edited leaves":     {[]ledger.Write{{Space: "leaves", Key: number(7), Value: []byte("x")}, {Space: "leaves", Key: number(3), Value: []byte("x")}}, 3},
		"a missing leaf":        {[]ledger.Write{{Space: "leaves", Key: number(2000)}}, 2000},
		"an edited hash":        {[]ledger.Write{{Space: "hashes", Key: hash(0, 99), Value: make([]byte, 32)}}, 99},
		"an edited inner hash":  {[]ledger.Write{{Space: "hashes", Key: hash(10, 1), Value: make([]byte, 32)}}, 2047},
		"a missing hash":        {[]ledger.Write{{Space: "hashes", Key: hash(3, 5)}}, 47},
		"a cut hash":            {[]ledger.Write{{Space: "hashes", Key: hash(2, 0), Value: make([]byte, 31)}}, 3},
		"a cut tail":            {[]ledger.Write{{Space: "leaves", Key: number(size - 1)}, {Space: "leaves", Key: number(size - 2)}}, size - 2},
		"a cut tail of hashes":  {[]ledger.Write{{Space: "hashes", Key: hash(0, size-1)}}, size - 1},
		"a tail cut and hidden": {[]ledger.Write{{Space: "head", Key: []byte("size"), Value: number(size - 1)}}, size - 1},
		"an added leaf":         {[]ledger.Write{{Space: "leaves", Key: number(size), Value: []byte("added")}}, size},
		"a leaf and its hash edited": {[]ledger.Write{
			{Space: "leaves", Key: number(10), Value: []byte("edited")},
			{Space: "hashes", Key: hash(0, 10), Value: record("edited")},
		}, 11},
	} {
		t.Run(name, func(t *testing.T) {
			e := openEngine(t, t.TempDir(), unprotected())
			l := open(t, e, ledger.Config{})
			var grown ledger.Change
			for n := range size {
				grown.Events = append(grown.Events, ledger.Event{Leaf: fmt.Append(nil, n)})
			}
			update(t, l, grown)
			if err := l.Verify(t.Context()); err != nil {
				t.Fatalf("before the damage: %v", err)
			}
			write(t, e, c.damage...)
			err := l.Verify(t.Context())
			if corrupt, ok := errors.AsType[*ledger.CorruptError](err); !ok || corrupt.Seq != c.want {
				t.Errorf("got %v, want event %d", err, c.want)
			}
		})
	}
}

func record(leaf string) []byte {
	h := tlog.RecordHash([]byte(leaf))
	return h[:]
}

func TestOpenLooksAtTheTail(t *testing.T) {
	for name, damage := range map[string]ledger.Write{
		"the last leaf is gone":       {Space: "leaves", Key: number(4)},
		"the last leaf was edited":    {Space: "leaves", Key: number(4), Value: []byte("edited")},
		"a leaf was added":            {Space: "leaves", Key: number(5), Value: []byte("added")},
		"the last hash is gone":       {Space: "hashes", Key: number(tlog.StoredHashIndex(0, 4))},
		"a hash of the root is gone":  {Space: "hashes", Key: number(tlog.StoredHashIndex(2, 0))},
		"a hash was added":            {Space: "hashes", Key: number(tlog.StoredHashCount(5)), Value: make([]byte, 32)},
		"the size is gone":            {Space: "head", Key: []byte("size")},
		"the size was lowered":        {Space: "head", Key: []byte("size"), Value: number(4)},
		"the record of birth is gone": {Space: "head", Key: []byte("birth")},
	} {
		t.Run(name, func(t *testing.T) {
			e := openEngine(t, t.TempDir(), unprotected())
			update(t, open(t, e, ledger.Config{}), events("a", "b", "c", "d", "e"))
			write(t, e, damage)
			_, err := ledger.Open(t.Context(), ledger.Config{Engine: e})
			if _, ok := errors.AsType[*ledger.CorruptError](err); !ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOpenRefusesANewerFile(t *testing.T) {
	e := openEngine(t, t.TempDir(), unprotected())
	open(t, e, ledger.Config{})
	write(t, e, ledger.Write{
		Space: "head", Key: []byte("birth"),
		Value: []byte(`{"v":2,"instance":{"region":"eu","id":"aaaaaaaa"}}`),
	})
	_, err := ledger.Open(t.Context(), ledger.Config{Engine: e})
	if newer, ok := errors.AsType[*ledger.NewerError](err); !ok || newer.Found != 2 || newer.Known != 1 {
		t.Errorf("got %v", err)
	}
	write(t, e, ledger.Write{Space: "head", Key: []byte("birth"), Value: []byte("no JSON")})
	if _, err := ledger.Open(t.Context(), ledger.Config{Engine: e}); err == nil {
		t.Error("a record of birth that cannot be read was accepted")
	}
}

func TestDamageIsNotAbsence(t *testing.T) {
	e := openEngine(t, t.TempDir(), unprotected())
	l := open(t, e, ledger.Config{})
	update(t, l, doc("g", "value", "due=1"))
	for name, damage := range map[string]ledger.Write{
		"a document":     {Space: "docs", Key: []byte("grant\x00g"), Value: []byte{200}},
		"an index entry": {Space: "index", Key: []byte("due\x001"), Value: []byte{}},
	} {
		write(t, e, damage)
		err := l.View(t.Context(), func(v *ledger.View) error {
			v.Get("grant", "g")
			v.ScanIndex("due", "", ledger.End, func(_, _ string) bool { return true })
			return nil
		})
		if err == nil {
			t.Errorf("a View that met damage in %s answers nil", name)
		}
		if err := tryUpdate(t, l, doc("g", "new")); name == "a document" && err == nil {
			t.Error("a damaged document was overwritten, and its index keys left behind")
		}
		write(t, e, ledger.Write{Space: "docs", Key: []byte("grant\x00g")})
	}
}
