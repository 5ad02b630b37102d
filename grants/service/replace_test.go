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
