package token_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/grants"
	"nightlatch/integrations/token"
)

// gives posts a token to the door's revocation, as nobody in particular.
func (h *house) gives(t *testing.T, raw string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/revoke", strings.NewReader(url.Values{"token": {raw}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.door.ServeHTTP(w, r)
	return w
}

// names are what a hook of the door heard of.
type names struct {
	heard []string
	err   error
}

func (n *names) hear(_ context.Context, name string) error {
	n.heard = append(n.heard, name)
	return n.err
}

// hearFrom is hear for the hook that is told who asked.
func (n *names) hearFrom(ctx context.Context, name, caller string) error {
	return n.hear(ctx, name+" at "+caller)
}

func TestWhoeverHasATokenMayGiveItBack(t *testing.T) {
	var returned names
	h := newHouse(t, func(c *token.DoorConfig) { c.Return = returned.hear })
	raw := issue(t, h.issuer, order())
	old := order()
	old.Now, old.Until = old.Now.Add(-time.Hour), old.Now.Add(-time.Minute)
	stranger := issue(t, newIssuer(t, newKey(t)), order())
	for name, test := range map[string]struct {
		raw  string
		want []string
	}{
		"a live one":     {raw, []string{order().Name}},
		"an expired one": {issue(t, h.issuer, old), nil},
		"a stranger's":   {stranger, nil},
		"no token":       {"abc", nil},
		"altered":        {raw[:len(raw)-4] + "AAAA", nil},
	} {
		t.Run(name, func(t *testing.T) {
			returned.heard = nil
			w := h.gives(t, test.raw)
			if w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("answered %d %v %q", w.Code, w.Header(), w.Body)
			}
			if diff := cmp.Diff(test.want, returned.heard); diff != "" {
				t.Errorf("given back (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsNotGivenBackIsNotCalledGivenBack(t *testing.T) {
	returned := names{err: errors.New("the ledger is full")}
	h := newHouse(t, func(c *token.DoorConfig) { c.Return = returned.hear })
	raw := issue(t, h.issuer, order())
	w := h.gives(t, raw)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("answered %d %v", w.Code, w.Header())
	}
	if !strings.Contains(h.log.String(), "the ledger is full") || strings.Contains(h.log.String(), raw[strings.LastIndex(raw, ".")+1:]) {
		t.Errorf("the log does not say why, or has the token:\n%s", h.log)
	}
}

func TestRevocationsThatAreRefused(t *testing.T) {
	h := newHouse(t, nil)
	for _, test := range []struct {
		name, method, target, body string
		status                     int
	}{
		{"by GET", "GET", "/revoke?token=x", "", 405},
		{"no token", "POST", "/revoke", "token_type_hint=access_token", 400},
		{"a token in the URL", "POST", "/revoke?token=x", "", 400},
		{"too large", "POST", "/revoke", "token=" + strings.Repeat("x", 17<<10), 413},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), test.method, test.target, strings.NewReader(test.body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			if h.door.ServeHTTP(w, r); w.Code != test.status {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestRevocationsAreLimited(t *testing.T) {
	h := newHouse(t, func(c *token.DoorConfig) { c.PerSecond, c.Burst = 0.001, 2 })
	for i, want := range []int{200, 200, 429} {
		if w := h.gives(t, "abc"); w.Code != want || (want == 429) != (w.Header().Get("Retry-After") != "") {
			t.Errorf("revocation %d: answered %d, want %d", i+1, w.Code, want)
		}
	}
	if raw := issue(t, h.issuer, order()); !h.holds(t, raw) {
		t.Error("revocations crowd out a caller")
	}
}

// What is over and is used all the same is told: what expired, and what the ledger ended. What nobody signed is not.
func TestTheUseOfADeadTokenIsTold(t *testing.T) {
	var dead names
	h := newHouse(t, func(c *token.DoorConfig) { c.Dead = dead.hearFrom })
	live, ended, expired := order(), order(), order()
	ended.Name, expired.Name = grants.CredentialName("k3v9x2aa", live.Grant, 2), grants.CredentialName("k3v9x2aa", live.Grant, 3)
	expired.Now, expired.Until = expired.Now.Add(-time.Hour), expired.Now.Add(-time.Minute)
	h.ask(t, "orders-api", secret, issue(t, h.issuer, live))
	h.ask(t, "orders-api", secret, issue(t, newIssuer(t, newKey(t)), ended))
	h.ask(t, "billing-api", "other", issue(t, h.issuer, ended)) // not its audience
	h.ask(t, "", "", issue(t, h.issuer, ended))
	if len(dead.heard) > 0 {
		t.Fatalf("told of %q", dead.heard)
	}
	dead.err = errors.New("the ledger is full")
	for _, o := range []grants.Order{ended, expired} {
		if w := h.ask(t, "orders-api", secret, issue(t, h.issuer, o)); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "true") {
			t.Errorf("answered %d %s", w.Code, w.Body)
		}
	}
	if diff := cmp.Diff([]string{ended.Name + " at orders-api", expired.Name + " at orders-api"}, dead.heard); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if !strings.Contains(h.log.String(), "the ledger is full") {
		t.Errorf("nobody hears that it was not recorded:\n%s", h.log)
	}
}
