package postgres_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"nightlatch/grants"
	"nightlatch/integrations/postgres"
)

// good is a configuration without a server.
func good() postgres.Config {
	return postgres.Config{
		Instance: instance, Host: "db.example.com", User: "nightlatch", Password: grants.NewSecret(password), Database: "orders",
		Templates: []string{"orders_read", "orders_write"}, Owner: "nightlatch_owner",
	}
}

func TestPlan(t *testing.T) {
	issuer := newIssuer(t, good())
	o := order()
	o.Scopes = []string{"orders_read", "orders_write"}
	o.Now = time.Date(2026, 11, 22, 3, 14, 15, 926e6, time.UTC)
	for _, test := range []struct {
		name     string
		lasts    time.Duration
		want     time.Duration
		sentence string
	}{
		{
			"an hour", time.Hour, time.Hour,
			"A login to the database orders on db.example.com:5432, as orders_read, orders_write, until the grant ends; " +
				"its sessions are cut within seconds when it is revoked, and what it made stays.",
		},
		{
			"longer than it lives", 30 * time.Hour, 24 * time.Hour,
			"A login to the database orders on db.example.com:5432, as orders_read, orders_write, until the grant ends, 24h at most; " +
				"its sessions are cut within seconds when it is revoked, and what it made stays.",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			o.Until = o.Now.Add(test.lasts)
			got, err := issuer.Plan(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(grants.Plan{Sentence: test.sentence, Until: o.Now.Add(test.want)}, got); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
	for name, change := range map[string]func(*grants.Order){
		"is none of the target's templates": func(o *grants.Order) { o.Scopes = []string{"postgres"} },
		"stands twice":                      func(o *grants.Order) { o.Scopes = []string{"orders_read", "orders_read"} },
		"is missing":                        func(o *grants.Order) { o.Scopes = nil },
		"the grant is over":                 func(o *grants.Order) { o.Until = o.Now },
	} {
		o := o
		change(&o)
		if _, err := issuer.Plan(t.Context(), o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("planned, with %v, where it %s", err, name)
		}
	}
}

func TestForeignNames(t *testing.T) {
	conf := good()
	conf.Dial = (&cutter{after: 1}).dial // which it must not come to
	issuer := newIssuer(t, conf)
	id := order().Grant
	for _, name := range []string{
		"", "postgres", "nightlatch", "mnpqrstv-" + id + "-1", instance + "-" + id, instance + "-" + id + "-", instance + "-" + id + "-01",
		instance + "-" + id + "-1-1", instance + "-" + id + "-x", instance + "-short-1", instance + "-" + id + `-1"; DROP ROLE app; --`,
		instance + "-" + id + "--1", instance + "-" + id + "-1" + strings.Repeat("0", 60),
	} {
		o := order()
		o.Name = name
		_, issue := issuer.Issue(t.Context(), o)
		_, check := issuer.Check(t.Context(), grants.Handle{Name: name}, time.Now())
		for verb, err := range map[string]error{
			"issue": issue, "check": check,
			"revoke": issuer.Revoke(t.Context(), name), "renew": issuer.Renew(t.Context(), name, o.Until),
		} {
			if !errors.Is(err, postgres.ErrForeign) {
				t.Errorf("%s of %q: %v", verb, name, err)
			}
		}
	}
}

func TestRoleIsWhatItsOrderSays(t *testing.T) {
	conf := config(t)
	conf.Connections = 2
	o := order()
	c := issued(t, newIssuer(t, conf), o)
	c.logsIn("orders")
	c.logsIn("archive")
	if _, err := connect(t.Context(), c.uri); err == nil {
		t.Error("a third session is let in")
	}
	got := ask(t, "postgres", `SELECT concat_ws(' ', rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, rolconnlimit,
		extract(epoch FROM rolvaliduntil)::bigint, (SELECT string_agg(m.roleid::regrole || ' ' || m.admin_option, ',') FROM pg_auth_members m WHERE m.member = r.oid))
		FROM pg_roles r WHERE rolname = $1`, c.name)
	if want := fmt.Sprintf("f t f f t f f 2 %d orders_write false", o.Until.Round(time.Second).Unix()); got != want {
		t.Errorf("the role is %q, want %q", got, want)
	}
	if got := ask(t, "postgres", "SELECT left(rolpassword, 19) FROM pg_authid WHERE rolname = $1", c.name); got != "SCRAM-SHA-256$4096:" {
		t.Errorf("its verifier begins with %q", got)
	}
	if len(c.uri) > 3000 {
		t.Errorf("the secret has %d characters", len(c.uri))
	}
}

func TestRefusesToIssue(t *testing.T) {
	server.Need(t)
	for _, test := range []struct {
		name, says string
		prepare    []string
		config     func(*postgres.Config)
		order      func(*grants.Order)
	}{
		{name: "a clock that is off", says: "clock is off by -1h", order: func(o *grants.Order) {
			o.Now, o.Until = o.Now.Add(time.Hour), o.Until.Add(time.Hour)
		}},
		{name: "a template that is missing", says: `no role "nobody_knows"`, config: func(c *postgres.Config) {
			c.Templates = []string{"nobody_knows"}
		}, order: func(o *grants.Order) { o.Scopes = []string{"nobody_knows"} }},
		{name: "an owner that is missing", says: `no role "nobody_knows"`, config: func(c *postgres.Config) { c.Owner = "nobody_knows" }},
		{name: "an owner that is mighty", says: `"postgres" leads to the whole server`, config: func(c *postgres.Config) { c.Owner = "postgres" }},
		{
			name: "a template that leads to programs", says: `"hidden_power" leads to the whole server`,
			prepare: []string{"DROP ROLE IF EXISTS between, hidden_power", "CREATE ROLE between", "GRANT pg_execute_server_program TO between", "CREATE ROLE hidden_power", "GRANT between TO hidden_power"},
			config:  func(c *postgres.Config) { c.Templates = []string{"hidden_power"} },
			order:   func(o *grants.Order) { o.Scopes = []string{"hidden_power"} },
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			conf, o := config(t), order()
			server.Do(t, "postgres", append(test.prepare, "SELECT 1")...)
			if test.config != nil {
				test.config(&conf)
			}
			if test.order != nil {
				test.order(&o)
			}
			if _, err := newIssuer(t, conf).Issue(t.Context(), o); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("issued, with %v", err)
			}
			if there := ask(t, "postgres", "SELECT count(*)::text FROM pg_roles WHERE rolname = $1", o.Name); there != "0" {
				t.Error("the role is there")
			}
		})
	}
}

// TestServerNeverSeesThePassword: not in a statement, and so in no log. The verifier is there, so that the search is seen to work.
func TestServerNeverSeesThePassword(t *testing.T) {
	c := issued(t, newIssuer(t, config(t)), order())
	conf, err := pgx.ParseConfig(c.uri)
	if err != nil {
		t.Fatal("the secret is no URI")
	}
	c.does("orders", "SELECT 1")
	c.revoked()
	log, err := os.ReadFile(server.LogFile())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), c.name) || !strings.Contains(string(log), "PASSWORD 'SCRAM-SHA-256$") {
		t.Error("the server's log does not hold the statements: the search proves nothing")
	}
	if len(conf.Password) < 26 || strings.Contains(string(log), conf.Password) {
		t.Error("the server's log holds the password")
	}
}

// TestThroughTLS: an issuer and its people trust one authority, and nobody else.
func TestThroughTLS(t *testing.T) {
	conf := config(t)
	conf.Host, conf.TLS, conf.RootCert = "localhost", postgres.VerifyFull, server.CA
	c := issued(t, newIssuer(t, conf), order())
	if !strings.HasSuffix(c.uri, "?sslmode=verify-full") {
		t.Error("the secret does not ask for verify-full")
	}
	if !opens(t, c.name, grants.NewSecret(c.uri+"&sslrootcert="+server.CA)) {
		t.Error("it does not open with the authority")
	}
	if opens(t, c.name, grants.NewSecret(c.uri)) {
		t.Error("it opens without the authority")
	}
	c.revoked()
	conf.RootCert = ""
	if _, err := newIssuer(t, conf).Issue(t.Context(), order()); err == nil {
		t.Error("an unknown authority is trusted")
	}
}

func TestThroughASocket(t *testing.T) {
	conf := config(t)
	conf.Host, conf.TLS = server.Dir, ""
	c := issued(t, newIssuer(t, conf), order())
	if !opens(t, c.name, grants.NewSecret(c.uri)) {
		t.Error("it does not open")
	}
	c.revoked()
}

func TestProblems(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*postgres.Config)
		keys   []string
	}{
		{"good", func(*postgres.Config) {}, nil},
		{"a socket", func(c *postgres.Config) { c.Host = "/run/postgresql" }, nil},
		{"empty", func(c *postgres.Config) { *c = postgres.Config{} }, []string{"database", "host", "owner", "templates", "user"}},
		{"several hosts", func(c *postgres.Config) { c.Host = "a,b" }, []string{"host"}},
		{"PostgreSQL's own role", func(c *postgres.Config) { c.Templates = []string{"pg_write_server_files"} }, []string{"templates[0]"}},
		{"the issuer as a template", func(c *postgres.Config) { c.Templates[1] = "nightlatch" }, []string{"templates[1]"}},
		{"twice", func(c *postgres.Config) { c.Templates[1] = "orders_read" }, []string{"templates[1]"}},
		{"a quote", func(c *postgres.Config) { c.Owner = `o"; DROP` }, []string{"owner"}},
		{"a template as the owner", func(c *postgres.Config) { c.Owner = "orders_read" }, []string{"owner"}},
		{"plain, far away", func(c *postgres.Config) { c.TLS = postgres.Disable }, []string{"sslmode"}},
		{"encrypted with anybody", func(c *postgres.Config) { c.TLS = "require" }, []string{"sslmode"}},
		{"numbers", func(c *postgres.Config) { c.Port, c.Connections, c.Greatest = 70000, -1, time.Second }, []string{"connections", "greatest", "port"}},
		{"no address", func(c *postgres.Config) { c.Public = "db.example.com" }, []string{"public"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := good()
			c.Templates = slices.Clone(c.Templates)
			test.change(&c)
			var keys []string
			for _, p := range c.Problems() {
				keys = append(keys, p.Key)
			}
			if diff := cmp.Diff(test.keys, keys); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if _, err := postgres.New(c); (err == nil) != (len(test.keys) == 0) {
				t.Errorf("New answers %v", err)
			}
		})
	}
}

// BenchmarkLife is one credential: issued, used to make a table, revoked.
func BenchmarkLife(b *testing.B) {
	issuer := newIssuer(b, config(b))
	var issuing, revoking time.Duration
	for range b.N {
		start := time.Now()
		c := issued(b, issuer, order())
		issuing += time.Since(start)
		c.does("orders", "CREATE TABLE workbench."+unique(b)+" (i int)")
		start = time.Now()
		if err := issuer.Revoke(b.Context(), c.name); err != nil {
			b.Fatal(err)
		}
		revoking += time.Since(start)
	}
	b.ReportMetric(float64(issuing.Milliseconds())/float64(b.N), "ms/issue")
	b.ReportMetric(float64(revoking.Milliseconds())/float64(b.N), "ms/revoke")
}
