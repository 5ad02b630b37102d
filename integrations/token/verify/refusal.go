package verify

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// Why a call is not let through. What is wrapped around them is for nobody's eyes but the log of the issuer's state.
var (
	errNoToken    = errors.New("there is no bearer token")
	errTwoTokens  = errors.New("there is more than one Authorization header")
	errNotOurs    = errors.New("the token is not one for this service")
	errExpired    = errors.New("the token has expired")
	errTooLong    = errors.New("the token was made to be introspected, and this service works offline")
	errDead       = errors.New("the token is revoked or over")
	errUnanswered = errors.New("the issuer does not answer")
	errUnusable   = errors.New("the issuer's answer is of no use")
	errUnknown    = errors.New("the issuer does not know this service by the caller's name and secret, or by its certificate")
	errPath       = errors.New("the path is not plain")
	errHeader     = errors.New("a header replaces the method or the path")
	errScope      = errors.New("the token does not open this")
	errForeign    = errors.New("the token has details that are not understood here")
)

// refusal is an answer by RFC 6750, section 3.1.
type refusal struct {
	status      int
	Code        string `json:"error,omitempty"`
	Description string `json:"error_description"`
}

// refusals are the answers; an error that is not among them is answered as errUnanswered is.
var refusals = []struct {
	err    error
	status int
	code   string
}{
	{errNoToken, http.StatusUnauthorized, ""}, // without a code: it may not have been known that a token is needed
	{errTwoTokens, http.StatusBadRequest, "invalid_request"},
	{errNotOurs, http.StatusUnauthorized, "invalid_token"},
	{errExpired, http.StatusUnauthorized, "invalid_token"},
	{errTooLong, http.StatusUnauthorized, "invalid_token"},
	{errDead, http.StatusUnauthorized, "invalid_token"},
	{errPath, http.StatusBadRequest, "invalid_request"},
	{errHeader, http.StatusBadRequest, "invalid_request"},
	{errScope, http.StatusForbidden, "insufficient_scope"},
	{errForeign, http.StatusForbidden, "insufficient_scope"},
}

// refusalOf returns the answer for an error; nil: none.
func refusalOf(err error) *refusal {
	if err == nil {
		return nil
	}
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return &refusal{status: r.status, Code: r.code, Description: r.err.Error()}
		}
	}
	if errors.Is(err, errUnknown) { // nothing that the caller did, and nothing that trying again helps
		return &refusal{
			status: http.StatusServiceUnavailable, Code: "server_error",
			Description: "this service is not allowed to ask whether the token holds; its operator has to correct that, its log says how",
		}
	}
	return &refusal{
		status: http.StatusServiceUnavailable, Code: "temporarily_unavailable",
		Description: "nobody can say now whether the token holds; try again in a second",
	}
}

// write answers the call. No description has a quote or a backslash.
func (r *refusal) write(w http.ResponseWriter) {
	h := w.Header()
	switch {
	case r.Code == "temporarily_unavailable":
		h.Set("Retry-After", "1")
	case r.status == http.StatusServiceUnavailable:
	case r.Code == "":
		h.Set("WWW-Authenticate", `Bearer realm="nightlatch"`)
	default:
		h.Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="nightlatch", error="%s", error_description="%s"`, r.Code, r.Description))
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(r.status)
	_ = json.NewEncoder(w).Encode(r)
}
