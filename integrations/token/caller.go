package token

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Caller is a service that may introspect tokens of its own audiences. It proves
// itself by exactly one of a secret (HTTP Basic) and a client certificate.
type Caller struct {
	Name string // its user name with HTTP Basic: letters, digits, - . _

	// SecretSHA256 is the secret's SHA-256 in 64 hex digits. There is no salt and no
	// slow hash, so the secret must be random: openssl rand -hex 32.
	SecretSHA256 string

	// Certificate is one name in the client certificate, with its kind: "dns:orders.internal",
	// "uri:spiffe://prod/orders", "email:orders@example.com" or "subject:CN=orders,O=Example".
	Certificate string

	Audiences []string
}

// certificateKinds begin a Caller's Certificate.
var certificateKinds = []string{"dns:", "uri:", "email:", "subject:"}

// ValidateCallers reports all problems of the callers at once.
func ValidateCallers(callers []Caller) error {
	var errs []error
	for i, c := range callers {
		if err := c.check(); err != nil {
			errs = append(errs, fmt.Errorf("caller %d, %q: %w", i+1, c.Name, err))
		}
		for _, other := range callers[:i] {
			if other.Name == c.Name {
				errs = append(errs, fmt.Errorf("caller %d: the name %q stands twice", i+1, c.Name))
			}
			if c.Certificate != "" && other.Certificate == c.Certificate {
				errs = append(errs, fmt.Errorf("caller %d, %q: the certificate %q is that of %q", i+1, c.Name, c.Certificate, other.Name))
			}
		}
	}
	return errors.Join(errs...)
}

func (c Caller) check() error {
	var errs []error
	if c.Name == "" || strings.ContainsFunc(c.Name, notInName) {
		errs = append(errs, errors.New("a name has letters, digits, - . _ and is not empty"))
	}
	switch {
	case (c.SecretSHA256 == "") == (c.Certificate == ""):
		errs = append(errs, errors.New("it needs either the SHA-256 of its secret or the name in its certificate"))
	case c.SecretSHA256 != "":
		if _, err := c.secretHash(); err != nil {
			errs = append(errs, err)
		}
	case !slices.ContainsFunc(certificateKinds, func(kind string) bool {
		return strings.HasPrefix(c.Certificate, kind) && len(c.Certificate) > len(kind)
	}):
		errs = append(errs, fmt.Errorf("the certificate %q does not begin with one of %s and a name", c.Certificate, strings.Join(certificateKinds, " ")))
	}
	if len(c.Audiences) == 0 {
		errs = append(errs, errors.New("it names no audience, so every token would be inactive for it"))
	}
	for _, a := range c.Audiences {
		errs = append(errs, validateAudience(a))
	}
	return errors.Join(errs...)
}

func notInName(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !letter && !strings.ContainsRune("-._", r)
}

// secretHash decodes the hash. Its error doesn't show it: someone may have written the secret there.
func (c Caller) secretHash() ([]byte, error) {
	hash, err := hex.DecodeString(c.SecretSHA256)
	if err != nil || len(hash) != sha256.Size {
		return nil, errors.New("the SHA-256 of the secret is not 64 hex digits; make it with: printf %s \"$SECRET\" | sha256sum")
	}
	return hash, nil
}

// client is a caller as the door knows it.
type client struct {
	Caller
	hash    []byte
	limiter *rate.Limiter
	refused *rate.Limiter // how often it is logged that its secret was wrong
}

// clients are the callers by how they prove themselves.
type clients struct {
	byName        map[string]*client // with a secret
	byCertificate map[string]*client
	strangers     *rate.Limiter // how often it is logged that somebody else asks
}

func newClients(callers []Caller, perSecond float64, burst int) (clients, error) {
	all := clients{byName: map[string]*client{}, byCertificate: map[string]*client{}, strangers: seldom()}
	for _, c := range callers {
		known := &client{Caller: c, limiter: rate.NewLimiter(rate.Limit(perSecond), burst), refused: seldom()}
		if c.Certificate != "" {
			all.byCertificate[c.Certificate] = known
			continue
		}
		hash, err := c.secretHash()
		if err != nil {
			return clients{}, err
		}
		known.hash = hash
		all.byName[c.Name] = known
	}
	return all, nil
}

// seldom is how often the log says that somebody is kept out: a service with a wrong secret asks with each of its calls.
func seldom() *rate.Limiter { return rate.NewLimiter(rate.Every(time.Minute), 1) }

// authenticate finds out who asks. Whoever sends a user name must have its secret,
// whatever certificate comes with it. A caller that is not proven is returned if its name is known.
func (c clients) authenticate(r *http.Request) (who *client, proven bool) {
	if name, secret, ok := r.BasicAuth(); ok {
		return c.withSecret(name, secret)
	}
	if r.Header.Get("Authorization") != "" || r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return nil, false
	}
	return c.withCertificate(r.TLS.VerifiedChains[0][0])
}

func (c clients) withSecret(name, secret string) (*client, bool) {
	known, ok := c.byName[name]
	want := make([]byte, sha256.Size)
	if ok {
		want = known.hash
	}
	right := matches(secret, want)
	// RFC 6749, section 2.3.1 has the secret form-encoded within Basic; about half of the clients do that.
	if plain, err := url.QueryUnescape(secret); err == nil && plain != secret {
		right = matches(plain, want) || right
	}
	return known, ok && right
}

func matches(secret string, want []byte) bool {
	sum := sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(sum[:], want) == 1
}

// withCertificate finds the one caller that a verified certificate names; a certificate that names two is nobody's.
func (c clients) withCertificate(cert *x509.Certificate) (*client, bool) {
	names := []string{"subject:" + cert.Subject.String()}
	for _, n := range cert.DNSNames {
		names = append(names, "dns:"+n)
	}
	for _, u := range cert.URIs {
		names = append(names, "uri:"+u.String())
	}
	for _, a := range cert.EmailAddresses {
		names = append(names, "email:"+a)
	}
	var found *client
	for _, n := range names {
		known, ok := c.byCertificate[n]
		if ok && found != nil && found != known {
			return nil, false
		}
		if ok {
			found = known
		}
	}
	return found, found != nil
}
