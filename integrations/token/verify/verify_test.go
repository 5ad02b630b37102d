package verify_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nightlatch/integrations/token/verify"
)

func TestAGoodCallReachesTheService(t *testing.T) {
	r := newRig(t, nil)
	o := order()
	raw := r.issue(t, o)
	req := request("GET", "/v1/orders/b%C3%BCcher%3A1?full=1", raw)
	if w := r.call(req); w.Code != http.StatusOK {
		t.Fatalf("answered %d %s", w.Code, w.Body)
	}
	got, ok := verify.FromContext(r.seen.Context())
	want := verify.Token{
		ID: o.Name, Person: "T0NIGHT.U0ADA", Role: o.Role, Grant: o.Grant, Scopes: []string{"orders.read"}, Expires: o.Until.Local(),
	}
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("the token in the context (-want +got):\n%s", diff)
	}
	if _, ok := verify.FromContext(req.Context()); ok {
		t.Error("the caller's own request has a token in its context")
	}
	seen := [...]string{r.seen.URL.Path, r.seen.URL.RawPath, r.seen.URL.EscapedPath(), r.seen.RequestURI, r.seen.URL.RawQuery}
	if diff := cmp.Diff([...]string{"/v1/orders/bücher:1", "", "/v1/orders/b%C3%BCcher:1", "/v1/orders/b%C3%BCcher:1?full=1", "full=1"}, seen); diff != "" {
		t.Errorf("the service sees (-want +got):\n%s", diff)
	}
	if len(r.seen.Header.Values("Authorization")) != 0 || req.Header.Get("Authorization") == "" {
		t.Error("the token reaches the service, or was taken from the caller's own request")
	}
}

func TestOneLineForEachCall(t *testing.T) {
	r := newRig(t, nil)
	raw := r.issue(t, order())
	for _, req := range []*http.Request{
		request("GET", "/v1/orders/4711?access_token="+raw, raw),
		request("DELETE", "/v1/orders/4711", raw),
		request("GET", "/v1/orders/"+raw, raw),
		request("GET", "/v1/orders/4711", "eyJ.eyJ.x"),
	} {
		r.call(req)
	}
	known := map[string]any{
		"level": "INFO", "msg": "call allowed", "grant": order().Grant, "person": "T0NIGHT.U0ADA", "incident": "", "role": "orders-read",
		"credential": order().Name, "method": "GET", "path": "/v1/orders/4711",
	}
	with := func(changes map[string]any) map[string]any {
		line := maps.Clone(known)
		maps.Copy(line, changes)
		return line
	}
	want := []map[string]any{
		known,
		with(map[string]any{"level": "WARN", "msg": "call refused", "method": "DELETE", "status": 403.0, "reason": "the token does not open this"}),
		with(map[string]any{"path": "[withheld]"}),
		with(map[string]any{
			"level": "WARN", "msg": "call refused", "grant": "", "person": "", "role": "", "credential": "",
			"status": 401.0, "reason": "the token is not one for this service",
		}),
	}
	got := r.lines(t)
	for _, line := range got {
		delete(line, "time")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if strings.Contains(r.log.String(), raw[strings.LastIndex(raw, ".")+1:]) || strings.Contains(r.log.String(), secret) {
		t.Error("the token or the secret is in the log")
	}
}

func TestRefusalsFollowTheStandard(t *testing.T) {
	r := newRig(t, nil)
	raw := r.issue(t, order())
	with := func(values ...string) *http.Request {
		req := httptest.NewRequest("GET", "/v1/orders/4711", nil)
		req.Header["Authorization"] = values
		return req
	}
	override := request("POST", "/v1/refunds/1", raw)
	override.Header.Set("X-HTTP-Method-Override", "DELETE")
	for _, test := range []struct {
		name   string
		req    *http.Request
		status int
		code   string
	}{
		{"nothing", with(), 401, ""},
		{"another scheme", with("Basic b3JkZXJzOng="), 401, ""},
		{"a token in the query", httptest.NewRequest("GET", "/v1/orders/4711?access_token="+raw, nil), 401, ""},
		{"a scheme alone", with("Bearer"), 401, "invalid_token"},
		{"a token twice", with("Bearer "+raw, "Bearer "+raw), 400, "invalid_request"},
		{"no token of ours", with("Bearer x"), 401, "invalid_token"},
		{"something after it", with("Bearer " + raw + " x"), 401, "invalid_token"},
		{"another method", request("PUT", "/v1/orders/4711", raw), 403, "insufficient_scope"},
		{"another path", request("GET", "/v1/refunds/1", raw), 403, "insufficient_scope"},
		{"a method in lower case", request("get", "/v1/orders/4711", raw), 403, "insufficient_scope"},
		{"a path that is not plain", request("GET", "/v1/orders/../admin", raw), 400, "invalid_request"},
		{"another method in a header", override, 400, "invalid_request"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := r.call(test.req)
			if w.Code != test.status || r.seen != nil {
				t.Fatalf("answered %d, want %d", w.Code, test.status)
			}
			var body struct {
				Error       string
				Description string `json:"error_description"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || body.Error != test.code || body.Description == "" {
				t.Errorf("answered %s (%v)", w.Body, err)
			}
			want := `Bearer realm="nightlatch"`
			if test.code != "" {
				want = fmt.Sprintf(`Bearer realm="nightlatch", error="%s", error_description="%s"`, test.code, body.Description)
			}
			if got := w.Header().Get("WWW-Authenticate"); got != want {
				t.Errorf("WWW-Authenticate is %q, want %q", got, want)
			}
			if w.Header().Get("Cache-Control") != "no-store" || strings.Contains(w.Body.String(), raw) {
				t.Errorf("the answer may be kept, or has the token: %v %s", w.Header(), w.Body)
			}
		})
	}
	if w := r.call(with("bEARER  " + raw)); w.Code != http.StatusOK {
		t.Errorf("the scheme is compared with its case: %d", w.Code)
	}
}

func TestConfigurationNamesAllProblemsAtOnce(t *testing.T) {
	_, err := verify.New(verify.Config{Issuer: "http://user:hunter2@nightlatch.example.com", Caller: "x", Timeout: -1})
	if err == nil {
		t.Fatal("an empty configuration was accepted")
	}
	for _, part := range []string{"is not just https://", "the audience is empty", "go together", "nobody answers within"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q:\n%v", part, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error shows a password: %v", err)
	}
	for _, issuer := range []string{"http://nightlatch.example.com", "https://nightlatch.example.com/", "ftp://127.0.0.1", "nightlatch", "http://127.0.0.1.example.com"} {
		if _, err := verify.New(verify.Config{Issuer: issuer, Audience: "x", Offline: true}); err == nil {
			t.Errorf("the issuer %q is accepted", issuer)
		}
	}
	if _, err := verify.New(verify.Config{Issuer: "https://n.example.com", Audience: "x"}); err == nil {
		t.Error("introspection without any proof of who asks is accepted")
	}
	config := verify.Config{Secret: secret}
	for _, text := range []string{fmt.Sprint(config), fmt.Sprintf("%+v %#v %q %x", config, config, config.Secret, config.Secret)} {
		if strings.Contains(text, "horse") || strings.Contains(text, hex.EncodeToString([]byte("horse"))) {
			t.Errorf("the configuration prints as %s", text)
		}
	}
	if raw, err := json.Marshal(config.Secret); err != nil || string(raw) != `"[redacted]"` {
		t.Errorf("the secret is encoded as %s (%v)", raw, err)
	}
}
