package token

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Where the door answers.
const (
	keysPath       = "/.well-known/jwks.json"
	metadataPath   = "/.well-known/oauth-authorization-server"
	introspectPath = "/introspect"
	revokePath     = "/revoke"
	healthPath     = "/healthz"
	readyPath      = "/readyz"
)

// maxRequest bounds an introspection's body; a token has 3,000 characters at most.
const maxRequest = 16 << 10

// How often one caller may ask, and how long the ledger may take, if the configuration does not say.
const (
	defaultPerSecond = 200
	defaultBurst     = 400
	defaultTimeout   = 5 * time.Second
)

// DoorConfig says what a door answers with.
type DoorConfig struct {
	URL     string // the iss claim and the beginning of the endpoints' addresses; as in Config
	Keys    Keys
	Callers []Caller

	// Active reports whether the ledger holds the credential of this name as live. A name
	// that it doesn't know is not. With an error the caller is told to ask again.
	Active  func(ctx context.Context, name string) (bool, error)
	Timeout time.Duration // of each of the four; 0: 5 s

	// Return ends the credential of this name if it is live, because somebody has its token and gives it back. Nil: nothing ends.
	Return func(ctx context.Context, name string) error
	// Dead hears of a token that is over and that somebody used, and which caller asked about it. Nil: nobody does.
	Dead func(ctx context.Context, name, caller string) error

	// Ready reports why introspection cannot be answered now. Nil: it always can.
	Ready func(ctx context.Context) error

	PerSecond float64      // introspections per caller, and revocations of everybody; 0: 200
	Burst     int          // at once; 0: 400
	Log       *slog.Logger // nil: nothing is logged
}

// Door is the HTTP side of tokens: the public keys, the metadata, introspection
// and whether the process lives. It keeps counts and nothing else.
type Door struct {
	config  DoorConfig
	clients clients
	mux     *http.ServeMux

	revocations *rate.Limiter

	silent atomic.Bool // the ledger did not answer when it was asked last
	counts struct {
		active, dead, unknown, foreign, unauthenticated, limited, malformed, unanswered, returned atomic.Uint64
	}
}

// Counts are the answers of a door since it was made.
type Counts struct {
	Active          uint64 // tokens that hold
	Dead            uint64 // our tokens that are revoked or over, still in use
	Unknown         uint64 // what is no token of ours
	Foreign         uint64 // tokens of an audience that is not the caller's
	Unauthenticated uint64
	Limited         uint64
	Malformed       uint64
	Unanswered      uint64 // the ledger did not say
	Returned        uint64 // tokens that were given back
}

// NewDoor returns a door, or says everything that its configuration lacks.
func NewDoor(c DoorConfig) (*Door, error) {
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.PerSecond == 0 {
		c.PerSecond = defaultPerSecond
	}
	if c.Burst == 0 {
		c.Burst = defaultBurst
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	_, err := parseURL(c.URL)
	err = errors.Join(c.Keys.check(), err, ValidateCallers(c.Callers))
	if c.Active == nil {
		err = errors.Join(err, errors.New("nobody says which tokens are active"))
	}
	if err != nil {
		return nil, fmt.Errorf("configuring the token endpoints: %w", err)
	}
	known, err := newClients(c.Callers, c.PerSecond, c.Burst)
	if err != nil {
		return nil, fmt.Errorf("configuring the token endpoints: %w", err)
	}
	d := &Door{config: c, clients: known, mux: http.NewServeMux(), revocations: rate.NewLimiter(rate.Limit(c.PerSecond), c.Burst)}
	if err := d.route(); err != nil {
		return nil, fmt.Errorf("configuring the token endpoints: %w", err)
	}
	return d, nil
}

func (d *Door) route() error {
	keys, err := d.config.Keys.JWKS()
	if err != nil {
		return err
	}
	about, err := metadata(d.config.URL)
	if err != nil {
		return err
	}
	d.mux.Handle("GET "+keysPath, public("application/jwk-set+json", keys))
	d.mux.Handle("GET "+metadataPath, public("application/json", about))
	d.mux.HandleFunc("POST "+introspectPath, d.introspect)
	d.mux.HandleFunc("POST "+revokePath, d.revoke)
	d.mux.HandleFunc("GET "+healthPath, func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	d.mux.HandleFunc("GET "+readyPath, d.ready)
	return nil
}

// ready answers whether introspection can be answered. Nothing else counts: what keeps new access
// from opening must not keep services from learning what is dead.
func (d *Door) ready(w http.ResponseWriter, r *http.Request) {
	if d.config.Ready != nil {
		ctx, cancel := context.WithTimeout(r.Context(), d.config.Timeout)
		defer cancel()
		if err := d.config.Ready(ctx); err != nil {
			say(w, http.StatusServiceUnavailable, "the ledger does not answer")
			return
		}
	}
	say(w, http.StatusOK, "ok")
}

func say(w http.ResponseWriter, status int, line string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(line + "\n"))
}

// ServeHTTP answers one request.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	d.mux.ServeHTTP(w, r)
}

// Counts returns the counts so far.
func (d *Door) Counts() Counts {
	c := &d.counts
	return Counts{
		Active: c.active.Load(), Dead: c.dead.Load(), Unknown: c.unknown.Load(), Foreign: c.foreign.Load(),
		Unauthenticated: c.unauthenticated.Load(), Limited: c.limited.Load(), Malformed: c.malformed.Load(),
		Unanswered: c.unanswered.Load(), Returned: c.returned.Load(),
	}
}

// public answers with what everybody may read and keep for a while.
func public(contentType string, body []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "public, max-age=300")
		_, _ = w.Write(body)
	})
}

// metadata describes the endpoints by RFC 8414. Nobody can get a token over HTTP, so there are no grant types.
func metadata(base string) ([]byte, error) {
	var out bytes.Buffer
	err := json.NewEncoder(&out).Encode(struct {
		Issuer        string   `json:"issuer"`
		Keys          string   `json:"jwks_uri"`
		Introspection string   `json:"introspection_endpoint"`
		AuthMethods   []string `json:"introspection_endpoint_auth_methods_supported"`
		Revocation    string   `json:"revocation_endpoint"`
		Possession    []string `json:"revocation_endpoint_auth_methods_supported"`
		ResponseTypes []string `json:"response_types_supported"`
		GrantTypes    []string `json:"grant_types_supported"`
		DetailTypes   []string `json:"authorization_details_types_supported"`
	}{
		Issuer: base, Keys: base + keysPath, Introspection: base + introspectPath,
		AuthMethods: []string{"client_secret_basic", "tls_client_auth"}, Revocation: base + revokePath, Possession: []string{"none"},
		ResponseTypes: []string{}, GrantTypes: []string{}, DetailTypes: []string{detailType},
	})
	if err != nil {
		return nil, fmt.Errorf("encoding the metadata: %w", err)
	}
	return out.Bytes(), nil
}
