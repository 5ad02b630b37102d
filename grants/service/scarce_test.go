package service_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
	"nightlatch/grants/service"
)

// disk is one whose room can run out, with a reserve on it.
type disk struct {
	ledger.Engine
	mu       sync.Mutex
	full     bool // but for what the reserve gave back
	released bool
	slow     time.Duration
	useless  bool // the reserve was not enough
}

func (d *disk) with(f func(*disk)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(d)
}

func (d *disk) Update(ctx context.Context, f func(ledger.Reader) (ledger.Changes, error)) error {
	d.mu.Lock()
	full := d.full && (!d.released || d.useless)
	d.mu.Unlock()
	if full {
		return d.Engine.Update(ctx, func(r ledger.Reader) (ledger.Changes, error) {
			c, err := f(r)
			if err == nil && len(c) > 0 { // only a write needs room
				return nil, fmt.Errorf("writing: %w", ledger.ErrFull)
			}
			return c, err
		})
	}
	return d.Engine.Update(ctx, f)
}

func (d *disk) Keep() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full && d.released {
		return errors.New("0 MiB are left")
	}
	d.released = false
	return nil
}

func (d *disk) Release() error {
	time.Sleep(d.slow)
	d.with(func(d *disk) { d.released = true })
	return nil
}

func TestOnAFullDiskAccessIsTakenAwayAndNotGiven(t *testing.T) {
	story(t, func(w *world) {
		b := &beeper{}
		w.disk, w.pagers = &disk{}, []service.Pager{b}
		w.opens()
		first := w.opened(anna, orders, time.Hour)
		second := w.opened(anna, quiet, time.Hour)
		w.shown(anna, first.ID)
		w.shown(anna, second.ID)
		w.passes(time.Minute)
		w.disk.with(func(d *disk) { d.full = true })

		_, err := w.returns(anna, first.ID)
		w.must(err)
		w.waits(first.ID, grants.Closed)
		_, err = w.asks(anna, orders, time.Hour)
		w.refused(err, grants.DiskFull)
		_, err = w.reveals(anna, second.ID)
		w.refused(err, grants.DiskFull)
		_, err = w.extends(anna, second.ID, time.Hour)
		w.refused(err, grants.DiskFull)
		w.passes(time.Hour)
		if g := w.sees(second.ID); g.State != grants.Closed {
			t.Errorf("the other grant is %s after its end", g.State)
		}
		w.paged(b, "disk/1")

		w.disk.with(func(d *disk) { d.full = false })
		w.passes(time.Minute)
		w.paged(b, "disk/1", "disk/1 over")
		third := w.opened(anna, quiet, time.Minute)
		w.shown(anna, third.ID)
		w.settles()
	})
}

func TestNoSecretIsIssuedOutOfTheReserve(t *testing.T) {
	story(t, func(w *world) {
		w.disk = &disk{slow: time.Millisecond}
		w.opens()
		first := w.opened(anna, orders, time.Hour)
		second := w.opened(anna, quiet, time.Hour)
		waiting := w.pending(anna, ledgers, time.Hour)
		w.passes(time.Minute)
		w.disk.with(func(d *disk) { d.full = true })
		w.meanwhile(func() { _, _ = w.returns(anna, first.ID) })
		w.passes(500 * time.Millisecond)
		_, err := w.reveals(anna, second.ID)
		w.refused(err, grants.DiskFull)
		_, err = w.votes(cleo, waiting.ID, true)
		w.must(err)
		w.passes(time.Minute)
		if g := w.sees(waiting.ID); g.State != grants.Pending {
			t.Errorf("a request that has its yes is %s on a full disk", g.State)
		}
		w.disk.with(func(d *disk) { d.full = false })
		w.passes(2 * time.Minute)
		w.waits(waiting.ID, grants.Open)
		w.settles()
	})
}
