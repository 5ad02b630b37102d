package service_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
	"nightlatch/grants/ledger/kvtest"
	"nightlatch/grants/service"
)

// sees reads a grant as it lies in the ledger.
func (w *world) sees(id string) (g grants.Grant) {
	w.t.Helper()
	for _, s := range w.stored() {
		if s.ID == id {
			return s
		}
	}
	return g
}

// stored lists every grant in the ledger.
func (w *world) stored() (all []grants.Grant) {
	w.t.Helper()
	w.views(func(v *ledger.View) {
		v.Scan("grant", "", func(_ string, doc []byte) bool {
			g, err := grants.DecodeGrant(doc)
			w.must(err)
			all = append(all, g)
			return true
		})
	})
	return all
}

// events lists the log.
func (w *world) events() (all []grants.Event) {
	w.t.Helper()
	w.views(func(v *ledger.View) {
		v.Events(0, func(_ int64, leaf []byte) bool {
			e, err := grants.DecodeEvent(leaf)
			w.must(err)
			all = append(all, e)
			return true
		})
	})
	return all
}

// kinds lists the kinds of a grant's events, in order; an empty grant is the service itself.
func (w *world) kinds(grant string) (kinds []grants.Kind) {
	w.t.Helper()
	for _, e := range w.events() {
		if e.Grant == grant {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

// views reads the ledger; a dead one shows nothing.
func (w *world) views(f func(*ledger.View)) {
	w.t.Helper()
	err := w.ledger.View(context.Background(), func(v *ledger.View) error { f(v); return nil })
	if err != nil && !errors.Is(err, kvtest.ErrDead) {
		w.t.Errorf("reading the ledger: %v", err)
	}
}

// count is the number of documents of a kind.
func (w *world) count(kind string) (n int) {
	w.t.Helper()
	w.views(func(v *ledger.View) { v.Scan(kind, "", func(string, []byte) bool { n++; return true }) })
	return n
}

// tale prints the log for whoever must find a bug.
func (w *world) tale() string {
	var b strings.Builder
	for _, e := range w.events() {
		fmt.Fprintf(&b, "%3d %s %-12s %s%s %s %s %s %s\n", e.Seq, e.At.Format("15:04:05.000"), e.Kind,
			e.Actor.Person, e.Actor.System, e.Grant, e.Credential, e.Outcome, e.Evidence)
	}
	return b.String()
}

// keeps holds the promises against the ledger and the target as they are now: grants.Check,
// the tree, and what the target remembers.
func (w *world) keeps() {
	w.t.Helper()
	found, err := w.svc.Audit(context.Background())
	if err != nil {
		w.t.Errorf("auditing: %v", err)
	}
	for _, v := range found {
		w.t.Errorf("a promise is broken: %s", v)
	}
	if err := w.ledger.Verify(context.Background()); err != nil {
		w.t.Errorf("the log does not verify: %v", err)
	}
	all := w.stored()
	for _, name := range w.target.works() {
		if !accounted(all, name) {
			w.t.Errorf("%s opens the target, and no grant says that it may", name)
		}
	}
	for _, g := range all {
		w.agrees(g)
	}
}

// accounted reports whether a credential that works is known to: live or being issued under an
// open grant, or on its way to be revoked.
func accounted(all []grants.Grant, name string) bool {
	for _, g := range all {
		for _, c := range g.Credentials {
			if c.Name == name {
				return g.State != grants.Closed && c.State != grants.Gone
			}
		}
	}
	return false
}

// agrees compares what the ledger calls live with the target.
func (w *world) agrees(g grants.Grant) {
	w.t.Helper()
	works := w.target.works()
	for _, c := range g.Credentials {
		if c.State == grants.Live && !slices.Contains(works, c.Name) && !w.target.expires && g.Role.Verify != grants.Offline {
			w.t.Errorf("%s is live in the ledger and does not open the target", c.Name)
		}
	}
}

// remembers holds that nothing acknowledged was lost, and that nothing happened twice.
func (w *world) remembers() {
	w.t.Helper()
	count := map[promise]int{}
	for _, e := range w.events() {
		kind := e.Kind
		if kind == grants.KindClosed && e.Actor.Person != "" { // had nothing to revoke
			kind = grants.KindClosing
		}
		p := promise{kind, e.Grant, e.Actor.Person, 0}
		if e.Extension != nil {
			p.extension = e.Extension.Ordinal
		}
		count[p]++
	}
	for _, p := range w.promises {
		if n := count[p]; n != 1 {
			w.t.Errorf("%s of %s by %s was acknowledged and stands %d times in the log", p.kind, p.grant, p.person, n)
		}
	}
}

// settles waits until nothing is left to do: every grant closed, everything told.
func (w *world) settles() {
	w.t.Helper()
	limit := time.Now().Add(w.patience)
	for step := time.Second; !w.quiet(); step = min(2*step, 8*time.Second) {
		if time.Now().After(limit) {
			w.t.Errorf("after %s there is still something to do: %s", w.patience, w.unfinished())
			return
		}
		w.passes(step)
	}
	w.keeps()
	w.remembers()
	if left := w.target.works(); len(left) > 0 {
		w.t.Errorf("everything is closed, and %v still opens the target", left)
	}
	w.told()
}

func (w *world) quiet() bool { return w.unfinished() == "" }

// unfinished says what is left to do.
func (w *world) unfinished() string {
	synctest.Wait()
	var left []string
	for _, g := range w.stored() {
		if g.State != grants.Closed {
			left = append(left, fmt.Sprintf("%s is %s", g.ID, g.State))
		}
	}
	w.views(func(v *ledger.View) {
		v.Scan("outbox", "", func(key string, row []byte) bool {
			left = append(left, fmt.Sprintf("untold %s %s", key, row))
			return true
		})
		v.Scan("due", "", func(key string, row []byte) bool {
			left = append(left, fmt.Sprintf("due %s %s", key, row))
			return true
		})
	})
	return strings.Join(left, "; ")
}

// told holds that each surface that ever showed a grant shows how it ended, and that everybody
// who asked was told.
func (w *world) told() {
	w.t.Helper()
	for _, g := range w.stored() {
		w.toldMore(g)
		for _, s := range []service.Surface{service.Verdict, service.Card} {
			n, ok := w.board.last(g.ID, s)
			if !ok {
				if s == service.Verdict && g.Outcome != grants.Withdrawn {
					w.t.Errorf("nobody was told of %s", g.ID)
				}
				continue
			}
			if n.Grant.Seq != g.Seq {
				w.t.Errorf("the %s of %s shows it as %s at event %d, it is %s at %d", s, g.ID, n.Grant.State, n.Grant.Seq, g.State, g.Seq)
			}
		}
	}
}
