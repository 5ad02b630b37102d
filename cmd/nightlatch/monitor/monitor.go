// Package monitor answers /statusz and /metrics: how the parts of a running program are, for
// people and for Prometheus.
//
// A [Handler] stands before the token door on the same listener, and hands it everything else. It asks
// the parts when it is asked, at most once a second, and keeps nothing but that.
//
// Caveats: nothing here names a person, a grant or a secret, but numbers tell something too: when
// access opens and ends. So this machine alone is the default. A proxy on the same machine makes everybody look like
// this machine; where it says that it forwards somebody, they are refused.
package monitor

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"nightlatch/bot"
	"nightlatch/cmd/nightlatch/config"
	"nightlatch/grants/service"
	"nightlatch/integrations/token"
)

// Config is what a Handler is made of. All but Version must be set.
type Config struct {
	Readers     config.Readers
	Environment string
	Instance    string
	Version     string

	Door    *token.Door // answers everything else, and knows the callers
	Service func(ctx context.Context) (service.Status, error)
	Slack   func() bot.Counts
}

// Handler is the listener's: the door and, before it, the two pages.
type Handler struct {
	config Config
	mux    *http.ServeMux

	mu   sync.Mutex
	last snapshot
}

// snapshot is how the parts were at one time.
type snapshot struct {
	at      time.Time // with its monotonic part
	service service.Status
	ledger  error // why the service could not say it
	slack   bot.Counts
	door    token.Counts
}

// The bounds of one look at the parts.
const (
	patience = 5 * time.Second
	fresh    = time.Second
)

// New makes a Handler.
func New(c Config) *Handler {
	h := &Handler{config: c, mux: http.NewServeMux()}
	h.mux.HandleFunc("GET /statusz", h.guarded(statusz))
	h.mux.HandleFunc("GET /metrics", h.guarded(metrics))
	h.mux.Handle("/", c.Door)
	return h
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// guarded shows a page to whom it is for.
func (h *Handler) guarded(page func(http.ResponseWriter, Config, snapshot)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		switch {
		case h.config.Readers == config.Everybody || local(r):
		case h.config.Readers != config.Callers:
			http.Error(w, "only for processes on this machine; see http.metrics in the configuration", http.StatusForbidden)
			return
		case !h.config.Door.Admit(w, r):
			return
		}
		page(w, h.config, h.look(r.Context()))
	}
}

// local reports whether a request comes from this machine, and not from somebody behind a proxy on it.
func local(r *http.Request) bool {
	for _, forwarded := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if r.Header.Get(forwarded) != "" {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback()
}

// look asks the parts, or repeats what they said a moment ago. Whoever comes meanwhile waits for
// the same answer.
func (h *Handler) look(ctx context.Context) snapshot {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.last.at.IsZero() && time.Since(h.last.at) < fresh {
		return h.last
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	s := snapshot{slack: h.config.Slack(), door: h.config.Door.Counts()}
	s.service, s.ledger = h.config.Service(ctx)
	s.at = time.Now()
	h.last = s
	return s
}
