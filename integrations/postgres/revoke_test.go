package postgres_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"nightlatch/grants"
	"nightlatch/integrations/postgres"
)

// TestIssuerIsNoSuperuser: what the other tests show is worth something only then.
func TestIssuerIsNoSuperuser(t *testing.T) {
	prepared(t)
	if got := ask(t, "postgres", "SELECT rolsuper::text || rolcreaterole::text FROM pg_roles WHERE rolname = 'nightlatch'"); got != "falsetrue" {
		t.Errorf("superuser and CREATEROLE: %s", got)
	}
}

// TestWorkOutlivesAccess: what was made under a credential is there when the credential is gone, in every database.
func TestWorkOutlivesAccess(t *testing.T) {
	issuer := newIssuer(t, config(t))
	c := issued(t, issuer, order())
	table, schema := "workbench."+unique(t), unique(t)
	server.Do(t, "orders", "GRANT CREATE ON DATABASE orders TO orders_write, nightlatch_owner", "DROP EXTENSION IF EXISTS hstore")
	c.does("orders",
		"CREATE TABLE "+table+" (i int, state text)", "INSERT INTO "+table+" VALUES (1, 'kept'), (2, 'kept')",
		"CREATE VIEW "+table+"_view AS SELECT * FROM "+table,
		"CREATE TYPE "+table+"_type AS ENUM ('a', 'b')",
		"CREATE SEQUENCE "+table+"_numbers",
		"CREATE FUNCTION "+table+"_count() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM "+table+"'",
		"CREATE SCHEMA "+schema, `CREATE TABLE `+schema+`."odd ""name" (i int)`,
		"CREATE FUNCTION "+schema+".f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
		"CREATE EXTENSION IF NOT EXISTS hstore SCHEMA workbench", "CREATE PUBLICATION "+schema,
		"INSERT INTO public.payments VALUES (2, 'for "+table+"')")
	c.does("archive", "CREATE TABLE "+table+" AS SELECT generate_series(1, 100) AS i")
	c.revoked()

	for question, want := range map[string]string{
		"SELECT extowner::regrole::text FROM pg_extension WHERE extname = 'hstore'":                            "nightlatch_owner",
		"SELECT pubowner::regrole::text FROM pg_publication WHERE pubname = '" + schema + "'":                  "nightlatch_owner",
		"SELECT count(*)::text FROM " + table + " WHERE state = 'kept'":                                        "2",
		"SELECT count(*)::text FROM " + table + "_view":                                                        "2",
		"SELECT " + table + "_count()::text":                                                                   "2",
		"SELECT " + schema + ".f()::text":                                                                      "1",
		"SELECT count(*)::text FROM public.payments WHERE note = 'for " + table + "'":                          "1",
		"SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = '" + schema + "'":                    "nightlatch_owner",
		"SELECT typowner::regrole::text FROM pg_type WHERE oid = '" + table + "_type'::regtype":                "nightlatch_owner",
		"SELECT proowner::regrole::text FROM pg_proc WHERE oid = '" + table + "_count'::regproc":               "nightlatch_owner",
		"SELECT relowner::regrole::text FROM pg_class WHERE oid = '" + schema + ".\"odd \"\"name\"'::regclass": "nightlatch_owner",
	} {
		if got := ask(t, "orders", question); got != want {
			t.Errorf("%s: %s, want %s", question, got, want)
		}
	}
	if got := ask(t, "archive", "SELECT count(*)::text FROM "+table); got != "100" {
		t.Errorf("the table in the other database has %s rows", got)
	}
	if owner := ownerOf(t, "archive", table); owner != "nightlatch_owner" {
		t.Errorf("the table in the other database belongs to %s", owner)
	}
}

func TestLargeObjectsOutliveAccess(t *testing.T) {
	c := issued(t, newIssuer(t, config(t)), order())
	var oid uint32
	if err := c.logsIn("orders").QueryRow(t.Context(), "SELECT lo_from_bytea(0, 'kept')").Scan(&oid); err != nil {
		t.Fatal(err)
	}
	c.revoked()
	if got := ask(t, "orders", "SELECT convert_from(lo_get($1), 'UTF8') || lomowner::regrole FROM pg_largeobject_metadata WHERE oid = $1", oid); got != "keptnightlatch_owner" {
		t.Errorf("the large object and its owner: %s", got)
	}
}

// TestSessionsEnd: idle ones, one in the middle of a transaction that holds locks, and one that has become somebody else.
func TestSessionsEnd(t *testing.T) {
	c := issued(t, newIssuer(t, config(t)), order())
	table := "workbench." + unique(t)
	c.does("orders", "CREATE TABLE "+table+" (i int)")
	busy, other, idle := c.logsIn("orders"), c.logsIn("orders"), c.logsIn("archive")
	must(t, busy, "BEGIN", "LOCK TABLE "+table+" IN ACCESS EXCLUSIVE MODE", "INSERT INTO "+table+" VALUES (1)", "SELECT pg_advisory_lock(1)")
	must(t, other, "SET ROLE orders_write")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	slow := make(chan error, 1)
	running := c.logsIn("orders")
	go func() {
		_, err := running.Exec(ctx, "SELECT pg_sleep(600)")
		slow <- err
	}()
	until(t, "1", "SELECT count(*)::text FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND usename = $1", c.name)
	start := time.Now()
	c.revoked()
	t.Logf("revoked over four sessions within %s", time.Since(start).Round(time.Millisecond))
	if err := <-slow; ctx.Err() != nil {
		t.Errorf("a statement goes on, until we give it up: %v", err)
	}
	for name, conn := range map[string]*pgx.Conn{"in a transaction": busy, "as another role": other, "idle": idle} {
		if _, err := conn.Exec(t.Context(), "SELECT 1"); err == nil {
			t.Errorf("a session %s goes on", name)
		}
	}
	if got := ask(t, "orders", "SELECT count(*)::text FROM "+table); got != "0" {
		t.Errorf("the open transaction left %s rows", got)
	}
}

// TestSomebodyWhoKeepsComingBack: logging in again and again does not hold up the end.
func TestSomebodyWhoKeepsComingBack(t *testing.T) {
	c := issued(t, newIssuer(t, config(t)), order())
	ctx, stop := context.WithCancel(t.Context())
	var people sync.WaitGroup
	var came, after atomic.Int64
	var ended atomic.Bool
	for range 4 {
		people.Go(func() {
			for ctx.Err() == nil {
				late := ended.Load()
				conn, err := connect(ctx, c.uri)
				if err != nil {
					continue
				}
				if came.Add(1); late {
					after.Add(1)
				}
				_, _ = conn.Exec(ctx, "SELECT pg_sleep(0.01)")
				_ = conn.Close(ctx)
			}
		})
	}
	for range 1000 {
		if c.found(grants.AliveFinding); came.Load() >= 10 {
			break
		}
	}
	c.revoked()
	ended.Store(true)
	for range 10 {
		c.found(grants.AbsentFinding)
	}
	stop()
	people.Wait()
	t.Logf("logged in %d times", came.Load())
	if n := after.Load(); n > 0 {
		t.Errorf("logged in %d times after the end", n)
	}
}

// TestWhatItGranted: rights on its own work stay with others; its default privileges don't.
func TestWhatItGranted(t *testing.T) {
	c := issued(t, newIssuer(t, config(t)), order())
	table := "workbench." + unique(t)
	c.does("orders",
		"CREATE TABLE "+table+" (i int)", "GRANT SELECT ON "+table+" TO app",
		"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO app",
		"ALTER DEFAULT PRIVILEGES IN SCHEMA workbench GRANT INSERT ON TABLES TO app")
	server.Do(t, "orders", `GRANT USAGE ON SCHEMA workbench TO app`, `ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT SELECT ON TABLES TO "`+c.name+`"`)
	c.revoked()
	if got := ask(t, "orders", "SELECT has_table_privilege('app', $1, 'SELECT')::text", table); got != "true" {
		t.Error("what was granted on the table is gone")
	}
	if got := ask(t, "orders", "SELECT count(*)::text FROM pg_default_acl"); got != "0" {
		t.Errorf("%s default privileges are left", got)
	}
}

// TestWhoeverCouldBecomeIt: while others are members, a login that was locked out is not dead.
func TestWhoeverCouldBecomeIt(t *testing.T) {
	c := issued(t, newIssuer(t, config(t)), order())
	server.Do(t, "postgres", `ALTER ROLE "`+c.name+`" NOLOGIN`)
	c.found(grants.RefusedFinding)
	server.Do(t, "postgres", `GRANT "`+c.name+`" TO app`)
	c.found(grants.AliveFinding)
	c.revoked()
}

// TestASessionKeepsItAlive: neither a lock-out nor an expiry is the end while a session goes on.
func TestASessionKeepsItAlive(t *testing.T) {
	c := issued(t, newIssuer(t, config(t)), order())
	conn := c.logsIn("orders")
	server.Do(t, "postgres", `ALTER ROLE "`+c.name+`" VALID UNTIL '2020-01-01'`)
	c.found(grants.AliveFinding)
	if err := c.issuer.Renew(t.Context(), c.name, time.Now().Add(time.Hour)); !errors.Is(err, postgres.ErrEnded) {
		t.Errorf("renewing what has expired: %v", err)
	}
	server.Do(t, "postgres", `ALTER ROLE "`+c.name+`" NOLOGIN`)
	c.found(grants.AliveFinding)
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, "0", "SELECT count(*)::text FROM pg_stat_activity WHERE usename = $1", c.name)
	c.found(grants.RefusedFinding)
	server.Do(t, "postgres", `ALTER ROLE "`+c.name+`" LOGIN`)
	c.found(grants.ExpiredFinding)
}

// TestWhatAHumanMustFinish: each obstacle is named, the role is locked out, and once it is gone the next call ends it.
func TestWhatAHumanMustFinish(t *testing.T) {
	for _, test := range []struct {
		name  string
		leave func(c *credential, thing string)
		says  string
		mend  func(c *credential, thing string)
	}{
		{
			"a prepared transaction",
			func(c *credential, thing string) {
				must(c, c.logsIn("orders"), "BEGIN", "CREATE TABLE workbench."+thing+" (i int)", "PREPARE TRANSACTION '"+thing+"'")
			},
			`prepared transactions are left in ["orders"]`,
			func(c *credential, thing string) { server.Do(c, "orders", "COMMIT PREPARED '"+thing+"'") },
		},
		{
			"a privilege from an owner",
			func(c *credential, _ string) {
				server.Do(c, "orders", `SET ROLE app`, `GRANT SELECT ON payments TO "`+c.name+`"`)
			},
			"privileges for table public.payments",
			func(c *credential, _ string) { server.Do(c, "orders", `REVOKE SELECT ON payments FROM "`+c.name+`"`) },
		},
		{
			"a place where the owner may own nothing",
			func(c *credential, thing string) {
				server.Do(c, "orders", "CREATE SCHEMA "+thing, "GRANT USAGE, CREATE ON SCHEMA "+thing+" TO orders_write")
				c.does("orders", "CREATE FUNCTION "+thing+".f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
			},
			"permission denied for schema",
			func(c *credential, thing string) {
				server.Do(c, "orders", "GRANT CREATE ON SCHEMA "+thing+" TO nightlatch_owner")
			},
		},
		{
			"a lock that somebody holds",
			func(c *credential, thing string) {
				c.does("orders", "CREATE TABLE workbench."+thing+" (i int)", "GRANT SELECT ON workbench."+thing+" TO orders_read")
				o := order()
				o.Scopes = []string{"orders_read"}
				server.Do(c, "orders", "GRANT USAGE ON SCHEMA workbench TO orders_read")
				must(c, issued(c, c.issuer, o).logsIn("orders"), "BEGIN", "SELECT * FROM workbench."+thing)
			},
			"canceling statement due to lock timeout",
			func(c *credential, thing string) {
				server.Do(c, "orders", "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'workbench."+thing+"'::regclass AND pid <> pg_backend_pid()")
			},
		},
		{
			"a database that is shut",
			func(c *credential, thing string) {
				server.Do(c, "postgres", "CREATE DATABASE "+thing)
				server.Do(c, thing, "GRANT CREATE ON SCHEMA public TO orders_write, nightlatch_owner")
				c.does(thing, "CREATE TABLE t (i int)")
				server.Do(c, "postgres", "ALTER DATABASE "+thing+" ALLOW_CONNECTIONS false")
			},
			"accepts no connections",
			func(c *credential, thing string) {
				server.Do(c, "postgres", "ALTER DATABASE "+thing+" ALLOW_CONNECTIONS true")
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := issued(t, newIssuer(t, config(t)), order())
			thing := unique(t)
			test.leave(c, thing)
			err := c.issuer.Revoke(t.Context(), c.name)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("it says %v", err)
			}
			if opens(t, c.name, grants.NewSecret(c.uri)) {
				t.Error("the login works")
			}
			c.found(grants.RefusedFinding)
			test.mend(c, thing)
			c.revoked()
		})
	}
}

// TestADatabaseCopiedMeanwhile: what was copied with a database is handed over too.
func TestADatabaseCopiedMeanwhile(t *testing.T) {
	c := issued(t, newIssuer(t, config(t)), order())
	first, second := unique(t), unique(t)
	server.Do(t, "postgres", "CREATE DATABASE "+first)
	server.Do(t, first, "GRANT CREATE ON SCHEMA public TO orders_write, nightlatch_owner")
	c.does(first, "CREATE TABLE t (i int)")
	until(t, "0", "SELECT count(*)::text FROM pg_stat_activity WHERE datname = $1", first) // a copy needs a source without sessions
	server.Do(t, "postgres", "CREATE DATABASE "+second+" TEMPLATE "+first)
	c.revoked()
	for _, database := range []string{first, second} {
		if owner := ownerOf(t, database, "public.t"); owner != "nightlatch_owner" {
			t.Errorf("in %s the table belongs to %s", database, owner)
		}
	}
}

// until asks until the server has noticed.
func until(t testing.TB, want, question string, args ...any) {
	t.Helper()
	for range 1000 {
		if ask(t, "postgres", question, args...) == want {
			return
		}
	}
	t.Fatalf("%s: never %s", question, want)
}

// must runs statements one by one in a session.
func must(t testing.TB, conn *pgx.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := conn.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}
