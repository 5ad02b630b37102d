package token_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/grants"
	"nightlatch/integrations/token"
)

func TestTokenIsWhatItsOrderSays(t *testing.T) {
	key := newKey(t)
	o := order()
	o.Now = time.Date(2026, 11, 22, 3, 14, 15, 926e6, time.UTC)
	o.Until = o.Now.Add(90 * time.Minute)
	raw := issue(t, newIssuer(t, key), o)

	if !strings.HasPrefix(raw, token.Prefix) {
		t.Errorf("the token begins with %.50s, want %s", raw, token.Prefix)
	}
	if got, want := string(decode(t, raw, 0)), fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":"at+jwt"}`, key.ID()); got != want {
		t.Errorf("the header is %s, want %s", got, want)
	}
	jwks, err := token.Keys{Current: key}.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	if !signedBy(t, raw, publicOf(t, jwks, key.ID())) {
		t.Error("the published key does not verify the token")
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, append(decode(t, raw, 1), '\n'), "", "  "); err != nil {
		t.Fatal(err)
	}
	golden(t, "claims.json", pretty.Bytes())
}

func TestPlan(t *testing.T) {
	issuer := newIssuer(t, newKey(t))
	for _, test := range []struct {
		name     string
		change   func(*grants.Order)
		sentence string
		lasts    time.Duration
	}{
		{
			"paths and scopes", func(*grants.Order) {},
			"A token for https://orders.example.com: GET,HEAD /v1/orders/*, POST /v1/refunds/**, scopes orders.read audit, " +
				"until the grant ends; introspection refuses it at once when it is revoked.", time.Hour,
		},
		{
			"longer than a token lives", func(o *grants.Order) { o.Scopes, o.Until = []string{"GET /"}, o.Now.Add(30*time.Hour) },
			"A token for https://orders.example.com: GET /, until the grant ends, 24h at most; " +
				"introspection refuses it at once when it is revoked.", 24 * time.Hour,
		},
		{
			"for services that ask nobody", func(o *grants.Order) { o.Scopes, o.Verify = []string{"GET /"}, grants.Offline },
			"A token for https://orders.example.com: GET /, until the grant ends, 10m at most; " +
				"its services ask nobody, so it works up to 10m after a revocation. Programs fetch again.", 10 * time.Minute,
		},
		{
			"for services that ask nobody, shorter", func(o *grants.Order) {
				o.Scopes, o.Verify, o.Until = []string{"GET /"}, grants.Offline, o.Now.Add(time.Minute)
			},
			"A token for https://orders.example.com: GET /, until the grant ends; " +
				"its services ask nobody, so it works up to 10m after a revocation. Programs fetch again.", time.Minute,
		},
		{
			"no scopes, a broken second", func(o *grants.Order) { o.Scopes, o.Until = nil, o.Until.Add(700*time.Millisecond) },
			"A token for https://orders.example.com: without scopes, until the grant ends; " +
				"introspection refuses it at once when it is revoked.", time.Hour,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := order()
			test.change(&o)
			got, err := issuer.Plan(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			want := grants.Plan{Sentence: test.sentence, Until: o.Now.Add(test.lasts)}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
			var c struct{ Exp int64 }
			if err := json.Unmarshal(decode(t, issue(t, issuer, o), 1), &c); err != nil {
				t.Fatal(err)
			}
			if c.Exp != got.Until.Unix() {
				t.Errorf("the token expires at %d, and the plan says %d", c.Exp, got.Until.Unix())
			}
		})
	}
}

func TestIssuerRefuses(t *testing.T) {
	issuer := newIssuer(t, newKey(t))
	for _, test := range []struct {
		name   string
		change func(*grants.Order)
		want   string
	}{
		{"a grant that is over", func(o *grants.Order) { o.Until = o.Now }, `issuing a token for role "orders-read": the grant is over`},
		{"no end", func(o *grants.Order) { o.Until = time.Time{} }, `issuing a token for role "orders-read": the grant is over`},
		{"no name", func(o *grants.Order) { o.Name = "" }, `issuing a token for role "orders-read": the order names no credential or no person`},
		{"no person", func(o *grants.Order) { o.Person.Key = "" }, `issuing a token for role "orders-read": the order names no credential or no person`},
		{"no audience", func(o *grants.Order) { o.Audience = "" }, `issuing a token for role "orders-read": the audience is empty; name the one service that the token is for`},
		{"a bad scope", func(o *grants.Order) { o.Scopes = []string{"GET"} }, `issuing a token for role "orders-read": scope 1, "GET": methods need a path, such as: GET /v1/orders/*`},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := order()
			test.change(&o)
			if _, err := issuer.Issue(t.Context(), o); err == nil || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

func TestLifeAfterIssuing(t *testing.T) {
	issuer := newIssuer(t, newKey(t))
	o := order()
	if got, want := issuer.Describe(grants.Introspect), (grants.Description{Least: time.Second, Greatest: 24 * time.Hour, Class: grants.Instant}); got != want {
		t.Errorf("described as %+v, want %+v", got, want)
	}
	if err := issuer.Renew(t.Context(), o.Name, o.Until); !errors.Is(err, grants.ErrNotRenewable) {
		t.Errorf("renewing: %v", err)
	}
	for range 2 {
		if err := issuer.Revoke(t.Context(), o.Name); err != nil {
			t.Errorf("revoking: %v", err)
		}
	}
	offline := grants.Description{Least: time.Second, Greatest: 10 * time.Minute, Class: grants.AtExpiry, Skew: time.Minute}
	if got := issuer.Describe(grants.Offline); got != offline {
		t.Errorf("offline described as %+v, want %+v", got, offline)
	}
	for _, test := range []struct {
		verify grants.Verify
		after  time.Duration
		want   grants.Finding
	}{
		{"", -time.Minute, grants.RefusedFinding},
		{grants.Introspect, -time.Minute, grants.RefusedFinding},
		{grants.Introspect, time.Minute - time.Second, grants.RefusedFinding}, // within the skew
		{grants.Introspect, time.Minute, grants.ExpiredFinding},
		{grants.Offline, -time.Minute, grants.AliveFinding},
		{grants.Offline, time.Minute - time.Nanosecond, grants.AliveFinding},
		{grants.Offline, time.Minute, grants.ExpiredFinding},
	} {
		h := grants.Handle{Name: o.Name, Verify: test.verify, Expires: o.Until}
		got, err := issuer.Check(t.Context(), h, o.Until.Add(test.after))
		if err != nil || got != test.want {
			t.Errorf("%s, %v after its expiry: %q, %v, want %q", test.verify, test.after, got, err, test.want)
		}
	}
}

func TestIssuerNeedsAKeyAndAURL(t *testing.T) {
	_, err := token.New(token.Config{URL: "https://nightlatch.example.com/", Greatest: -time.Second})
	if err == nil {
		t.Fatal("an issuer without key, URL and lifetime was made")
	}
	for _, part := range []string{"no current key", "is not just https://", "cannot live -1s"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q:\n%v", part, err)
		}
	}
}
