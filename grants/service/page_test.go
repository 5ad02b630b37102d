package service_test

import (
	"context"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// touchy is a way to page that does something of its own at an end, or after a page.
type touchy struct {
	beeper
	atEnd func() error
	after func()
}

func (p *touchy) Page(ctx context.Context, a grants.Alarm) error {
	if !a.Over.IsZero() && p.atEnd != nil {
		if err := p.atEnd(); err != nil {
			return err
		}
	}
	err := p.beeper.Page(ctx, a)
	if p.after != nil {
		p.after()
	}
	return err
}

func TestAnAlarmThatComesBackWhileItsEndIsToldPagesAgain(t *testing.T) {
	story(t, func(w *world) {
		b := &touchy{atEnd: func() error { time.Sleep(5 * time.Second); return nil }}
		w.pagers = []service.Pager{b}
		w.opens()
		w.must(w.svc.Overheard(w.ctx, 3, 2))
		w.passes(time.Minute)
		w.must(w.svc.Overheard(w.ctx, 2, 2))
		w.passes(2 * time.Second) // its end is being told
		w.must(w.svc.Overheard(w.ctx, 3, 2))
		w.passes(12 * time.Hour)
		w.paged(&b.beeper, "app_token/1", "app_token/1 over", "app_token/1")
		if b.pages[0].Key == b.pages[2].Key {
			t.Error("it would be found in an incident that is over")
		}
	})
}

func TestEveryWayHearsOfTheEnd(t *testing.T) {
	story(t, func(w *world) {
		first, second := &beeper{}, &beeper{}
		w.pagers = []service.Pager{first, second}
		w.opens()
		w.must(w.svc.Overheard(w.ctx, 3, 2))
		w.passes(time.Minute)
		first.breaks(faults{Calls: 3, Err: errUnreachable})
		w.must(w.svc.Overheard(w.ctx, 2, 2))
		w.passes(time.Hour)
		w.must(w.svc.Overheard(w.ctx, 3, 2))
		w.passes(time.Hour)
		w.paged(first, "app_token/1", "app_token/1 over", "app_token/1")
		w.paged(second, "app_token/1 over")
		if first.pages[0].Key == first.pages[2].Key {
			t.Errorf("two alarms have one key, %s, and would be one incident", first.pages[0].Key)
		}
	})
}

func TestADeathBetweenAPageAndItsRecordLeavesAnEnd(t *testing.T) {
	story(t, func(w *world) {
		b := &touchy{}
		b.after = func() { w.kill() }
		w.pagers = []service.Pager{b}
		w.opens()
		_ = w.svc.Overheard(w.ctx, 3, 2)
		w.passes(time.Minute)
		w.ends()
		b.after = nil
		w.opens()
		w.passes(time.Hour)
		w.paged(&b.beeper, "app_token/1", "app_token/1 over")
	})
}

func TestYesterdaysPageEndsThoughThatFailsAtFirst(t *testing.T) {
	story(t, func(w *world) {
		left := 1
		b := &touchy{atEnd: func() error {
			if left--; left >= 0 {
				return errUnreachable
			}
			return nil
		}}
		w.pagers = []service.Pager{b}
		w.opens()
		w.must(w.svc.Overheard(w.ctx, 3, 2))
		w.passes(25 * time.Hour)
		w.must(w.svc.Overheard(w.ctx, 2, 2))
		w.passes(time.Hour)
		w.paged(&b.beeper, "app_token/1", "app_token/2", "app_token/1 over", "app_token/2 over")
	})
}

func TestAWayThatIsGoneForGoodIsGivenUp(t *testing.T) {
	story(t, func(w *world) {
		gone, b := &beeper{faults: faults{Calls: -1, Err: errUnreachable}}, &beeper{}
		w.pagers = []service.Pager{gone, b}
		w.opens()
		w.must(w.svc.Overheard(w.ctx, 3, 2))
		w.passes(time.Minute)
		w.must(w.svc.Overheard(w.ctx, 2, 2))
		w.passes(25 * time.Hour)
		w.paged(b, "app_token/1", "app_token/1 over")
		if n := w.count("alarm"); n != 0 {
			t.Errorf("%d alarms are left", n)
		}
	})
}

// What cannot be recorded is told all the same, and not again and again.
func TestADiskThatIsFullBeyondItsReservePagesOnce(t *testing.T) {
	story(t, func(w *world) {
		b := &beeper{}
		w.disk, w.pagers = &disk{}, []service.Pager{b}
		w.opens()
		w.must(w.svc.Overheard(w.ctx, 3, 2))
		w.passes(time.Hour)
		w.disk.with(func(d *disk) { d.full, d.useless = true, true })
		_, err := w.asks(anna, orders, time.Hour) // whoever writes finds out
		if err == nil {
			t.Error("a request was recorded on a full disk")
		}
		w.passes(2 * time.Hour)
		w.paged(b, "app_token/1", "disk/0")
		w.disk.with(func(d *disk) { d.full, d.useless = false, false })
		w.passes(time.Minute)
		w.paged(b, "app_token/1", "disk/0", "disk/0 over")
	})
}
