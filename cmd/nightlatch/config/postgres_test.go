package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nightlatch/cmd/nightlatch/config"
	"nightlatch/integrations/postgres"
)

// target is the smallest PostgreSQL server, and login the smallest role on it.
const (
	target = `postgres: [{name: orders-db, host: db.internal, user: nightlatch, database: orders, templates: [orders_read, orders_write], owner: people}]`
	login  = `{name: look, on_call: [{policy: PORDERS}], automatic: on_call, max: 4h, issuer: orders-db, scopes: [orders_read]}`
)

func withTarget(from, to string) string {
	if !strings.Contains(target+login, from) {
		panic("there is no " + from)
	}
	return with(role, "- "+strings.Replace(login, from, to, 1), strings.Replace(target, from, to, 1))
}

func TestPostgres(t *testing.T) {
	c, warnings, err := config.Parse([]byte(withTarget("", "")))
	if err != nil {
		t.Fatal(problemsOf(t, withTarget("", "")))
	}
	want := []config.Postgres{{
		Name: "orders-db", Host: "db.internal", Port: 5432, User: "nightlatch", Database: "orders", SSLMode: postgres.VerifyFull,
		Templates: []string{"orders_read", "orders_write"}, Owner: "people", Connections: 5,
	}}
	if diff := cmp.Diff(want, c.Postgres); diff != "" {
		t.Error(diff)
	}
	if all := lines(warnings); slices.ContainsFunc(all, func(w string) bool { return strings.Contains(w, "postgres") }) {
		t.Errorf("the warnings are %q", all)
	}
	c, _, err = config.Parse([]byte(withTarget("db.internal", "/run/postgresql")))
	if err != nil || c.Postgres[0].SSLMode != postgres.Disable {
		t.Errorf("on a socket: %+v, %v", c.Postgres, err)
	}
}

// TestPostgresAsDocumented: what docs/postgres.md shows is accepted as it is, but for who and how long.
func TestPostgresAsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../docs/postgres.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	shown, rest, found := strings.Cut(block, "roles:\n")
	rest = strings.Replace(rest, "    # … who", "    on_call: [{policy: PORDERS}]\n    automatic: on_call\n    max: 1h\n    # … who", 1)
	rest = strings.ReplaceAll("\n"+rest, "\n  ", "\n") // as deep as the other role
	if data := with(role, rest) + shown; !found || problemsOf(t, data) != nil {
		t.Errorf("%q in\n%s", problemsOf(t, data), data)
	}
}

func TestPostgresRefused(t *testing.T) {
	for _, c := range []struct{ name, from, to, want string }{
		{"password in YAML", "user: nightlatch", "user: nightlatch, password: hunter2", "8 postgres[0].password: a secret does not belong into this file; set NIGHTLATCH_POSTGRES_NAME_PASSWORD"},
		{"unknown key", "user: nightlatch", "user: nightlatch, hosts: a", "8 postgres[0].hosts: is unknown; did you mean host?"},
		{"no host", "host: db.internal, ", "", "8 postgres[0].host: must be one name"},
		{"no owner", ", owner: people", "", "8 postgres[0].owner: is missing"},
		{"no database", "database: orders, ", "", "8 postgres[0].database: is missing"},
		{"a quote in a name", "owner: people", `owner: "pe\"ople"`, `8 postgres[0].owner: "pe\"ople" has other characters than letters, digits`},
		{"plain", "host: db.internal", "host: db.internal, sslmode: disable", "8 postgres[0].sslmode: may be disable on a socket or on loopback only"},
		{"encrypted to whoever answers", "host: db.internal", "host: db.internal, sslmode: require", `8 postgres[0].sslmode: is "require"`},
		{"name", "name: orders-db", "name: Orders", "8 postgres[0].name: must be one lower-case word"},
		{"our tokens' name", "name: orders-db", "name: token", `8 postgres[0].name: "token" is the issuer of our own tokens`},
		{"unknown issuer", "issuer: orders-db", "issuer: orders-bd", `7 roles[1].issuer: "orders-bd" does not exist; there is "token", "orders-db"`},
		{"audience", "issuer: orders-db", "issuer: orders-db, audience: api", "7 roles[1].audience: is of tokens"},
		{"verify", "issuer: orders-db", "issuer: orders-db, verify: offline", "7 roles[1].verify: is of tokens"},
		{"scope", "scopes: [orders_read]", "scopes: [postgres]", `7 roles[1].scopes: scope 1, "postgres", is none of the target's templates`},
		{"no scopes", ", scopes: [orders_read]", "", "7 roles[1].scopes: is missing"},
		{"PostgreSQL's own role", "orders_write", "pg_execute_server_program", `8 postgres[0].templates[1]: "pg_execute_server_program" is one of PostgreSQL's own`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := problemsOf(t, withTarget(c.from, c.to))
			if c.name == "name" || c.name == "our tokens' name" { // nor does the role's issuer exist any more
				got = slices.DeleteFunc(got, func(p string) bool { return strings.Contains(p, "roles[1]") })
			}
			if len(got) != 1 || !strings.Contains(got[0], c.want) {
				t.Errorf("got %q, want just %q", got, c.want)
			}
		})
	}
}

func TestPostgresTwiceAndUnused(t *testing.T) {
	one := strings.TrimSuffix(strings.TrimPrefix(target, "postgres: ["), "]")
	if got := problemsOf(t, with(role, "- "+login, "postgres: ["+one+", "+one+"]")); len(got) != 1 || !strings.Contains(got[0], `"orders-db" is already the name of postgres[0]`) {
		t.Errorf("twice: %q", got)
	}
	_, warnings, err := config.Parse([]byte(with(role, target)))
	if all := lines(warnings); err != nil || !slices.ContainsFunc(all, func(w string) bool { return strings.Contains(w, `no role has "orders-db" as its issuer`) }) {
		t.Errorf("unused: %q, %v", all, err)
	}
}

// TestPostgresPassword: it comes like every secret; on a socket it may be missing.
func TestPostgresPassword(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nightlatch.yaml")
	env := map[string]string{"NIGHTLATCH_SLACK_APP_TOKEN": "xapp-1", "NIGHTLATCH_SLACK_BOT_TOKEN": "xoxb-1", "NIGHTLATCH_PAGERDUTY_KEY": "u+1"}
	load := func(host string) (config.Loaded, error) {
		t.Helper()
		if err := os.WriteFile(path, []byte(withTarget("db.internal", host)), 0o600); err != nil {
			t.Fatal(err)
		}
		return config.Load(config.File{Path: path, Env: func(k string) (string, bool) { v, ok := env[k]; return v, ok }})
	}
	_, err := load("db.internal")
	problems, ok := errors.AsType[config.Problems](err)
	if !ok || len(problems.List) != 1 || problems.List[0].Key != "NIGHTLATCH_POSTGRES_ORDERS_DB_PASSWORD" {
		t.Errorf("without a password: %v", problems.List)
	}
	if c, err := load("/run/postgresql"); err != nil || c.Secrets.Postgres["orders-db"].Expose() != "" {
		t.Errorf("on a socket, without one: %v", err)
	}
	env["NIGHTLATCH_POSTGRES_ORDERS_DB_PASSWORD_FILE"] = filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(env["NIGHTLATCH_POSTGRES_ORDERS_DB_PASSWORD_FILE"], []byte("hunter2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := load("db.internal")
	if err != nil || c.Secrets.Postgres["orders-db"].Expose() != "hunter2" {
		t.Errorf("with one in a file: %v", err)
	}
	if !slices.ContainsFunc(c.Warnings, func(p config.Problem) bool { return p.Key == "NIGHTLATCH_POSTGRES_ORDERS_DB_PASSWORD_FILE" }) {
		t.Errorf("nobody warns of a file that everybody reads: %v", c.Warnings)
	}
}
