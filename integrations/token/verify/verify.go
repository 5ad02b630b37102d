package verify

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Verifier lets calls with a good token through. It may be used from any
// goroutine and starts none; share one among all handlers of a service.
type Verifier struct {
	config   Config
	keys     *keys
	liveness *liveness
}

// New returns a verifier, or says everything that the configuration lacks. It asks nobody.
func New(c Config) (*Verifier, error) {
	c, err := c.complete()
	if err != nil {
		return nil, fmt.Errorf("configuring the token verifier: %w", err)
	}
	asked := &issuer{config: c}
	return &Verifier{
		config:   c,
		keys:     &keys{fetch: asked.keys},
		liveness: &liveness{ask: asked.live, grace: c.OfflineGrace, seen: map[fingerprint]*sighting{}},
	}, nil
}

// Token is what a verified token says.
type Token struct {
	ID       string   // the credential's name (jti), also in Nightlatch's ledger
	Person   string   // the Slack team and user (sub)
	Role     string   // the role's name
	Grant    string   // under which the person holds it
	Incident string   // that the grant belongs to; empty: none is named
	Scopes   []string // scope words; they open nothing here, the handler may go by them
	Expires  time.Time

	// Unconfirmed says that the token is believed on what was known before: the issuer does not
	// answer, or is never asked. A handler may refuse then what it could not undo.
	Unconfirmed bool
}

// tokenKey is where the context has the token.
type tokenKey struct{}

// FromContext returns the token of a request that came through Wrap.
func FromContext(ctx context.Context) (Token, bool) {
	t, ok := ctx.Value(tokenKey{}).(Token)
	return t, ok
}

// Wrap returns a handler that calls next with what is allowed, and answers everything else itself.
func (v *Verifier) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, path, err := v.judge(r)
		refused := refusalOf(err)
		v.record(r, token, refused)
		if refused != nil {
			refused.write(w)
			return
		}
		next.ServeHTTP(w, judged(r, token, path))
	})
}

// judge decides about one request. With an error the token is what is known of the caller by then.
func (v *Verifier) judge(r *http.Request) (Token, string, error) {
	raw, err := bearer(r.Header)
	if err != nil {
		return Token{}, "", err
	}
	c, err := v.read(r.Context(), raw)
	if err != nil {
		return Token{}, "", err
	}
	token := c.token()
	token.Unconfirmed = v.config.Offline
	if !v.config.Offline {
		token.Unconfirmed, err = v.liveness.check(r.Context(), c, raw)
		if err != nil {
			return token, "", err
		}
	}
	path, err := plainPath(r)
	if err != nil {
		return token, "", err
	}
	return token, path, c.allow(v.config.Audience, r.Method, path)
}

// judged is the request as the wrapped handler gets it: one path, and no token.
func judged(r *http.Request, token Token, path string) *http.Request {
	r = r.Clone(context.WithValue(r.Context(), tokenKey{}, token))
	r.Header.Del("Authorization")
	r.URL = &url.URL{Path: path, RawQuery: r.URL.RawQuery, ForceQuery: r.URL.ForceQuery}
	r.RequestURI = r.URL.RequestURI()
	return r
}

// bearer returns the one token of a request (RFC 6750, section 2.1).
func bearer(h http.Header) (string, error) {
	values := h.Values("Authorization")
	if len(values) == 0 {
		return "", errNoToken
	}
	if len(values) > 1 {
		return "", errTwoTokens
	}
	scheme, raw, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", errNoToken
	}
	return strings.TrimLeft(raw, " "), nil
}

// record writes the one line of a call. What a token says is there only once it was verified.
func (v *Verifier) record(r *http.Request, t Token, refused *refusal) {
	attrs := []slog.Attr{
		slog.String("grant", t.Grant), slog.String("person", t.Person), slog.String("incident", t.Incident),
		slog.String("role", t.Role), slog.String("credential", t.ID),
		slog.String("method", shown(r.Method)), slog.String("path", shown(r.URL.Path)),
	}
	if t.Unconfirmed {
		attrs = append(attrs, slog.Bool("unconfirmed", true))
	}
	if refused == nil {
		v.config.Log.LogAttrs(r.Context(), slog.LevelInfo, "call allowed", attrs...)
		return
	}
	attrs = append(attrs, slog.Int("status", refused.status), slog.String("reason", refused.Description))
	v.config.Log.LogAttrs(r.Context(), slog.LevelWarn, "call refused", attrs...)
}

// maxShown bounds what a stranger can write into the log.
const maxShown = 256

// shown is a part of the request line for the log. Someone may have put a token there.
func shown(s string) string {
	if strings.Contains(s, "eyJ") { // how the base64 of a JSON object begins
		return "[withheld]"
	}
	if len(s) > maxShown {
		return strings.ToValidUTF8(s[:maxShown], "") + "…"
	}
	return s
}
