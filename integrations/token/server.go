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
	"os"
	"strings"
	"time"
)

// TLSFiles name what a listener needs for TLS, as PEM files.
type TLSFiles struct {
	Certificate string // with its intermediates
	Key         string // only its owner may read it; a file of root also this process's group
	ClientCA    string // signs the callers' certificates; empty: callers have none
}

// LoadTLS reads the files. Without a client certificate a caller is still served:
// keys and metadata are public, and introspection has its own rule.
func LoadTLS(f TLSFiles) (*tls.Config, error) {
	cert, err := os.ReadFile(f.Certificate)
	if err != nil {
		return nil, fmt.Errorf("reading the TLS certificate: %w", err)
	}
	key, err := readPrivate(f.Key, handedOver)
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
	shutdownTimeout = time.Second
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
