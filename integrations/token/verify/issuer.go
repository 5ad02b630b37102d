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
	config    Config
	keysState atomic.Int32 // how it answered when it was asked last, one of the below
	liveState atomic.Int32
}

// How an issuer answers.
const (
	answers int32 = iota
	isSilent
	isUseless
	refusesUs
)

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
	i.note(&i.keysState, err)
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
	i.note(&i.liveState, err)
	return err == nil && *answer.Active, err
}

// do returns the body of a good answer. errUnanswered: nobody is there, or too busy; errUnknown: it knows
// no such caller; errUnusable: somebody says something else.
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
	case w.StatusCode == http.StatusUnauthorized && r.URL.Path == introspectPath:
		return nil, errUnknown
	case w.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: its status is %d", errUnusable, w.StatusCode)
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("%w: it has more than %d bytes", errUnusable, maxAnswer)
	}
	return body, nil
}

// note logs when the issuer begins to answer in another way: not for each call of an outage.
func (i *issuer) note(last *atomic.Int32, err error) {
	state := answers
	switch {
	case errors.Is(err, errUnanswered):
		state = isSilent
	case errors.Is(err, errUnknown):
		state = refusesUs
	case err != nil:
		state = isUseless
	}
	if last.Swap(state) == state {
		return
	}
	log := i.config.Log.With("issuer", i.config.Issuer)
	switch state {
	case answers:
		log.Info("the token issuer answers again")
	case isSilent:
		log.Error("the token issuer gives no answer", "error", err)
	case isUseless:
		log.Error("the token issuer's answer is of no use", "error", err)
	case refusesUs:
		log.Error("the token issuer refuses this service: compare Caller and Secret with introspection in its configuration",
			"caller", i.config.Caller, "error", err)
	}
}
