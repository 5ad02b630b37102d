package issuertest

import (
	"context"
	"sync"
	"testing"
	"time"

	"nightlatch/grants"
)

// How much is done at once.
const (
	crowd  = 8 // callers
	rounds = 8 // of a race, and steps at which a call is cancelled
)

func testMany(t testing.TB, target Target) {
	b := set(t, target)
	orders := make([]grants.Order, crowd)
	secrets := make([]grants.Secret, crowd)
	errs := make([]error, crowd)
	together(crowd, func(i int) {
		orders[i] = b.named(time.Hour)
		secrets[i], errs[i] = b.issuer.Issue(t.Context(), orders[i])
	})
	for i := range crowd {
		if errs[i] != nil {
			t.Errorf("issuing: %v", errs[i])
			continue
		}
		b.isLive(orders[i], secrets[i])
	}
	together(crowd, func(i int) { errs[i] = b.issuer.Revoke(t.Context(), orders[i].Name) })
	for i := range crowd {
		if errs[i] != nil {
			t.Errorf("revoking: %v", errs[i])
		}
		b.isDead(orders[i], secrets[i])
	}
}

// testRevokeRace: a sweep that was slow and the next one may meet.
func testRevokeRace(t testing.TB, target Target) {
	b := set(t, target)
	for range rounds {
		o := b.named(time.Hour)
		secret := b.issues(o)
		errs := make([]error, 4)
		together(len(errs), func(i int) { errs[i] = b.issuer.Revoke(t.Context(), o.Name) })
		for _, err := range errs {
			if err != nil {
				t.Errorf("revoking beside others: %v", err)
			}
		}
		b.isDead(o, secret)
	}
}

// testIssueRace: whichever comes first, there is one credential at most, and one revocation ends it.
func testIssueRace(t testing.TB, target Target) {
	b := set(t, target)
	for range rounds {
		o := b.named(time.Hour)
		var first, second grants.Secret
		errs := make([]error, 3)
		together(len(errs), func(i int) {
			switch i {
			case 0:
				first, errs[i] = b.issuer.Issue(t.Context(), o)
			case 1:
				second, errs[i] = b.issuer.Issue(t.Context(), o)
			default:
				errs[i] = b.issuer.Revoke(t.Context(), o.Name)
			}
		})
		for _, err := range errs {
			b.holdsNoSecret(err, first, second)
		}
		if errs[2] != nil {
			t.Errorf("revoking beside an issue: %v", errs[2])
		}
		b.revokes(o.Name)
		b.isDead(o, first, second)
	}
}

// testCancel cancels issuing and revoking at moments spread over the time that a whole call takes.
func testCancel(t testing.TB, target Target) {
	b := set(t, target)
	o := b.named(time.Hour)
	start := time.Now()
	secret := b.issues(o)
	issuing := time.Since(start)
	start = time.Now()
	b.revokes(o.Name)
	revoking := time.Since(start)
	b.isDead(o, secret)

	orders := make([]grants.Order, rounds)
	secrets := make([]grants.Secret, rounds)
	for i := range rounds {
		orders[i] = b.named(time.Hour)
		during(t, issuing*time.Duration(i)/rounds, func(ctx context.Context) {
			var err error
			if secrets[i], err = b.issuer.Issue(ctx, orders[i]); err != nil && !cancelled(err) {
				t.Errorf("issuing, cancelled: %v is no error of its context", err)
			}
		})
		if _, err := b.issuer.Issue(t.Context(), orders[i]); err != nil {
			t.Errorf("issuing again after a cancelled call: %v", err)
		}
		during(t, revoking*time.Duration(i)/rounds, func(ctx context.Context) {
			if err := b.issuer.Revoke(ctx, orders[i].Name); err != nil && !cancelled(err) {
				t.Errorf("revoking, cancelled: %v is no error of its context", err)
			}
		})
		b.revokes(orders[i].Name)
	}
	for i, o := range orders {
		b.revokes(o.Name) // once more: what was cancelled may have taken effect late
		if secrets[i] != (grants.Secret{}) {
			b.isDead(o, secrets[i])
		}
		b.isDead(o)
	}
}

// testBroken calls every verb where it fails. Whatever was half-made ends with one revocation.
func testBroken(t testing.TB, target Target) {
	b := set(t, target)
	if b.Broken == nil {
		t.Skip("nothing of this issuer can fail on its way")
	}
	o := b.named(time.Hour)
	secret := b.issues(o)
	for how, broken := range b.Broken(t, ours) {
		half := b.named(time.Hour)
		_, err := broken.Issue(t.Context(), half)
		if err == nil {
			t.Errorf("%s: issuing worked", how)
		}
		b.holdsNoSecret(err, secret)
		b.holdsNoSecret(broken.Renew(t.Context(), o.Name, o.Until), secret)
		b.holdsNoSecret(broken.Revoke(t.Context(), half.Name), secret)
		found, err := broken.Check(t.Context(), handle(o), time.Now())
		b.holdsNoSecret(err, secret)
		if !b.LedgerDecides && found.Dead() {
			t.Errorf("%s: a live credential is found %q", how, found)
		}
		b.revokes(half.Name)
		b.isDead(half)
	}
	b.isLive(o, secret)
}

// together runs a function so often at once, and waits for all.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

// during runs a function whose context is cancelled after a while.
func during(t testing.TB, d time.Duration, f func(context.Context)) {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	f(ctx)
}
