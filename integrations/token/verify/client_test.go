package verify_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"nightlatch/integrations/token"
	"nightlatch/integrations/token/verify"
)

// authority signs the certificates of one test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key := newPrivate(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "an authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{cert, key}
}

func newPrivate(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// certificate is for a name, as a server on loopback and as a client.
func (a authority) certificate(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key := newPrivate(t)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

func TestAClientCertificateIntrospects(t *testing.T) {
	ca := newAuthority(t)
	r := &rig{key: newKey(t), ledger: &ledger{live: map[string]bool{order().Name: true}}, site: &site{paths: map[string]int{}}}
	server := httptest.NewUnstartedServer(r.site)
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{ca.certificate(t, "nightlatch.internal")}, ClientCAs: ca.pool(), ClientAuth: tls.VerifyClientCertIfGiven,
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	r.url = server.URL
	door, err := token.NewDoor(token.DoorConfig{
		URL: r.url, Keys: token.Keys{Current: r.key}, Active: r.ledger.active,
		Callers: []token.Caller{{Name: "orders-api", Certificate: "dns:orders.internal", Audiences: []string{audience}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.site.become(door)
	raw := r.issue(t, order())
	for name, test := range map[string]struct {
		config *tls.Config
		want   int
	}{
		"its own":        {&tls.Config{RootCAs: ca.pool(), Certificates: []tls.Certificate{ca.certificate(t, "orders.internal")}}, 200},
		"another's":      {&tls.Config{RootCAs: ca.pool(), Certificates: []tls.Certificate{ca.certificate(t, "billing.internal")}}, 503},
		"none":           {&tls.Config{RootCAs: ca.pool()}, 503},
		"another issuer": {&tls.Config{RootCAs: newAuthority(t).pool()}, 503},
	} {
		t.Run(name, func(t *testing.T) {
			transport := &http.Transport{TLSClientConfig: test.config}
			defer transport.CloseIdleConnections()
			v, err := verify.New(verify.Config{
				Issuer: r.url, Audience: audience, Client: &http.Client{Transport: transport}, Log: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			v.Wrap(http.NotFoundHandler()).ServeHTTP(w, request("GET", "/v1/orders/4711", raw))
			if passed := w.Code == http.StatusNotFound; passed != (test.want == 200) || !passed && w.Code != test.want {
				t.Errorf("answered %d, want %d", w.Code, test.want)
			}
		})
	}
}

// TestARealConnection: what a client writes to a socket is what is judged.
func TestARealConnection(t *testing.T) {
	r := newRig(t, nil)
	service := httptest.NewServer(r.guard)
	defer service.Close()
	raw := r.scoped(t, "GET /v1/orders/**")
	for target, want := range map[string]int{"/v1/orders/1": 200, "/v1/orders/../admin": 400, "/v1/orders/%2e%2e/admin": 400, "//v1/orders/1": 400, "/v1": 403} {
		conn, err := net.Dial("tcp", service.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if got := roundTrip(t, conn, "GET "+target+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "+raw+"\r\n\r\n"); got != want {
			t.Errorf("%s: answered %d, want %d", target, got, want)
		}
	}
}

// roundTrip writes a request and returns the status of the answer.
func roundTrip(t *testing.T, conn net.Conn, request string) int {
	t.Helper()
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	w, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = w.Body.Close()
	return w.StatusCode
}
