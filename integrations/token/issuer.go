package token

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"nightlatch/grants"
)

// Bounds of a token's lifetime. A JWT counts whole seconds.
const (
	least           = time.Second
	defaultGreatest = 24 * time.Hour
)

// offlineGreatest is the longest life of a token whose services ask nobody: only its expiry ends it.
const offlineGreatest = 10 * time.Minute

// defaultSkew is how far a verifier's clock may be behind ours.
const defaultSkew = time.Minute

// Config says how tokens are made.
type Config struct {
	Keys     Keys
	URL      string        // the iss claim, such as "https://nightlatch.example.com"; see URLRule
	ClientID string        // the client_id claim; empty: "nightlatch"
	Greatest time.Duration // longest life of a token; 0: 24 h
	Skew     time.Duration // how far verifiers' clocks may be behind; 0: 1 min
}

// Issuer makes tokens and remembers none of them.
type Issuer struct {
	config Config
}

// New returns an issuer, or says what the configuration lacks.
func New(c Config) (*Issuer, error) {
	if c.ClientID == "" {
		c.ClientID = "nightlatch"
	}
	if c.Greatest == 0 {
		c.Greatest = defaultGreatest
	}
	if c.Skew == 0 {
		c.Skew = defaultSkew
	}
	_, err := parseURL(c.URL)
	err = errors.Join(c.Keys.check(), err)
	if c.Greatest < least || c.Skew < 0 {
		err = errors.Join(err, fmt.Errorf("tokens cannot live %v with a skew of %v", c.Greatest, c.Skew))
	}
	if err != nil {
		return nil, fmt.Errorf("configuring the token issuer: %w", err)
	}
	return &Issuer{config: c}, nil
}

// Describe says how long tokens may live, and that a revocation bites at once; or, for services
// that ask nobody, not before the expiry.
func (i *Issuer) Describe(v grants.Verify) grants.Description {
	if v == grants.Offline {
		return grants.Description{Least: least, Greatest: i.greatest(v), Class: grants.AtExpiry, Skew: i.config.Skew}
	}
	return grants.Description{Least: least, Greatest: i.greatest(v), Class: grants.Instant}
}

func (i *Issuer) greatest(v grants.Verify) time.Duration {
	if v == grants.Offline {
		return min(i.config.Greatest, offlineGreatest)
	}
	return i.config.Greatest
}

// Plan says what a token for the order would open, and until when it would at most.
func (i *Issuer) Plan(_ context.Context, o grants.Order) (grants.Plan, error) {
	given, until, err := i.read(o)
	if err != nil {
		return grants.Plan{}, fmt.Errorf("planning a token for role %q: %w", o.Role, err)
	}
	most := ""
	if o.Until.Sub(until) >= least {
		most = ", " + hours(i.greatest(o.Verify)) + " at most"
	}
	end := "introspection refuses it at once when it is revoked."
	if o.Verify == grants.Offline {
		end = "its services ask nobody, so it works up to " + hours(i.greatest(o.Verify)) + " after a revocation. Programs fetch again."
	}
	return grants.Plan{
		Sentence: fmt.Sprintf("A token for %s: %s, until the grant ends%s; %s",
			o.Audience, given.sentence(), most, end),
		Until: until,
	}, nil
}

// Issue signs a token for the order. It expires at the time that Plan says, and its
// jti is the order's name.
func (i *Issuer) Issue(_ context.Context, o grants.Order) (grants.Secret, error) {
	given, until, err := i.read(o)
	if err == nil && (o.Name == "" || o.Person.Key == "") {
		err = errors.New("the order names no credential or no person")
	}
	if err != nil {
		return grants.Secret{}, fmt.Errorf("issuing a token for role %q: %w", o.Role, err)
	}
	signed, err := i.config.Keys.Current.sign(given.claims(i.signer(), o, until))
	if err != nil {
		return grants.Secret{}, fmt.Errorf("issuing a token for role %q: %w", o.Role, err)
	}
	return grants.NewSecret(signed), nil
}

func (i *Issuer) signer() signer { return signer{url: i.config.URL, clientID: i.config.ClientID} }

// read checks an order and cuts its end to what a token can express.
func (i *Issuer) read(o grants.Order) (access, time.Time, error) {
	given, err := parseScopes(o.Audience, o.Scopes)
	if err = errors.Join(validateAudience(o.Audience), err); err != nil {
		return access{}, time.Time{}, err
	}
	until := o.Until
	if last := o.Now.Add(i.greatest(o.Verify)); until.After(last) {
		until = last
	}
	until = until.UTC().Truncate(time.Second)
	if !until.After(o.Now) {
		return access{}, time.Time{}, errors.New("the grant is over")
	}
	return given, until, given.claims(i.signer(), o, until).checkLength()
}

// Renew always answers that it cannot be done: the expiry is part of what was signed.
func (i *Issuer) Renew(context.Context, string, time.Time) error {
	return fmt.Errorf("renewing a token: %w", grants.ErrNotRenewable)
}

// Revoke has nothing to do: a token dies when the ledger no longer holds its credential as live.
func (i *Issuer) Revoke(context.Context, string) error { return nil }

// Check is asked about a credential that is no longer live in the ledger. Introspection refuses
// it from then on, and once its expiry and the skew have passed, everybody does. Until then a
// service that asks nobody accepts it.
func (i *Issuer) Check(_ context.Context, h grants.Handle, now time.Time) (grants.Finding, error) {
	switch {
	case !h.Expires.IsZero() && !now.Before(h.Expires.Add(i.config.Skew)):
		return grants.ExpiredFinding, nil
	case h.Verify == grants.Offline:
		return grants.AliveFinding, nil
	}
	return grants.RefusedFinding, nil
}

// hours writes a duration without its zero parts: 24h, 1h30m.
func hours(d time.Duration) string {
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
