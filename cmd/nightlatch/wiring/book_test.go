package wiring_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing/synctest"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
	"nightlatch/grants/ledger/boltkv"
	"nightlatch/integrations/emulators/slackemu"
)

// book is what a ledger file says.
type book struct {
	grants []grants.Stored
	events []grants.Event
}

// book reads the ledger as it is now. While the program runs it is a copy that is read: the
// program owns the file, and in a bubble where everybody waits nobody is writing.
func (n *night) book() book {
	n.t.Helper()
	path := n.ledgerPath()
	if n.stop != nil {
		synctest.Wait()
		data, err := os.ReadFile(path)
		n.must(err)
		path = filepath.Join(n.t.TempDir(), "copy.db")
		n.must(os.WriteFile(path, used(data), 0o600))
		n.must(os.Truncate(path, int64(len(data))))
	}
	return n.readBook(path)
}

// used leaves out the megabytes of nothing at the end of a ledger's file.
func used(data []byte) []byte {
	var empty [4096]byte
	for bytes.HasSuffix(data, empty[:]) {
		data = data[:len(data)-len(empty)]
	}
	return data
}

func (n *night) readBook(path string) (b book) {
	n.t.Helper()
	ctx := context.Background()
	engine, err := boltkv.Open(boltkv.Config{Path: path, Spaces: ledger.Spaces()})
	n.must(err)
	defer func() { n.must(engine.Close()) }()
	l, err := ledger.Open(ctx, ledger.Config{Engine: engine, Environment: "playground"})
	n.must(err)
	if err := l.Verify(ctx); err != nil {
		n.t.Errorf("the ledger does not prove itself: %v", err)
	}
	n.must(l.View(ctx, func(v *ledger.View) (bad error) {
		v.Scan("grant", "", func(_ string, doc []byte) bool {
			var g grants.Grant
			g, bad = grants.DecodeGrant(doc)
			b.grants = append(b.grants, grants.Stored{Grant: g, Digest: grants.Digest(doc)})
			return bad == nil
		})
		if bad != nil {
			return bad
		}
		v.Events(0, func(_ int64, leaf []byte) bool {
			var e grants.Event
			e, bad = grants.DecodeEvent(leaf)
			b.events = append(b.events, e)
			return bad == nil
		})
		return bad
	}))
	return b
}

// of lists the events of a kind.
func (b book) of(kind grants.Kind) []grants.Event {
	var some []grants.Event
	for _, e := range b.events {
		if e.Kind == kind {
			some = append(some, e)
		}
	}
	return some
}

// grant is the newest grant of a person.
func (n *night) grant(user string) grants.Grant {
	n.t.Helper()
	return n.grantOf(user, "")
}

// grantOf is the newest grant of a person, of a role if one is named.
func (n *night) grantOf(user, role string) grants.Grant {
	n.t.Helper()
	var newest grants.Grant
	for _, s := range n.book().grants {
		g := s.Grant
		if g.Person.Slack() == user && g.ID > newest.ID && (role == "" || g.Role.Name == role) {
			newest = g
		}
	}
	if newest.ID == "" {
		n.t.Fatalf("%s has no grant %s", user, role)
	}
	return newest
}

// counts checks how many events of a kind there are.
func (n *night) counts(kind grants.Kind, want int) {
	n.t.Helper()
	if got := len(n.book().of(kind)); got != want {
		n.t.Errorf("the ledger has %d events %q, not %d", got, kind, want)
	}
}

// refusedFor checks that the ledger recorded a person's refusal with a reason.
func (n *night) refusedFor(user string, code grants.Code) {
	n.t.Helper()
	for _, e := range n.book().of(grants.KindRejected) {
		if e.Actor.Person.Slack() == user && len(e.Reasons) > 0 && e.Reasons[0].Code == code {
			return
		}
	}
	n.t.Errorf("no refusal of %s with %s is recorded", user, code)
}

// mustKeepItsPromises is what holds at the end of every night.
func (n *night) mustKeepItsPromises() {
	n.t.Helper()
	for _, v := range n.slack.Violations() {
		n.t.Errorf("a rule of Slack's was broken at %s: %s: %s: %s", v.At.Sub(n.began), v.Method, v.Rule, v.Detail)
	}
	for _, v := range n.pager.Violations() {
		n.t.Errorf("a rule of PagerDuty's was broken: %s: %s: %s", v.Method, v.Rule, v.Detail)
	}
	b := n.book()
	for _, v := range grants.Check(b.grants, b.events, time.Now()) {
		n.t.Errorf("a promise was broken: %s", v)
	}
	n.secretsStayNowhere()
}

// views lists the pieces that went into modals.
func (n *night) views() []slackemu.Piece {
	var views []slackemu.Piece
	for _, p := range n.slack.Received() {
		if p.Kind == slackemu.KindView {
			views = append(views, p)
		}
	}
	return views
}
