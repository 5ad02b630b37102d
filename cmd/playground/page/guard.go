package page

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"io/fs"
	"net"
	"net/http"
)

// policy lets the page load its own files and talk to its own server, and nothing else: no inline script, no other host.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// placeholder is where the page carries the token.
const placeholder = "PAGE-TOKEN"

func (p *Page) routes(web fs.FS) error {
	index, err := fs.ReadFile(web, "index.html")
	if err != nil {
		return fmt.Errorf("reading the page: %w", err)
	}
	index = bytes.ReplaceAll(index, []byte(placeholder), []byte(p.token))
	p.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(index)
	})
	p.mux.Handle("GET /web/", http.StripPrefix("/web/", http.FileServerFS(web)))
	p.mux.HandleFunc("GET /api/stream", p.guarded(p.stream))
	for path, do := range p.acts() {
		p.mux.HandleFunc("POST /api/"+path, p.guarded(do))
	}
	return nil
}

// ServeHTTP serves the page and what it asks for.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store") // the token is another one each time
	if !loopback(r.Host) {
		fail(w, http.StatusForbidden, "this page answers to the names of this machine only, such as localhost")
		return
	}
	p.mux.ServeHTTP(w, r)
}

// guarded lets only the page itself in. A stream has the token in its query, because a browser gives it no headers.
func (p *Page) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := r.Header.Get("X-Page-Token")
		if r.Method == http.MethodGet {
			token = r.URL.Query().Get("token")
		}
		if subtle.ConstantTimeCompare([]byte(token), []byte(p.token)) != 1 {
			fail(w, http.StatusForbidden, "the playground was started again; reload the page")
			return
		}
		next(w, r)
	}
}

// loopback keeps pages of other hosts out, whose names may have been pointed at this machine.
func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
