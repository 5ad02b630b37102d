package token

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// playground is the environment whose secrets everybody knows.
const playground = "playground"

// ListenRule refuses an address on which tokens would cross a network in clear text: without TLS it must be
// loopback. The playground is always on loopback, because its secrets are public.
func ListenRule(addr string, tls bool, environment string) error {
	host, _, err := net.SplitHostPort(addr)
	switch {
	case err != nil:
		return fmt.Errorf("reading the listener's address %q: %w", addr, err)
	case loopback(host):
		return nil
	case environment == playground:
		return fmt.Errorf("the listener's address %q is not loopback, and the playground listens nowhere else; use 127.0.0.1", addr)
	case !tls:
		return fmt.Errorf("the listener's address %q is not loopback, and there is no TLS; use 127.0.0.1, or configure a certificate and its key", addr)
	}
	return nil
}

// URLRule checks the URL that tokens name as their issuer: https, or http on loopback in the playground, with
// nothing after the host, not even a slash.
func URLRule(raw, environment string) error {
	if err := checkURL(raw); err != nil {
		return err
	}
	u, err := url.Parse(raw)
	if err != nil {
		return fmt.Errorf("reading the tokens' URL: %w", err)
	}
	if u.Scheme == "http" && (environment != playground || !loopback(u.Hostname())) {
		return fmt.Errorf("the tokens' URL %q is not https; http is for loopback in the environment %s", raw, playground)
	}
	return nil
}

// checkURL accepts scheme and host alone, so that verifiers who compare strings find them equal.
func checkURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") || raw != u.Scheme+"://"+u.Host {
		return fmt.Errorf("the tokens' URL %q is not just https:// and a host, such as https://nightlatch.example.com", raw)
	}
	return nil
}

func loopback(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}

// TLSFiles name what a listener needs for TLS, as PEM files.
type TLSFiles struct {
	Certificate string // with its intermediates
	Key         string // only its owner may read it
	ClientCA    string // signs the callers' certificates; empty: callers have none
}

// LoadTLS reads the files. Without a client certificate a caller is still served:
// keys and metadata are public, and introspection has its own rule.
func LoadTLS(f TLSFiles) (*tls.Config, error) {
	cert, err := os.ReadFile(f.Certificate)
	if err != nil {
		return nil, fmt.Errorf("reading the TLS certificate: %w", err)
	}
	key, err := readPrivate(f.Key)
	if err != nil {
		return nil, fmt.Errorf("reading the TLS key: %w", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("loading the TLS certificate %s with the key %s: %w", f.Certificate, f.Key, err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if f.ClientCA == "" {
		return config, nil
	}
	ca, err := os.ReadFile(f.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("reading the client CA: %w", err)
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("reading the client CA %s: it has no certificate in PEM", f.ClientCA)
	}
	config.ClientAuth = tls.VerifyClientCertIfGiven
	return config, nil
}

// How long a peer may take. Nothing that the door answers needs more.
const (
	headerTimeout   = 5 * time.Second
	readTimeout     = 10 * time.Second
	writeTimeout    = 15 * time.Second
	idleTimeout     = 60 * time.Second
	shutdownTimeout = 3 * time.Second
	maxHeader       = 16 << 10
)

// Server serves a handler, usually a Door, on one listener.
type Server struct {
	Handler http.Handler
	TLS     *tls.Config  // nil: clear text; see ListenRule
	Log     *slog.Logger // nil: nothing is logged
}

// Run serves until ctx is done, then answers what has begun, for 3 s at most. It closes the listener.
func (s Server) Run(ctx context.Context, l net.Listener) error {
	logger := s.Log
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	server := &http.Server{
		Handler: s.Handler, TLSConfig: s.TLS, MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		ErrorLog: log.New(complaints{logger}, "", 0),
	}
	ended := make(chan error, 1)
	go func() {
		if s.TLS != nil {
			ended <- server.ServeTLS(l, "", "")
			return
		}
		ended <- server.Serve(l)
	}()
	select {
	case err := <-ended:
		return fmt.Errorf("serving HTTP on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		logger.Warn("cutting HTTP connections", "error", errors.Join(err, server.Close()))
	}
	<-ended
	return nil
}

// complaints passes on what the HTTP server has to say: failed handshakes and panics.
type complaints struct{ log *slog.Logger }

// Write logs one complaint.
func (c complaints) Write(line []byte) (int, error) {
	c.log.Warn("serving HTTP", "detail", strings.TrimSpace(string(line)))
	return len(line), nil
}
