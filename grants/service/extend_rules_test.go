package service_test

import (
	"testing"
	"time"

	"nightlatch/grants"
)

// The configuration decides who may have more, as it is now: a grant keeps its role, and no longer
// than it was given for if that role is not offered any more.
func TestOnlyARoleThatIsOfferedAsItWasIsExtended(t *testing.T) {
	for name, change := range map[string]func(roles []grants.Role) []grants.Role{
		"gone":            func(roles []grants.Role) []grants.Role { return roles[1:] },
		"never automatic": func(roles []grants.Role) []grants.Role { roles[0].Automatic = grants.Never; return roles },
		"less at a time":  func(roles []grants.Role) []grants.Role { roles[0].Max, roles[0].Default = 600e9, 600e9; return roles },
		"other scopes":    func(roles []grants.Role) []grants.Role { roles[0].Scopes = []string{"write"}; return roles },
	} {
		for _, loaded := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				story(t, func(w *world) {
					w.opens()
					g := w.opened(anna, orders, 30*time.Minute)
					w.roles = change(someRoles())
					if loaded {
						w.must(w.svc.Reload(w.ctx, w.roles, "digest-2"))
					} else {
						w.restarts()
					}
					w.passes(time.Minute)
					_, err := w.extends(anna, g.ID, time.Hour)
					w.must(err)
					if x := w.decides(g.ID, grants.Closed); x.Outcome != grants.Refused || x.Reasons[0].Code != grants.RoleChanged {
						t.Errorf("the extension is %s: %+v", x.Outcome, x.Reasons)
					}
					if after := w.sees(g.ID); !after.Ends.Equal(g.Ends) {
						t.Errorf("the grant ends at %s, and was given until %s", after.Ends, g.Ends)
					}
					w.settles()
				})
			})
		}
	}
}

func TestAChainOfExtensionsStaysWithinTheMaximumOfEachDecision(t *testing.T) {
	story(t, func(w *world) {
		w.pager.ends(seat(anna), policy, w.at(200*time.Hour))
		w.limits.Extensions = 50
		w.opens()
		g := w.opened(anna, orders, time.Hour)
		last := g.Ends
		for range 12 {
			_, err := w.extends(anna, g.ID, 4*time.Hour)
			w.must(err)
			w.decides(g.ID, grants.Closed)
			now := w.sees(g.ID)
			if now.Ends.Before(last) || now.Ends.After(w.at(4*time.Hour)) {
				t.Errorf("it ends at %s; before, it did at %s", now.Ends, last)
			}
			last = now.Ends
			w.passes(10 * time.Minute)
		}
		w.settles()
	})
}

// What people gave to somebody off call, an extension does not bind to a shift that they have by now.
func TestAnExtensionNeverShortensWhatVotesGave(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		g := w.pending(dora, ledgers, 3*time.Hour)
		for _, v := range []string{cleo, dan} {
			_, err := w.votes(v, g.ID, true)
			w.must(err)
		}
		g = w.waits(g.ID, grants.Open)
		w.pager.puts(seat(dora), policy, 1, time.Now().Add(-time.Minute), w.at(6*time.Hour))
		w.passes(time.Minute)
		_, err := w.extends(dora, g.ID, 30*time.Minute)
		w.must(err)
		w.decides(g.ID, grants.Pending)
		for _, v := range []string{cleo, dan} { // the same that it took to open it
			_, err = w.votesMore(v, g.ID, 1, true)
			w.must(err)
		}
		if x := w.decides(g.ID, grants.Closed); x.Outcome != grants.Extended || x.Basis != grants.ByOffCallVotes {
			t.Errorf("after two yes it is %s by %s", x.Outcome, x.Basis)
		}
		w.pager.ends(seat(dora), policy, w.at(10*time.Minute))
		w.passes(15 * time.Minute)
		if got := w.sees(g.ID); got.State != grants.Open || !got.Ends.Equal(g.Ends.Add(30*time.Minute)) {
			t.Errorf("it is %s (%s) until %s, and two people gave it until %s and half an hour more", got.State, got.Outcome, got.Ends, g.Ends)
		}
		w.settles()
	})
}
