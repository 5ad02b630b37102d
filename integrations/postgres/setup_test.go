package postgres_test

import (
	"strings"
	"testing"

	"nightlatch/grants"
	"nightlatch/integrations/postgres"
)

// TestSetup: a server that was set up by the documentation is well, and each slip is named with what to do.
func TestSetup(t *testing.T) {
	if err := newIssuer(t, config(t)).CheckSetup(t.Context()); err != nil {
		t.Fatalf("by the documentation: %v", err)
	}
	server.Do(t, "postgres", "ALTER ROLE app PASSWORD 'app-password'", "DROP ROLE IF EXISTS inspected, inspected_too",
		"CREATE ROLE inspected", "CREATE ROLE inspected_too", "GRANT inspected_too TO inspected")
	for name, test := range map[string]struct {
		change func(*postgres.Config)
		says   []string
	}{
		"an owner that the issuer is no member of": {
			func(c *postgres.Config) { c.Owner = "inspected_too" },
			[]string{`GRANT "inspected_too" TO "nightlatch"`},
		},
		"an owner with rights": {
			func(c *postgres.Config) { c.Owner = "inspected" },
			[]string{`the owner is a member of "inspected_too"`},
		},
		"an owner that logs in": {
			func(c *postgres.Config) { c.Owner = "app" },
			[]string{`the role "app" logs in`, `GRANT "app" TO "nightlatch"`},
		},
		"what is not there": {
			func(c *postgres.Config) { c.Owner, c.Templates = "nobody1", []string{"nobody2"} },
			[]string{`no role "nobody1"`, `no role "nobody2"`},
		},
		"an issuer that makes no roles": {
			func(c *postgres.Config) { c.User, c.Password = "app", grants.NewSecret("app-password") },
			[]string{`ALTER ROLE "app" CREATEROLE`},
		},
		"an issuer that may everything": {
			func(c *postgres.Config) { c.Host, c.TLS, c.User = server.Dir, "", "postgres" },
			[]string{`ALTER ROLE "postgres" NOSUPERUSER CREATEROLE`},
		},
		"another password": {
			func(c *postgres.Config) { c.Password = grants.NewSecret("wrong-password") },
			[]string{"password authentication failed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			conf := config(t)
			test.change(&conf)
			err := newIssuer(t, conf).CheckSetup(t.Context())
			for _, says := range test.says {
				if err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("it does not say %q but %v", says, err)
				}
			}
		})
	}
}
