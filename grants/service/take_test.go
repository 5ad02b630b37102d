package service_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
	"nightlatch/grants/service"
)

func TestTheSameEnvelopeTwice(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		var id string
		for _, verb := range []func(o service.Origin) error{
			func(o service.Origin) error {
				g, err := w.svc.Request(w.ctx, service.Ask{Origin: o, Role: ledgers, Reason: "stuck"})
				if err == nil {
					id = g.ID
				}
				return err
			},
			func(o service.Origin) error {
				o.Person = person(cleo)
				_, err := w.svc.Vote(w.ctx, service.Ballot{Origin: o, Grant: id, Yes: true})
				return err
			},
			func(o service.Origin) error {
				_, err := w.svc.Return(w.ctx, service.Press{Origin: o, Grant: id})
				return err
			},
			func(o service.Origin) error { return w.svc.Reject(w.ctx, o, "no such button") },
		} {
			o := w.origin(anna)
			w.must(verb(o))
			w.passes(2 * time.Second)
			before := len(w.events())
			if err := verb(o); !errors.Is(err, service.ErrDuplicate) {
				t.Errorf("the same envelope again is answered %v", err)
			}
			if after := len(w.events()); after != before {
				t.Errorf("the same envelope again made %d events", after-before)
			}
		}
		w.passes(25 * time.Hour) // Slack will not send them again
		w.settles()
	})
}

func TestCaps(t *testing.T) {
	story(t, func(w *world) {
		w.limits = service.Limits{PerPerson: 2, InAll: 3}
		w.opens()
		first := w.opened(anna, orders, time.Hour)
		w.pending(anna, ledgers, time.Hour)
		_, err := w.asks(anna, quiet, time.Hour)
		if r := w.refused(err, grants.TooManyOpen); r.Reasons[0].Count != 2 {
			t.Errorf("refused because of %v", r.Reasons)
		}
		w.pending(fay, ledgers, time.Hour)
		_, err = w.asks(cleo, ledgers, time.Hour)
		w.refused(err, grants.TooManyOpen)
		_, err = w.returns(anna, first.ID) // limits exempt a return
		w.must(err)
		w.waits(first.ID, grants.Closed)
		w.pending(cleo, ledgers, time.Hour)
		w.keeps()
	})
}

func TestAReasonIsNeeded(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		for reason, why := range map[string]grants.Code{
			" ":                               grants.ReasonMissing,
			"password=hunter2hunter2":         grants.LooksLikeASecret,
			"see https://ann:hunter@db/x now": grants.LooksLikeASecret,
		} {
			_, err := w.svc.Request(w.ctx, service.Ask{Origin: w.origin(anna), Role: orders, Reason: reason})
			w.refused(err, why)
		}
		_, err := w.svc.Request(w.ctx, service.Ask{Origin: w.origin(anna), Role: "nothing", Reason: "x"})
		w.refused(err, grants.RoleUnknown)
		if n := len(w.stored()); n != 0 {
			t.Errorf("%d grants came of refused requests", n)
		}
		w.keeps()
	})
}

func TestADurationIsCut(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, 100*time.Hour)
		if want := w.at(2 * time.Hour); g.Ends.After(want) {
			t.Errorf("the grant ends at %s, the shift at %s", g.Ends, want)
		}
		if last := g.Reasons[len(g.Reasons)-1]; last.Code != grants.CutToShift {
			t.Errorf("the reasons %v do not say that it was cut", g.Reasons)
		}
	})
}

func TestEverythingIsToldInTheEnd(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		w.board.breaks(faults{Calls: 7, Err: errUnreachable})
		g := w.opened(anna, orders, time.Hour)
		w.shown(anna, g.ID)
		w.passes(2 * time.Minute)
		if n, ok := w.board.last(g.ID, service.Verdict); !ok || n.Grant.State != grants.Open {
			t.Errorf("after two minutes the verdict shows %v", n.Grant.State)
		}
		w.board.breaks(faults{Calls: -1, Err: &service.Wait{For: 30 * time.Second, Err: errors.New("429")}})
		_, err := w.returns(anna, g.ID)
		w.must(err)
		w.passes(time.Minute)
		w.board.breaks(faults{})
		w.settles()
		notices := w.board.all(g.ID, service.Verdict)
		for _, n := range notices[1:] {
			if n.Ref != notices[0].Ref && notices[0].Ref != "" || n.Ref == "" {
				t.Errorf("the verdict was shown again as %q", n.Ref)
			}
		}
	})
}

// TestWhatMustWaitIsToldInTime: a notifier that asks for a moment, so that an acknowledgement goes
// first, gets that moment and no more.
func TestWhatMustWaitIsToldInTime(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		const moment = 200 * time.Millisecond
		g := w.pending(anna, ledgers, time.Hour)
		w.passes(time.Second)
		w.board.breaks(faults{Calls: 2, Err: &service.Wait{For: moment, Err: errors.New("not acknowledged yet")}}) // verdict and card
		_, err := w.withdraws(anna, g.ID)
		w.must(err)
		w.passes(moment + 50*time.Millisecond)
		for _, s := range []service.Surface{service.Verdict, service.Card} {
			if n, _ := w.board.last(g.ID, s); n.Grant.State != grants.Closed {
				t.Errorf("after %s the %s shows %v", moment, s, n.Grant.State)
			}
		}
	})
}

// A wall clock that was set back makes nothing live longer than it would have, and writes no
// event before its time.
func TestTheClockGoesBackwards(t *testing.T) {
	dir := t.TempDir()
	var id string
	var live map[string]time.Time
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir)
		defer w.leave()
		w.opens()
		w.passes(time.Hour)
		g := w.opened(anna, orders, 30*time.Minute)
		w.shown(anna, g.ID)
		id, live = g.ID, w.target.live
		w.passes(10 * time.Minute)
		w.pending(anna, ledgers, time.Hour)
	})
	synctest.Test(t, func(t *testing.T) { // begins an hour earlier again
		w := newWorld(t, dir)
		defer w.leave()
		w.target.live = live
		w.opens()
		w.keeps()
		if g := w.sees(id); g.State != grants.Open {
			t.Errorf("the grant is %s", g.State)
		}
		w.passes(91 * time.Minute)
		if g := w.sees(id); g.State != grants.Closed {
			t.Errorf("when it should have ended the grant is %s", g.State)
		}
		w.settles()
		var last time.Time
		for _, e := range w.events() {
			if e.At.Before(last) {
				t.Errorf("event %d is of %s, the one before it of %s", e.Seq, e.At, last)
			}
			last = e.At
		}
	})
}

func TestWhatIsTypedInsteadOfARoleIsNotKept(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		const pasted = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
		_, err := w.asks(anna, pasted, time.Hour)
		w.refused(err, grants.RoleUnknown)
		w.views(func(v *ledger.View) {
			v.Events(0, func(seq int64, leaf []byte) bool {
				if strings.Contains(string(leaf), pasted) {
					t.Errorf("event %d keeps it: %s", seq, leaf)
				}
				return true
			})
		})
	})
}

// A wall clock that was a day ahead, and is right again, does not stand still for a day.
func TestTheClockGoesOnAfterAJump(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir)
		defer w.leave()
		w.opens()
		w.passes(24 * time.Hour)
		w.asks(dora, quiet, time.Hour)
	})
	synctest.Test(t, func(t *testing.T) { // begins a day earlier again
		w := newWorld(t, dir)
		defer w.leave()
		w.envelopes = 100
		w.opens()
		g := w.pending(dora, ledgers, 30*time.Minute)
		for _, voter := range []string{ben, cleo} {
			_, err := w.votes(voter, g.ID, true)
			w.must(err)
		}
		w.waits(g.ID, grants.Open)
		r := w.shown(dora, g.ID)
		w.passes(61 * time.Minute) // at half the pace
		w.lives(r, false)
		w.settles()
	})
}
