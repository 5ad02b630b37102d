package ledger

import (
	"bytes"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// View reads one consistent state of the ledger. It ends with the function that it was given to, and is for one goroutine.
// Damage that it meets reads as absence for the moment; the View or Update that it belongs to then answers with it and
// writes nothing.
type View struct {
	r      Reader
	damage error
}

// Get returns the value of a document, and whether there is one.
func (v *View) Get(kind, key string) ([]byte, bool) {
	place, err := join(kind, key)
	if err != nil {
		return nil, false // no document can have such a name
	}
	return v.parse(place, v.r.Get(spaceDocs, place))
}

// Scan calls f for each document of a kind, ascending by key and beginning at from, until f returns false.
func (v *View) Scan(kind, from string, f func(key string, value []byte) bool) {
	prefix := []byte(kind + "\x00")
	v.r.Scan(spaceDocs, append(prefix, from...), after(prefix), func(place, stored []byte) bool {
		value, ok := v.parse(place, stored)
		return !ok || f(string(place[len(prefix):]), value)
	})
}

// ScanIndex calls f for each document under an index key from (included) to (excluded), ascending, until f returns false.
// With [End] it goes to the end; before an empty to there is nothing.
func (v *View) ScanIndex(index, from, to string, f func(indexKey, docKey string) bool) {
	prefix := []byte(index + "\x00")
	start := append(bytes.Clone(prefix), from...)
	v.r.Scan(spaceIndex, start, after(prefix), func(place, _ []byte) bool {
		parts := bytes.Split(place[len(prefix):], []byte{0})
		if len(parts) != 3 {
			v.damage = fmt.Errorf("reading index %q: entry %x is damaged", index, place)
			return false
		}
		indexKey, docKey := string(parts[0]), string(parts[2])
		if indexKey >= to {
			return false
		}
		return indexKey < from || f(indexKey, docKey)
	})
}

// ScanIndexAt calls f for each document under exactly this index key, ascending by kind and key, until f returns false.
func (v *View) ScanIndexAt(index, key string, f func(docKey string) bool) {
	v.ScanIndex(index, key, key+"\x00", func(_, docKey string) bool { return f(docKey) })
}

// Size returns the number of events, which is the sequence number of the next one.
func (v *View) Size() int64 {
	n, err := v.size()
	if err != nil {
		v.damage = err
	}
	return n
}

// Event returns the leaf with a sequence number, and whether there is one.
func (v *View) Event(seq int64) ([]byte, bool) {
	leaf := v.r.Get(spaceLeaves, number(seq))
	return leaf, leaf != nil
}

// Text returns what lies beside an event, and whether there is anything: there may never have been, or it was erased.
func (v *View) Text(seq int64) ([]byte, bool) {
	text := v.r.Get(spaceTexts, number(seq))
	return text, text != nil
}

// Events calls f for each event, ascending and beginning at from, until f returns false.
func (v *View) Events(from int64, f func(seq int64, leaf []byte) bool) {
	v.r.Scan(spaceLeaves, number(max(from, 0)), nil, func(key, leaf []byte) bool {
		seq, ok := parseNumber(key)
		if !ok {
			v.damage = fmt.Errorf("reading events: key %x is damaged", key)
			return false
		}
		return f(seq, leaf)
	})
}

// Root returns the hash of the tree of all events.
func (v *View) Root() (tlog.Hash, error) {
	size, err := v.size()
	if err != nil {
		return tlog.Hash{}, err
	}
	return tlog.TreeHash(size, v)
}

// ReadHashes returns stored hashes by their index, so that a view can be given to tlog for making proofs.
func (v *View) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	return v.readHashes(indexes, nil)
}

// readHashes looks among fresh hashes, not stored yet, before it looks at the stored ones.
func (v *View) readHashes(indexes []int64, fresh map[int64]tlog.Hash) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if h, ok := fresh[index]; ok {
			hashes[i] = h
			continue
		}
		stored := v.r.Get(spaceHashes, number(index))
		if len(stored) != tlog.HashSize {
			return nil, fmt.Errorf("reading hash %d: %w", index, &CorruptError{
				Seq: hashSeq(index), Reason: "a hash of the tree is missing",
			})
		}
		hashes[i] = tlog.Hash(stored)
	}
	return hashes, nil
}

func (v *View) size() (int64, error) {
	n, ok := parseNumber(v.r.Get(spaceHead, []byte("size")))
	if !ok {
		return 0, &CorruptError{Reason: "number of events is missing"}
	}
	return n, nil
}

// parse returns the value of a stored document, and remembers damage.
func (v *View) parse(place, stored []byte) ([]byte, bool) {
	if stored == nil {
		return nil, false
	}
	_, value, err := parseStored(stored)
	if err != nil {
		v.damage = fmt.Errorf("reading document %q: %w", place, err)
		return nil, false
	}
	return value, true
}

// after returns the first key after all that begin with prefix, which ends in NUL.
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	end[len(end)-1]++
	return end
}
