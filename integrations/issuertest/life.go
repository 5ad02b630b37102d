package issuertest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"nightlatch/grants"
)

func testLife(t testing.TB, target Target) {
	b := set(t, target)
	o := b.named(time.Hour)
	secret := b.issues(o)
	b.isLive(o, secret)
	for range 2 {
		b.revokes(o.Name)
		b.isDead(o, secret)
	}
}

func testExpiry(t testing.TB, target Target) {
	b := set(t, target)
	least := b.issuer.Describe(b.Order.Verify).Least
	if least > patience/2 {
		t.Skipf("the least lifetime is %s, too long to wait for", least)
	}
	o := b.named(max(least, time.Second) + time.Second) // a second for a target that knows whole seconds only
	secret := b.issues(o)
	b.waits("expiring", func() bool { return !b.Opens(b, o.Name, secret) })
	if left := time.Until(o.Until); left > time.Second { // which a target may cut off
		t.Errorf("it stopped opening %s before its expiry", left)
	}
	b.isDead(o, secret)
}

func testPlan(t testing.TB, target Target) {
	b := set(t, target)
	does := b.issuer.Describe(b.Order.Verify)
	if does.Least <= 0 || does.Greatest < does.Least {
		t.Errorf("lifetimes from %s to %s", does.Least, does.Greatest)
	}
	if !slices.Contains([]grants.Class{grants.Instant, grants.Seconds, grants.Minutes, grants.AtExpiry}, does.Class) {
		t.Errorf("the class of revocation is %q", does.Class)
	}
	for _, life := range []time.Duration{does.Least, does.Greatest, 2 * does.Greatest} {
		o := b.named(life)
		p, err := b.issuer.Plan(t.Context(), o)
		if err != nil {
			t.Errorf("planning for %s: %v", life, err)
			continue
		}
		want := o.Now.Add(min(life, does.Greatest))
		if p.Until.After(want) || want.Sub(p.Until) > time.Second {
			t.Errorf("a plan for %s is for %s", life, p.Until.Sub(o.Now))
		}
		if !strings.HasSuffix(p.Sentence, ".") || strings.ContainsAny(p.Sentence, "\n\r") {
			t.Errorf("the plan is no sentence: %q", p.Sentence)
		}
	}
	for _, life := range []time.Duration{0, -time.Hour} {
		o := b.named(life)
		if p, err := b.issuer.Plan(t.Context(), o); err == nil {
			t.Errorf("a plan for %s is for %s", life, p.Until.Sub(o.Now))
		}
		if _, err := b.issuer.Issue(t.Context(), o); err == nil {
			t.Errorf("something was issued for %s", life)
		}
		b.revokes(o.Name)
	}
	o := b.named(2 * does.Greatest)
	b.isLive(o, b.issues(o)) // cut, not refused
}

func testUnknown(t testing.TB, target Target) {
	b := set(t, target)
	o := b.named(time.Hour)
	for range 2 {
		b.revokes(o.Name)
		b.isDead(o)
	}
}

// testIssueTwice: a process that died may ask again, and remembers neither secret.
func testIssueTwice(t testing.TB, target Target) {
	b := set(t, target)
	o := b.named(time.Hour)
	first := b.issues(o)
	second, err := b.issuer.Issue(t.Context(), o)
	b.holdsNoSecret(err, first)
	if err == nil && !b.Opens(b, o.Name, second) {
		t.Error("the second secret does not open")
	}
	b.revokes(o.Name)
	b.isDead(o, first, second)
}

func testNeighbours(t testing.TB, target Target) {
	b := set(t, target)
	o := b.named(time.Hour)
	next := o
	next.Name = grants.CredentialName(ours, o.Grant, 11) // of which the other's name is a prefix
	other := b.issues(next)
	secret := b.issues(o)
	b.revokes(o.Name)
	b.isDead(o, secret)
	b.isLive(next, other)
}

func testForeign(t testing.TB, target Target) {
	b := set(t, target)
	mine := b.named(time.Hour)
	secret := b.issues(mine)
	twin := target.Issuer(t, theirs)
	_ = twin.Revoke(t.Context(), mine.Name) // refused or ignored
	_ = twin.Renew(t.Context(), mine.Name, time.Now().Add(-time.Minute))
	b.isLive(mine, secret)
	b.revokes(b.namedBy(ours, time.Hour).Name)
	b.isLive(mine, secret)
}

func testRenew(t testing.TB, target Target) {
	b := set(t, target)
	o := b.named(max(b.issuer.Describe(b.Order.Verify).Least, time.Second) + time.Second)
	secret := b.issues(o)
	longer := o
	longer.Until = o.Now.Add(time.Hour)
	err := b.issuer.Renew(t.Context(), o.Name, longer.Until)
	b.holdsNoSecret(err, secret)
	if errors.Is(err, grants.ErrNotRenewable) {
		return
	}
	if err != nil {
		t.Fatalf("renewing: %v", err)
	}
	b.waits("the first expiry", func() bool { return time.Now().After(o.Until.Add(100 * time.Millisecond)) })
	b.isLive(longer, secret)
	b.revokes(o.Name)
	b.isDead(longer, secret)
}

func testRenewDead(t testing.TB, target Target) {
	b := set(t, target)
	o := b.named(time.Hour)
	if err := b.issuer.Renew(t.Context(), o.Name, o.Until); err == nil {
		t.Error("what was never issued was renewed")
	}
	b.isDead(o)
	secret := b.issues(o)
	b.revokes(o.Name)
	if err := b.issuer.Renew(t.Context(), o.Name, o.Until); err == nil {
		t.Error("what was revoked was renewed")
	}
	b.isDead(o, secret)
}

// testLie: whoever says "revoked" is not believed; the target is asked.
func testLie(t testing.TB, target Target) {
	b := set(t, target)
	if b.LedgerDecides {
		t.Skip("the ledger decides, so there is no target to ask")
	}
	o := b.named(time.Hour)
	secret := b.issues(o)
	if err := (Liar{b.issuer}).Revoke(t.Context(), o.Name); err != nil {
		t.Fatal(err)
	}
	b.isLive(o, secret)
	b.revokes(o.Name)
	b.isDead(o, secret)
}
