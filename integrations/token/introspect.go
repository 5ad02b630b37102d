package token

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"slices"
	"time"
)

// introspection is the answer about a token (RFC 7662, section 2.2). Without claims the token is not active, and
// nothing says why.
type introspection struct {
	Active bool `json:"active"`
	*claims
	TokenType string `json:"token_type,omitempty"`
}

// refusal is an answer that is no introspection (RFC 6749, section 5.2).
type refusal struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

// introspect answers whether a token holds: who asks, how often, what for, and then whether.
func (d *Door) introspect(w http.ResponseWriter, r *http.Request) {
	who, ok := d.admit(w, r)
	if !ok {
		return
	}
	raw, status, problem := readForm(r)
	if problem != "" {
		d.counts.malformed.Add(1)
		answer(w, status, refusal{"invalid_request", problem})
		return
	}
	found, err := d.judge(r.Context(), who, raw)
	if err != nil {
		d.counts.unanswered.Add(1)
		if r.Context().Err() == nil && d.silent.CompareAndSwap(false, true) { // once, not for each request of an outage
			d.config.Log.Error("the ledger does not answer introspections", "caller", who.Name, "error", err)
		}
		// Neither yes nor no would be true. Whoever gets no answer lets nobody in, and asks again.
		w.Header().Set("Retry-After", "1")
		answer(w, http.StatusServiceUnavailable, refusal{"temporarily_unavailable", "the ledger does not answer; ask again in a second"})
		return
	}
	answer(w, http.StatusOK, found)
}

// admit finds out who asks, and whether they ask too often. If it is not ok, it has answered.
func (d *Door) admit(w http.ResponseWriter, r *http.Request) (who *client, ok bool) {
	who, proven := d.clients.authenticate(r)
	if !proven {
		d.complain(r, who)
		d.counts.unauthenticated.Add(1)
		w.Header().Set("WWW-Authenticate", `Basic realm="introspection", charset="UTF-8"`)
		answer(w, http.StatusUnauthorized, refusal{"invalid_client", "the caller is not known, or its proof is wrong"})
		return nil, false
	}
	if !who.limiter.Allow() {
		d.counts.limited.Add(1)
		w.Header().Set("Retry-After", "1")
		answer(w, http.StatusTooManyRequests, refusal{"temporarily_unavailable", "too many introspections; ask again in a second"})
		return nil, false
	}
	return who, true
}

// Admit reports whether a request comes from one of the callers, as introspection would find it. If
// not, it has answered.
func (d *Door) Admit(w http.ResponseWriter, r *http.Request) bool {
	_, ok := d.admit(w, r)
	return ok
}

// complain says who is kept out, because from their side it may look like an outage. The name that a
// stranger gives stays out of the log: it may be a secret in the wrong place.
func (d *Door) complain(r *http.Request, who *client) {
	switch {
	case who != nil && who.refused.Allow():
		d.config.Log.Warn("a caller may not ask about tokens: its secret is not the one whose hash the configuration has",
			"caller", who.Name, "from", r.RemoteAddr)
	case who == nil && d.clients.strangers.Allow():
		d.config.Log.Warn("somebody may not ask about tokens: no caller of the configuration has this name or certificate",
			"from", r.RemoteAddr)
	}
}

// readForm returns the one token of a request, or what is wrong with it.
func readForm(r *http.Request) (raw string, status int, problem string) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return "", http.StatusUnsupportedMediaType, "the content type is not application/x-www-form-urlencoded"
	}
	if err := r.ParseForm(); err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return "", http.StatusRequestEntityTooLarge, "the request is too large"
		}
		return "", http.StatusBadRequest, "the form cannot be read"
	}
	tokens := r.PostForm["token"] // never from the URL, which ends in access logs
	if len(tokens) != 1 || tokens[0] == "" {
		return "", http.StatusBadRequest, "the form has not exactly one token"
	}
	return tokens[0], http.StatusOK, ""
}

// judge says whether a token holds for a caller. Its error means that nobody knows.
func (d *Door) judge(ctx context.Context, who *client, raw string) (introspection, error) {
	c, err := d.config.Keys.read(raw, d.config.URL, time.Now())
	switch {
	case errors.Is(err, errNotOurs):
		d.counts.unknown.Add(1)
		return introspection{}, nil
	case !slices.Contains(who.Audiences, c.Audience[0]):
		d.counts.foreign.Add(1)
		return introspection{}, nil
	case err != nil:
		d.counts.dead.Add(1)
		d.tell(ctx, c.ID, who.Name)
		return introspection{}, nil
	}
	var active bool
	err = d.bounded(ctx, c.ID, func(ctx context.Context, name string) (err error) {
		active, err = d.config.Active(ctx, name)
		return err
	})
	if err != nil {
		return introspection{}, err
	}
	if d.silent.CompareAndSwap(true, false) {
		d.config.Log.Info("the ledger answers introspections again")
	}
	if !active {
		d.counts.dead.Add(1)
		d.tell(ctx, c.ID, who.Name)
		return introspection{}, nil
	}
	d.counts.active.Add(1)
	return introspection{Active: true, claims: &c, TokenType: "Bearer"}, nil
}

// answer writes JSON. That the caller may be gone by then is nobody's problem.
func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
