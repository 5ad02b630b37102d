package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
)

// Where the issuer answers.
const (
	keysPath       = "/.well-known/jwks.json"
	introspectPath = "/introspect"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 10

// issuer asks Nightlatch.
type issuer struct {
	config     Config
	keysSilent atomic.Bool // there was no answer when it was asked last
	liveSilent atomic.Bool
}

// keys asks for the public keys.
func (i *issuer) keys(ctx context.Context) (keySet, error) {
	ctx, cancel := context.WithTimeout(ctx, i.config.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, i.config.Issuer+keysPath, nil)
	if err != nil {
		return nil, fmt.Errorf("asking for the issuer's keys: %w", err)
	}
	var set keySet
	body, err := i.do(r)
	if err == nil {
		if set, err = parseKeys(body); err != nil {
			err = fmt.Errorf("%w: %w", errUnusable, err)
		}
	}
	if err != nil {
		err = fmt.Errorf("asking for the issuer's keys: %w", err)
	}
	i.note(&i.keysSilent, err)
	return set, err
}

// live asks whether the token with these claims is active (RFC 7662).
func (i *issuer) live(ctx context.Context, c claims, raw string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, i.config.Timeout)
	defer cancel()
	form := url.Values{"token": {raw}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.config.Issuer+introspectPath, strings.NewReader(form))
	if err != nil {
		return false, fmt.Errorf("introspecting: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if i.config.Caller != "" {
		// RFC 6749, section 2.3.1: both are form-encoded first.
		r.SetBasicAuth(url.QueryEscape(i.config.Caller), url.QueryEscape(string(i.config.Secret)))
	}
	var answer struct {
		Active *bool  `json:"active"`
		ID     string `json:"jti"`
		Issuer string `json:"iss"`
	}
	body, err := i.do(r)
	if err == nil && (json.Unmarshal(body, &answer) != nil || answer.Active == nil) {
		err = errUnusable
	}
	if err == nil && *answer.Active && (answer.ID != c.ID || answer.Issuer != c.Issuer) {
		err = fmt.Errorf("%w: it is about another token", errUnusable)
	}
	if err != nil {
		err = fmt.Errorf("introspecting: %w", err)
	}
	i.note(&i.liveSilent, err)
	return err == nil && *answer.Active, err
}

// do returns the body of a good answer. errUnanswered: nobody is there, or too busy; errUnusable: somebody says no.
// The error names the address, and nothing of what was sent.
func (i *issuer) do(r *http.Request) ([]byte, error) {
	r.Header.Set("Accept", "application/json")
	w, err := i.config.Client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnanswered, err)
	}
	defer func() { _ = w.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(w.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: reading its answer: %w", errUnanswered, err)
	case w.StatusCode >= http.StatusInternalServerError, w.StatusCode == http.StatusTooManyRequests:
		return nil, fmt.Errorf("%w: its status is %d", errUnanswered, w.StatusCode)
	case w.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: its status is %d", errUnusable, w.StatusCode)
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("%w: it has more than %d bytes", errUnusable, maxAnswer)
	}
	return body, nil
}

// note logs when the issuer stops answering, and when it answers again: not for each call of an outage.
func (i *issuer) note(silent *atomic.Bool, err error) {
	switch {
	case err == nil && silent.CompareAndSwap(true, false):
		i.config.Log.Info("the token issuer answers again", "issuer", i.config.Issuer)
	case err != nil && silent.CompareAndSwap(false, true):
		i.config.Log.Error("the token issuer gives no answer", "issuer", i.config.Issuer, "error", err,
			"temporary", errors.Is(err, errUnanswered))
	}
}
