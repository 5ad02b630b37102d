package postgres_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"nightlatch/grants"
	"nightlatch/integrations/postgres"
	"nightlatch/integrations/postgres/pgtest"
)

// instance is the installation, and password the issuer's.
const (
	instance = "abcdefgh"
	password = "the-issuers-own-password-4711"
)

// server is the one that this package's tests share; each makes credentials of its own.
var (
	server *pgtest.Server
	setUp  sync.Once
)

func TestMain(m *testing.M) {
	os.Exit(pgtest.Main(m, func(s *pgtest.Server) { server = s }))
}

// prepared sets the server up once, by the statements of docs/postgres.md: the database orders, and one more, archive.
func prepared(t testing.TB) *pgtest.Server {
	t.Helper()
	server.Need(t)
	setUp.Do(func() {
		server.Do(t, "postgres", "CREATE ROLE app LOGIN PASSWORD 'app'")
		for _, database := range []string{"orders", "archive"} {
			server.Do(t, "postgres", "CREATE DATABASE "+database)
			server.Do(t, database, "CREATE TABLE payments (id int, note text)", "INSERT INTO payments VALUES (1, 'first')",
				"ALTER TABLE payments OWNER TO app")
		}
		server.SetUp(t, "../../docs/postgres.md", "orders", "archive")
		server.Do(t, "postgres", fmt.Sprintf("ALTER ROLE nightlatch PASSWORD '%s'", password))
	})
	return server
}

// config is that of an issuer on the server.
func config(t testing.TB) postgres.Config {
	t.Helper()
	s := prepared(t)
	return postgres.Config{
		Instance: instance, Host: "127.0.0.1", Port: s.Port, User: "nightlatch", Password: grants.NewSecret(password),
		Database: "orders", TLS: postgres.Disable, Templates: []string{"orders_read", "orders_write"}, Owner: "nightlatch_owner",
	}
}

func newIssuer(t testing.TB, c postgres.Config) *postgres.Issuer {
	t.Helper()
	issuer, err := postgres.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return issuer
}

// order asks for an hour of writing, under a new name.
func order() grants.Order {
	var random [10]byte
	_, _ = rand.Read(random[:])
	now := time.Now().UTC()
	id := grants.NewID(now, random)
	return grants.Order{
		Name: grants.CredentialName(instance, id, 1), Grant: id, Role: "orders-write", Person: grants.Person{Key: "T1.U1"},
		Scopes: []string{"orders_write"}, Now: now, Until: now.Add(time.Hour),
	}
}

// credential is a login that was issued, and its person at work.
type credential struct {
	testing.TB
	name   string
	uri    string
	until  time.Time
	issuer *postgres.Issuer
}

// issued makes a login that is revoked with the test, if nothing keeps it.
func issued(t testing.TB, issuer *postgres.Issuer, o grants.Order) *credential {
	t.Helper()
	secret, err := issuer.Issue(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Revoke(context.WithoutCancel(t.Context()), o.Name) })
	return &credential{t, o.Name, secret.Expose(), o.Until, issuer}
}

// logsIn opens a session of the credential in a database; it is closed with the test.
func (c *credential) logsIn(database string) *pgx.Conn {
	c.Helper()
	conn, err := connect(c.Context(), c.to(database))
	if err != nil {
		c.Fatalf("logging in: %v", err)
	}
	c.Cleanup(func() { _ = conn.Close(context.WithoutCancel(c.Context())) })
	return conn
}

func (c *credential) to(database string) string {
	u, err := url.Parse(c.uri)
	if err != nil {
		c.Fatal("the secret is no URI")
	}
	u.Path = "/" + database
	return u.String()
}

// does runs statements in a database, in a session of their own.
func (c *credential) does(database string, statements ...string) {
	c.Helper()
	conn := c.logsIn(database)
	defer conn.Close(c.Context())
	for _, s := range statements {
		if _, err := conn.Exec(c.Context(), s); err != nil {
			c.Fatalf("%s: %v", s, err)
		}
	}
}

// revoked revokes the credential and holds that it is gone for good.
func (c *credential) revoked() {
	c.Helper()
	if err := c.issuer.Revoke(c.Context(), c.name); err != nil {
		c.Fatalf("revoking: %v", err)
	}
	c.found(grants.AbsentFinding)
	if conn, err := connect(c.Context(), c.uri); err == nil {
		_ = conn.Close(c.Context())
		c.Error("a revoked login works")
	}
	if left := ask(c, "postgres", "SELECT count(*)::text FROM pg_stat_activity WHERE usename = $1", c.name); left != "0" {
		c.Errorf("%s sessions go on", left)
	}
}

func (c *credential) found(want grants.Finding) {
	c.Helper()
	found, err := c.issuer.Check(c.Context(), grants.Handle{Name: c.name, Expires: c.until}, time.Now())
	if err != nil {
		c.Fatalf("checking: %v", err)
	}
	if found != want {
		c.Errorf("found %q, want %q", found, want)
	}
}

// connect logs in as whoever a URI names.
func connect(ctx context.Context, uri string) (*pgx.Conn, error) {
	conf, err := pgx.ParseConfig(uri)
	if err != nil {
		return nil, err
	}
	conf.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	return pgx.ConnectConfig(ctx, conf)
}

// opens reports whether a secret opens the server.
func opens(t testing.TB, _ string, secret grants.Secret) bool {
	t.Helper()
	if secret.Expose() == "" {
		return false
	}
	conn, err := connect(t.Context(), secret.Expose())
	if err != nil {
		return false
	}
	defer conn.Close(t.Context())
	var one int
	return conn.QueryRow(t.Context(), "SELECT 1").Scan(&one) == nil
}

// ask asks the server for one value, as the superuser.
func ask(t testing.TB, database, question string, args ...any) (answer string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // a session that should be dead may hold a lock
	defer cancel()
	conn, err := pgx.Connect(ctx, fmt.Sprintf("host=%s port=%d user=%s dbname=%s", server.Dir, server.Port, pgtest.Superuser, database))
	if err != nil {
		t.Fatalf("asking %s: %v", database, err)
	}
	defer conn.Close(ctx)
	if err := conn.QueryRow(ctx, question, args...).Scan(&answer); err != nil {
		t.Fatalf("asking %s: %v", database, err)
	}
	return answer
}

// ownerOf is who owns a table; nobody if there is none.
func ownerOf(t testing.TB, database, table string) string {
	t.Helper()
	return ask(t, database, "SELECT coalesce((SELECT tableowner::text FROM pg_tables WHERE schemaname || '.' || tablename = $1), 'nobody')", table)
}

// unique is a name for something that a test makes.
func unique(t testing.TB) string {
	t.Helper()
	return "t" + strings.ToLower(rand.Text()[:8]) + strconv.Itoa(os.Getpid())
}
