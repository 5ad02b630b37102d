package boltkv

import (
	"bytes"
	"fmt"

	"nightlatch/grants/ledger"

	bolt "go.etcd.io/bbolt"
)

// reader reads within one transaction. bbolt's slices point into the mapped file and die with the transaction, so every
// slice is copied on its way out.
type reader struct {
	engine  *Engine
	tx      *bolt.Tx // nil once the transaction is over
	buckets map[string]*bolt.Bucket
}

// Get returns a copy of the value, or nil.
func (r *reader) Get(space string, key []byte) []byte {
	return copied(r.bucket(space).Get(key))
}

// Scan calls f with copies, ascending from from to before to.
func (r *reader) Scan(space string, from, to []byte, f func(key, value []byte) bool) {
	c := r.bucket(space).Cursor()
	for k, v := c.Seek(from); k != nil; k, v = c.Next() {
		if to != nil && bytes.Compare(k, to) >= 0 {
			return
		}
		if !f(copied(k), copied(v)) {
			return
		}
	}
}

// Last returns copies of the last key and its value, or nils.
func (r *reader) Last(space string) (key, value []byte) {
	k, v := r.bucket(space).Cursor().Last()
	if k == nil {
		return nil, nil
	}
	return copied(k), copied(v)
}

// bucket returns the bucket of a declared space. bbolt looks a bucket up anew each time in a view, hence the map.
func (r *reader) bucket(space string) *bolt.Bucket {
	if r.tx == nil {
		panic("boltkv: reader used after its transaction")
	}
	if b := r.buckets[space]; b != nil {
		return b
	}
	declared, ok := r.engine.spaces[space]
	if !ok {
		panic(fmt.Sprintf("boltkv: space %q was not declared", space))
	}
	b := r.tx.Bucket([]byte(space))
	if declared.AppendOnly {
		b.FillPercent = 1.0
	}
	if r.buckets == nil {
		r.buckets = make(map[string]*bolt.Bucket, len(r.engine.spaces))
	}
	r.buckets[space] = b
	return b
}

// check refuses changes that cannot be applied as a whole, before any of them is.
func (r *reader) check(changes ledger.Changes) error {
	last := map[string][]byte{}
	for _, w := range changes {
		space, ok := r.engine.spaces[w.Space]
		switch {
		case !ok:
			return fmt.Errorf("writing to space %q: not declared", w.Space)
		case len(w.Key) == 0:
			return fmt.Errorf("writing to space %q: empty key", w.Space)
		case len(w.Key) > ledger.MaxKey:
			return fmt.Errorf("writing a key of %d bytes to space %q: %w", len(w.Key), w.Space, ledger.ErrTooLarge)
		case !space.AppendOnly:
			continue
		case w.Value == nil:
			return fmt.Errorf("deleting %x in space %q: %w", w.Key, w.Space, ledger.ErrAppendOnly)
		}
		if last[w.Space] == nil {
			last[w.Space], _ = r.Last(w.Space)
		}
		if bytes.Compare(w.Key, last[w.Space]) <= 0 {
			return fmt.Errorf("writing %x to space %q: %w", w.Key, w.Space, ledger.ErrAppendOnly)
		}
		last[w.Space] = w.Key
	}
	return nil
}

// apply writes changes that were checked. An error leaves the transaction half written: it must be given up.
func (r *reader) apply(changes ledger.Changes) error {
	for _, w := range changes {
		var err error
		if w.Value == nil {
			err = r.bucket(w.Space).Delete(w.Key)
		} else {
			err = r.bucket(w.Space).Put(w.Key, w.Value)
		}
		if err != nil {
			return fmt.Errorf("writing to space %q: %w", w.Space, err)
		}
	}
	return nil
}

// copied keeps apart what is absent (nil) and what is empty.
func copied(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append([]byte{}, b...)
}
