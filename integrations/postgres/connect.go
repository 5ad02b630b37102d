package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// How long the server may take.
const (
	connectPatience   = 3 * time.Second
	goodbyePatience   = time.Second
	statementPatience = 8 * time.Second // shorter than a call
	lockPatience      = 2 * time.Second // whoever waits for a lock holds up everybody behind
	idlePatience      = 10 * time.Second
)

// settings are those of every session. The search path keeps what people have made out of our statements; they
// are sent with the connection, so nothing that a database or a role declares comes before them.
func settings() map[string]string {
	ms := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	return map[string]string{
		"application_name":                    "nightlatch",
		"search_path":                         "pg_catalog, pg_temp",
		"standard_conforming_strings":         "on",
		"statement_timeout":                   ms(statementPatience),
		"lock_timeout":                        ms(lockPatience),
		"idle_in_transaction_session_timeout": ms(idlePatience),
	}
}

// settingsOf are the connection's parameters without password and database.
func (c Config) connConfig() (*pgx.ConnConfig, error) {
	quote := func(s string) string { return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'" }
	parts := []string{
		"host=" + quote(c.Host), "port=" + strconv.Itoa(c.Port), "user=" + quote(c.User), "sslmode=" + string(c.TLS),
		"dbname=" + quote(c.Database), "passfile=''", "sslcert=''", "sslkey=''", "sslrootcert=" + quote(c.RootCert),
		"target_session_attrs=any", "channel_binding=prefer",
	}
	conf, err := pgx.ParseConfig(strings.Join(parts, " "))
	if err != nil {
		return nil, errors.New(strings.TrimSpace(strings.Split(err.Error(), "\n")[0])) // a parser's error holds what it parsed
	}
	conf.Password = c.Password.Expose()
	conf.RuntimeParams = settings()
	conf.Fallbacks = nil
	conf.ConnectTimeout = connectPatience
	conf.DefaultQueryExecMode = pgx.QueryExecModeExec
	conf.OnNotice = func(*pgconn.PgConn, *pgconn.Notice) {} // they name what people have made
	if c.Dial != nil {
		conf.DialFunc = c.Dial
	}
	return conf, nil
}

// with runs a function on a connection to a database.
func (i *Issuer) with(ctx context.Context, database string, f func(*pgx.Conn) error) error {
	conf := i.conn.Copy()
	conf.Database = database
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return fmt.Errorf("connecting to database %q: %w", database, i.clean(ctx, err))
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyePatience)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	return f(conn)
}

// in runs a function in a transaction.
func (i *Issuer) in(ctx context.Context, conn *pgx.Conn, f func(pgx.Tx) error) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return i.clean(ctx, err)
	}
	if err := f(tx); err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyePatience)
		defer cancel()
		_ = tx.Rollback(ctx) // the connection is closed next, which rolls back too
		return err
	}
	return i.clean(ctx, tx.Commit(ctx))
}

// run executes statements, one after the other.
func (i *Issuer) run(ctx context.Context, tx pgx.Tx, statements ...string) error {
	for _, s := range statements {
		if _, err := tx.Exec(ctx, s); err != nil {
			return i.clean(ctx, err)
		}
	}
	return nil
}

// quoted makes an identifier part of a statement.
func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

// uri is what opens the server for a person: libpq and every driver read it.
func (c Config) uri(name, password string) string {
	u := url.URL{Scheme: "postgresql", User: url.UserPassword(name, password), Path: "/" + c.Database}
	q := url.Values{}
	switch {
	case c.Public != "":
		u.Host = c.Public
	case c.socket():
		q.Set("host", c.Host)
		q.Set("port", strconv.Itoa(c.Port))
	default:
		u.Host = c.address()
	}
	if u.Host != "" {
		q.Set("sslmode", string(c.TLS))
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// address is where people find the server.
func (c Config) address() string {
	if c.Public != "" {
		return c.Public
	}
	return net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
}
