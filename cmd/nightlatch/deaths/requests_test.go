package deaths_test

import (
	"slices"
	"testing"
)

// TestDeathAtEachRequest kills the program before and after each request that it sends; kills it once
// more while it recovers; and tells it to stop there, which it must do in order.
func TestDeathAtEachRequest(t *testing.T) {
	s, all := sizeOf("requests"), &deaths{}
	t.Cleanup(func() { all.print(t, s) })
	for _, p := range scripts() {
		for _, d := range []struct {
			name  string
			when  moment
			again func(at int) int
		}{
			{"before", before, never},
			{"after", after, never},
			{"after, and again", after, func(at int) int { return 1 + at%9 }},
			{"told to stop", told, never},
		} {
			t.Run(p.name+"/"+d.name, func(t *testing.T) {
				t.Parallel()
				all.sweep(t, s, func(t *testing.T, at int) []string {
					n := newNight(t)
					n.outside.n, n.outside.when, n.outside.again = at, d.when, d.again(at)
					n.start(plainly)
					p.play(n)
					n.settles(s.patient)
					died, _, _ := n.outside.seen()
					return died
				})
			})
		}
	}
	t.Cleanup(func() { // every request but those that only time brings
		for _, method := range []string{
			"auth.test", "apps.connections.open", "socket", "users.list", "response", "conversations.open", "chat.postMessage", "chat.update",
			"views.open", "views.update", "GET /users", "GET /oncalls",
		} {
			if s.every == 1 && !t.Failed() && !slices.Contains(all.at, method) {
				t.Errorf("the program never died at %s", method)
			}
		}
	})
}

func never(int) int { return 0 }
