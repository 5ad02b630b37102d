package service_test

import (
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

func TestANoIsExplained(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.pending(anna, ledgers, time.Hour)
		if _, err := w.explains(cleo, g.ID, "too early"); refusal(err) == nil {
			t.Errorf("a request that nobody denied is explained: %v", err)
		}
		_, err := w.votes(cleo, g.ID, false)
		w.must(err)
		w.passes(time.Minute) // shown, and its rows forgotten
		for _, c := range []struct {
			who, text string
			want      grants.Code
		}{
			{dan, "not mine", grants.NotYours},
			{anna, "neither", grants.NotYours},
			{gus, "a guest", grants.BadStanding},
			{cleo, " ", grants.ReasonMissing},
			{cleo, "password=hunter2hunter2", grants.LooksLikeASecret},
		} {
			_, err := w.explains(c.who, g.ID, c.text)
			if r := refusal(err); r == nil || len(r.Reasons) == 0 || r.Reasons[0].Code != c.want {
				t.Errorf("%s says %q: %v", c.who, c.text, err)
			}
		}
		_, err = w.explains(cleo, g.ID, "the database is being moved")
		w.must(err)
		w.passes(time.Second)
		for _, s := range []service.Surface{service.Verdict, service.Card} {
			all := w.board.all(g.ID, s)
			n := all[len(all)-1]
			if n.Why != "the database is being moved" || n.Ref == "" {
				t.Errorf("the %s shows %q at %q", s, n.Why, n.Ref)
			}
		}
		if _, err = w.explains(cleo, g.ID, "once more"); refusal(err) == nil {
			t.Errorf("a second explanation: %v", err)
		}
		w.settles()
	})
}

func TestANoIsExplainedForAnHour(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.pending(anna, ledgers, time.Hour)
		_, err := w.votes(cleo, g.ID, false)
		w.must(err)
		w.passes(grants.ExplainFor + time.Second)
		if _, err = w.explains(cleo, g.ID, "late"); refusal(err) == nil {
			t.Errorf("explained after an hour: %v", err)
		}
		w.passes(2 * time.Hour)
		if left := w.count("told"); left > 0 {
			t.Errorf("%d rows are kept for nothing", left)
		}
	})
}
