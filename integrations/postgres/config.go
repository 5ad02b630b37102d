package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"nightlatch/grants"
)

// TLSMode says how a connection is secured; the names are libpq's.
type TLSMode string

// The modes. Those of libpq that encrypt without asking who is there are missing on purpose.
const (
	Disable    TLSMode = "disable"     // for a socket or loopback only
	VerifyCA   TLSMode = "verify-ca"   // signed by whom we trust
	VerifyFull TLSMode = "verify-full" // and for this host
)

// Bounds and defaults of what the configuration may say.
const (
	least              = time.Second // of a lifetime
	defaultGreatest    = 24 * time.Hour
	defaultPort        = 5432
	defaultConnections = 5
	maxIdentifier      = 63 // bytes; PostgreSQL cuts what is longer
)

// Config is one server and how credentials are made on it.
type Config struct {
	Instance string // the installation's ID: only names that begin with it are touched

	Host     string        // a name, an address, or the directory of the server's socket
	Port     int           // 0: 5432
	User     string        // the issuer's own role
	Password grants.Secret // empty: the server knows the issuer by other means
	Database string        // where the issuer connects first, and which people are sent to
	TLS      TLSMode       // empty: VerifyFull, or Disable for a socket
	RootCert string        // a file with the authorities that sign the server's certificate; empty: the system's
	Public   string        // host:port as people reach the server; empty: as the issuer does

	Templates   []string      // the roles that may be given
	Owner       string        // who owns afterwards what people have made
	Connections int           // of one credential at once; 0: 5
	Greatest    time.Duration // longest life of a credential; 0: 24 h

	Dial func(ctx context.Context, network, addr string) (net.Conn, error) // nil: the machine's own network
}

// complete fills in what was left out.
func (c Config) complete() Config {
	zero(&c.Port, defaultPort)
	zero(&c.Connections, defaultConnections)
	zero(&c.Greatest, defaultGreatest)
	if c.TLS == "" {
		c.TLS = VerifyFull
		if c.socket() {
			c.TLS = Disable
		}
	}
	return c
}

func zero[T comparable](field *T, value T) {
	var none T
	if *field == none {
		*field = value
	}
}

// socket reports whether the server is reached by a Unix socket.
func (c Config) socket() bool { return strings.HasPrefix(c.Host, "/") }

// Problem is one thing that is wrong with a Config.
type Problem struct {
	Key  string // as in the configuration file
	Text string
}

// Problems are everything that is wrong with the server and its roles, as far as can be seen from here.
func (c Config) Problems() []Problem {
	c = c.complete()
	var all []Problem
	wrong := func(key, format string, args ...any) {
		all = append(all, Problem{key, fmt.Sprintf(format, args...)})
	}
	if c.Host == "" || strings.ContainsAny(c.Host, " ,@?&\n") {
		wrong("host", "must be one name, one address, or the directory of a socket")
	}
	if c.Port < 1 || c.Port > 65535 {
		wrong("port", "is %d, and must be from 1 to 65535", c.Port)
	}
	for key, name := range map[string]string{"user": c.User, "database": c.Database, "owner": c.Owner} {
		if text := identifier(name); text != "" {
			wrong(key, "%s", text)
		}
	}
	if c.Owner != "" && (c.Owner == c.User || slices.Contains(c.Templates, c.Owner)) {
		wrong("owner", "must be a role of its own: what people made would be everybody's who holds %q", c.Owner)
	}
	c.problemsOfTemplates(wrong)
	switch {
	case c.TLS != Disable && c.TLS != VerifyCA && c.TLS != VerifyFull:
		wrong("sslmode", "is %q, and must be verify-full, verify-ca or disable", c.TLS)
	case c.TLS == Disable && !c.socket() && !loopback(c.Host):
		wrong("sslmode", "may be disable on a socket or on loopback only; use verify-full")
	case c.TLS == Disable && c.RootCert != "":
		wrong("root_cert", "is of no use with sslmode: disable")
	}
	if c.Public != "" {
		host, port, err := net.SplitHostPort(c.Public)
		if n, bad := strconv.Atoi(port); err != nil || bad != nil || host == "" || n < 1 || n > 65535 {
			wrong("public", "%q is no host:port", c.Public)
		}
	}
	if c.Connections < 1 || c.Connections > 100 {
		wrong("connections", "is %d, and must be from 1 to 100", c.Connections)
	}
	if c.Greatest < time.Minute || c.Greatest > defaultGreatest {
		wrong("greatest", "must be from 1m to 24h")
	}
	slices.SortFunc(all, func(a, b Problem) int { return strings.Compare(a.Key+a.Text, b.Key+b.Text) })
	return all
}

func (c Config) problemsOfTemplates(wrong func(key, format string, args ...any)) {
	if len(c.Templates) == 0 {
		wrong("templates", "is missing; name the roles that may be given")
	}
	for i, name := range c.Templates {
		key := fmt.Sprintf("templates[%d]", i)
		if text := identifier(name); text != "" {
			wrong(key, "%s", text)
		} else if name == c.User {
			wrong(key, "is the issuer's own role")
		} else if slices.Contains(c.Templates[:i], name) {
			wrong(key, "%q stands twice", name)
		}
	}
}

// identifier says what is wrong with a name at the server, which is quoted wherever it is used. The characters are fewer
// than PostgreSQL allows, so that no name needs a second look.
func identifier(name string) string {
	switch {
	case name == "":
		return "is missing"
	case len(name) > maxIdentifier:
		return fmt.Sprintf("is longer than %d bytes", maxIdentifier)
	case strings.HasPrefix(name, "pg_"):
		return fmt.Sprintf("%q is one of PostgreSQL's own", name)
	case strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_-.", r)
	}):
		return fmt.Sprintf("%q has other characters than letters, digits, - . _", name)
	}
	return ""
}

// loopback reports whether a host is this machine, without asking a resolver.
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && addr.IsLoopback())
}

// ScopesRule checks the scopes of a role: each is one of the templates.
func ScopesRule(scopes, templates []string) error {
	var errs []error
	if len(scopes) == 0 {
		errs = append(errs, errors.New("is missing; name the template roles that the role gives"))
	}
	for i, s := range scopes {
		switch {
		case !slices.Contains(templates, s):
			errs = append(errs, fmt.Errorf("scope %d, %q, is none of the target's templates: %s", i+1, s, strings.Join(templates, ", ")))
		case slices.Contains(scopes[:i], s):
			errs = append(errs, fmt.Errorf("scope %d, %q, stands twice", i+1, s))
		}
	}
	return errors.Join(errs...)
}
