package service_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// beeper is a way to wake somebody.
type beeper struct {
	mu     sync.Mutex
	pages  []grants.Alarm
	faults faults
}

func (b *beeper) Page(ctx context.Context, a grants.Alarm) error {
	b.mu.Lock()
	f := b.faults.take()
	b.mu.Unlock()
	if err := f.hit(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pages = append(b.pages, a)
	return nil
}

func (b *beeper) breaks(f faults) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = f
}

// born is the part of a key that tells alarms of one cause apart.
var born = regexp.MustCompile(`/\d{9,}/`)

// heard lists the pages as their key's last part, with an end mark on those that are over.
func (b *beeper) heard() (all []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.pages {
		s := born.ReplaceAllString(strings.TrimPrefix(p.Key, "nightlatch/abcdefgh/"), "/")
		if !p.Over.IsZero() {
			s += " over"
		}
		all = append(all, s)
	}
	return all
}

func (w *world) paged(b *beeper, want ...string) {
	w.t.Helper()
	if got := b.heard(); fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("paged %q, want %q", got, want)
	}
}

// ofKind counts the events of a kind.
func (w *world) ofKind(k grants.Kind) (n int) {
	for _, e := range w.events() {
		if e.Kind == k {
			n++
		}
	}
	return n
}

func TestATargetThatDoesNotRevokePagesOnceThenDaily(t *testing.T) {
	story(t, func(w *world) {
		b := &beeper{}
		w.pagers = []service.Pager{b}
		w.opens()
		for range 3 {
			g := w.opened(anna, orders, time.Hour)
			w.shown(anna, g.ID)
			w.passes(11 * time.Second)
			w.target.with(func(t *target) { t.revoking = faults{Calls: -1, Err: errUnreachable} })
			_, err := w.returns(anna, g.ID)
			w.must(err)
		}
		w.paged(b)
		w.passes(2 * time.Minute)
		w.paged(b, "target/vault/1")
		w.restarts()
		w.passes(23 * time.Hour)
		w.paged(b, "target/vault/1")
		w.passes(2 * time.Hour)
		w.paged(b, "target/vault/1", "target/vault/2", "target/vault/1 over")
		w.target.with(func(t *target) { t.revoking = faults{} })
		w.passes(10 * time.Minute)
		w.paged(b, "target/vault/1", "target/vault/2", "target/vault/1 over", "target/vault/2 over")
		if n, over := w.ofKind(grants.KindPaged), w.ofKind(grants.KindPageOver); n != 2 || over != 2 {
			t.Errorf("%d pages and %d ends are recorded", n, over)
		}
		if n := w.count("alarm"); n != 0 {
			t.Errorf("%d alarms are left", n)
		}
		w.settles()
	})
}

func TestAShortFailurePagesNobody(t *testing.T) {
	story(t, func(w *world) {
		b := &beeper{}
		w.pagers = []service.Pager{b}
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		w.shown(anna, g.ID)
		w.target.with(func(t *target) { t.revoking = faults{Calls: 3, Err: errUnreachable} })
		_, err := w.returns(anna, g.ID)
		w.must(err)
		w.settles()
		w.paged(b)
	})
}

func TestTheSecondWayPagesWhenTheFirstIsSilent(t *testing.T) {
	story(t, func(w *world) {
		first, second := &beeper{faults: faults{Calls: -1, Delay: time.Hour}}, &beeper{}
		w.pagers = []service.Pager{first, second}
		w.opens()
		w.must(w.svc.Overheard(w.ctx, 3, 2))
		w.passes(29 * time.Second)
		w.paged(second)
		w.passes(2 * time.Second)
		w.paged(second, "app_token/1")
		w.must(w.svc.Overheard(w.ctx, 3, 2)) // the same once more
		w.passes(time.Minute)
		w.paged(second, "app_token/1")
		first.breaks(faults{})
		w.must(w.svc.Overheard(w.ctx, 2, 2))
		w.passes(time.Minute)
		w.paged(first, "app_token/1 over")
		w.paged(second, "app_token/1", "app_token/1 over")
	})
}

func TestNoWayToPageIsTriedAgain(t *testing.T) {
	story(t, func(w *world) {
		b := &beeper{faults: faults{Calls: 5, Err: errUnreachable}}
		w.pagers = []service.Pager{b}
		w.opens()
		w.must(w.svc.Overheard(w.ctx, 3, 2))
		w.passes(5 * time.Minute)
		w.paged(b, "app_token/1")
		if n := w.ofKind(grants.KindPaged); n != 1 {
			t.Errorf("%d pages are recorded", n)
		}
	})
}

func TestPagerDutysSilencePages(t *testing.T) {
	story(t, func(w *world) {
		b := &beeper{}
		w.pagers = []service.Pager{b}
		w.opens()
		w.passes(time.Minute)
		w.pager.breaks(faults{Calls: -1, Err: errUnreachable})
		w.passes(9 * time.Minute)
		w.paged(b)
		w.passes(3 * time.Minute)
		w.paged(b, "pagerduty/1")
		w.restarts()
		w.pager.breaks(faults{})
		w.passes(2 * time.Minute)
		w.paged(b, "pagerduty/1", "pagerduty/1 over")
	})
}

func TestNothingIsIssuedByAWrongClock(t *testing.T) {
	story(t, func(w *world) {
		b, ahead := &beeper{}, &atomic.Int64{}
		ahead.Store(int64(59 * time.Second))
		w.pagers, w.ahead = []service.Pager{b}, func() time.Duration { return time.Duration(ahead.Load()) }
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		w.shown(anna, g.ID)
		w.passes(time.Minute)
		ahead.Store(-int64(61 * time.Second))
		_, err := w.reveals(anna, g.ID)
		w.refused(err, grants.ClockOff)
		w.passes(time.Minute)
		w.paged(b, "clock/1")
		_, err = w.returns(anna, g.ID) // what takes access away is taken all the same
		w.must(err)
		w.passes(2 * time.Hour)
		w.paged(b, "clock/1")
		ahead.Store(0)
		w.passes(time.Minute)
		w.paged(b, "clock/1", "clock/1 over")
		w.settles()
	})
}
