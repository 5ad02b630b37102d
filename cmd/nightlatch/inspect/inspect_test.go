package inspect_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nightlatch/bot/send"
	"nightlatch/cmd/nightlatch/config"
	"nightlatch/cmd/nightlatch/inspect"
	"nightlatch/grants"
	"nightlatch/grants/service"
	"nightlatch/integrations/pagerduty"
)

// nobody answers nothing.
type nobody struct{}

// RoundTrip fails.
func (nobody) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("nobody is there")
}

// alone inspects where neither Slack nor PagerDuty answers.
func alone(t *testing.T, change func(*inspect.Inspector)) []inspect.Finding {
	t.Helper()
	out, err := send.New(send.Config{BotToken: grants.NewSecret("xoxb-test"), Transport: nobody{}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	i := inspect.Inspector{
		Slack: out, PagerDuty: pagerduty.New(pagerduty.Config{Key: grants.NewSecret("u+test"), Transport: nobody{}}), Sockets: nobody{}, Web: nobody{},
		Config: config.Config{
			Ledger: config.Ledger{Path: filepath.Join(dir, "ledger.db")}, Token: config.Token{KeyFile: filepath.Join(dir, "token.pem")},
			HTTP: config.HTTP{URL: "https://nightlatch.example"},
		},
	}
	change(&i)
	found := i.All(t.Context())
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("it left %v behind (%v)", entries, err)
	}
	return found
}

// wants wants a finding of a kind and key whose text contains something.
func wants(t *testing.T, found []inspect.Finding, kind inspect.Kind, key, text string) {
	t.Helper()
	for _, f := range found {
		if f.Kind == kind && f.Key == key && strings.Contains(f.Text, text) {
			return
		}
	}
	t.Errorf("no %s of %s that says %q in %+v", kind, key, text, found)
}

func TestWithoutANetworkTheMachineIsLookedAt(t *testing.T) {
	found := alone(t, func(*inspect.Inspector) {})
	wants(t, found, inspect.Unknown, "slack.api_url", "nobody is there")
	wants(t, found, inspect.Unknown, "pagerduty.api_url", "nobody is there")
	wants(t, found, inspect.OK, "ledger.path", "can be written")
	wants(t, found, inspect.Note, "http.url", "nobody is there")
}

// certificate writes one that is valid for a time around now, and its key.
func certificate(t *testing.T, host string, from, until time.Duration) config.TLS {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until),
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := config.TLS{Certificate: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key")}
	for path, block := range map[string]*pem.Block{
		files.Certificate: {Type: "CERTIFICATE", Bytes: der}, files.Key: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestTheCertificateOfTheListener(t *testing.T) {
	const day, ours = 24 * time.Hour, "nightlatch.example"
	for name, c := range map[string]struct {
		host        string
		from, until time.Duration
		kind        inspect.Kind
		says        string
	}{
		"good":       {ours, -day, 90 * day, inspect.OK, "valid until"},
		"soon over":  {ours, -day, 10 * day, inspect.Note, "renew it"},
		"over":       {ours, -9 * day, -day, inspect.Problem, "was valid until"},
		"not yet":    {ours, day, 9 * day, inspect.Problem, "valid only from"},
		"of another": {"other.example", -day, 90 * day, inspect.Note, "nightlatch.example"},
	} {
		t.Run(name, func(t *testing.T) {
			files := certificate(t, c.host, c.from, c.until)
			wants(t, alone(t, func(i *inspect.Inspector) { i.Config.HTTP.TLS = files }), c.kind, "http.tls.certificate", c.says)
		})
	}
	files := certificate(t, ours, -day, 90*day)
	files.Key = certificate(t, ours, -day, 90*day).Key
	wants(t, alone(t, func(i *inspect.Inspector) { i.Config.HTTP.TLS = files }), inspect.Problem, "http.tls", "with the key")
}

// issuer says what it was told to say.
type issuer struct {
	service.Issuer
	found grants.Finding
	err   error
}

func (i issuer) Check(context.Context, grants.Handle, time.Time) (grants.Finding, error) {
	return i.found, i.err
}

// knowing can say more of its target.
type knowing struct {
	issuer
	missing error
}

func (k knowing) CheckSetup(context.Context) error { return k.missing }

func TestTargets(t *testing.T) {
	absent := issuer{found: grants.AbsentFinding}
	found := alone(t, func(i *inspect.Inspector) {
		i.Issuers = map[string]service.Issuer{
			"plain":   absent,
			"away":    issuer{err: errors.New("connection refused")},
			"liar":    issuer{found: grants.AliveFinding},
			"set-up":  knowing{issuer: absent},
			"half-up": knowing{issuer: absent, missing: errors.Join(errors.New("grant it CREATEROLE"), errors.New("make the owner"))},
		}
	})
	wants(t, found, inspect.OK, "issuer plain", "answers")
	wants(t, found, inspect.OK, "issuer set-up", "is set up")
	wants(t, found, inspect.Problem, "issuer away", "connection refused")
	wants(t, found, inspect.Problem, "issuer liar", "what was never made")
	wants(t, found, inspect.Problem, "issuer half-up", "grant it CREATEROLE")
	wants(t, found, inspect.Problem, "issuer half-up", "make the owner")
}
