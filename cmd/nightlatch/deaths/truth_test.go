package deaths_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"nightlatch/bot/view"
	"nightlatch/grants"
	"nightlatch/grants/ledger"
	"nightlatch/grants/ledger/boltkv"
	"nightlatch/grants/service"
	"nightlatch/integrations/emulators/slackemu"
)

// book is what the ledger says when nobody writes it.
type book struct {
	grants []grants.Stored
	events []grants.Event
	todo   []string // what is left to do or to tell …
	later  []string // … and what is not to be done yet
}

// read reads the ledger of a program that does not run. It must prove itself.
func (n *night) read() (b book) {
	n.t.Helper()
	ctx := context.Background()
	engine, err := boltkv.Open(boltkv.Config{Path: n.ledger, Spaces: ledger.Spaces()})
	if err != nil {
		n.fatal("opening the ledger: %v", err)
	}
	defer func() {
		if err := engine.Close(); err != nil {
			n.t.Error(err)
		}
	}()
	l, err := ledger.Open(ctx, ledger.Config{Engine: engine, Environment: "playground"})
	if err != nil {
		n.fatal("opening the ledger: %v", err)
	}
	if err := l.Verify(ctx); err != nil {
		n.t.Errorf("the log does not verify: %v", err)
	}
	if err := l.View(ctx, b.fill); err != nil {
		n.fatal("reading the ledger: %v", err)
	}
	return b
}

// fill copies everything.
func (b *book) fill(v *ledger.View) (bad error) {
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
	b.left(v)
	return bad
}

// left lists what is to be done and to be told.
func (b *book) left(v *ledger.View) {
	now := time.Now()
	for _, index := range []string{"decide", "deadline", "call/token"} {
		v.ScanIndex(index, "", ledger.End, func(at, id string) bool {
			if t, err := ledger.ParseTimeKey(at); err == nil && t.After(now) {
				b.later = append(b.later, fmt.Sprintf("%s of %s in %s", index, id, t.Sub(now)))
			} else {
				b.todo = append(b.todo, index+" of "+id)
			}
			return true
		})
	}
	for _, surface := range []service.Surface{service.Verdict, service.Card, service.Alert, service.Home, service.More, service.MoreCard} {
		v.ScanIndex("untold/"+string(surface), "", ledger.End, func(_, key string) bool {
			if surface == service.Alert { // a second message within a second waits for the next
				b.later = append(b.later, "untold "+key)
			} else {
				b.todo = append(b.todo, "untold "+key)
			}
			return true
		})
	}
}

// settles lets the program finish what is left, holds the end against the promises, and stops the program.
// Whatever it did not get to before it was stopped, it does when it is started again.
func (n *night) settles(patient time.Duration) {
	n.t.Helper()
	for limit := time.Now().Add(patient + longest); ; {
		n.finishes()
		soon(max(time.Second, patient), n.quiet)
		for token := range n.tokens() {
			if n.active(token) {
				n.t.Errorf("a secret works though everything is given back")
			}
		}
		if patient > 0 {
			soon(3*time.Second, n.alerted)
		}
		if n.t.Failed() {
			n.fatal("the promises are not kept")
		}
		err := n.program.stop()
		if errors.Is(err, errStubborn) {
			n.fatal("%v", err)
		}
		n.parted()
		n.endedWell()
		b := n.read()
		if err == nil && len(b.todo) == 0 && (len(b.later) == 0 || patient == 0) {
			n.keepsPromises(b)
			return
		}
		if time.Now().After(limit) {
			n.fatal("there is still something to do: %s", strings.Join(append(b.todo, b.later...), "; "))
		}
		n.start(plainly)
	}
}

// tokens are all that ever left the program, and those that somebody has.
func (n *night) tokens() map[string]string {
	_, _, sent := n.outside.seen()
	all := map[string]string{}
	for _, t := range sent {
		all[t] = n.kept[t]
	}
	return all
}

// quiet reports whether everybody sees that everything is over.
func (n *night) quiet() bool {
	for _, grant := range n.theirs(ada) {
		m, ok := n.newest(ada, grant, false)
		if !ok || len(m.Buttons) > 0 || strings.Contains(m.Visible(), "being revoked") {
			return false
		}
		if c, ok := n.newest(ben, grant, true); ok && (len(c.Buttons) > 0 || strings.Contains(c.Visible(), "being revoked")) {
			return false
		}
	}
	return true
}

// alerted reports whether ada was told of each secret of hers that was used after its end.
func (n *night) alerted() bool {
	return strings.Count(n.slack.SeenBy(ada).Text(), "was used after its end") >= len(n.tokens())
}

// keepsPromises holds the ledger against what people were promised and see.
func (n *night) keepsPromises(b book) {
	n.t.Helper()
	for _, v := range grants.Check(b.grants, b.events, time.Now()) {
		n.t.Errorf("a promise is broken: %s", v)
	}
	for _, p := range n.promised {
		more := p.kind == grants.KindExtensionAsked || p.kind == grants.KindExtensionVoted // there may be several
		if got := b.count(p); got != 1 && !(got > 1 && more) && (got > 0 || !b.tooLate(p)) {
			n.t.Errorf("%s of %s by %s was acknowledged and stands %d times in the log", p.kind, p.grant, p.person, got)
		}
	}
	if len(b.grants) < n.asked {
		n.t.Errorf("%d requests were acknowledged as recorded, and %d are", n.asked, len(b.grants))
	}
	for _, s := range b.grants {
		n.ended(s.Grant, len(b.later) > 0)
		n.told(s.Grant)
		n.toldMore(s.Grant)
		b.decidedOnce(n, s.Grant.ID)
	}
	for _, v := range n.slack.Violations() {
		n.t.Errorf("a rule of Slack's was broken: %s: %s: %s", v.Method, v.Rule, v.Detail)
	}
	for _, v := range n.pager.Violations() {
		n.t.Errorf("a rule of PagerDuty's was broken: %s: %s: %s", v.Method, v.Rule, v.Detail)
	}
	if n.t.Failed() {
		n.t.Logf("%s\n%s", b.tale(), n.story())
	}
}

// count is how often a promise stands in the log. What has nothing to revoke closes at once.
func (b book) count(p promise) (times int) {
	for _, e := range b.events {
		kind := e.Kind
		if kind == grants.KindClosed && e.Actor.Person != "" {
			kind = grants.KindClosing
		}
		if kind == p.kind && e.Grant == p.grant && e.Actor.Person.Slack() == p.person {
			times++
		}
	}
	return times
}

// tooLate reports whether a press is recorded as one that came after somebody else's.
func (b book) tooLate(p promise) bool {
	return b.count(promise{grants.KindRejected, p.grant, p.person}) > 0
}

// ended checks that a grant is over, and that nothing of it can work.
func (n *night) ended(g grants.Grant, mayWait bool) {
	n.t.Helper()
	if g.State != grants.Closed && !(mayWait && g.State == grants.Closing) {
		n.t.Errorf("%s is %s", g.ID, g.State)
	}
	for _, c := range g.Credentials {
		if c.State != grants.Gone && !(mayWait && c.State == grants.Retiring) {
			n.t.Errorf("%s is %s under a grant that is %s", c.Name, c.State, g.State)
		}
	}
}

// told checks that its person, and whoever decides, see a grant as it ended.
func (n *night) told(g grants.Grant) {
	n.t.Helper()
	f, notice := view.Frame{Environment: "playground"}, service.Notice{Grant: g, Reason: "checkout is failing"}
	for _, place := range []struct {
		who  string
		card bool
		want view.Message
	}{{g.Person.Slack(), false, f.Verdict(notice)}, {ben, true, f.Card(notice)}} {
		m, ok := n.newest(place.who, g.ID, place.card)
		if !ok {
			if place.card && g.Opened.IsZero() { // over before anybody could see it
				continue
			}
			n.t.Errorf("%s was told nothing of %s", place.who, g.ID)
			continue
		}
		blocks, err := json.Marshal(place.want.Blocks)
		if err != nil {
			n.fatal("rendering what %s should see: %v", place.who, err)
		}
		if want := (slackemu.Message{Text: place.want.Text, Blocks: blocks}).Visible(); m.Visible() != want || len(m.Buttons) > 0 {
			n.t.Errorf("%s sees of %s, with %d buttons:\n%s\nand it is:\n%s", place.who, g.ID, len(m.Buttons), m.Visible(), want)
		}
	}
}

// decidedOnce checks that one thing, and nothing else, became of a request.
func (b book) decidedOnce(n *night, id string) {
	n.t.Helper()
	verdicts, waits := 0, 0
	for _, e := range b.events {
		if e.Grant != id {
			continue
		}
		switch e.Kind {
		case grants.KindOpened, grants.KindRefused, grants.KindDenied, grants.KindLapsed, grants.KindWithdrawn:
			verdicts++
		case grants.KindPending:
			waits++
		}
	}
	if verdicts != 1 || waits > 1 {
		n.t.Errorf("%s was decided %d times, and said to wait %d times", id, verdicts, waits)
	}
}

// tale is the log, for whoever must find a bug.
func (b book) tale() string {
	var s strings.Builder
	for _, e := range b.events {
		fmt.Fprintf(&s, "%3d %s %-12s %s%s %s %s %s %s\n", e.Seq, e.At.Format("15:04:05.000"), e.Kind,
			e.Actor.Person, e.Actor.System, e.Grant, e.Credential, e.Outcome, e.Evidence)
	}
	return s.String()
}
