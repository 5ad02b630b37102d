package service_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

func TestRevealAgain(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		first := w.shown(anna, g.ID)
		w.passes(9 * time.Second)
		if _, err := w.reveals(anna, g.ID); !errors.Is(err, service.ErrJustShown) {
			t.Errorf("a press within ten seconds is answered %v", err)
		}
		if n := len(w.target.works()); n != 1 {
			t.Errorf("%d credentials work after a double press", n)
		}
		w.passes(2 * time.Second)
		second := w.shown(anna, g.ID)
		w.lives(first, true)
		w.lives(second, true)
		w.passes(11 * time.Second)
		_, err := w.reveals(anna, g.ID)
		two, ok := errors.AsType[*service.TwoLiveError](err)
		if !ok || two.Oldest.Ordinal != first.Ordinal {
			t.Fatalf("a third press is answered %v", err)
		}
		third, err := w.replaces(anna, g.ID, two.Oldest.Ordinal)
		w.must(err)
		w.passes(time.Second)
		w.lives(first, false)
		w.lives(second, true)
		w.lives(third, true)
		if n := len(w.target.works()); n != 2 {
			t.Errorf("%d credentials work after a replacement", n)
		}
		w.passes(time.Hour)
		w.settles()
	})
}

func TestTwoRevealsAtOnceMintOnce(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		w.pager.breaks(faults{Calls: 1, Delay: 3 * time.Second})
		answers := make([]error, 2)
		w.meanwhile(func() { _, answers[0] = w.reveals(anna, g.ID) })
		w.passes(time.Second)
		_, answers[1] = w.reveals(anna, g.ID)
		w.passes(5 * time.Second)
		if (answers[0] == nil) == (answers[1] == nil) || len(w.target.works()) != 1 {
			t.Errorf("two presses are answered %v; %v work", answers, w.target.works())
		}
		w.keeps()
	})
}

func TestRevealsAreCounted(t *testing.T) {
	story(t, func(w *world) {
		w.limits.Reveals = 2
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		for range 2 {
			w.shown(anna, g.ID)
			w.passes(11 * time.Second)
		}
		_, err := w.replaces(anna, g.ID, 1)
		w.refused(err, grants.TooManyReveals)
		w.keeps()
	})
}

func TestNobodyElseReveals(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		for _, user := range []string{ben, cleo, gus} {
			_, err := w.reveals(user, g.ID)
			if r := w.refused(err, grants.NotYours); r.Grant != nil {
				t.Errorf("%s is told of a grant that is not theirs", user)
			}
			_, err = w.returns(user, g.ID)
			if r := refusal(err); r == nil || len(r.Reasons) == 0 {
				t.Errorf("%s returned somebody else's grant: %v", user, err)
			}
		}
		if made := w.target.works(); len(made) > 0 {
			t.Errorf("%v work", made)
		}
	})
}

func TestUndelivered(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		r := w.shown(anna, g.ID)
		w.must(w.svc.Undelivered(w.ctx, g.ID, r.Ordinal, "the view was closed"))
		w.lives(r, false)
		w.passes(time.Second)
		g = w.sees(g.ID)
		if c := g.Credentials[0]; g.State != grants.Open || c.State != grants.Gone || !c.Undelivered {
			t.Errorf("the grant is %s, its credential %+v", g.State, c)
		}
		n, _ := w.board.last(g.ID, service.Verdict)
		if len(n.Grant.Credentials) != 1 || !n.Grant.Credentials[0].Undelivered {
			t.Errorf("its person is shown %+v", n.Grant.Credentials)
		}
		w.lives(w.shown(anna, g.ID), true) // at once: nothing was shown
		w.passes(time.Hour)
		w.settles()
	})
}

func TestIssuingOutlivesTheGrant(t *testing.T) {
	story(t, func(w *world) {
		w.target.effect, w.target.answer = 3*time.Second, time.Second
		w.opens()
		g := w.opened(anna, orders, time.Minute)
		w.passes(58 * time.Second)
		_, err := w.reveals(anna, g.ID)
		if !errors.Is(err, service.ErrOver) {
			t.Errorf("a reveal that outlives the grant is answered %v", err)
		}
		w.passes(5 * time.Second)
		if made := w.target.works(); len(made) > 0 {
			t.Errorf("%v work after the end", made)
		}
		w.settles()
	})
}

func TestLiveNeverOverwritesRetiring(t *testing.T) {
	t.Run("returned while it was issued", func(t *testing.T) {
		story(t, func(w *world) {
			w.target.effect, w.target.answer = time.Second, time.Second
			w.opens()
			g := w.opened(anna, orders, time.Hour)
			w.meanwhile(func() {
				if r, err := w.reveals(anna, g.ID); !errors.Is(err, service.ErrOver) {
					t.Errorf("the reveal is answered %v, %v", r, err)
				}
			})
			w.passes(500 * time.Millisecond)
			_, err := w.returns(anna, g.ID)
			w.must(err)
			w.keeps()
			w.passes(5 * time.Second)
			w.settles()
		})
	})
	t.Run("given up while the grant goes on", func(t *testing.T) {
		story(t, func(w *world) {
			w.target.deaf, w.target.revoking = true, faults{Calls: 2, Err: errUnreachable}
			w.target.effect, w.target.answer = grants.IssuingPatience-time.Second, 2*time.Second
			w.opens()
			g := w.opened(anna, orders, time.Hour)
			if _, err := w.reveals(anna, g.ID); err == nil {
				t.Error("a credential that was given up was shown")
			}
			w.passes(5 * time.Second)
			if c := w.sees(g.ID).Credentials[0]; c.State != grants.Gone || c.Issued != (time.Time{}) {
				t.Errorf("the credential is %s, issued %s", c.State, c.Issued)
			}
			w.keeps()
			w.passes(time.Hour)
			w.settles()
		})
	})
}

func TestTheTargetMakesNothing(t *testing.T) {
	for name, made := range map[string]bool{"nothing is made": false, "it was made all the same": true} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.opens()
				g := w.opened(anna, orders, time.Hour)
				w.target.with(func(t *target) { t.issuing, t.madeAnyway = faults{Calls: 1, Err: errUnreachable}, made })
				if _, err := w.reveals(anna, g.ID); !errors.Is(err, service.ErrIssuer) {
					t.Errorf("answered %v", err)
				}
				r := w.shown(anna, g.ID) // pressed again at once
				w.passes(time.Second)
				_, err := w.returns(anna, g.ID)
				w.must(err)
				w.passes(time.Second)
				if made := w.target.works(); slices.Contains(made, r.Grant.Credentials[r.Ordinal-1].Name) {
					t.Errorf("a second after the return %v still works, for want of patience with another", made)
				}
				w.settles()
			})
		})
	}
}

func TestAFailingTarget(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		w.shown(anna, g.ID)
		w.target.with(func(t *target) { t.revoking = faults{Calls: -1, Err: errUnreachable} })
		_, err := w.returns(anna, g.ID)
		w.must(err)
		w.passes(10 * time.Minute)
		if got := w.sees(g.ID); got.State != grants.Closing {
			t.Fatalf("the grant is %s though its target does not revoke", got.State)
		}
		for _, s := range []service.Surface{service.Verdict, service.Card} {
			if n, _ := w.board.last(g.ID, s); n.Failing.Attempts == 0 {
				t.Errorf("the %s does not say that revoking fails", s)
			}
		}
		w.target.with(func(t *target) { t.revoking = faults{} })
		w.passes(5 * time.Minute)
		w.waits(g.ID, grants.Closed)
		failing, recovered := 0, 0
		for _, e := range w.events() {
			switch e.Kind {
			case grants.KindFailing:
				failing++
			case grants.KindRecovered:
				recovered++
				if e.Count < 5 || e.Count > 20 {
					t.Errorf("%d attempts in ten minutes", e.Count)
				}
			}
		}
		if failing != 1 || recovered != 1 {
			t.Errorf("%d failing and %d recovered events, want one of each", failing, recovered)
		}
		w.settles()
	})
}

func TestATargetThatDoesNotRevoke(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		w.shown(anna, g.ID)
		w.target.with(func(t *target) { t.checking = faults{Calls: 2, Err: errUnreachable} })
		_, err := w.returns(anna, g.ID)
		w.must(err)
		w.passes(100 * time.Millisecond)
		if got := w.sees(g.ID); got.State != grants.Closing {
			t.Errorf("the grant is %s without evidence", got.State)
		}
		w.settles()
	})
}

func TestOneGrantNeverEndsAnother(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		one, two := w.opened(anna, orders, time.Hour), w.opened(anna, quiet, time.Hour)
		w.shown(anna, one.ID)
		kept := w.shown(anna, two.ID)
		_, err := w.returns(anna, one.ID)
		w.must(err)
		w.waits(one.ID, grants.Closed)
		w.lives(kept, true)
		w.keeps()
	})
}
