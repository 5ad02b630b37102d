package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"nightlatch/grants"
)

// maxSkew is how far the server's clock may be from ours: it judges the expiry.
const maxSkew = time.Minute

// Issuer makes roles on one server and remembers none of them.
type Issuer struct {
	config Config
	conn   *pgx.ConnConfig
}

// New returns an issuer, or says everything that the configuration lacks. It connects to nothing.
func New(c Config) (*Issuer, error) {
	c = c.complete()
	var errs []error
	for _, p := range c.Problems() {
		errs = append(errs, fmt.Errorf("%s %s", p.Key, p.Text))
	}
	if c.Instance == "" {
		errs = append(errs, errors.New("the instance is missing: every name begins with it"))
	}
	conn, err := c.connConfig()
	if err = errors.Join(append(errs, err)...); err != nil {
		return nil, fmt.Errorf("configuring the PostgreSQL issuer: %w", err)
	}
	return &Issuer{config: c, conn: conn}, nil
}

// Describe says how long a login may live, and that it is cut within seconds: no session outlives a revocation.
func (i *Issuer) Describe(grants.Verify) grants.Description {
	return grants.Description{Least: least, Greatest: i.config.Greatest, Class: grants.Seconds}
}

// Plan says what a login for the order would open, and until when it would at most.
func (i *Issuer) Plan(_ context.Context, o grants.Order) (grants.Plan, error) {
	until, err := i.read(o)
	if err != nil {
		return grants.Plan{}, fmt.Errorf("planning a login for role %q: %w", o.Role, err)
	}
	most := ""
	if until.Before(o.Until) {
		most = fmt.Sprintf(", %s at most", strings.TrimSuffix(i.config.Greatest.String(), "0m0s"))
	}
	roles := "as " + strings.Join(o.Scopes, ", ")
	return grants.Plan{
		Sentence: fmt.Sprintf("A login to the database %s on %s, %s, until the grant ends%s; "+
			"its sessions are cut within seconds when it is revoked, and what it made stays.",
			i.config.Database, i.config.address(), roles, most),
		Until: until,
	}, nil
}

// read checks an order and cuts its end to the greatest lifetime.
func (i *Issuer) read(o grants.Order) (time.Time, error) {
	until := o.Until.UTC().Truncate(time.Microsecond) // which is what the server keeps
	if last := o.Now.Add(i.config.Greatest); until.After(last) {
		until = last.UTC().Truncate(time.Microsecond)
	}
	err := ScopesRule(o.Scopes, i.config.Templates)
	if !until.After(o.Now) {
		err = errors.Join(err, errors.New("the grant is over"))
	}
	return until, err
}

// Issue makes the role in one transaction. Under a name that exists it changes the password, so that one of the two that
// were issued works; what was revoked stays so.
func (i *Issuer) Issue(ctx context.Context, o grants.Order) (grants.Secret, error) {
	until, err := i.read(o)
	if err = errors.Join(i.own(o.Name), err); err != nil {
		return grants.Secret{}, fmt.Errorf("issuing a login for role %q: %w", o.Role, err)
	}
	password := newPassword()
	proof, err := verifier(password)
	if err != nil {
		return grants.Secret{}, fmt.Errorf("issuing a login for role %q: %w", o.Role, err)
	}
	err = i.with(ctx, i.config.Database, func(conn *pgx.Conn) error {
		if err := i.inspect(ctx, conn, o); err != nil {
			return err
		}
		err := i.in(ctx, conn, func(tx pgx.Tx) error { return i.run(ctx, tx, i.create(o, proof, until)) })
		if !is(err, duplicateObject, uniqueViolation) {
			return err
		}
		return i.in(ctx, conn, func(tx pgx.Tx) error { return i.change(ctx, tx, o.Name, proof, until) })
	})
	if err != nil {
		return grants.Secret{}, fmt.Errorf("issuing a login for role %q: %w", o.Role, err)
	}
	return grants.NewSecret(i.config.uri(o.Name, password)), nil
}

// own holds a name against those that this installation gives.
func (i *Issuer) own(name string) error {
	grant, ok := grants.GrantOf(i.config.Instance, name)
	ordinal, err := strconv.Atoi(strings.TrimPrefix(name, i.config.Instance+"-"+grant+"-"))
	if !ok || err != nil || ordinal < 1 || name != grants.CredentialName(i.config.Instance, grant, ordinal) || len(name) > maxIdentifier {
		return fmt.Errorf("%q: %w", name, ErrForeign)
	}
	return nil
}

// create is the statement that makes a role. Each attribute is named, whatever the defaults are.
func (i *Issuer) create(o grants.Order, proof string, until time.Time) string {
	templates := make([]string, 0, len(o.Scopes))
	for _, s := range o.Scopes {
		templates = append(templates, quoted(s))
	}
	return fmt.Sprintf("CREATE ROLE %s LOGIN INHERIT NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS "+
		"CONNECTION LIMIT %d PASSWORD '%s' VALID UNTIL '%s' IN ROLE %s",
		quoted(o.Name), i.config.Connections, proof, stamp(until), strings.Join(templates, ", "))
}

// change gives a role that exists a new password, unless it was locked out.
func (i *Issuer) change(ctx context.Context, tx pgx.Tx, name, proof string, until time.Time) error {
	if err := i.run(ctx, tx, fmt.Sprintf("ALTER ROLE %s PASSWORD '%s' VALID UNTIL '%s'", quoted(name), proof, stamp(until))); err != nil {
		return err
	}
	r, err := i.find(ctx, tx, name)
	if err == nil && (r.gone || !r.logsIn) {
		err = ErrEnded
	}
	return err
}

// stamp is a time as a literal; the server reads ISO 8601 whatever its settings are.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.999999-07") }

// inspect refuses to issue where the expiry would not hold, or where a role leads to the whole server.
func (i *Issuer) inspect(ctx context.Context, conn *pgx.Conn, o grants.Order) error {
	var now time.Time
	var known, mighty []string
	const mightyRoles = "r.rolsuper OR r.rolcreaterole OR r.rolreplication OR " +
		"r.rolname IN ('pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files')"
	err := conn.QueryRow(ctx, `SELECT clock_timestamp(),
		ARRAY(SELECT t.rolname::text FROM pg_roles t WHERE t.rolname = ANY($1)),
		ARRAY(SELECT DISTINCT t.rolname::text FROM pg_roles t JOIN pg_roles r ON pg_has_role(t.oid, r.oid, 'MEMBER')
			WHERE t.rolname = ANY($1) AND (`+mightyRoles+`) ORDER BY 1)`,
		append(slices.Clone(o.Scopes), i.config.Owner)).Scan(&now, &known, &mighty)
	if err != nil {
		return fmt.Errorf("looking at the server: %w", i.clean(ctx, err))
	}
	var errs []error
	if skew := now.Sub(o.Now); skew.Abs() > maxSkew {
		errs = append(errs, fmt.Errorf("the server's clock is off by %s, so its expiry would not hold", skew.Round(time.Second)))
	}
	for _, name := range append(slices.Clone(o.Scopes), i.config.Owner) {
		if !slices.Contains(known, name) {
			errs = append(errs, fmt.Errorf("the server has no role %q", name))
		}
	}
	for _, name := range mighty {
		errs = append(errs, fmt.Errorf("the role %q leads to the whole server: a superuser, CREATEROLE, REPLICATION, or its files and programs", name))
	}
	return errors.Join(errs...)
}

// Renew moves the expiry of a role that may still log in.
func (i *Issuer) Renew(ctx context.Context, name string, until time.Time) error {
	err := i.own(name)
	if err == nil {
		err = i.with(ctx, i.config.Database, func(conn *pgx.Conn) error {
			return i.in(ctx, conn, func(tx pgx.Tx) error { return i.renew(ctx, tx, name, until) })
		})
	}
	if err != nil {
		return fmt.Errorf("renewing %s: %w", name, err)
	}
	return nil
}

func (i *Issuer) renew(ctx context.Context, tx pgx.Tx, name string, until time.Time) error {
	r, err := i.find(ctx, tx, name)
	switch {
	case err != nil:
		return err
	case r.gone || !r.logsIn || r.expired:
		return ErrEnded
	case until.Sub(r.now) > i.config.Greatest+maxSkew:
		return fmt.Errorf("a login lives %s at most", i.config.Greatest)
	}
	return i.run(ctx, tx, fmt.Sprintf("ALTER ROLE %s VALID UNTIL '%s'", quoted(name), stamp(until)))
}

// Check asks the server about a role. Whatever can be done with one counts: a session that goes on, and another
// role that may still become it.
func (i *Issuer) Check(ctx context.Context, h grants.Handle, _ time.Time) (grants.Finding, error) {
	var found grants.Finding
	err := i.own(h.Name)
	if err == nil {
		err = i.with(ctx, i.config.Database, func(conn *pgx.Conn) error {
			r, err := i.find(ctx, conn, h.Name)
			found = r.finding()
			return err
		})
	}
	if err != nil {
		return "", fmt.Errorf("checking %s: %w", h.Name, err)
	}
	return found, nil
}
