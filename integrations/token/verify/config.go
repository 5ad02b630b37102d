package verify

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// What holds if the configuration does not say.
const (
	defaultTimeout = 2 * time.Second
	defaultGrace   = time.Minute
)

// Config says whose tokens a service accepts, and how it asks about them.
type Config struct {
	// Issuer is the tokens' iss and where keys and introspection are: https:// and a
	// host, nothing after it. Without TLS it must be on loopback.
	Issuer string

	// Audience is this service, as the roles' configuration names it.
	Audience string

	// Caller and Secret prove this service to the issuer by HTTP Basic. Both empty:
	// Client has a certificate that the issuer knows. White space around the secret, such as the
	// newline at the end of its file, is not part of it.
	Caller string
	Secret Secret

	// Client asks the issuer. Redirects are never followed. nil: a client with the system's roots.
	Client *http.Client

	// Timeout is how long one question to the issuer may take. 0: 2 s.
	Timeout time.Duration

	// Offline accepts tokens by their signature alone, if they were made for at most ten
	// minutes. A revocation is not noticed before the expiry. Caller, Secret and OfflineGrace are not used then.
	Offline bool

	// OfflineGrace is how long a token that was seen live goes on while the issuer does
	// not answer, counted from when it was seen. 0: 60 s; negative: not at all.
	// It is also how much longer a revoked token works for someone who can cut the way to the issuer.
	OfflineGrace time.Duration

	// Log gets one line for each call. nil: slog.Default().
	Log *slog.Logger
}

// Secret is a text that prints as [redacted].
type Secret string

// String hides the secret.
func (Secret) String() string { return "[redacted]" }

// Format hides the secret from every verb of fmt.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }

// MarshalText hides the secret from encoders and slog.
func (Secret) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// complete fills in what may be left out, and reports everything that may not.
func (c Config) complete() (Config, error) {
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	switch {
	case c.OfflineGrace == 0:
		c.OfflineGrace = defaultGrace
	case c.OfflineGrace < 0:
		c.OfflineGrace = 0
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	c.Secret = Secret(strings.TrimSpace(string(c.Secret)))
	errs := []error{checkIssuer(c.Issuer)}
	if c.Audience == "" {
		errs = append(errs, errors.New("the audience is empty; name this service as the roles do"))
	}
	if c.Timeout < 0 {
		errs = append(errs, fmt.Errorf("nobody answers within %v", c.Timeout))
	}
	if (c.Caller == "") != (c.Secret == "") {
		errs = append(errs, errors.New("the caller and its secret go together; set both, or none with a client certificate"))
	}
	if !c.Offline && c.Caller == "" && c.Client == nil {
		errs = append(errs, errors.New("introspection needs a caller and its secret, or a client with a certificate"))
	}
	// Redirects are not followed: the token would go wherever they lead.
	client := http.Client{}
	if c.Client != nil {
		client = *c.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.Client = &client
	return c, errors.Join(errs...)
}

// checkIssuer accepts scheme and host alone, so that the comparison with iss is one of equal texts.
func checkIssuer(raw string) error {
	const wanted = "is not just https:// and a host, such as https://nightlatch.example.com"
	u, err := url.Parse(raw)
	if err != nil {
		return errors.New("the issuer " + wanted) // the parser's error would show a password in it
	}
	if u.Host == "" || raw != u.Scheme+"://"+u.Host || (u.Scheme != "https" && u.Scheme != "http") {
		return fmt.Errorf("the issuer %q %s", u.Redacted(), wanted)
	}
	if u.Scheme == "http" && !strings.EqualFold(u.Hostname(), "localhost") && !net.ParseIP(u.Hostname()).IsLoopback() {
		return fmt.Errorf("the issuer %q is not https and not on loopback: tokens and the caller's secret would cross a network in clear text", raw)
	}
	return nil
}
