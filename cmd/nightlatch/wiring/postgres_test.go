package wiring_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"nightlatch/cmd/nightlatch/inspect"
	"nightlatch/integrations/postgres/pgtest"
)

// database is a target, and a role whose logins are there. Words in capitals are filled in.
const database = `
  - name: orders-db
    on_call: [{policy: PORDERS, levels: [1]}]
    automatic: on_call
    max: 1h
    issuer: orders-main
    scopes: [orders_write]
postgres:
  - name: orders-main
    host: 127.0.0.1
    port: PORT
    sslmode: disable
    user: nightlatch
    database: orders
    templates: [orders_read, orders_write]
    owner: nightlatch_owner
`

// aLogin is what a connection string looks like, and the password in it.
var aLogin = regexp.MustCompile(`postgresql://[a-z0-9-]+:([A-Z2-7]{26})@[a-z0-9.:]+/orders\?sslmode=disable`)

// TestANightOnPostgreSQL: from the request to a login, a table made with it, the return, and nothing left but the table.
func TestANightOnPostgreSQL(t *testing.T) {
	server := pgtest.Start(t)
	server.Do(t, "postgres", "CREATE DATABASE orders")
	server.SetUp(t, "../../../docs/postgres.md", "orders")
	server.Do(t, "postgres", "ALTER ROLE nightlatch PASSWORD 'the-issuers-own'")
	p := plan{
		roles:   strings.Replace(database, "PORT", fmt.Sprint(server.Port), 1),
		secrets: map[string]string{"NIGHTLATCH_POSTGRES_ORDERS_MAIN_PASSWORD": "the-issuers-own"},
	}
	playForReal(t, p, func(n *night) {
		n.finds(inspect.OK, "issuer orders-main", "its target answers and is set up")
		n.types(ada, "/access orders-db 30m orders are stuck")
		n.awaits("a button to reveal", func() bool { return n.hasButton(ada, "reveal") })
		n.reads(ada, "A login to the database orders on 127.0.0.1")
		n.presses(ada, "reveal")
		n.awaits("a login in the modal", func() bool { return aLogin.MatchString(n.modal(ada)) })
		login := aLogin.FindString(n.modal(ada))
		if _, err := server.Psql("-d", login, "-c", "CREATE TABLE workbench.kept AS SELECT 1 AS i"); err != nil {
			t.Fatalf("the login does not work: %v", err)
		}
		n.presses(ada, "return")
		n.awaits("proof that it is gone", func() bool { return n.misread(ada, "no longer known to its target") })
		if left := server.Do(t, "postgres", "SELECT count(*) FROM pg_roles WHERE rolname LIKE '%-1'"); left != "0" {
			t.Error("the role is there")
		}
		if _, err := server.Psql("-d", login, "-c", "SELECT 1"); err == nil {
			t.Error("the login works after its return")
		}
		if owner := server.Do(t, "orders", "SELECT tableowner FROM pg_tables WHERE tablename = 'kept'"); owner != "nightlatch_owner" {
			t.Errorf("the table that was made belongs to %q", owner)
		}
		for _, p := range n.places() {
			for _, secret := range []string{"the-issuers-own", "SCRAM-SHA-256$"} { // that of the login is looked for after every night
				if strings.Contains(string(p.text), secret) {
					t.Errorf("%s holds a secret that begins with %.4s", p.name, secret)
				}
			}
		}
	})
}

// awaits waits until something is so.
func (n *night) awaits(what string, so func() bool) {
	n.t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); n.pass(50 * time.Millisecond) {
		if time.Now().After(end) {
			n.t.Fatalf("%s: not within 20 s; ada sees\n%s", what, n.slack.SeenBy(ada).Text())
		}
	}
}
