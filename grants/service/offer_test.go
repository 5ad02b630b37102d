package service_test

import (
	"slices"
	"testing"
	"time"

	"nightlatch/grants"
)

func TestOtherRolesAreOfferedAndToldToSecurity(t *testing.T) {
	story(t, func(w *world) {
		w.security = "CSEC"
		w.opens()
		old := w.opened(anna, orders, time.Hour)
		roles := someRoles()
		roles[0].Max, roles[0].Default = time.Minute, time.Minute
		roles[2].Name = "loud"
		w.must(w.svc.Reload(w.ctx, roles, "digest-2"))
		w.passes(time.Second)
		if _, err := w.asks(anna, quiet, time.Minute); refusal(err) == nil || refusal(err).Reasons[0].Code != grants.RoleUnknown {
			t.Errorf("a role that is gone: %v", err)
		}
		if g := w.opened(anna, orders, time.Hour); g.Ends.Sub(g.Opened) > time.Minute {
			t.Errorf("by the new role it lasts %s", g.Ends.Sub(g.Opened))
		}
		if g := w.sees(old.ID); g.State != grants.Open || !g.Ends.Equal(old.Ends) {
			t.Errorf("the grant that was open is %s until %s", g.State, g.Ends)
		}
		w.opened(anna, "loud", time.Minute)
		const change = "new: loud; changed: orders; gone: quiet"
		told := func() (n int) {
			for _, a := range w.board.said() {
				if a.News == grants.RolesMoved {
					n++
					if a.Detail != change {
						t.Errorf("security was told %q", a.Detail)
					}
				}
			}
			return n
		}
		if n := told(); n != 1 {
			t.Errorf("security was told %d times", n)
		}
		if !slices.ContainsFunc(w.events(), func(e grants.Event) bool {
			return e.Kind == grants.KindLoaded && e.Config == "digest-2" && e.Detail == change
		}) {
			t.Error("loading is no event")
		}
		w.roles = roles
		w.restarts() // the same roles
		w.passes(time.Minute)
		if n := told(); n != 1 {
			t.Errorf("after a restart security was told %d times", n)
		}
		roles[0].Issuer = "nobody's"
		if err := w.svc.Reload(w.ctx, roles, "digest-3"); err == nil {
			t.Error("a role of an issuer that does not run is offered")
		}
		roles[0].Issuer = "vault"
		w.settles()
	})
}
