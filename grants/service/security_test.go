package service_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

func TestFreezingEndsWhatOpenedByItself(t *testing.T) {
	story(t, func(w *world) {
		w.security = "CSEC"
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		r := w.shown(anna, g.ID)
		o := w.origin(cleo)
		if _, err := w.svc.Freeze(w.ctx, o, person(anna), "her laptop was stolen"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.svc.Freeze(w.ctx, o, person(anna), "her laptop was stolen"); !errors.Is(err, service.ErrDuplicate) {
			t.Errorf("a copy: %v", err)
		}
		w.passes(time.Second)
		w.lives(r, false)
		said := w.board.said()
		if len(said) != 1 || said[0].By != person(cleo) || said[0].Detail != "her laptop was stolen" {
			t.Errorf("told %+v", said)
		}
		for _, e := range w.events() {
			if strings.Contains(e.Detail, "laptop") {
				t.Errorf("what was typed cannot be erased: %+v", e)
			}
		}
		w.restarts()
		w.passes(time.Minute)
		roster, err := w.svc.Roster(w.ctx, w.origin(cleo))
		if err != nil || len(roster.Frozen) != 1 || roster.Frozen[0].Key != person(anna) || len(roster.Unpaired) != 1 || roster.Unpaired[0].Key != person(fay) {
			t.Errorf("roster %+v, %v", roster, err)
		}
		w.pending(anna, orders, time.Hour)
		if _, err := w.svc.Thaw(w.ctx, w.origin(cleo), person(anna)); err != nil {
			t.Fatal(err)
		}
		w.opened(anna, orders, time.Hour)
		w.settles()
	})
}

func TestApprovingTakesThePairThatWasFound(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		w.passes(time.Minute)
		w.pager.changes(seat(anna), func(u *grants.PagerUser) { u.ID = "POTHER" })
		w.svc.DirectoryChanged()
		w.passes(time.Minute)
		p, err := w.svc.Thaw(w.ctx, w.origin(cleo), person(anna))
		if err != nil || p.PagerDuty != "POTHER" || p.Frozen != "" {
			t.Errorf("approved as %+v, %v", p, err)
		}
		events := w.events()
		if e := events[len(events)-1]; e.Kind != grants.KindDirectory || e.Actor.Person != person(cleo) || !strings.Contains(e.Detail, "POTHER") {
			t.Errorf("recorded as %+v", e)
		}
		w.svc.DirectoryChanged()
		w.passes(time.Minute)
		if p, _ := w.svc.Who(string(person(anna))); p.Frozen != "" {
			t.Errorf("frozen again: %s", p.Frozen)
		}
		if _, err := w.svc.Thaw(w.ctx, w.origin(cleo), person(anna)); !errors.Is(err, service.ErrNotFrozen) {
			t.Errorf("approved twice: %v", err)
		}
	})
}

func TestOnlySecurityLooksAfterTheDirectory(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		for user, code := range map[string]grants.Code{anna: grants.NotForYou, gus: grants.BadStanding, "UNOBODY": grants.BadStanding} {
			before := len(w.events())
			_, err := w.svc.Roster(w.ctx, w.origin(user))
			w.refused(err, code)
			_, err = w.svc.Freeze(w.ctx, w.origin(user), person(ben), "because")
			w.refused(err, code)
			_, err = w.svc.Thaw(w.ctx, w.origin(user), person(ben))
			w.refused(err, code)
			if n := len(w.events()) - before; n != 3 {
				t.Errorf("three refusals of %s left %d events", user, n)
			}
		}
		_, err := w.svc.Freeze(w.ctx, w.origin(cleo), person(ben), " ")
		w.refused(err, grants.ReasonMissing)
		_, err = w.svc.Thaw(w.ctx, w.origin(cleo), person(cleo))
		w.refused(err, grants.OwnRequest)
		if _, err = w.svc.Freeze(w.ctx, w.origin(cleo), person("UNOBODY"), "because"); !errors.Is(err, service.ErrNoSuchPerson) {
			t.Errorf("nobody was frozen: %v", err)
		}
		if _, err = w.svc.Freeze(w.ctx, w.origin(cleo), person(cleo), "I lost my phone"); err != nil {
			t.Fatal(err)
		}
		_, err = w.svc.Freeze(w.ctx, w.origin(cleo), person(ben), "because")
		w.refused(err, grants.FrozenPerson)
	})
}
