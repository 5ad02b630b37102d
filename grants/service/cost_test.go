package service_test

import (
	"testing"
	"time"
)

// From the command to the secret an automatic role costs four commits: the request, the decision,
// the intent and the live credential. What is told costs more, beside it.
func TestFourCommitsFromCommandToSecret(t *testing.T) {
	story(t, func(w *world) {
		w.board.breaks(faults{Calls: -1, Err: errUnreachable}) // nothing is told, so nothing is marked as told
		w.opens()
		w.passes(time.Minute)
		before := w.dying.Commits()
		g := w.opened(anna, quiet, time.Hour)
		w.shown(anna, g.ID)
		if n := w.dying.Commits() - before; n != 4 {
			t.Errorf("from the command to the secret: %d commits, want 4", n)
		}
		w.board.breaks(faults{})
		w.settles()
	})
}
