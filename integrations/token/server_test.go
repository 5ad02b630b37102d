package token_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/integrations/token"
)

// authority signs certificates for a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{key: newPrivate(t)}
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert.Raw, _ = a.sign(t, a.cert, a.key)
	return a
}

// sign returns a certificate in DER and PEM.
func (a authority) sign(t *testing.T, c *x509.Certificate, key *ecdsa.PrivateKey) (der, encoded []byte) {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return der, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// leaf makes a certificate and its key for one use.
func (a authority) leaf(t *testing.T, use x509.ExtKeyUsage, names x509.Certificate) tls.Certificate {
	t.Helper()
	key := newPrivate(t)
	names.SerialNumber, names.ExtKeyUsage = big.NewInt(2), []x509.ExtKeyUsage{use}
	names.NotBefore, names.NotAfter = a.cert.NotBefore, a.cert.NotAfter
	der, _ := a.sign(t, &names, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// serve runs the house's door with TLS on a loopback port and returns its address.
func (h *house) serve(t *testing.T, files token.TLSFiles) string {
	t.Helper()
	config, err := token.LoadTLS(files)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- token.Server{Handler: h.door, TLS: config}.Run(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serving: %v", err)
		}
	})
	return "https://" + l.Addr().String()
}

func TestCallersWithCertificates(t *testing.T) {
	ca, stranger := newAuthority(t), newAuthority(t)
	dir := t.TempDir()
	files := token.TLSFiles{Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), ClientCA: filepath.Join(dir, "ca.pem")}
	own := newPrivate(t)
	_, cert := ca.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(3), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: ca.cert.NotBefore, NotAfter: ca.cert.NotAfter,
	}, own)
	writeFile(t, files.Certificate, cert, 0o644)
	writeKey(t, files.Key, own, 0o600)
	writeFile(t, files.ClientCA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw}), 0o644)

	audience := []string{order().Audience}
	h := newHouse(t, func(c *token.DoorConfig) {
		c.Callers = []token.Caller{
			{Name: "by-dns", Certificate: "dns:orders.internal", Audiences: audience},
			{Name: "by-uri", Certificate: "uri:spiffe://prod/orders", Audiences: audience},
			{Name: "by-email", Certificate: "email:orders@example.com", Audiences: audience},
			{Name: "by-subject", Certificate: "subject:CN=orders,O=Example", Audiences: audience},
			{Name: "billing", Certificate: "dns:billing.internal", Audiences: []string{"billing"}},
			{Name: "orders-api", SecretSHA256: hash(secret), Audiences: audience},
		}
	})
	base := h.serve(t, files)
	raw := issue(t, h.issuer, order())
	spiffe, err := url.Parse("spiffe://prod/orders")
	if err != nil {
		t.Fatal(err)
	}
	const client, server = x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth
	dns := func(names ...string) x509.Certificate { return x509.Certificate{DNSNames: names} }
	for name, test := range map[string]struct {
		certs []tls.Certificate
		user  string
		want  string // the status and whether active; "no handshake"
	}{
		"by DNS name":          {[]tls.Certificate{ca.leaf(t, client, dns("orders.internal"))}, "", "200 true"},
		"by URI":               {[]tls.Certificate{ca.leaf(t, client, x509.Certificate{URIs: []*url.URL{spiffe}})}, "", "200 true"},
		"by e-mail":            {[]tls.Certificate{ca.leaf(t, client, x509.Certificate{EmailAddresses: []string{"orders@example.com"}})}, "", "200 true"},
		"by subject":           {[]tls.Certificate{ca.leaf(t, client, x509.Certificate{Subject: pkix.Name{CommonName: "orders", Organization: []string{"Example"}}})}, "", "200 true"},
		"another audience":     {[]tls.Certificate{ca.leaf(t, client, dns("billing.internal"))}, "", "200 false"},
		"nobody's name":        {[]tls.Certificate{ca.leaf(t, client, dns("stranger.internal"))}, "", "401 false"},
		"the name as a CN":     {[]tls.Certificate{ca.leaf(t, client, x509.Certificate{Subject: pkix.Name{CommonName: "orders.internal"}})}, "", "401 false"},
		"the name as an email": {[]tls.Certificate{ca.leaf(t, client, x509.Certificate{EmailAddresses: []string{"orders.internal"}})}, "", "401 false"},
		"two callers' names":   {[]tls.Certificate{ca.leaf(t, client, dns("orders.internal", "billing.internal"))}, "", "401 false"},
		"a stranger's CA":      {[]tls.Certificate{stranger.leaf(t, client, dns("orders.internal"))}, "", "no handshake"},
		"a server's":           {[]tls.Certificate{ca.leaf(t, server, dns("orders.internal"))}, "", "no handshake"},
		"none":                 {nil, "", "401 false"},
		"none, but a secret":   {nil, "orders-api:" + secret, "200 true"},
		"and a wrong secret":   {[]tls.Certificate{ca.leaf(t, client, dns("orders.internal"))}, "orders-api:wrong", "401 false"},
		"and its name alone":   {[]tls.Certificate{ca.leaf(t, client, dns("orders.internal"))}, "by-dns:", "401 false"},
	} {
		t.Run(name, func(t *testing.T) {
			roots := x509.NewCertPool()
			roots.AddCert(parse(t, ca.cert.Raw))
			// Sent whatever the server asks for, as an attacker would.
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if len(test.certs) == 0 {
					return &tls.Certificate{}, nil
				}
				return &test.certs[0], nil
			}}}
			defer transport.CloseIdleConnections()
			if got := post(t, transport, base, test.user, raw); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func parse(t *testing.T, der []byte) *x509.Certificate {
	t.Helper()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// post introspects over the wire and returns the status and whether the token is active.
func post(t *testing.T, transport *http.Transport, base, user, raw string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/introspect", strings.NewReader(url.Values{"token": {raw}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if name, password, ok := strings.Cut(user, ":"); ok {
		r.SetBasicAuth(name, password)
	}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return "no handshake"
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(body), `"active":true`) {
		return answer.Status[:3] + " true"
	}
	return answer.Status[:3] + " false"
}

func TestTLSFilesThatAreRefused(t *testing.T) {
	ca := newAuthority(t)
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	own := newPrivate(t)
	_, cert := ca.sign(t, &x509.Certificate{SerialNumber: big.NewInt(3)}, own)
	writeFile(t, path("cert.pem"), cert, 0o644)
	writeKey(t, path("key.pem"), own, 0o600)
	writeKey(t, path("open.pem"), own, 0o644)
	writeKey(t, path("other.pem"), newPrivate(t), 0o600)
	writeFile(t, path("empty.pem"), nil, 0o600)
	for _, test := range []struct {
		name  string
		files token.TLSFiles
		want  string
	}{
		{"no certificate", token.TLSFiles{Certificate: path("none.pem"), Key: path("key.pem")}, "reading the TLS certificate: "},
		{"a key for all to read", token.TLSFiles{Certificate: path("cert.pem"), Key: path("open.pem")}, "run: chmod 600 "},
		{"another key", token.TLSFiles{Certificate: path("cert.pem"), Key: path("other.pem")}, "loading the TLS certificate "},
		{"no CA", token.TLSFiles{Certificate: path("cert.pem"), Key: path("key.pem"), ClientCA: path("none.pem")}, "reading the client CA: "},
		{"an empty CA", token.TLSFiles{Certificate: path("cert.pem"), Key: path("key.pem"), ClientCA: path("empty.pem")}, "it has no certificate in PEM"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := token.LoadTLS(test.files); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

// pipe is a listener without a network, for bubbles.
type pipe struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipe() *pipe { return &pipe{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipe) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipe) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// dial returns the client's end of a new connection.
func (p *pipe) dial() net.Conn {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours
}

func TestSilentPeersAreCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipe()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- token.Server{Handler: newHouse(t, nil).door}.Run(ctx, l) }()
		start := time.Now()
		conn := l.dial()
		if _, err := io.WriteString(conn, "POST /introspect HTTP/1.1\r\n"); err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(conn)
		if waited := time.Since(start); waited > 10*time.Second {
			t.Errorf("a peer that says nothing was kept for %v", waited)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestShutdownAnswersWhatHasBegun stops a server while the ledger takes its time.
func TestShutdownAnswersWhatHasBegun(t *testing.T) {
	for name, test := range map[string]struct {
		takes time.Duration
		want  string
	}{
		"a ledger that answers":        {100 * time.Millisecond, "HTTP/1.1 200 OK\r\n"},
		"a ledger that is too slow":    {2 * time.Second, ""},
		"a ledger that never answers":  {time.Hour, ""},
		"a ledger that is at its edge": {500 * time.Millisecond, "HTTP/1.1 200 OK\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, func(c *token.DoorConfig) {
					c.Active = func(ctx context.Context, _ string) (bool, error) {
						select {
						case <-time.After(test.takes):
							return true, nil
						case <-ctx.Done():
							return false, ctx.Err()
						}
					}
				})
				l := newPipe()
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- token.Server{Handler: h.door}.Run(ctx, l) }()
				conn := l.dial()
				form := url.Values{"token": {issue(t, h.issuer, order())}}.Encode()
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://door/introspect", strings.NewReader(form))
				if err != nil {
					t.Fatal(err)
				}
				r.SetBasicAuth("orders-api", secret)
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				if err := r.Write(conn); err != nil {
					t.Fatal(err)
				}
				synctest.Wait() // the ledger is being asked
				start := time.Now()
				cancel()
				line, _ := bufio.NewReader(conn).ReadString('\n')
				if line != test.want {
					t.Errorf("answered %q, want %q", line, test.want)
				}
				_ = conn.Close()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				if took := time.Since(start); took > 1500*time.Millisecond {
					t.Errorf("stopping took %v", took)
				}
				// Its handler may still be waiting for the ledger; the bubble waits for it.
			})
		})
	}
}

func TestAServerThatCannotServeSaysSo(t *testing.T) {
	l := newPipe()
	_ = l.Close()
	if err := (token.Server{}).Run(t.Context(), l); err == nil || !strings.HasPrefix(err.Error(), "serving HTTP on pipe: ") {
		t.Errorf("error %v", err)
	}
}
