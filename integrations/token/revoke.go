package token

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// revoke gives a token back (RFC 7009). Whoever has it may: the token itself is the proof, so that whoever
// finds one can end it. The answer is the same whether it was ours, live or long over.
func (d *Door) revoke(w http.ResponseWriter, r *http.Request) {
	if !d.revocations.Allow() {
		d.counts.limited.Add(1)
		w.Header().Set("Retry-After", "1")
		answer(w, http.StatusTooManyRequests, refusal{"temporarily_unavailable", "too many revocations; try again in a second"})
		return
	}
	raw, status, problem := readForm(r)
	if problem != "" {
		d.counts.malformed.Add(1)
		answer(w, status, refusal{"invalid_request", problem})
		return
	}
	c, err := d.config.Keys.read(raw, d.config.URL, time.Now())
	switch {
	case errors.Is(err, errNotOurs):
		d.counts.unknown.Add(1)
	case err == nil: // what has expired needs no end
		if err := d.bounded(r.Context(), c.ID, d.config.Return); err != nil {
			d.counts.unanswered.Add(1)
			d.config.Log.Error("a token was given back, and that could not be recorded", "error", err)
			w.Header().Set("Retry-After", "1")
			answer(w, http.StatusServiceUnavailable, refusal{"temporarily_unavailable", "the ledger does not answer; try again in a second"})
			return
		}
		d.counts.returned.Add(1)
	}
	w.WriteHeader(http.StatusOK)
}

// tell says that a token was used which is over. The answer to whoever asked does not depend on it.
func (d *Door) tell(ctx context.Context, name, caller string) {
	if d.config.Dead == nil {
		return
	}
	err := d.bounded(ctx, name, func(ctx context.Context, name string) error { return d.config.Dead(ctx, name, caller) })
	if err != nil && ctx.Err() == nil {
		d.config.Log.Error("the use of a token that is over could not be recorded", "error", err)
	}
}

// bounded calls the ledger about a credential, for as long as it may take.
func (d *Door) bounded(ctx context.Context, name string, do func(context.Context, string) error) error {
	if do == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, d.config.Timeout)
	defer cancel()
	return do(ctx, name)
}
