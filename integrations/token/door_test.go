package token_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/integrations/token"
)

func TestActiveIsLiveInTheLedger(t *testing.T) {
	h := newHouse(t, nil)
	raw := issue(t, h.issuer, order())
	if !h.holds(t, raw) {
		t.Fatal("a live credential's token is not active")
	}
	h.ledger.live[order().Name] = false
	if h.holds(t, raw) {
		t.Fatal("a revoked token is active")
	}
	if diff := cmp.Diff(token.Counts{Active: 1, Dead: 1}, h.door.Counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func TestIntrospectionAnswersWithTheClaims(t *testing.T) {
	h := newHouse(t, nil)
	raw := issue(t, h.issuer, order())
	var got, want map[string]any
	if err := json.Unmarshal(decode(t, raw, 1), &want); err != nil {
		t.Fatal(err)
	}
	maps.Copy(want, map[string]any{"active": true, "token_type": "Bearer"})
	w := h.ask(t, "orders-api", secret, raw)
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if cc := w.Header().Get("Cache-Control"); cc != "no-store" {
		t.Errorf("Cache-Control is %q", cc)
	}
}

func TestWhoMayIntrospect(t *testing.T) {
	h := newHouse(t, nil)
	raw := issue(t, h.issuer, order())
	for _, test := range []struct {
		name, caller, password string
		status                 int
		active                 bool
	}{
		{"the audience", "orders-api", secret, http.StatusOK, true},
		{"the audience, its secret form-encoded", "orders-api", url.QueryEscape(secret), http.StatusOK, true},
		{"another audience", "billing-api", "other", http.StatusOK, false},
		{"nobody", "", "", http.StatusUnauthorized, false},
		{"a stranger", "stranger", secret, http.StatusUnauthorized, false},
		{"a wrong secret", "orders-api", "wrong", http.StatusUnauthorized, false},
		{"no secret", "orders-api", "", http.StatusUnauthorized, false},
		{"the hash as the secret", "orders-api", hash(secret), http.StatusUnauthorized, false},
		{"another's secret", "billing-api", secret, http.StatusUnauthorized, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := h.ask(t, test.caller, test.password, raw)
			if w.Code != test.status {
				t.Fatalf("answered %d, want %d", w.Code, test.status)
			}
			if got := strings.Contains(w.Body.String(), `"active":true`); got != test.active {
				t.Errorf("answered %s", w.Body)
			}
			if asked := w.Header().Get("WWW-Authenticate"); (asked != "") != (test.status == http.StatusUnauthorized) {
				t.Errorf("WWW-Authenticate is %q", asked)
			}
		})
	}
}

func TestNoAnswerIsNoVerdict(t *testing.T) {
	h := newHouse(t, nil)
	h.ledger.err = errors.New("the ledger is full")
	raw := issue(t, h.issuer, order())
	h.ask(t, "orders-api", secret, raw)
	w := h.ask(t, "orders-api", secret, raw)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "active") {
		t.Errorf("answered %d %v %s", w.Code, w.Header(), w.Body)
	}
	if strings.Count(h.log.String(), "the ledger is full") != 1 {
		t.Errorf("the log does not say why, or more than once:\n%s", h.log)
	}
	signature := raw[strings.LastIndex(raw, ".")+1:]
	if strings.Contains(h.log.String(), signature) || strings.Contains(w.Body.String(), signature) {
		t.Error("the token is in the log or in the answer")
	}
	h.ledger.err = nil
	if !h.holds(t, raw) || strings.Count(h.log.String(), "answers introspections again") != 1 {
		t.Errorf("the outage does not end:\n%s", h.log)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	h := newHouse(t, nil)
	const form = "application/x-www-form-urlencoded"
	for _, test := range []struct {
		name, method, target, kind, body string
		status                           int
		allow                            string
	}{
		{"not a form", "POST", "/introspect", "application/json", `{"token":"x"}`, 415, ""},
		{"no content type", "POST", "/introspect", "", "token=x", 415, ""},
		{"no token", "POST", "/introspect", form, "token_type_hint=access_token", 400, ""},
		{"an empty token", "POST", "/introspect", form, "token=", 400, ""},
		{"two tokens", "POST", "/introspect", form, "token=x&token=y", 400, ""},
		{"a token in the URL", "POST", "/introspect?token=x", form, "", 400, ""},
		{"a form that is none", "POST", "/introspect", form, "token=%zz", 400, ""},
		{"too large", "POST", "/introspect", form, "token=" + strings.Repeat("x", 17<<10), 413, ""},
		{"reading introspection", "GET", "/introspect", "", "", 405, "POST"},
		{"writing keys", "POST", "/.well-known/jwks.json", form, "x=y", 405, "GET, HEAD"},
		{"writing health", "DELETE", "/healthz", "", "", 405, "GET, HEAD"},
		{"elsewhere", "GET", "/", "", "", 404, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), test.method, test.target, strings.NewReader(test.body))
			r.SetBasicAuth("orders-api", secret)
			if test.kind != "" {
				r.Header.Set("Content-Type", test.kind)
			}
			w := httptest.NewRecorder()
			h.door.ServeHTTP(w, r)
			if w.Code != test.status || w.Header().Get("Allow") != test.allow {
				t.Errorf("answered %d, Allow %q: %s", w.Code, w.Header().Get("Allow"), w.Body)
			}
		})
	}
}

func TestOneCallerCannotCrowdOutAnother(t *testing.T) {
	h := newHouse(t, func(c *token.DoorConfig) { c.PerSecond, c.Burst = 0.001, 2 })
	raw := issue(t, h.issuer, order())
	for i, want := range []int{200, 200, 429, 429} {
		if w := h.ask(t, "orders-api", secret, raw); w.Code != want || (want == 429) != (w.Header().Get("Retry-After") != "") {
			t.Errorf("request %d: answered %d, want %d", i+1, w.Code, want)
		}
	}
	if w := h.ask(t, "billing-api", "other", raw); w.Code != http.StatusOK {
		t.Errorf("the other caller is answered %d", w.Code)
	}
	if got := h.door.Counts().Limited; got != 2 {
		t.Errorf("%d requests were counted as limited, want 2", got)
	}
}

// TestReadyIsWhetherTheLedgerAnswers, while health depends on nothing.
func TestReadyIsWhetherTheLedgerAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		ready func(context.Context) error
		want  int
	}{
		"nobody says": {nil, http.StatusOK},
		"it answers":  {func(context.Context) error { return nil }, http.StatusOK},
		"it does not": {func(context.Context) error { return errors.New("reading page 7 of ledger.db") }, http.StatusServiceUnavailable},
		"it hangs":    {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, func(d *token.DoorConfig) { d.Ready, d.Timeout = c.ready, 10*time.Millisecond })
			for path, want := range map[string]int{"/readyz": c.want, "/healthz": http.StatusOK} {
				w := httptest.NewRecorder()
				h.door.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
				if w.Code != want || strings.Contains(w.Body.String(), "page 7") {
					t.Errorf("%s answers %d: %s", path, w.Code, w.Body)
				}
			}
		})
	}
}

func TestPublicPages(t *testing.T) {
	h := newHouse(t, nil)
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.door.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		if w.Code != http.StatusOK {
			t.Errorf("%s is answered with %d", path, w.Code)
		}
		return w
	}
	if got := get("/healthz").Body.String(); got != "ok\n" {
		t.Errorf("health is %q", got)
	}
	golden(t, "metadata.json", get("/.well-known/oauth-authorization-server").Body.Bytes())
	jwks, err := token.Keys{Current: h.key}.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	page := get("/.well-known/jwks.json")
	if diff := cmp.Diff(string(jwks), page.Body.String()); diff != "" {
		t.Errorf("key set (-want +got):\n%s", diff)
	}
	if kind := page.Header().Get("Content-Type"); kind != "application/jwk-set+json" {
		t.Errorf("the key set is %q", kind)
	}
}

func TestDoorNamesAllProblemsAtOnce(t *testing.T) {
	_, err := token.NewDoor(token.DoorConfig{Callers: []token.Caller{{Name: "a b"}}})
	if err == nil {
		t.Fatal("an empty door was made")
	}
	for _, part := range []string{"no current key", "is not just https://", `caller 1, "a b"`, "nobody says which tokens are active"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q:\n%v", part, err)
		}
	}
}

// TestTheLogNamesWhoIsKeptOut: to a service with a wrong secret a refusal looks like an outage, so its operator looks here.
func TestTheLogNamesWhoIsKeptOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, nil)
		raw := issue(t, h.issuer, order())
		count := func(want int, what string) {
			t.Helper()
			if got := strings.Count(h.log.String(), what); got != want {
				t.Errorf("%d times %q, want %d:\n%s", got, what, want, h.log)
			}
		}
		for range 100 {
			h.ask(t, "orders-api", "not-"+secret, raw)
			h.ask(t, "billing-api", "not-other", raw)
			h.ask(t, "secret-in-the-wrong-place", secret, raw)
		}
		count(1, "caller=orders-api")
		count(1, "caller=billing-api")
		count(1, "somebody may not ask")
		count(0, "secret-in-the-wrong-place")
		count(0, secret)
		time.Sleep(time.Minute)
		h.ask(t, "orders-api", "not-"+secret, raw)
		count(2, "caller=orders-api")
	})
}
