package verify_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"

	"nightlatch/integrations/token"
)

// parsed is the request as net/http reads it from a connection, or nil if it refuses to.
func parsed(method, target, raw string) *http.Request {
	req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(
		method + " " + target + " HTTP/1.1\r\nHost: orders.example.com\r\nAuthorization: Bearer " + raw + "\r\n\r\n")))
	if err != nil || req.Header.Get("Authorization") == "" {
		return nil
	}
	return req
}

// scoped returns a token for a role with these lines.
func (r *rig) scoped(t testing.TB, lines ...string) string {
	t.Helper()
	o := order()
	o.Scopes = lines
	return r.issue(t, o)
}

func TestPatterns(t *testing.T) {
	r := newRig(t, nil)
	for pattern, calls := range map[string]map[string]int{
		"/":             {"/": 200, "/v1": 403, "/?x=/v1": 200},
		"/**":           {"/": 200, "/v1": 200, "/v1/": 200, "/v1/orders/1": 200},
		"/*":            {"/": 403, "/v1": 200, "/v1/": 403, "/v1/orders": 403},
		"/v1/orders":    {"/v1/orders": 200, "/v1/orders/": 403, "/v1/order": 403, "/v1/orders1": 403, "/V1/orders": 403, "/v1": 403},
		"/v1/orders/":   {"/v1/orders": 403, "/v1/orders/": 200, "/v1/orders/1": 403},
		"/v1/orders/*":  {"/v1/orders": 403, "/v1/orders/": 403, "/v1/orders/1": 200, "/v1/orders/1/": 403, "/v1/orders/1/items": 403},
		"/v1/*/items":   {"/v1/1/items": 200, "/v1/items": 403, "/v1/1/2/items": 403, "/v1/1/items/": 403, "/v1/1/item": 403},
		"/v1/*/items/*": {"/v1/1/items/2": 200, "/v1/1/items": 403},
		"/v1/orders/**": {"/v1/orders": 403, "/v1/orders/": 200, "/v1/orders/1": 200, "/v1/orders/1/2/": 200, "/v1/ordersx/1": 403},
		"/v1/*/x/**":    {"/v1/1/x/": 200, "/v1/1/x/2/3": 200, "/v1/1/x": 403, "/v1/1/y/2": 403},
		"/v1/a:b":       {"/v1/a:b": 200, "/v1/a%3Ab": 200, "/v1/a%3ab": 200},
		"/v1/a+b":       {"/v1/a+b": 200, "/v1/a%2Bb": 200, "/v1/a%20b": 403},
	} {
		raw := r.scoped(t, "GET "+pattern)
		r.ledger.set(order().Name, true)
		for target, want := range calls {
			req := parsed("GET", target, raw)
			if got := r.call(req).Code; got != want {
				t.Errorf("%s on %s: answered %d, want %d", target, pattern, got, want)
			}
		}
	}
}

func TestMethodsAreThoseOfTheToken(t *testing.T) {
	r := newRig(t, nil)
	raw := r.scoped(t, "GET,PATCH /v1/orders/*", "POST /v1/refunds/*")
	for method, want := range map[string]int{
		"GET": 200, "PATCH": 200, "HEAD": 403, "POST": 403, "PUT": 403, "DELETE": 403, "OPTIONS": 403, "TRACE": 403,
		"get": 403, "GETS": 403, "GET,PATCH": 403, "*": 403, "PROPFIND": 403,
	} {
		req := parsed("GET", "/v1/orders/4711", raw)
		req.Method = method // net/http would refuse some
		if got := r.call(req).Code; got != want {
			t.Errorf("%s: answered %d, want %d", method, got, want)
		}
	}
}

// TestNoConfusedPathPasses has a token that opens everything below /v1/orders: what is refused is refused for its form.
func TestNoConfusedPathPasses(t *testing.T) {
	r := newRig(t, nil)
	raw := r.scoped(t, "GET /v1/orders/**", "GET /v1/public/*")
	for _, target := range []string{
		"/v1/orders/../admin", "/v1/orders/..", "/v1/orders/.", "/v1/orders/./1", "/v1/orders/1/../../admin", "/v1/public/../orders/1",
		"/v1/orders/%2e%2e/admin", "/v1/orders/%2E%2E/admin", "/v1/orders/.%2e/admin", "/v1/orders/%2e./admin", "/v1/orders/%2e",
		"/v1/orders/..%2fadmin", "/v1/orders/..%2Fadmin", "/v1/orders/1%2f2", "/v1/orders/%2f", "/v1%2forders/1", "/%2fv1/orders/1",
		"/v1/orders/%252e%252e/admin", "/v1/orders/%252fadmin", "/v1/orders/1%25", "/v1/orders/%25%32%66", "/v1/orders/%25252e",
		`/v1/orders/..\admin`, `/v1/orders/\admin`, "/v1/orders/..%5cadmin", "/v1/orders/%5Cadmin", "/v1/orders/%255cadmin",
		"/v1/orders/1%00", "/v1/orders/%00/1", "/v1/orders/1%00.json", "/v1/orders/%0a", "/v1/orders/1%0d%0aX:%20y", "/v1/orders/%7f", "/v1/orders/%09",
		"//v1/orders/1", "/v1//orders/1", "/v1/orders//", "/v1/orders//1", "///", "/v1/orders/1//",
		"/v1/orders;x=1/1", "/v1/orders/1;jsessionid=1", "/v1/orders/1%3bx", "/v1/orders/1%3B", "/v1/orders/..;/admin", "/v1/orders/;/1",
		"/v1/orders/1%3fx=1", "/v1/orders/1%3F", "/v1/orders/1%23x", "/v1/orders/1#x",
		"/v1/orders/%c0%ae%c0%ae/admin", "/v1/orders/%c0%af", "/v1/orders/%ff", "/v1/orders/%e0%80%af", "/v1/orders/%ed%a0%80",
		"/v1/orders/%E2%80%AEx", "/v1/orders/%EF%BB%BF", "/v1/orders/%E2%80%A8", "/v1/orders/%C2%A0",
		"/v1/orders/%20", "/v1/orders/..%20/admin", "/v1/orders/%20../admin", "/v1/orders/.../admin", "/v1/orders/..../1",
		"/v1/%6frders/1", "/v1/orders/%31", "/v1/orders/a%2db", "/v1/orders/a%2ejson", "/v1/orders/%7Eada", "/%76%31/orders/1",
		`/v1/orders/"x"`, "/v1/orders/bücher", "/v1/orders/<x>", "/v1/orders/{x}", "/v1/orders/x|y", "/v1/orders/x^y",
		"http://orders.example.com/v1/orders/1", "https://evil.example.com/v1/orders/1", "http://user@orders.example.com/v1/orders/1",
		"http:/v1/orders/1", "http:v1/orders/1", "*", "v1/orders/1", "", "?", "/v1/orders/%", "/v1/orders/%zz", "/v1/orders/%u002e",
	} {
		req := parsed("GET", target, raw)
		if req == nil {
			continue // net/http refuses it itself
		}
		if w := r.call(req); w.Code == http.StatusOK || r.seen != nil {
			t.Errorf("%q passes", target)
		} else if w.Code != http.StatusBadRequest {
			t.Errorf("%q: answered %d, want %d", target, w.Code, http.StatusBadRequest)
		}
	}
}

func TestPathsChangedByOthersAreRefused(t *testing.T) {
	r := newRig(t, nil)
	raw := r.scoped(t, "GET /v1/orders/*")
	for name, change := range map[string]func(*http.Request){
		"a raw path about another path": func(req *http.Request) { req.URL.RawPath = "/v1/admin" },
		"a raw path that is no path":    func(req *http.Request) { req.URL.RawPath = "%zz" },
		"another host":                  func(req *http.Request) { req.URL.Host = "evil.example.com" },
		"an opaque URL":                 func(req *http.Request) { req.URL.Opaque = "//evil.example.com" },
		"a fragment":                    func(req *http.Request) { req.URL.Fragment = "x" },
		"X-Original-URL":                func(req *http.Request) { req.Header.Set("X-Original-URL", "/admin") },
		"X-Rewrite-URL":                 func(req *http.Request) { req.Header.Set("X-Rewrite-Url", "/admin") },
		"X-Method-Override":             func(req *http.Request) { req.Header.Set("X-Method-Override", "DELETE") },
		"an empty X-HTTP-Method":        func(req *http.Request) { req.Header.Set("X-Http-Method", "") },
	} {
		req := parsed("GET", "/v1/orders/4711", raw)
		change(req)
		if got := r.call(req).Code; got != http.StatusBadRequest || r.seen != nil {
			t.Errorf("%s: answered %d", name, got)
		}
	}
}

func TestAPrefixStrippedOutsideIsNotJudged(t *testing.T) {
	r := newRig(t, nil)
	raw := r.scoped(t, "GET /v1/orders/*")
	w := httptest.NewRecorder()
	http.StripPrefix("/api", r.guard).ServeHTTP(w, parsed("GET", "/api/v1/orders/a%3Ab", raw))
	if w.Code != http.StatusOK || r.seen.URL.Path != "/v1/orders/a:b" || r.seen.RequestURI != "/v1/orders/a:b" {
		t.Errorf("answered %d", w.Code)
	}
}

// muxPattern says in the words of http.ServeMux what a line's path says in ours.
func muxPattern(line string) string {
	rest, isRest := strings.CutSuffix(line, "**")
	segments := strings.Split(rest, "/")
	for i, s := range segments {
		if s == "*" {
			segments[i] = fmt.Sprintf("{s%d}", i)
		}
	}
	switch pattern := strings.Join(segments, "/"); {
	case isRest:
		return pattern + "{rest...}"
	case strings.HasSuffix(pattern, "/"):
		return pattern + "{$}"
	default:
		return pattern
	}
}

// fuzzPatterns are what a fuzzed path is compared with.
var fuzzPatterns = []string{
	"/", "/**", "/*", "/v1/orders", "/v1/orders/", "/v1/orders/*", "/v1/orders/**", "/v1/*/items", "/*/*/", "/v1/a:b@c/*/**",
}

// FuzzPath: what is allowed is what http.ServeMux routes to the pattern of the same meaning, as it was sent and as the
// wrapped handler sees it; and a path of simple words is not refused for its form.
func FuzzPath(f *testing.F) {
	r := newRig(f, nil)
	o := order()
	o.Until = o.Now.Add(24 * time.Hour)
	issuer, err := token.New(token.Config{Keys: token.Keys{Current: r.key}, URL: r.url})
	if err != nil {
		f.Fatal(err)
	}
	tokens, muxes := make([]string, len(fuzzPatterns)), make([]*http.ServeMux, len(fuzzPatterns))
	for i, p := range fuzzPatterns {
		o.Scopes = []string{"GET " + p}
		s, err := issuer.Issue(f.Context(), o)
		if err != nil {
			f.Fatal(err)
		}
		tokens[i], muxes[i] = s.Expose(), http.NewServeMux()
		muxes[i].Handle("GET "+muxPattern(p), http.NotFoundHandler())
		for _, seed := range []string{"/", "/v1/orders/1", "/v1/orders/../x", "/v1/%2e%2e/x", "/v1//x", "/v1/orders/a%3Ab?x", "/v1/a:b@c/1/2/", "/v1/x%2fy/items"} {
			f.Add(uint8(i), seed)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, target string) {
		i := int(which) % len(fuzzPatterns)
		if strings.ContainsAny(target, " \r\n") {
			return
		}
		req := parsed("GET", target, tokens[i])
		if req == nil {
			return
		}
		sent, want := req.Clone(t.Context()), "GET "+muxPattern(fuzzPatterns[i])
		_, routed := muxes[i].Handler(sent)
		r.log.Reset()
		code := r.call(req).Code
		if r.seen == nil {
			simple := strings.Trim(target, "/abcdefghijklmnopqrstuvwxyz0123456789-_") == "" && target == cleaned(target)
			if simple && (code != http.StatusForbidden || routed == want && !redirects(muxes[i], sent)) {
				t.Errorf("%q on %s: refused with %d, and ServeMux routes it to %q", target, fuzzPatterns[i], code, routed)
			}
			return
		}
		for name, req := range map[string]*http.Request{"sent": sent, "seen": r.seen, "seen again": parsed("GET", r.seen.RequestURI, tokens[i])} {
			if req == nil || redirects(muxes[i], req) {
				t.Fatalf("%q on %s, as %s: ServeMux redirects", target, fuzzPatterns[i], name)
			}
			if _, routed := muxes[i].Handler(req); routed != want || req.URL.Path != r.seen.URL.Path {
				t.Errorf("%q on %s, as %s: ServeMux routes %q to %q", target, fuzzPatterns[i], name, req.URL.Path, routed)
			}
		}
		if got := r.seen.URL.Path; got != cleaned(got) || strings.ContainsAny(got, "\\%;?#\x00") {
			t.Errorf("%q on %s: the handler gets %q", target, fuzzPatterns[i], got)
		}
	})
}

// cleaned is a path without dot segments and empty ones; a slash at the end stays.
func cleaned(p string) string {
	c := path.Clean(p)
	if strings.HasSuffix(p, "/") && c != "/" {
		c += "/"
	}
	return c
}

// redirects reports whether a mux sends a request elsewhere.
func redirects(mux *http.ServeMux, req *http.Request) bool {
	h, _ := mux.Handler(req)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Code/100 == 3
}
