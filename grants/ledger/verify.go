package ledger

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// verifyPage is how many events one View of Verify reads: long enough to be fast, short enough to hold up no writer.
const verifyPage = 1024

// CorruptError says that what is stored does not fit together.
type CorruptError struct {
	Seq    int64 // the first event that does not fit
	Reason string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("log does not fit together at event %d: %s", e.Seq, e.Reason)
}

// Verify hashes every leaf anew and compares with every hash of the stored tree. It answers [*CorruptError] with the first
// sequence number that does not fit. Events that are appended meanwhile are left for the next time. Somebody who rewrote
// leaves and hashes alike is found out only by a checkpoint held elsewhere.
func (l *Ledger) Verify(ctx context.Context) error {
	var size int64
	err := l.View(ctx, func(v *View) error {
		size = v.Size()
		return nil
	})
	tree := &regrown{}
	for err == nil && tree.size < size {
		to := min(tree.size+verifyPage, size)
		err = l.View(ctx, func(v *View) error { return tree.compare(v, to) })
	}
	if err != nil {
		return fmt.Errorf("verifying the log: %w", err)
	}
	// Last, because a cut is told best by the first event that is missing.
	if err := l.View(ctx, (*View).checkTail); err != nil {
		return fmt.Errorf("verifying the end of the log: %w", err)
	}
	return nil
}

// regrown is a tree built from leaves alone: of the stored tree it uses nothing.
type regrown struct {
	size int64
	edge []tlog.Hash // the roots of the complete subtrees, greatest first
}

// compare adds leaves up to a size and holds each hash that they complete against the stored one.
func (t *regrown) compare(v *View, to int64) error {
	for ; t.size < to; t.size++ {
		leaf, ok := v.Event(t.size)
		if !ok {
			return &CorruptError{Seq: t.size, Reason: "event is missing"}
		}
		stored := tlog.StoredHashIndex(0, t.size)
		for i, h := range t.add(tlog.RecordHash(leaf)) {
			found, err := v.ReadHashes([]int64{stored + int64(i)})
			if err != nil {
				return err
			}
			if found[0] != h {
				return &CorruptError{Seq: t.size, Reason: "event and the hashes of the tree differ"}
			}
		}
	}
	return nil
}

// add appends a leaf's hash and returns it with those of the subtrees that it completes, in the order of storing.
func (t *regrown) add(h tlog.Hash) []tlog.Hash {
	completed := []tlog.Hash{h}
	for n := t.size; n&1 == 1; n >>= 1 {
		h = tlog.NodeHash(t.edge[len(t.edge)-1], h)
		t.edge = t.edge[:len(t.edge)-1]
		completed = append(completed, h)
	}
	t.edge = append(t.edge, h)
	return completed
}

// checkTail compares the three ends of the log: the size in the head, the last leaf and the last hash.
func (v *View) checkTail() error {
	size, err := v.size()
	if err != nil {
		return err
	}
	leaves, err := v.end(spaceLeaves)
	if err != nil {
		return err
	}
	hashes, err := v.end(spaceHashes)
	if err != nil {
		return err
	}
	switch {
	case leaves < size:
		return &CorruptError{Seq: leaves, Reason: "event is missing at the end"}
	case leaves > size:
		return &CorruptError{Seq: size, Reason: "event is beyond the end"}
	case hashes < tlog.StoredHashCount(size):
		return &CorruptError{Seq: hashSeq(hashes), Reason: "a hash of the tree is missing at the end"}
	case hashes > tlog.StoredHashCount(size):
		return &CorruptError{Seq: size, Reason: "a hash of the tree is beyond the end"}
	case size == 0:
		return nil
	}
	leaf, _ := v.Event(size - 1)
	found, err := v.ReadHashes([]int64{tlog.StoredHashIndex(0, size-1)})
	if err != nil {
		return err
	}
	if found[0] != tlog.RecordHash(leaf) {
		return &CorruptError{Seq: size - 1, Reason: "event and the hashes of the tree differ"}
	}
	_, err = v.Root()
	return err
}

// end returns the number after the last key of a space of numbers.
func (v *View) end(space string) (int64, error) {
	key, _ := v.r.Last(space)
	if key == nil {
		return 0, nil
	}
	n, ok := parseNumber(key)
	if !ok {
		return 0, fmt.Errorf("reading the end of space %q: key %x is damaged", space, key)
	}
	return n + 1, nil
}

// hashSeq returns the event that stored the hash with an index.
func hashSeq(index int64) int64 {
	level, n := tlog.SplitStoredHashIndex(index)
	return (n+1)<<level - 1
}
