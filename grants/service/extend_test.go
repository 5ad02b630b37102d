package service_test

import (
	"strings"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// The verbs of an extension.

func (w *world) extends(user, grant string, by time.Duration) (grants.Grant, error) {
	return w.press(grants.KindExtensionAsked, user, func(o service.Origin) (grants.Grant, error) {
		return w.svc.Extend(w.ctx, service.Longer{Origin: o, Grant: grant, By: by, Reason: "still failing over"})
	})
}

func (w *world) votesMore(user, grant string, extension int, yes bool) (grants.Grant, error) {
	kind := grants.KindExtensionVoted
	if !yes {
		kind = grants.KindExtensionDenied
	}
	return w.press(kind, user, func(o service.Origin) (grants.Grant, error) {
		return w.svc.Vote(w.ctx, service.Ballot{Origin: o, Grant: grant, Extension: extension, Yes: yes})
	})
}

func (w *world) withdrawsMore(user, grant string, extension int) (grants.Grant, error) {
	return w.press(grants.KindExtensionWithdrawn, user, func(o service.Origin) (grants.Grant, error) {
		return w.svc.Withdraw(w.ctx, service.Press{Origin: o, Grant: grant, Extension: extension})
	})
}

// about is the ordinal of the extension that a press was about.
func about(kind grants.Kind, g grants.Grant) int {
	if !strings.HasPrefix(string(kind), "extension_") {
		return 0
	}
	return len(g.Extensions)
}

// decides lets seconds pass until the last extension of a grant is in a state.
func (w *world) decides(grant string, want grants.State) grants.Extension {
	w.t.Helper()
	var x grants.Extension
	for range 60 {
		g := w.sees(grant)
		if x, _ = g.Extension(len(g.Extensions)); x.State == want {
			return x
		}
		w.passes(time.Second)
	}
	w.t.Fatalf("the extension of %s is %s (%s), want %s", grant, x.State, x.Outcome, want)
	return x
}

// toldMore holds that everybody who asked for more was told what became of it, and that a card of it
// shows how it ended.
func (w *world) toldMore(g grants.Grant) {
	w.t.Helper()
	for _, x := range g.Extensions {
		for _, s := range []service.Surface{service.More, service.MoreCard} {
			var last grants.Extension
			for _, n := range w.board.all(g.ID, s) {
				if n.Extension.Ordinal == x.Ordinal {
					last = n.Extension
				}
			}
			never := last.Ordinal == 0 && (s == service.MoreCard || x.Outcome == grants.Withdrawn)
			if !never && last.Outcome != x.Outcome {
				w.t.Errorf("the %s of extension %d of %s shows %q, it ended as %q", s, x.Ordinal, g.ID, last.Outcome, x.Outcome)
			}
		}
	}
}

func TestAnExtensionMovesTheEnd(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		first := w.shown(anna, g.ID)
		w.passes(30 * time.Minute)
		_, err := w.extends(anna, g.ID, 30*time.Minute)
		w.must(err)
		x := w.decides(g.ID, grants.Closed)
		more := w.sees(g.ID)
		if x.Outcome != grants.Extended || !more.Ends.Equal(g.Ends.Add(30*time.Minute)) || x.Basis != grants.ByOnCall {
			t.Fatalf("%s by %s, until %s; it was until %s", x.Outcome, x.Basis, more.Ends, g.Ends)
		}
		if n, ok := w.board.last(g.ID, service.More); !ok || n.Because != "still failing over" || n.Extension.Outcome != grants.Extended {
			t.Errorf("anna was told %+v", n)
		}
		if _, ok := w.board.last(g.ID, service.MoreCard); ok {
			t.Error("approvers were asked, and there was nothing to decide")
		}
		w.passes(31 * time.Minute) // the first secret ends when it was said to
		if active, _ := w.svc.Active(w.ctx, named(g.ID, first.Ordinal)); active {
			t.Error("a credential outlived the end that it was made for")
		}
		second := w.shown(anna, g.ID)
		if !second.Expires.Equal(more.Ends) {
			t.Errorf("a new one lives until %s, want %s", second.Expires, more.Ends)
		}
		w.passes(29 * time.Minute)
		if got := w.sees(g.ID); got.State != grants.Closed || got.Outcome != grants.Expired {
			t.Errorf("after the new end it is %s (%s)", got.State, got.Outcome)
		}
		w.settles()
	})
}

func TestAnExtensionStopsAtTheShift(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		_, err := w.extends(anna, g.ID, 3*time.Hour)
		w.must(err)
		w.decides(g.ID, grants.Closed)
		if more := w.sees(g.ID); !more.Ends.Equal(more.Shift.Until) || more.Ends.Sub(g.Ends) < 30*time.Minute {
			t.Fatalf("until %s, her shift ends at %s", more.Ends, more.Shift.Until)
		}
		_, err = w.extends(anna, g.ID, time.Hour)
		w.must(err)
		if x := w.decides(g.ID, grants.Closed); x.Ordinal != 2 || x.Outcome != grants.Refused || x.Reasons[len(x.Reasons)-1].Code != grants.NoLonger {
			t.Errorf("at the shift's end already: %+v", x)
		}
		if got := w.sees(g.ID); got.State != grants.Open {
			t.Errorf("the grant is %s after a refused extension", got.State)
		}
		w.settles()
	})
}

func TestAnExtensionNeedsTheVotesThatARequestNeeds(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.pending(anna, ledgers, time.Hour)
		_, err := w.votes(cleo, g.ID, true)
		w.must(err)
		g = w.waits(g.ID, grants.Open)
		_, err = w.extends(anna, g.ID, 30*time.Minute)
		w.must(err)
		w.decides(g.ID, grants.Pending)
		if n, ok := w.board.last(g.ID, service.MoreCard); !ok || n.Extension.State != grants.Pending || n.Plan == "" {
			t.Errorf("the approvers read %+v", n)
		}
		_, err = w.votesMore(anna, g.ID, 1, true)
		w.refused(err, grants.OwnRequest)
		_, err = w.extends(anna, g.ID, time.Hour)
		w.refused(err, grants.ExtensionWaits)
		_, err = w.votes(cleo, g.ID, true) // the old card: the request is decided
		if r := refusal(err); r == nil || len(r.Reasons) != 0 {
			t.Errorf("a vote on the request that is open already: %v", err)
		}
		_, err = w.votesMore(cleo, g.ID, 1, true)
		w.must(err)
		if x := w.decides(g.ID, grants.Closed); x.Outcome != grants.Extended || x.Basis != grants.ByVotes || len(x.Votes) != 1 {
			t.Errorf("after cleo's yes: %+v", x)
		}
		_, err = w.extends(anna, g.ID, 30*time.Minute)
		w.must(err)
		w.decides(g.ID, grants.Pending)
		_, err = w.votesMore(dan, g.ID, 1, false) // the card of the first
		if r := refusal(err); r == nil || len(r.Reasons) != 0 {
			t.Errorf("a no on an extension that is decided: %v", err)
		}
		_, err = w.votesMore(dan, g.ID, 2, false)
		w.must(err)
		if got := w.sees(g.ID); got.State != grants.Open || got.Extensions[1].Outcome != grants.Denied || !got.Ends.Equal(g.Ends.Add(30*time.Minute)) {
			t.Errorf("after dan's no the grant is %s until %s: %+v", got.State, got.Ends, got.Extensions[1])
		}
		w.settles()
	})
}

func TestAnExtensionEndsUndecided(t *testing.T) {
	for name, do := range map[string]struct {
		press func(w *world, g grants.Grant)
		want  grants.Outcome
	}{
		"nobody votes":             {func(w *world, _ grants.Grant) { w.passes(16 * time.Minute) }, grants.Lapsed},
		"its person takes it back": {func(w *world, g grants.Grant) { _, err := w.withdrawsMore(anna, g.ID, 1); w.must(err) }, grants.Withdrawn},
		"its grant is returned":    {func(w *world, g grants.Grant) { _, err := w.returns(anna, g.ID); w.must(err) }, grants.Lapsed},
		"its grant is over": {func(w *world, g grants.Grant) {
			w.pager.ends(seat(anna), policy, w.at(time.Second))
			w.passes(2 * time.Minute)
		}, grants.Lapsed},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.opens()
				g := w.pending(anna, ledgers, time.Hour)
				_, err := w.votes(cleo, g.ID, true)
				w.must(err)
				w.waits(g.ID, grants.Open)
				_, err = w.extends(anna, g.ID, 30*time.Minute)
				w.must(err)
				w.decides(g.ID, grants.Pending)
				do.press(w, g)
				if x := w.decides(g.ID, grants.Closed); x.Outcome != do.want {
					t.Errorf("it ended as %s, want %s", x.Outcome, do.want)
				}
				w.settles()
			})
		})
	}
}

func TestNothingIsExtendedWhilePagerDutyIsSilent(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		w.pager.breaks(faults{Calls: -1, Err: errUnreachable})
		_, err := w.extends(anna, g.ID, time.Hour)
		w.must(err)
		if x := w.decides(g.ID, grants.Closed); x.Outcome != grants.Refused || x.Reasons[0].Code != grants.CannotAsk {
			t.Errorf("while PagerDuty was silent: %+v", x)
		}
		if got := w.sees(g.ID); got.State != grants.Open || !got.Ends.Equal(g.Ends) {
			t.Errorf("the grant is %s until %s, was until %s", got.State, got.Ends, g.Ends)
		}
		w.pager.breaks(faults{})
		_, err = w.extends(anna, g.ID, 30*time.Minute)
		w.must(err)
		if x := w.decides(g.ID, grants.Closed); x.Outcome != grants.Extended {
			t.Errorf("when it answered again: %+v", x)
		}
		w.settles()
	})
}

func TestExtensionsOfOneGrantAreCounted(t *testing.T) {
	story(t, func(w *world) {
		w.limits.Extensions = 2
		w.opens()
		g := w.opened(anna, orders, 10*time.Minute)
		for range 2 {
			_, err := w.extends(anna, g.ID, time.Minute)
			w.must(err)
			w.decides(g.ID, grants.Closed)
		}
		_, err := w.extends(anna, g.ID, time.Minute)
		w.refused(err, grants.TooManyMore)
		_, err = w.extends(ben, g.ID, time.Minute)
		w.refused(err, grants.NotYours)
		w.settles()
	})
}

// pickExtending is a grant with an extension that waits, if there is one.
func (s *simulation) pickExtending() grants.Grant {
	for _, g := range s.stored() {
		if _, waits := g.Extending(); waits {
			return g
		}
	}
	return s.pick(grants.Open)
}

// extensible is a grant of a role that needs a vote, open since a moment.
func (w *world) extensible(role string) (id string, opened time.Time) {
	id = w.from(anna, role)
	w.lasts(100 * time.Millisecond)
	if role == ledgers {
		_, _ = w.votes(cleo, id, true)
	}
	w.lasts(100 * time.Millisecond)
	return id, time.Now()
}

func extensionScenarios() []scenario {
	return []scenario{
		{
			name: "extension at the end",
			play: func(w *world, at time.Duration) {
				began := time.Now()
				id, _ := w.extensible(orders)
				_, _ = w.reveals(anna, id)
				w.moment(began, openFor, at)
				_, _ = w.extends(anna, id, 10*time.Second)
				w.lasts(time.Second)
				_, _ = w.reveals(anna, id)
			},
		},
		{
			name: "vote on an extension at the grant's end",
			play: func(w *world, at time.Duration) {
				id, opened := w.extensible(ledgers)
				w.until(opened, 15*time.Second)
				_, _ = w.extends(anna, id, 10*time.Second)
				w.moment(opened, openFor-100*time.Millisecond, at)
				_, _ = w.votesMore(cleo, id, 1, true)
			},
		},
		{
			name: "yes and no on an extension at its lapse",
			play: func(w *world, at time.Duration) {
				id, _ := w.extensible(ledgers)
				asked := time.Now()
				_, _ = w.extends(anna, id, 10*time.Second)
				w.meanwhile(func() {
					w.moment(asked, pendingFor, at)
					_, _ = w.votesMore(cleo, id, 1, false)
				})
				w.until(asked, pendingFor)
				_, _ = w.votesMore(dan, id, 1, true)
			},
		},
		{
			name: "return while PagerDuty answers about an extension",
			play: func(w *world, at time.Duration) {
				id, _ := w.extensible(orders)
				w.pager.breaks(faults{Calls: -1, Delay: 300 * time.Millisecond})
				asked := time.Now()
				_, _ = w.extends(anna, id, 10*time.Second)
				w.moment(asked, 300*time.Millisecond, at)
				_, _ = w.returns(anna, id)
				w.pager.breaks(faults{})
			},
		},
		{
			name: "extension and its withdrawal while PagerDuty is silent",
			play: func(w *world, at time.Duration) {
				id, _ := w.extensible(ledgers)
				asked := time.Now()
				_, _ = w.extends(anna, id, 10*time.Second)
				w.lasts(time.Second)
				w.pager.breaks(faults{Calls: -1, Err: errUnreachable})
				_, _ = w.votesMore(cleo, id, 1, true)
				w.moment(asked, 2*time.Second, at)
				_, _ = w.withdrawsMore(anna, id, 1)
				w.pager.breaks(faults{})
			},
		},
		{
			name: "extension at the shift's end",
			world: func(w *world) {
				w.pager.ends(seat(anna), policy, w.at(12*time.Second))
			},
			play: func(w *world, at time.Duration) {
				began := time.Now()
				id, _ := w.extensible(orders)
				_, _ = w.reveals(anna, id)
				w.moment(began, 12*time.Second, at)
				_, _ = w.extends(anna, id, 10*time.Second)
			},
		},
	}
}
