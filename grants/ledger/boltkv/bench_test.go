package boltkv_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nightlatch/grants/ledger"
	"nightlatch/grants/ledger/boltkv"

	bolt "go.etcd.io/bbolt"
)

// benchCommits is how many commits one round makes: enough for the trees to have branches.
const benchCommits = 2000

// BenchmarkCommit measures the ledger's usual commit, one event and one document with two index keys that move, and
// reports its time as a ratio to a bare bbolt Update of the same writes with all bytes prepared. The bare one makes a
// commit of each Update, so that with many callers the ratio shows what sharing commits brings.
func BenchmarkCommit(b *testing.B) {
	prepared := recordWrites(b)
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			var ours, bare time.Duration
			for b.Loop() {
				ours += timeLedger(b, callers)
				bare += timeBare(b, callers, prepared)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(ours)/float64(bare), "ours/bare")
			b.ReportMetric(float64(benchCommits*b.N)/ours.Seconds(), "commits/s")
		})
	}
}

// usual is the n-th commit of the benchmark.
func usual(n int) ledger.Change {
	at := time.Unix(int64(1_800_000_000+n), 0)
	return ledger.Change{
		Docs: []ledger.Doc{{
			Kind: "grant", Key: fmt.Sprintf("%026d", n%500), Value: bytes.Repeat([]byte("grant"), 140),
			Index: []ledger.Key{
				{Index: "grants_due/token", Key: ledger.TimeKey(at)},
				{Index: "grants_person", Key: fmt.Sprintf("T0001/U%04d", n%40)},
			},
		}},
		Events: []ledger.Event{{Leaf: fmt.Appendf(bytes.Repeat([]byte("event"), 140), "%d", n)}},
	}
}

// spread calls f for 0 to benchCommits-1 from a number of goroutines.
func spread(b *testing.B, callers int, f func(n int) error) time.Duration {
	b.Helper()
	var all sync.WaitGroup
	var next atomic.Int64
	start := time.Now()
	for range callers {
		all.Go(func() {
			for n := int(next.Add(1)) - 1; n < benchCommits; n = int(next.Add(1)) - 1 {
				if err := f(n); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	return time.Since(start)
}

func timeLedger(b *testing.B, callers int) time.Duration {
	b.Helper()
	e, err := boltkv.Open(boltkv.Config{Path: filepath.Join(b.TempDir(), "ledger.db"), Spaces: ledger.Spaces()})
	if err != nil {
		b.Fatal(err)
	}
	defer closeOf(b, e.Close)
	l := openLedger(b, e)
	return spread(b, callers, func(n int) error {
		return l.Update(b.Context(), func(*ledger.View) (ledger.Change, error) { return usual(n), nil })
	})
}

func timeBare(b *testing.B, callers int, prepared []ledger.Changes) time.Duration {
	b.Helper()
	db, err := bolt.Open(filepath.Join(b.TempDir(), "bare.db"), 0o600, &bolt.Options{InitialMmapSize: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	defer closeOf(b, db.Close)
	err = db.Update(func(tx *bolt.Tx) error {
		for _, s := range ledger.Spaces() {
			if _, err := tx.CreateBucket([]byte(s.Name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return spread(b, callers, func(n int) error {
		return db.Update(func(tx *bolt.Tx) error {
			for _, w := range prepared[n] {
				bucket := tx.Bucket([]byte(w.Space))
				if w.Value == nil {
					if err := bucket.Delete(w.Key); err != nil {
						return err
					}
				} else if err := bucket.Put(w.Key, w.Value); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func openLedger(tb testing.TB, e ledger.Engine) *ledger.Ledger {
	tb.Helper()
	l, err := ledger.Open(tb.Context(), ledger.Config{Engine: e})
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func closeOf(tb testing.TB, closing func() error) {
	tb.Helper()
	if err := closing(); err != nil {
		tb.Error(err)
	}
}

// recorder keeps the writes of each Update.
type recorder struct {
	ledger.Engine
	writes []ledger.Changes
}

func (r *recorder) Update(ctx context.Context, f func(ledger.Reader) (ledger.Changes, error)) error {
	var made ledger.Changes
	err := r.Engine.Update(ctx, func(rd ledger.Reader) (ledger.Changes, error) {
		changes, err := f(rd)
		made = slices.Clone(changes)
		return changes, err
	})
	r.writes = append(r.writes, made)
	return err
}

// recordWrites plays the commits once, one after another, and returns what they write.
func recordWrites(b *testing.B) []ledger.Changes {
	b.Helper()
	e, err := boltkv.Open(boltkv.Config{Path: filepath.Join(b.TempDir(), "ledger.db"), Spaces: ledger.Spaces()})
	if err != nil {
		b.Fatal(err)
	}
	defer closeOf(b, e.Close)
	rec := &recorder{Engine: e}
	l := openLedger(b, rec)
	rec.writes = nil
	for n := range benchCommits {
		err := l.Update(b.Context(), func(*ledger.View) (ledger.Change, error) { return usual(n), nil })
		if err != nil {
			b.Fatal(err)
		}
	}
	return rec.writes
}
