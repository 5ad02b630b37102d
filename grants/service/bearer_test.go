package service_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// named is the name of a credential of a grant.
func named(grant string, ordinal int) string {
	return grants.CredentialName("abcdefgh", grant, ordinal)
}

func TestATokenGivenBackEndsAlone(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		first := w.shown(anna, g.ID)
		w.passes(11 * time.Second)
		second := w.shown(anna, g.ID)
		w.must(w.svc.ReturnByToken(w.ctx, named(g.ID, first.Ordinal)))
		w.lives(first, false)
		w.lives(second, true)
		w.passes(time.Second)
		if g = w.sees(g.ID); g.State != grants.Open || g.Credentials[0].State != grants.Gone {
			t.Errorf("the grant is %s, the credential %s", g.State, g.Credentials[0].State)
		}
		if i := slices.IndexFunc(w.events(), func(e grants.Event) bool { return e.Kind == grants.KindRetiring }); i < 0 ||
			w.events()[i].Actor != (grants.Actor{System: "token holder"}) {
			t.Errorf("it is not recorded who gave it back:\n%s", w.tale())
		}
		before := len(w.events())
		for _, name := range []string{
			named(g.ID, 1), named(g.ID, 9), named("01hq0000000000000000000000", 1), grants.CredentialName("otherone", g.ID, 2), "", "x",
		} {
			w.must(w.svc.ReturnByToken(w.ctx, name))
		}
		if after := len(w.events()); after != before {
			t.Errorf("what needs no end made %d events", after-before)
		}
		w.passes(time.Hour)
		w.settles()
	})
}

func TestTheUseOfWhatIsOverIsTold(t *testing.T) {
	story(t, func(w *world) {
		w.security = "CSEC"
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		r := w.shown(anna, g.ID)
		_, err := w.returns(anna, g.ID)
		w.must(err)
		w.waits(g.ID, grants.Closed)
		uses := func() (n int) {
			for _, e := range w.events() {
				if e.Kind == grants.KindDeadUse && e.Grant == g.ID && e.Credential == named(g.ID, r.Ordinal) && e.Detail == "asked by orders-api" {
					n++
				}
			}
			return n
		}
		for _, name := range []string{named(g.ID, 9), named("01hq0000000000000000000000", 1), grants.CredentialName("otherone", g.ID, 1), "x"} {
			w.must(w.svc.DeadUse(w.ctx, name, "orders-api"))
		}
		w.board.breaks(faults{Calls: 2, Err: errUnreachable})
		for range 130 { // two hours and ten minutes, a use each minute
			w.must(w.svc.DeadUse(w.ctx, named(g.ID, r.Ordinal), "orders-api"))
			w.passes(time.Minute)
		}
		if n := uses(); n != 3 {
			t.Errorf("130 minutes of use are %d events, want 3", n)
		}
		told := w.board.all(g.ID, service.Alert)
		if len(told) != 1 || told[0].Credential != r.Ordinal || told[0].Used.IsZero() || told[0].Grant.Person != person(anna) {
			t.Errorf("the person was told %d times: %+v", len(told), told)
		}
		said := w.board.said()
		if len(said) != 1 || said[0].Channel != "CSEC" || said[0].News != grants.UsedDead || said[0].Person != person(anna) ||
			said[0].Caller != "orders-api" || said[0].Credential != r.Ordinal || said[0].Grant.Outcome != grants.Returned {
			t.Errorf("security was told %+v", said)
		}
		w.restarts()
		w.must(w.svc.DeadUse(w.ctx, named(g.ID, r.Ordinal), "orders-api"))
		w.passes(time.Minute)
		if n := uses(); n != 3 || len(w.board.all(g.ID, service.Alert)) != 1 {
			t.Errorf("a restart forgot: %d events, told %d times", n, len(w.board.all(g.ID, service.Alert)))
		}
		if n := len(w.board.said()); n != 1 {
			t.Errorf("security was told %d times", n)
		}
		w.settles()
	})
}

// Each credential is told of, also two that are used in the same moment, a thousand times, and across a restart.
func TestSecurityHearsOfEachDeadCredentialOnce(t *testing.T) {
	story(t, func(w *world) {
		w.security = "CSEC"
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		w.shown(anna, g.ID)
		w.passes(11 * time.Second)
		w.shown(anna, g.ID)
		w.must(w.svc.ReturnByToken(w.ctx, named(g.ID, 1)))
		w.passes(time.Second)
		_, err := w.revokes(ben, g.ID)
		w.must(err)
		w.waits(g.ID, grants.Closed)
		w.board.breaks(faults{Calls: -1, Err: errUnreachable})
		for range 500 {
			w.must(w.svc.DeadUse(w.ctx, named(g.ID, 1), "orders-api"))
			w.must(w.svc.DeadUse(w.ctx, named(g.ID, 2), "billing"))
		}
		w.passes(time.Minute)
		w.restarts()
		w.board.breaks(faults{})
		w.passes(2 * time.Minute)
		var got []string
		for _, a := range w.board.said() {
			ended, withGrant := a.Grant.EndOf(a.Credential)
			got = append(got, fmt.Sprintf("%d at %s, with its grant: %t, %t", a.Credential, a.Caller, withGrant, ended.Before(a.At)))
		}
		want := []string{"1 at orders-api, with its grant: false, true", "2 at billing, with its grant: true, true"}
		if !slices.Equal(got, want) {
			t.Errorf("security was told %q", got)
		}
		w.settles()
	})
}

// A person who cannot be told for a while is told later, though the grant is over for long.
func TestTheUseOfWhatIsLongOverIsTold(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		r := w.shown(anna, g.ID)
		w.passes(25 * time.Hour) // longer than anything else is tried
		w.board.breaks(faults{Calls: -1, Err: errUnreachable})
		w.must(w.svc.DeadUse(w.ctx, named(g.ID, r.Ordinal), "orders-api"))
		w.passes(time.Hour)
		w.board.breaks(faults{})
		w.passes(2 * time.Minute)
		if n := len(w.board.all(g.ID, service.Alert)); n != 1 {
			t.Errorf("told %d times", n)
		}
		w.settles()
	})
}

func bearerScenarios() []scenario {
	return []scenario{{
		name: "given back at the end with the token itself, and used again",
		play: func(w *world, at time.Duration) {
			id := w.from(anna, orders)
			opened := time.Now()
			w.lasts(100 * time.Millisecond)
			_, _ = w.reveals(anna, id)
			w.moment(opened, openFor, at)
			_ = w.svc.ReturnByToken(w.ctx, named(id, 1))
			_ = w.svc.DeadUse(w.ctx, named(id, 1), "orders-api")
			w.lasts(time.Second)
			_ = w.svc.DeadUse(w.ctx, named(id, 1), "orders-api")
		},
	}}
}
