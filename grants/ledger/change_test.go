package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"nightlatch/grants/ledger"

	"github.com/google/go-cmp/cmp"
)

// doc is a document of kind "grant" under the given index keys, each as "index=key".
func doc(key, value string, index ...string) ledger.Change {
	d := ledger.Doc{Kind: "grant", Key: key, Value: []byte(value)}
	for _, entry := range index {
		name, at, _ := strings.Cut(entry, "=")
		d.Index = append(d.Index, ledger.Key{Index: name, Key: at})
	}
	return ledger.Change{Docs: []ledger.Doc{d}}
}

func deletion(key string) ledger.Change {
	return ledger.Change{Docs: []ledger.Doc{{Kind: "grant", Key: key}}}
}

// index reads a whole index as "key=document" lines.
func index(t *testing.T, l *ledger.Ledger, name string) []string {
	t.Helper()
	return indexRange(t, l, name, "", ledger.End)
}

func indexRange(t *testing.T, l *ledger.Ledger, name, from, to string) []string {
	t.Helper()
	lines := []string{}
	view(t, l, func(v *ledger.View) {
		v.ScanIndex(name, from, to, func(indexKey, docKey string) bool {
			lines = append(lines, indexKey+"="+docKey)
			return true
		})
	})
	return lines
}

func wantLines(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestDocuments(t *testing.T) {
	l := fresh(t)
	update(t, l, ledger.Change{Docs: []ledger.Doc{
		{Kind: "grant", Key: "b", Value: []byte("2")},
		{Kind: "grant", Key: "a", Value: []byte("1")},
		{Kind: "grants", Key: "a", Value: []byte("another kind")},
		{Kind: "outbox", Key: "a", Value: []byte{}},
	}})
	update(t, l, doc("c", "3"))
	update(t, l, doc("b", "22"))
	update(t, l, deletion("a"))
	update(t, l, deletion("absent"))
	view(t, l, func(v *ledger.View) {
		var got []string
		v.Scan("grant", "", func(key string, value []byte) bool {
			got = append(got, key+"="+string(value))
			return true
		})
		wantLines(t, "all of a kind", got, "b=22", "c=3")
		got = nil
		v.Scan("grant", "bb", func(key string, _ []byte) bool {
			got = append(got, key)
			return true
		})
		wantLines(t, "from a key on", got, "c")
		if _, ok := v.Get("grant", "a"); ok {
			t.Error("a deleted document is still there")
		}
		if value, ok := v.Get("outbox", "a"); !ok || len(value) != 0 {
			t.Errorf("an empty document reads %q, %v", value, ok)
		}
		if value, ok := v.Get("grants", "a"); !ok || string(value) != "another kind" {
			t.Errorf("a document of another kind reads %q, %v", value, ok)
		}
	})
}

func TestIndexKeysAreReplaced(t *testing.T) {
	l := fresh(t)
	update(t, l, doc("g1", "1", "due=05", "person=ann"))
	update(t, l, doc("g2", "1", "due=03", "person=ann", "person=bob"))
	wantLines(t, "due", index(t, l, "due"), "03=g2", "05=g1")
	wantLines(t, "person", index(t, l, "person"), "ann=g1", "ann=g2", "bob=g2")

	update(t, l, doc("g1", "2", "due=01", "person=ann"))
	wantLines(t, "due after moving", index(t, l, "due"), "01=g1", "03=g2")
	update(t, l, doc("g2", "2", "person=bob", "person=bob"))
	wantLines(t, "due after leaving", index(t, l, "due"), "01=g1")
	wantLines(t, "person after leaving", index(t, l, "person"), "ann=g1", "bob=g2")

	update(t, l, deletion("g1"))
	update(t, l, deletion("g1"))
	wantLines(t, "due after deleting", index(t, l, "due"))
	wantLines(t, "person after deleting", index(t, l, "person"), "bob=g2")
	update(t, l, doc("g1", "again", "due=09"))
	wantLines(t, "due after making anew", index(t, l, "due"), "09=g1")
}

func TestKindsShareAnIndex(t *testing.T) {
	l := fresh(t)
	update(t, l, ledger.Change{Docs: []ledger.Doc{
		{Kind: "grant", Key: "x", Value: []byte{1}, Index: []ledger.Key{{Index: "due", Key: "1"}}},
		{Kind: "vote", Key: "x", Value: []byte{1}, Index: []ledger.Key{{Index: "due", Key: "1"}}},
	}})
	update(t, l, deletion("x"))
	wantLines(t, "due after one of two is deleted", index(t, l, "due"), "1=x")
}

func TestScanIndexIsHalfOpen(t *testing.T) {
	l := fresh(t)
	for _, key := range []string{"a", "a b", "aa", "b", "ü"} {
		update(t, l, doc("of "+key, "1", "i="+key, "ii="+key))
	}
	for _, c := range []struct {
		from, to string
		want     []string
	}{
		{"", ledger.End, []string{"a", "a b", "aa", "b", "ü"}},
		{"", "", nil},
		{"a", "a", nil},
		{"a", "aa", []string{"a", "a b"}},
		{"a", "a\x00", []string{"a"}},
		{"a\x00", "b", []string{"a b", "aa"}},
		{"b", ledger.End, []string{"b", "ü"}},
	} {
		var want []string
		for _, key := range c.want {
			want = append(want, key+"=of "+key)
		}
		wantLines(t, fmt.Sprintf("from %q to %q", c.from, c.to), indexRange(t, l, "i", c.from, c.to), want...)
	}
	view(t, l, func(v *ledger.View) {
		var got []string
		v.ScanIndexAt("i", "a", func(docKey string) bool {
			got = append(got, docKey)
			return true
		})
		wantLines(t, "exactly a", got, "of a")
		calls := 0
		v.ScanIndex("i", "", ledger.End, func(_, _ string) bool {
			calls++
			return false
		})
		if calls != 1 {
			t.Errorf("a scan that was stopped at once made %d calls", calls)
		}
	})
}

func TestUpdateRefuses(t *testing.T) {
	l := fresh(t)
	update(t, l, doc("kept", "1", "due=1"))
	long := strings.Repeat("x", ledger.MaxKey)
	full := make([]byte, ledger.MaxEvent)
	for name, c := range map[string]struct {
		change ledger.Change
		want   error // nil: any
	}{
		"a leaf of 64 KiB":               {ledger.Change{Events: []ledger.Event{{Leaf: full}}}, ledger.ErrTooLarge},
		"a text of 64 KiB":               {ledger.Change{Events: []ledger.Event{{Leaf: full[1:], Text: full}}}, ledger.ErrTooLarge},
		"an empty leaf":                  {ledger.Change{Events: []ledger.Event{{Text: []byte("text")}}}, nil},
		"a document without key":         {doc("", "1"), nil},
		"a NUL in a key":                 {doc("a\x00b", "1"), nil},
		"a long key":                     {doc(long, "1"), ledger.ErrTooLarge},
		"a NUL in an index key":          {doc("a", "1", "due=a\x00b"), nil},
		"an index without name":          {doc("a", "1", "=1"), nil},
		"an index key of no time":        {doc("a", "1", "due="+ledger.TimeKey(time.Time{})), nil},
		"a long index key":               {doc("a", "1", "due="+long), ledger.ErrTooLarge},
		"deleting with index keys":       {ledger.Change{Docs: []ledger.Doc{{Kind: "grant", Key: "kept", Index: []ledger.Key{{Index: "due", Key: "1"}}}}}, nil},
		"one document twice in a change": {ledger.Change{Docs: append(doc("a", "1").Docs, doc("a", "2").Docs...)}, nil},
	} {
		c.change.Docs = append(doc("beside", "1", "due=2").Docs, c.change.Docs...)
		c.change.Events = append(events("beside").Events, c.change.Events...)
		if err := tryUpdate(t, l, c.change); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s answers %v", name, err)
		}
	}
	wantLines(t, "due, of all that", index(t, l, "due"), "1=kept")
	view(t, l, func(v *ledger.View) {
		if v.Size() != 0 {
			t.Errorf("refused changes left %d events", v.Size())
		}
	})
	update(t, l, ledger.Change{Events: []ledger.Event{{Leaf: full[1:], Text: full[1:]}}})
}

func TestViewSeesTheStateBefore(t *testing.T) {
	l := fresh(t)
	update(t, l, doc("n", "1"))
	err := l.Update(t.Context(), func(v *ledger.View) (ledger.Change, error) {
		value, _ := v.Get("grant", "n")
		return doc("n", string(value)+"1"), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	view(t, l, func(v *ledger.View) {
		if value, _ := v.Get("grant", "n"); string(value) != "11" {
			t.Errorf("got %q", value)
		}
	})
}

func TestTimeKey(t *testing.T) {
	at := time.Date(2026, 3, 14, 1, 59, 26, 535897932, time.FixedZone("", 3600))
	ascending := []time.Time{
		time.Unix(0, 0), time.Unix(0, 1), at.Add(-time.Nanosecond), at, at.Add(time.Nanosecond), at.Add(time.Hour),
		time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	before := ""
	for _, want := range ascending {
		key := ledger.TimeKey(want)
		if len(key) != 16 || key <= before {
			t.Errorf("%v has key %q, after %q", want, key, before)
		}
		got, err := ledger.ParseTimeKey(key)
		if err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%v comes back as %v, %v", want, got, err)
		}
		before = key
	}
	for _, bad := range []time.Time{{}, time.Unix(-1, 0), time.Date(2263, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if key := ledger.TimeKey(bad); key != "" {
			t.Errorf("%v has key %q", bad, key)
		}
	}
}

func FuzzParseTimeKey(f *testing.F) {
	for _, seed := range []string{"", "0000000000000000", "18b0cbd5a8b3c40c", "18B0CBD5A8B3C40C", "ffffffffffffffff", "+000000000000001", "0x00000000000001"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if at, err := ledger.ParseTimeKey(s); err == nil && ledger.TimeKey(at) != s {
			t.Errorf("%q is read as %v, whose key is %q", s, at, ledger.TimeKey(at))
		}
	})
}
