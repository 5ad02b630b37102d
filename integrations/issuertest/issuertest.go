// Package issuertest is the suite that every issuer passes: what [service.Issuer] promises, tried on a real target.
//
// # Life cycle
//
// An issuer's own test calls [Run] with a [Target], which says how to make the issuer, what to order and how to try a
// secret for real, and adds the faults that only that target has. [Run] leaves nothing at the target.
//
// # Caveats
//
// Expiry is waited for in real time, as a real target knows no other: about two seconds, and not at all where the least lifetime
// is longer than a few seconds. A call that issues and is cancelled may take effect a moment after it has returned; the suite
// revokes such names once more at the end, as the service does.
package issuertest

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// Two installations on one target.
const (
	ours   = "abcdefgh"
	theirs = "mnpqrstv"
)

// patience bounds a wait for an expiry.
const patience = 5 * time.Second

// Target is what an issuer under test issues for.
type Target struct {
	// Issuer returns the issuer of an installation. All that it returns issue for the same target.
	Issuer func(t testing.TB, instance string) service.Issuer

	// Order is something that the target can give. The suite fills in Name, Grant, Person, Now and Until.
	Order grants.Order

	// Opens tries a secret at the target, as its person would, and reports whether it opens.
	Opens func(t testing.TB, name string, secret grants.Secret) bool

	// LedgerDecides says that a credential is live as long as the ledger says so, and that Check is asked only
	// afterwards: the issuer remembers nothing.
	LedgerDecides bool

	// Broken are issuers for the same target whose calls fail on their way, by how. None: nothing is called.
	Broken func(t testing.TB, instance string) map[string]service.Issuer

	// Hidden is what no error may hold, besides the secrets that were issued.
	Hidden []string
}

// Case is one promise of the suite.
type Case struct {
	Name string
	Run  func(t testing.TB, target Target)
}

// Run holds an issuer to its contract.
func Run(t *testing.T, target Target) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) { c.Run(t, target) })
	}
}

// Cases are the promises one by one, for a test that wants to see them broken.
func Cases() []Case {
	return []Case{
		{"a credential opens until it is revoked", testLife},
		{"a credential opens until it expires", testExpiry},
		{"a plan keeps to the lifetimes", testPlan},
		{"what nobody made is revoked already", testUnknown},
		{"an issue that is repeated leaves one credential", testIssueTwice},
		{"one credential's end is nobody else's", testNeighbours},
		{"another installation's names are left alone", testForeign},
		{"a renewal lengthens, or says that it cannot", testRenew},
		{"a renewal wakes nothing up", testRenewDead},
		{"a check asks the target", testLie},
		{"many at once", testMany},
		{"one name, revoked from all sides", testRevokeRace},
		{"one name, issued and revoked at once", testIssueRace},
		{"calls that are cancelled half-way", testCancel},
		{"errors hold no secret", testBroken},
	}
}

// bench is one case's place at the target.
type bench struct {
	testing.TB
	Target
	issuer service.Issuer
}

func set(t testing.TB, target Target) bench {
	t.Helper()
	return bench{t, target, target.Issuer(t, ours)}
}

// named is an order under a name that was never used, for a lifetime.
func (b bench) named(life time.Duration) grants.Order {
	return b.namedBy(ours, life)
}

func (b bench) namedBy(instance string, life time.Duration) grants.Order {
	var random [10]byte
	_, _ = rand.Read(random[:])
	o := b.Order
	o.Now = time.Now().UTC()
	o.Grant = grants.NewID(o.Now, random)
	o.Name = grants.CredentialName(instance, o.Grant, 1)
	o.Person = grants.Person{Key: "T1.U1", Name: "Ada", Email: "ada@example.com"}
	o.Until = o.Now.Add(life)
	return o
}

// issues makes a credential that opens, and revokes it when the case is over.
func (b bench) issues(o grants.Order) grants.Secret {
	b.Helper()
	secret, err := b.issuer.Issue(b.Context(), o)
	if err != nil {
		b.Fatalf("issuing: %v", err)
	}
	b.Cleanup(func() { // whose own context is over
		ctx, cancel := context.WithTimeout(context.WithoutCancel(b.Context()), 2*patience)
		defer cancel()
		if err := b.issuer.Revoke(ctx, o.Name); err != nil {
			b.Errorf("revoking at the end: %v", err)
		}
	})
	if !b.Opens(b, o.Name, secret) {
		b.Fatal("what was issued does not open")
	}
	return secret
}

func (b bench) revokes(name string) {
	b.Helper()
	if err := b.issuer.Revoke(b.Context(), name); err != nil {
		b.Fatalf("revoking: %v", err)
	}
}

// finds asks the issuer about a credential.
func (b bench) finds(o grants.Order) grants.Finding {
	b.Helper()
	found, err := b.issuer.Check(b.Context(), handle(o), time.Now().UTC())
	if err != nil {
		b.Fatalf("checking: %v", err)
	}
	return found
}

func handle(o grants.Order) grants.Handle {
	return grants.Handle{Name: o.Name, Verify: o.Verify, Expires: o.Until}
}

// isLive and isDead hold the target and the issuer's word about it against each other.
func (b bench) isLive(o grants.Order, secret grants.Secret) {
	b.Helper()
	if !b.Opens(b, o.Name, secret) {
		b.Error("a live credential does not open")
	}
	if found := b.finds(o); !b.LedgerDecides && found != grants.AliveFinding {
		b.Errorf("a live credential is found %q", found)
	}
}

func (b bench) isDead(o grants.Order, secrets ...grants.Secret) {
	b.Helper()
	for _, secret := range secrets {
		if b.Opens(b, o.Name, secret) {
			b.Error("a dead credential opens")
		}
	}
	if found := b.finds(o); !found.Dead() {
		b.Errorf("a dead credential is found %q", found)
	}
}

// waits until something is so.
func (b bench) waits(what string, so func() bool) {
	b.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !so(); <-tick.C {
		if time.Now().After(end) {
			b.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// holdsNoSecret looks for what an error may never hold.
func (b bench) holdsNoSecret(err error, secrets ...grants.Secret) {
	b.Helper()
	if err == nil {
		return
	}
	hidden := b.Hidden
	for _, s := range secrets {
		hidden = append(hidden[:len(hidden):len(hidden)], s.Expose())
	}
	for _, h := range hidden {
		if h != "" && strings.Contains(err.Error(), h) {
			b.Errorf("an error holds a secret: %s", strings.ReplaceAll(err.Error(), h, "[found]"))
		}
	}
}

// cancelled reports whether an error says so by its sentinel.
func cancelled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
