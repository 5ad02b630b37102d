package service_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// counter is where operators on the machine come from.
func (w *world) counter(user string) service.Origin {
	o := service.Origin{Part: "operator"}
	if user != "" {
		o.Person = person(user)
	}
	return o
}

func TestOperatorsSeeEverybodyAndEverythingThatIsNotOver(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		people, err := w.svc.Everybody()
		if err != nil || len(people) < 5 || people[0].Key > people[1].Key {
			t.Errorf("people %+v, %v", people, err)
		}
		first := w.opened(anna, orders, time.Hour)
		w.passes(time.Second)
		second := w.opened(anna, orders, time.Hour)
		all, err := w.svc.Underway(w.ctx)
		if err != nil || len(all) != 2 || all[0].Grant.ID != first.ID || all[1].Grant.ID != second.ID {
			t.Errorf("under way: %+v, %v", all, err)
		}
		w.passes(2 * time.Hour)
		if all, err := w.svc.Underway(w.ctx); err != nil || len(all) != 0 {
			t.Errorf("after their end: %+v, %v", all, err)
		}
		if n, err := w.svc.Look(w.ctx, first.ID); err != nil || n.Grant.State != grants.Closed || n.Reason == "" {
			t.Errorf("looked at %+v, %v", n, err)
		}
		if _, err := w.svc.Look(w.ctx, "nope"); !errors.Is(err, service.ErrNoSuchGrant) {
			t.Errorf("looked at nothing: %v", err)
		}
		w.settles()
	})
}

// TestEventsSayThatAnOperatorCame: what is done on the machine is told apart from what is done in Slack.
func TestEventsSayThatAnOperatorCame(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		before := len(w.events())
		if _, err := w.svc.Revoke(w.ctx, service.Press{Origin: w.counter(anna), Grant: g.ID}); err == nil {
			t.Error("whoever holds a grant revoked it without a right to")
		}
		if _, err := w.svc.Freeze(w.ctx, w.counter(anna), person(ben), "because"); err == nil {
			t.Error("somebody froze who is not of security")
		}
		if _, err := w.svc.Revoke(w.ctx, service.Press{Origin: w.counter(ben), Grant: g.ID}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.svc.Freeze(w.ctx, w.counter(cleo), person(anna), "because"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.svc.Thaw(w.ctx, w.counter(cleo), person(anna)); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range w.events()[before:] {
			if e.Actor.System == "operator" {
				got = append(got, fmt.Sprintf("%s %s", e.Kind, e.Actor.Person))
			}
		}
		want := fmt.Sprint([]string{
			"rejected " + string(person(anna)), "rejected " + string(person(anna)), "closed " + string(person(ben)),
			"directory " + string(person(cleo)), "directory " + string(person(cleo)),
		})
		if fmt.Sprint(got) != want {
			t.Errorf("recorded %v, not %v", got, want)
		}
		w.settles()
	})
}

// TestTurningAwayIsBounded: those who are nobody of the directory cannot grow the log without bound.
func TestTurningAwayIsBounded(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		w.passes(time.Minute)
		before := len(w.events())
		for range 50 {
			if err := w.svc.TurnAway(w.ctx, w.counter(""), "uid 7 wanted to"); err != nil {
				t.Fatal(err)
			}
		}
		events := w.events()[before:]
		if len(events) != 20 || events[0].Kind != grants.KindRejected || events[0].Detail != "uid 7 wanted to" || events[0].Actor != (grants.Actor{System: "operator"}) {
			t.Errorf("50 refusals left %d events, the first %+v", len(events), events[0])
		}
		w.passes(time.Minute)
		if err := w.svc.TurnAway(w.ctx, w.counter(""), "uid 7 wanted to"); err != nil {
			t.Fatal(err)
		}
		events = w.events()
		if e := events[len(events)-1]; e.Count != 30 {
			t.Errorf("30 that were not recorded are counted as %d", e.Count)
		}
		w.settles()
	})
}
