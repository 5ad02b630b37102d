package token_test

import (
	"context"
	"sync"
	"testing"

	"nightlatch/grants"
	"nightlatch/grants/service"
	"nightlatch/integrations/issuertest"
	"nightlatch/integrations/token"
)

// books is what the ledger is to tokens: their names while they are live, which the service keeps.
type books struct {
	mu   sync.Mutex
	live map[string]bool
}

func (b *books) active(_ context.Context, name string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.live[name], nil
}

// booked is the issuer of one installation with the service's bookkeeping around it.
type booked struct {
	*token.Issuer
	*books
	instance string
}

func (b booked) Issue(ctx context.Context, o grants.Order) (grants.Secret, error) {
	secret, err := b.Issuer.Issue(ctx, o)
	if err == nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.live[o.Name] = true
	}
	return secret, err
}

func (b booked) Revoke(ctx context.Context, name string) error {
	b.mu.Lock()
	if _, ok := grants.GrantOf(b.instance, name); ok {
		delete(b.live, name)
	}
	b.mu.Unlock()
	return b.Issuer.Revoke(ctx, name)
}

// TestIssuerKeepsItsContract tries every token at the door.
func TestIssuerKeepsItsContract(t *testing.T) {
	all := &books{live: map[string]bool{}}
	h := newHouse(t, func(c *token.DoorConfig) { c.Active = all.active })
	issuertest.Run(t, issuertest.Target{
		Issuer:        func(_ testing.TB, instance string) service.Issuer { return booked{h.issuer, all, instance} },
		Order:         grants.Order{Role: "orders-read", Audience: order().Audience, Scopes: order().Scopes},
		Opens:         func(t testing.TB, _ string, s grants.Secret) bool { return s.Expose() != "" && h.holds(t, s.Expose()) },
		LedgerDecides: true,
	})
}
