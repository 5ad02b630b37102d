package postgres_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"nightlatch/grants"
	"nightlatch/grants/service"
	"nightlatch/integrations/issuertest"
	"nightlatch/integrations/postgres"
)

func TestIssuerKeepsItsContract(t *testing.T) {
	c := config(t)
	by := func(t testing.TB, instance string, change func(*postgres.Config)) service.Issuer {
		c := c
		c.Instance = instance
		if change != nil {
			change(&c)
		}
		return newIssuer(t, c)
	}
	issuertest.Run(t, issuertest.Target{
		Issuer: func(t testing.TB, instance string) service.Issuer { return by(t, instance, nil) },
		Order:  grants.Order{Role: "orders-write", Scopes: []string{"orders_read", "orders_write"}},
		Opens:  opens,
		Broken: func(t testing.TB, instance string) map[string]service.Issuer {
			return map[string]service.Issuer{
				"nobody is there": by(t, instance, func(c *postgres.Config) {
					c.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route to host") }
				}),
				"another password": by(t, instance, func(c *postgres.Config) { c.Password = grants.NewSecret("wrong-password") }),
				"no such database": by(t, instance, func(c *postgres.Config) { c.Database = "nowhere" }),
				"no right to make roles": by(t, instance, func(c *postgres.Config) {
					c.User, c.Password = "app", grants.NewSecret("app-password")
					server.Do(t, "postgres", "ALTER ROLE app PASSWORD 'app-password'")
				}),
				"cut off early": by(t, instance, func(c *postgres.Config) { c.Dial = (&cutter{after: 4}).dial }),
				"cut off late":  by(t, instance, func(c *postgres.Config) { c.Dial = (&cutter{after: 9}).dial }),
			}
		},
		Hidden: []string{password, "SCRAM-SHA-256$", "wrong-password", "app-password"},
	})
}
