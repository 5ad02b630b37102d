package service_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
	"nightlatch/grants/ledger/boltkv"
)

// A change and its event are one transaction: whatever is recorded is one commit, and after a
// death at any commit the documents are those that the events lead to, before anybody recovers.
func TestEveryEventIsInItsTransaction(t *testing.T) {
	t.Run("one commit for each", oneCommit)
	t.Run("dead at each commit", func(t *testing.T) {
		all := nightUntil(t, 0, false)
		for n := 1; n <= all && !t.Failed(); n++ {
			nightUntil(t, n, false)
			nightUntil(t, n, true)
		}
		if all < 15 {
			t.Errorf("the night has %d commits", all)
		}
	})
}

func oneCommit(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		open, closing := w.opened(anna, orders, time.Hour), w.opened(anna, quiet, time.Hour)
		pending, unwanted := w.pending(fay, ledgers, time.Hour), w.pending(fay, ledgers, time.Hour)
		w.passes(10 * time.Second)
		w.ends()
		w.idle = true
		w.opens()
		for _, c := range []struct {
			name    string
			commits int
			do      func() error
		}{
			{"a request", 1, func() error { _, err := w.asks(anna, orders, time.Hour); return err }},
			{"a refused request", 1, func() error { _, err := w.asks(gus, orders, time.Hour); return err }},
			{"a yes", 1, func() error { _, err := w.votes(cleo, pending.ID, true); return err }},
			{"a refused yes", 1, func() error { _, err := w.votes(cleo, pending.ID, true); return err }},
			{"a no", 1, func() error { _, err := w.votes(dan, pending.ID, false); return err }},
			{"why not", 1, func() error { _, err := w.explains(dan, pending.ID, "not now"); return err }},
			{"a withdrawal", 1, func() error { _, err := w.withdraws(fay, unwanted.ID); return err }},
			{"a reveal", 2, func() error { _, err := w.reveals(anna, open.ID); return err }},
			{"a refused reveal", 1, func() error { _, err := w.reveals(ben, open.ID); return err }},
			{"what was not delivered", 1, func() error { return w.svc.Undelivered(w.ctx, open.ID, 1, "closed") }},
			{"the use of what is over", 1, func() error { return w.svc.DeadUse(w.ctx, grants.CredentialName("abcdefgh", open.ID, 1), "orders-api") }},
			{"a second reveal", 2, func() error { _, err := w.reveals(anna, open.ID); return err }},
			{"a token given back", 1, func() error { return w.svc.ReturnByToken(w.ctx, grants.CredentialName("abcdefgh", open.ID, 2)) }},
			{"a return", 1, func() error { _, err := w.returns(anna, open.ID); return err }},
			{"a revocation", 1, func() error { _, err := w.revokes(cleo, closing.ID); return err }},
			{"a second revocation", 1, func() error { _, err := w.revokes(ben, closing.ID); return err }},
			{"a press on nothing", 1, func() error { return w.svc.Reject(w.ctx, w.origin(anna), "no such button") }},
			{"what the limits swallowed", 1, func() error { return w.svc.Swallowed(w.ctx, 3) }},
			{"who else listens", 1, func() error { return w.svc.Overheard(w.ctx, 3, 2) }},
		} {
			before, events := w.dying.Commits(), len(w.events())
			err := c.do()
			if got := w.dying.Commits() - before; got != c.commits {
				t.Errorf("%s made %d commits, want %d (answered %v)", c.name, got, c.commits, err)
			}
			if len(w.events()) < events+c.commits {
				t.Errorf("%s made no event (answered %v)", c.name, err)
			}
			w.keeps()
		}
	})
}

// nightUntil plays a night with one of everything, until a death, and looks at the body.
func nightUntil(t *testing.T, n int, after bool) (commits int) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir)
		defer w.leave()
		w.roles = hasty(w.roles)
		if w.starts(n, after) == nil {
			id := w.from(anna, orders)
			w.lasts(time.Second)
			_, _ = w.reveals(anna, id)
			other := w.from(fay, ledgers)
			w.lasts(time.Second)
			_, _ = w.votes(cleo, other, true)
			_, _ = w.votes(dan, other, true)
			_, _ = w.asks(gus, orders, time.Hour)
			w.target.with(func(t *target) { t.revoking = faults{Calls: 1, Err: errUnreachable} })
			_, _ = w.returns(anna, id)
			for !w.dying.Dead() && !w.quiet() {
				w.lasts(time.Second)
			}
		}
		commits = w.dying.Commits()
		w.ends()
		w.autopsy()
	})
	return commits
}

// autopsy holds the promises against the file as a dead process left it.
func (w *world) autopsy() {
	w.t.Helper()
	engine, err := boltkv.Open(boltkv.Config{Path: w.path, Spaces: ledger.Spaces()})
	w.must(err)
	defer func() { w.must(engine.Close()) }()
	l, err := ledger.Open(context.Background(), ledger.Config{Engine: engine, Environment: "test"})
	w.must(err)
	w.must(l.Verify(context.Background()))
	alive := w.ledger
	w.ledger = l
	defer func() { w.ledger = alive }()
	var state []grants.Stored
	w.views(func(v *ledger.View) {
		v.Scan("grant", "", func(_ string, doc []byte) bool {
			g, err := grants.DecodeGrant(doc)
			w.must(err)
			state = append(state, grants.Stored{Grant: g, Digest: grants.Digest(doc)})
			return true
		})
	})
	for _, v := range grants.Check(state, w.events(), time.Now()) {
		w.t.Errorf("a dead process left a broken promise: %s", v)
	}
	w.remembers()
}
