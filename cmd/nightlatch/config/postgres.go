package config

import (
	"fmt"
	"slices"
	"strings"

	"nightlatch/grants"
	"nightlatch/integrations/postgres"
)

// Postgres is a PostgreSQL server on which people can be given logins.
type Postgres struct {
	Name        string           `json:"name"` // what roles name as their issuer
	Host        string           `json:"host"` // or the directory of its socket
	Port        int              `json:"port"`
	User        string           `json:"user"`     // the issuer's own role
	Database    string           `json:"database"` // where the issuer connects first, and which people are sent to
	Public      string           `json:"public"`   // host:port as people reach it; empty: as the issuer does
	SSLMode     postgres.TLSMode `json:"sslmode"`
	RootCert    string           `json:"root_cert"`   // empty: the system's authorities
	Templates   []string         `json:"templates"`   // the roles that may be given; a role's scopes are among them
	Owner       string           `json:"owner"`       // who owns afterwards what people have made
	Connections int              `json:"connections"` // of one credential at once
}

// completePostgres fills in what a target left out.
func completePostgres(p Postgres) Postgres {
	if p.Port == 0 {
		p.Port = 5432
	}
	if p.SSLMode == "" {
		p.SSLMode = postgres.VerifyFull
		if p.socket() {
			p.SSLMode = postgres.Disable
		}
	}
	if p.Connections == 0 {
		p.Connections = 5
	}
	return p
}

func (p Postgres) socket() bool { return strings.HasPrefix(p.Host, "/") }

// Target is the server as its issuer knows it, for one installation.
func (p Postgres) Target(instance string, password grants.Secret) postgres.Config {
	return postgres.Config{
		Instance: instance, Host: p.Host, Port: p.Port, User: p.User, Password: password, Database: p.Database,
		TLS: p.SSLMode, RootCert: p.RootCert, Public: p.Public,
		Templates: p.Templates, Owner: p.Owner, Connections: p.Connections,
	}
}

// password is the variable of the issuer's password.
func (p Postgres) password() variable {
	return variable("NIGHTLATCH_POSTGRES_" + strings.ToUpper(strings.ReplaceAll(p.Name, "-", "_")) + "_PASSWORD")
}

// target finds the server that a role names as its issuer.
func (c Config) target(issuer string) (Postgres, bool) {
	i := slices.IndexFunc(c.Postgres, func(p Postgres) bool { return p.Name == issuer })
	if i < 0 {
		return Postgres{}, false
	}
	return c.Postgres[i], true
}

func (c Config) checkPostgres(k *checker) {
	first := map[string]int{}
	for i, p := range c.Postgres {
		key := fmt.Sprintf("postgres[%d]", i)
		before, again := first[p.Name]
		switch {
		case again:
			k.problem(key+".name", "%q is already the name of postgres[%d]", p.Name, before)
		case !word.MatchString(p.Name):
			k.problem(key+".name", "must be one lower-case word of at most 40 letters, digits and dashes: roles name it as their issuer")
		case p.Name == issuerToken:
			k.problem(key+".name", "%q is the issuer of our own tokens; take another word", p.Name)
		case !slices.ContainsFunc(c.Roles, func(r grants.Role) bool { return r.Issuer == p.Name }):
			k.warn(key+".name", "no role has %q as its issuer; it is revoked there what was given earlier, and nothing new is given", p.Name)
		}
		if !again {
			first[p.Name] = i
		}
		for _, wrong := range p.Target("", grants.Secret{}).Problems() {
			k.problem(key+"."+wrong.Key, "%s", wrong.Text)
		}
		if p.SSLMode == postgres.VerifyCA {
			k.warn(key+".sslmode", "is verify-ca: whoever has any certificate of that authority can pass for the server; verify-full asks for its name too")
		}
	}
}

// loadPostgres reads the issuers' passwords. On a socket the server may know the issuer by its user instead.
func loadPostgres(f File, targets []Postgres, secrets *Secrets) []Problem {
	var problems []Problem
	secrets.Postgres = map[string]grants.Secret{}
	for _, p := range targets {
		v := p.password()
		if !word.MatchString(p.Name) || p.socket() && !v.set(f.Env) {
			continue
		}
		value, err := v.load(f.Env)
		if err != nil {
			problems = append(problems, Problem{Key: string(v), Text: err.Error()})
			continue
		}
		secrets.Postgres[p.Name] = grants.NewSecret(value)
	}
	return problems
}
