package service_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// lives holds what introspection answers about a revealed credential.
func (w *world) lives(r service.Revealed, want bool) {
	w.t.Helper()
	c := r.Grant.Credentials[r.Ordinal-1]
	got, err := w.svc.Active(w.ctx, c.Name)
	w.must(err)
	if got != want {
		w.t.Errorf("%s is active: %t, want %t", c.Name, got, want)
	}
}

// refused holds that an error is a refusal for one reason, and returns it.
func (w *world) refused(err error, why grants.Code) *service.Refusal {
	w.t.Helper()
	r, ok := errors.AsType[*service.Refusal](err)
	if !ok || len(r.Reasons) == 0 || r.Reasons[0].Code != why {
		w.t.Fatalf("answered %v, want a refusal for %s", err, why)
	}
	return r
}

func TestOneNight(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, 4*time.Hour)
		if end := w.at(2 * time.Hour); g.Ends.After(end) {
			t.Errorf("the grant ends at %s, after the shift's end at %s", g.Ends, end)
		}
		r := w.shown(anna, g.ID)
		name := r.Grant.Credentials[0].Name
		if got := r.Secret.Expose(); got != "secret-of-"+name {
			t.Errorf("revealed %q", got)
		}
		if got := w.target.works(); !cmp.Equal(got, []string{name}) {
			t.Errorf("the target opens for %v, want only %s", got, name)
		}
		w.lives(r, true)
		w.passes(2*time.Hour + 2*time.Second)
		w.lives(r, false)
		g = w.waits(g.ID, grants.Closed)
		if g.Outcome != grants.ShiftEnded || g.Credentials[0].Evidence != grants.AbsentFinding {
			t.Errorf("the grant ended as %s with evidence %q", g.Outcome, g.Credentials[0].Evidence)
		}
		w.settles()
		want := []grants.Kind{
			grants.KindAsked, grants.KindOpened, grants.KindIssuing, grants.KindLive,
			grants.KindClosing, grants.KindGone, grants.KindClosed,
		}
		if diff := cmp.Diff(want, w.kinds(g.ID)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestANightWithAVote(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.pending(anna, ledgers, time.Hour)
		_, err := w.votes(cleo, g.ID, true)
		w.must(err)
		g = w.waits(g.ID, grants.Open)
		if g.Basis != grants.ByVotes || len(g.Votes) != 1 {
			t.Errorf("opened by %s with votes %v", g.Basis, g.Votes)
		}
		r := w.shown(anna, g.ID)
		_, err = w.returns(anna, g.ID)
		w.must(err)
		w.lives(r, false)
		if g = w.waits(g.ID, grants.Closed); g.Outcome != grants.Returned || g.EndedBy != person(anna) {
			t.Errorf("the grant ended as %s by %s", g.Outcome, g.EndedBy)
		}
		w.settles()
	})
}

func TestOffCallIsRefused(t *testing.T) {
	story(t, func(w *world) {
		w.pager.puts(seat(dora), policy, 1, w.at(20*time.Hour), w.at(21*time.Hour)) // tomorrow
		w.opens()
		g, err := w.asks(dora, orders, time.Hour)
		w.must(err)
		g = w.waits(g.ID, grants.Closed)
		if g.Outcome != grants.Refused || g.Reasons[0].Code != grants.NotOnCall || !cmp.Equal(g.Reasons[0].People, []string{seat(anna)}) {
			t.Errorf("ended as %s because of %v, want a refusal that names who is on call", g.Outcome, g.Reasons)
		}
		if n, ok := w.board.last(g.ID, service.Verdict); !ok || n.Grant.Outcome != grants.Refused {
			t.Errorf("the verdict shows %v", n)
		}
		w.settles()
	})
}
