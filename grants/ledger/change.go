package ledger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// MaxEvent is the length in bytes that a leaf and a text must stay under.
const MaxEvent = 64 << 10

// End is a key that sorts after every key of UTF-8 text, for a scan to the end.
const End = "\xff"

// Change is what one Update writes: documents and events, all or none.
type Change struct {
	Docs   []Doc
	Events []Event
}

// Doc sets a document, or deletes it if Value is nil. A document may occur once in a Change.
type Doc struct {
	Kind, Key string
	Value     []byte

	// Index is every key under which this document is found from now on; what is not in it is forgotten. A deleted
	// document has none.
	Index []Key
}

// Key places a document in an ordered index. Documents with equal keys stand beside each other, by their kind and key.
type Key struct {
	Index, Key string
}

// Event appends one leaf to the log.
type Event struct {
	// Leaf is kept and hashed as it is, for ever.
	Leaf []byte

	// Text lies beside the leaf, may be empty, and can be erased. The leaf holds its salted hash.
	Text []byte
}

// TimeKey encodes a time so that keys sort as times do: 16 hexadecimal digits of nanoseconds since 1970. The zero time, and
// any outside of 1970 to 2262, gives the empty string, which Update refuses as a key and no scan reaches.
func TimeKey(t time.Time) string {
	if t.Before(time.Unix(0, 0)) || t.After(time.Unix(0, math.MaxInt64)) {
		return ""
	}
	return fmt.Sprintf("%016x", t.UnixNano())
}

// ParseTimeKey returns the time, in UTC, that TimeKey has encoded.
func ParseTimeKey(s string) (time.Time, error) {
	n, err := strconv.ParseUint(s, 16, 63)
	if err != nil || s != fmt.Sprintf("%016x", n) {
		return time.Time{}, fmt.Errorf("reading time key %q: want 16 hexadecimal digits", s)
	}
	return time.Unix(0, int64(n)).UTC(), nil
}

// writes turns a change into the writes of one transaction on the state that v shows.
func (c Change) writes(v *View) (Changes, error) {
	var w Changes
	seen := map[[2]string]bool{}
	for _, d := range c.Docs {
		id := [2]string{d.Kind, d.Key}
		if seen[id] {
			return nil, fmt.Errorf("writing document %s/%s: it occurs twice in one change", d.Kind, d.Key)
		}
		seen[id] = true
		var err error
		if w, err = d.appendWrites(w, v); err != nil {
			return nil, fmt.Errorf("writing document %s/%s: %w", d.Kind, d.Key, err)
		}
	}
	return c.appendEvents(w, v)
}

// appendWrites adds the document itself and what its index keys have become.
func (d Doc) appendWrites(w Changes, v *View) (Changes, error) {
	place, err := join(d.Kind, d.Key)
	if err != nil {
		return nil, err
	}
	if d.Value == nil && len(d.Index) > 0 {
		return nil, errors.New("a deleted document cannot have index keys")
	}
	keys := make([][]byte, 0, len(d.Index))
	wanted := make(map[string]bool, len(d.Index))
	for _, k := range d.Index {
		key, err := join(k.Index, k.Key, d.Kind, d.Key)
		if err != nil {
			return nil, fmt.Errorf("indexing under %q: %w", k.Index, err)
		}
		if !wanted[string(key)] {
			wanted[string(key)] = true
			keys = append(keys, key)
		}
	}

	had := map[string]bool{}
	if old := v.r.Get(spaceDocs, place); old != nil {
		before, _, err := parseStored(old)
		if err != nil {
			return nil, err
		}
		for _, key := range before {
			had[string(key)] = true
			if !wanted[string(key)] {
				w = append(w, Write{Space: spaceIndex, Key: key})
			}
		}
	}
	for _, key := range keys {
		if !had[string(key)] {
			w = append(w, Write{Space: spaceIndex, Key: key, Value: []byte{}})
		}
	}
	doc := Write{Space: spaceDocs, Key: place}
	if d.Value != nil {
		doc.Value = encodeStored(keys, d.Value)
	}
	return append(w, doc), nil
}

// appendEvents adds the leaves, their texts, the hashes that they complete, and the new size.
func (c Change) appendEvents(w Changes, v *View) (Changes, error) {
	if len(c.Events) == 0 {
		return w, nil
	}
	seq, err := v.size()
	if err != nil {
		return nil, err
	}
	fresh := map[int64]tlog.Hash{} // hashes of this very change
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		return v.readHashes(indexes, fresh)
	})
	for _, e := range c.Events {
		switch {
		case len(e.Leaf) == 0:
			return nil, errors.New("appending an event: leaf is empty")
		case len(e.Leaf) >= MaxEvent:
			return nil, fmt.Errorf("appending an event with a leaf of %d bytes: %w", len(e.Leaf), ErrTooLarge)
		case len(e.Text) >= MaxEvent:
			return nil, fmt.Errorf("appending an event with a text of %d bytes: %w", len(e.Text), ErrTooLarge)
		}
		hashes, err := tlog.StoredHashes(seq, e.Leaf, read)
		if err != nil {
			return nil, fmt.Errorf("hashing event %d: %w", seq, err)
		}
		w = append(w, Write{Space: spaceLeaves, Key: number(seq), Value: e.Leaf})
		if len(e.Text) > 0 {
			w = append(w, Write{Space: spaceTexts, Key: number(seq), Value: e.Text})
		}
		first := tlog.StoredHashIndex(0, seq)
		for i, h := range hashes {
			fresh[first+int64(i)] = h
			w = append(w, Write{Space: spaceHashes, Key: number(first + int64(i)), Value: bytes.Clone(h[:])})
		}
		seq++
	}
	return append(w, Write{Space: spaceHead, Key: []byte("size"), Value: number(seq)}), nil
}

// join makes one ordered key of parts that hold no NUL.
func join(parts ...string) ([]byte, error) {
	n := len(parts) - 1
	for _, p := range parts {
		n += len(p)
		if p == "" {
			return nil, errors.New("name or key is empty")
		}
		if strings.IndexByte(p, 0) >= 0 {
			return nil, errors.New("name or key holds a NUL byte")
		}
	}
	if n > MaxKey {
		return nil, fmt.Errorf("key of %d bytes: %w", n, ErrTooLarge)
	}
	return []byte(strings.Join(parts, "\x00")), nil
}

// encodeStored puts the index keys before the value, so that the next change of the document finds them.
func encodeStored(keys [][]byte, value []byte) []byte {
	b := binary.AppendUvarint(nil, uint64(len(keys)))
	for _, k := range keys {
		b = binary.AppendUvarint(b, uint64(len(k)))
		b = append(b, k...)
	}
	return append(b, value...)
}

var errDamaged = errors.New("stored document is damaged")

// parseStored undoes encodeStored.
func parseStored(b []byte) (keys [][]byte, value []byte, err error) {
	count, n := binary.Uvarint(b)
	if n <= 0 {
		return nil, nil, errDamaged
	}
	b = b[n:]
	for range count {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return nil, nil, errDamaged
		}
		b = b[n:]
		keys, b = append(keys, b[:size:size]), b[size:]
	}
	return keys, b, nil
}

// number encodes a sequence number or an index as a key.
func number(n int64) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(n))
}

func parseNumber(b []byte) (int64, bool) {
	if len(b) != 8 {
		return 0, false
	}
	n := binary.BigEndian.Uint64(b)
	return int64(n), n <= math.MaxInt64
}
