package service_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

func TestReplacingALostCallBelievesNoEarlyEvidence(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		w.target.with(func(t *target) { t.effect = grants.IssuingPatience - time.Second })
		pressed, giveUp := context.WithTimeout(w.ctx, time.Second)
		defer giveUp()
		if _, err := w.svc.Reveal(pressed, service.Showing{Origin: w.origin(anna), Grant: g.ID}); err == nil {
			t.Fatal("a call that was given up was answered")
		}
		w.target.with(func(t *target) { t.effect = 50 * time.Millisecond })
		w.passes(10 * time.Second)
		w.shown(anna, g.ID)
		w.passes(11 * time.Second)
		_, err := w.reveals(anna, g.ID)
		two, ok := errors.AsType[*service.TwoLiveError](err)
		if !ok || two.Oldest.State != grants.Issuing {
			t.Fatalf("a third press is answered %v", err)
		}
		_, err = w.replaces(anna, g.ID, two.Oldest.Ordinal)
		w.must(err)
		w.passes(10 * time.Second) // the lost call takes effect meanwhile
		w.passes(time.Minute)
		w.keeps()
		w.passes(time.Hour)
		w.settles()
	})
}

func TestReplacingWhatIsGone(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		r := w.shown(anna, g.ID)
		w.must(w.svc.Undelivered(w.ctx, g.ID, r.Ordinal, "the view was closed"))
		w.passes(time.Second)
		again, err := w.replaces(anna, g.ID, r.Ordinal)
		w.must(err)
		w.lives(again, true)
		w.passes(time.Hour)
		w.settles()
	})
}

// supersedes presses Replace.
func (w *world) supersedes(user, grant string) (service.Revealed, error) {
	return w.svc.Reveal(w.ctx, service.Showing{Origin: w.origin(user), Grant: grant, Replace: true})
}

func TestReplaceEndsWhateverWasShown(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		first := w.shown(anna, g.ID)
		w.passes(11 * time.Second)
		second := w.shown(anna, g.ID)
		if _, err := w.supersedes(ben, g.ID); refusal(err) == nil {
			t.Errorf("somebody else replaces: %v", err)
		}
		w.passes(3 * time.Second) // sooner than another Reveal would make one
		third, err := w.supersedes(anna, g.ID)
		w.must(err)
		if third.Replaced != 2 || third.Lingering != 0 {
			t.Errorf("replaced %d, lingering %d", third.Replaced, third.Lingering)
		}
		w.lives(first, false)
		w.lives(second, false)
		w.lives(third, true)
		if _, err := w.supersedes(anna, g.ID); !errors.Is(err, service.ErrJustShown) {
			t.Errorf("a second click replaces again: %v", err)
		}
		w.passes(time.Second)
		if works := w.target.works(); len(works) != 1 {
			t.Errorf("%v open the target", works)
		}
		w.keeps()
		w.passes(time.Hour)
		w.settles()
	})
}

// A target that is slower than at once is told first.
func TestReplaceAtASlowTarget(t *testing.T) {
	story(t, func(w *world) {
		w.target.class = grants.Seconds
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		w.shown(anna, g.ID)
		w.passes(11 * time.Second)
		w.target.with(func(t *target) { t.cut = 2 * time.Second })
		next, err := w.supersedes(anna, g.ID)
		w.must(err)
		if next.Replaced != 1 || next.Lingering != 0 {
			t.Errorf("replaced %d, lingering %d", next.Replaced, next.Lingering)
		}
		w.passes(11 * time.Second)
		w.target.with(func(t *target) { t.revoking = faults{Calls: 3, Err: errUnreachable} })
		next, err = w.supersedes(anna, g.ID)
		w.must(err)
		if next.Replaced != 1 || next.Lingering != 1 {
			t.Errorf("replaced %d, lingering %d at a target that does not answer", next.Replaced, next.Lingering)
		}
		w.lives(next, true)
		w.passes(time.Minute)
		w.keeps()
		if works := w.target.works(); len(works) != 1 {
			t.Errorf("%v open the target", works)
		}
		w.passes(time.Hour)
		w.settles()
	})
}
