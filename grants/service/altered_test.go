package service_test

import (
	"errors"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
	"nightlatch/grants/service"
)

func TestAnEarlierDocumentIsNoticed(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		var open []byte
		w.views(func(v *ledger.View) { open, _ = v.Get("grant", g.ID) })
		w.shown(anna, g.ID)
		_, err := w.returns(anna, g.ID)
		w.must(err)
		w.waits(g.ID, grants.Closed)
		w.must(w.ledger.Update(w.ctx, func(*ledger.View) (ledger.Change, error) {
			return ledger.Change{Docs: []ledger.Doc{{
				Kind: "grant", Key: g.ID, Value: open,
				Index: []ledger.Key{{Index: "active", Key: string(g.Person)}, {Index: "open", Key: ledger.TimeKey(g.Ends)}},
			}}}, nil
		}))
		w.ends()
		if err := w.starts(0, false); !errors.Is(err, service.ErrAltered) {
			t.Errorf("a grant that was put back to open is answered %v", err)
		}
	})
}
