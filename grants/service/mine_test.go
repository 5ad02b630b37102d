package service_test

import (
	"testing"
	"time"

	"nightlatch/grants"
)

func TestMine(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		w.passes(time.Second)
		first := w.opened(anna, orders, time.Hour)
		second := w.pending(anna, ledgers, time.Hour)
		w.pending(ben, ledgers, time.Hour)
		mine, err := w.svc.Mine(w.ctx, person(anna))
		w.must(err)
		if len(mine) != 2 || mine[0].Grant.ID != first.ID || mine[1].Grant.ID != second.ID || mine[0].Reason != "orders are stuck" {
			t.Errorf("mine: %+v", mine)
		}
		_, err = w.returns(anna, first.ID)
		w.must(err)
		if mine, err = w.svc.Mine(w.ctx, person(anna)); err != nil || len(mine) != 1 {
			t.Errorf("after a return: %+v, %v", mine, err)
		}
		if _, err = w.svc.Mine(w.ctx, person(gus)); refusal(err) == nil || refusal(err).Reasons[0].Code != grants.BadStanding {
			t.Errorf("a guest: %v", err)
		}
	})
}
