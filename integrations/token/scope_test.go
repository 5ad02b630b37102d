package token_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/token"
)

func TestScopesThatAreAccepted(t *testing.T) {
	for _, line := range []string{
		"GET /", "GET /**", "GET /*", "GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS /v1/orders/*/items/**", "GET /v1/orders/",
		"GET /v1/users/~ada/a.b-c_d", "GET /v1/orders:search", "orders.read", "urn:orders:read", "https://example.com/scope", "GETTING", "get,x",
	} {
		if err := token.ValidateScopes([]string{line}); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
	if err := token.ValidateScopes(nil); err != nil {
		t.Errorf("none: %v", err)
	}
}

func TestScopesThatAreRefused(t *testing.T) {
	for line, want := range map[string]string{
		"":                       "it is empty; remove it",
		" GET /":                 "spaces around it",
		"GET /v1 ":               "spaces around it",
		"GET":                    "methods need a path, such as: GET /v1/orders/*",
		"GET,POST":               "methods need a path",
		"/v1/orders":             "a path needs its methods first, such as: GET /v1/orders",
		"get /v1":                `"get" is no method; write one or more of GET,HEAD,`,
		"GET, POST /v1":          `"" is no method`,
		"CONNECT /v1":            `"CONNECT" is no method`,
		"GET,GET /v1":            "the method GET stands twice",
		"orders.read write":      `"orders.read" is no method`,
		"GET v1/orders":          `the path "v1/orders" does not begin with /`,
		"GET  /v1":               `the path " /v1" does not begin with /`,
		"GET /v1//orders":        "an empty segment (//)",
		"GET /v1/../admin":       `the segment ".."`,
		"GET /v1/./orders":       `the segment "."`,
		"GET /v1/**/items":       "** is the rest of the path and stands only at its end",
		"GET /v1/ord*":           `in "ord*" the * is only a part of a segment`,
		"GET /v1/***":            "only a part of a segment",
		"GET /v1/orders?all=1":   "without query",
		"GET /v1/orders;v=1":     "without query, semicolons and % escapes",
		"GET /v1/orders#x":       "a character that is not allowed",
		"GET /v1/%2e%2e/admin":   "semicolons and % escapes",
		"GET /v1/orders /v1/all": "a character that is not allowed",
		"GET /v1/bücher":         "a character that is not allowed",
		`GET /v1\admin`:          "a character that is not allowed",
		`say"so`:                 "printable ASCII without",
		`back\slash`:             "printable ASCII without",
		"tab\tulator":            "printable ASCII without",
		"bücher":                 "printable ASCII without",
	} {
		err := token.ValidateScopes([]string{line})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), fmt.Sprintf("scope 1, %q: ", line)) {
			t.Errorf("%q: error %v, want one with %q", line, err, want)
		}
	}
}

func TestAllBadScopesAreNamedAtOnce(t *testing.T) {
	err := token.ValidateScopes([]string{"GET /v1", "POST", "audit", "audit", "/v2"})
	if err == nil {
		t.Fatal("accepted")
	}
	want := `scope 2, "POST": methods need a path, such as: POST /v1/orders/*
scope 4, "audit": it stands twice; remove one
scope 5, "/v2": a path needs its methods first, such as: GET /v2`
	if err.Error() != want {
		t.Errorf("error\n%s\nwant\n%s", err, want)
	}
}

func TestRoleIsCheckedAsAWhole(t *testing.T) {
	for _, test := range []struct {
		audience, want string
		scopes         []string
	}{
		{"", "the audience is empty", nil},
		{"orders api", "not printable ASCII, or a space", nil},
		{"orders\n", "not printable ASCII, or a space", nil},
		{strings.Repeat("x", 256), "256 bytes, and 255 are enough", nil},
		{"orders", `scope 1, "GET"`, []string{"GET"}},
	} {
		if err := token.ValidateRole(test.audience, test.scopes); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q %q: error %v, want one with %q", test.audience, test.scopes, err, test.want)
		}
	}
	if err := token.ValidateRole("orders-api", []string{"GET /v1/orders/*"}); err != nil {
		t.Error(err)
	}
}

// TestWhatIsConfiguredCanBeShown fills a role until it is refused: whatever was accepted before makes a token
// of at most 3,000 characters.
func TestWhatIsConfiguredCanBeShown(t *testing.T) {
	issuer := newIssuer(t, newKey(t))
	o := order()
	o.Scopes = nil
	for i := range 100 {
		more := append(o.Scopes, fmt.Sprintf("GET /v1/things&more/%d", i))
		err := token.ValidateRole(o.Audience, more)
		if err != nil {
			if !strings.Contains(err.Error(), "one view in Slack shows 3000; use wider paths or split the role") || i < 10 {
				t.Errorf("%d scopes: %v", i+1, err)
			}
			break
		}
		o.Scopes = more
		if raw := issue(t, issuer, o); len(raw) > 3000 {
			t.Fatalf("the token of %d scopes has %d characters", i+1, len(raw))
		}
	}
	for range 100 {
		o.Scopes = append(o.Scopes, fmt.Sprintf("POST /v2/%d", len(o.Scopes)))
	}
	if _, err := issuer.Plan(t.Context(), o); err == nil {
		t.Error("a token that cannot be shown is planned")
	}
}

func FuzzScopes(f *testing.F) {
	for _, line := range []string{"GET /", "GET,POST /v1/*/x/**", "orders.read", "GET", "/x", "GET /a//b", "GET /%2e"} {
		f.Add(line)
	}
	issuer := newIssuer(f, newKey(f))
	f.Fuzz(func(t *testing.T, line string) {
		o := grants.Order{Audience: "orders", Role: "r", Scopes: []string{line}, Now: time.Unix(1e9, 0), Until: time.Unix(1e9+60, 0)}
		plan, err := issuer.Plan(t.Context(), o)
		if invalid := token.ValidateRole(o.Audience, o.Scopes); (invalid == nil) != (err == nil) && len(line) < 1000 {
			t.Fatalf("the configuration says %v, the plan %v", invalid, err)
		}
		// What the approver reads is the line itself: nothing is hidden, nothing is added.
		if err == nil && !strings.Contains(plan.Sentence, line) {
			t.Errorf("%q is planned as %q", line, plan.Sentence)
		}
	})
}
