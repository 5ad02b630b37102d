package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"nightlatch/grants"
)

// The bounds of a revocation; the caller's context is another.
const (
	tries        = 5                      // where somebody else does the same
	tryPause     = 50 * time.Millisecond  // times the number of the try
	passes       = 8                      // over databases in which something appears meanwhile
	sessionPause = 10 * time.Millisecond  // between two looks at sessions that end, first …
	sessionSlow  = 200 * time.Millisecond // … and at last
	sessionWait  = 4 * time.Second        // for all of them
)

// errGhost says that a session came in at the last moment.
var errGhost = errors.New("a session came in at the last moment")

// role is what the server says of one.
type role struct {
	gone     bool // there is none
	oid      uint32
	logsIn   bool
	expired  bool // by the server's own clock
	now      time.Time
	sessions int
	members  []string // others than the issuer who may become it
}

// finding is what the role proves.
func (r role) finding() grants.Finding {
	switch {
	case r.gone:
		return grants.AbsentFinding
	case r.sessions > 0 || len(r.members) > 0:
		return grants.AliveFinding
	case !r.logsIn:
		return grants.RefusedFinding
	case r.expired:
		return grants.ExpiredFinding
	}
	return grants.AliveFinding
}

// querier is a connection or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// find looks a role up.
func (i *Issuer) find(ctx context.Context, q querier, name string) (role, error) {
	var r role
	err := q.QueryRow(ctx, `SELECT r.oid, r.rolcanlogin, coalesce(r.rolvaliduntil <= clock_timestamp(), false), clock_timestamp(),
		(SELECT count(*) FROM pg_stat_activity a WHERE a.usesysid = r.oid),
		ARRAY(SELECT m.rolname::text FROM pg_auth_members am JOIN pg_roles m ON m.oid = am.member
			WHERE am.roleid = r.oid AND m.rolname <> current_user ORDER BY 1)
		FROM pg_roles r WHERE r.rolname = $1`, name).
		Scan(&r.oid, &r.logsIn, &r.expired, &r.now, &r.sessions, &r.members)
	if errors.Is(err, pgx.ErrNoRows) {
		return role{gone: true}, nil
	}
	if err != nil {
		return role{}, fmt.Errorf("looking for the role: %w", i.clean(ctx, err))
	}
	return r, nil
}

// Revoke takes the access away and keeps the work. It goes on where an earlier call was cut off.
func (i *Issuer) Revoke(ctx context.Context, name string) error {
	err := i.own(name)
	for try := 1; err == nil; try++ {
		if err = i.revoke(ctx, name); err == nil {
			return nil
		}
		if again(err) && try < tries && wait(ctx, tryPause*time.Duration(try)) == nil {
			err = nil
		}
	}
	return fmt.Errorf("revoking %s: %w", name, err)
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// revoke is one try.
func (i *Issuer) revoke(ctx context.Context, name string) error {
	return i.with(ctx, i.config.Database, func(conn *pgx.Conn) error {
		r, err := i.find(ctx, conn, name)
		if err != nil || r.gone {
			return err
		}
		if err := i.lockOut(ctx, conn, name, r); err != nil {
			return fmt.Errorf("locking out: %w", err)
		}
		if err := i.evict(ctx, conn, r.oid); err != nil {
			return fmt.Errorf("ending sessions: %w", err)
		}
		if err := i.unprepared(ctx, conn, name); err != nil {
			return err
		}
		if err := i.handOver(ctx, conn, name, r.oid); err != nil {
			return err
		}
		if err := i.drop(ctx, conn, name, r.oid); err != nil {
			return fmt.Errorf("dropping the role: %w", err)
		}
		return nil
	})
}

// lockOut ends every way into the role but our own: its logins, and whoever it has let become it. The issuer joins
// it, because only its members may end its sessions and give away what it owns.
func (i *Issuer) lockOut(ctx context.Context, conn *pgx.Conn, name string, r role) error {
	statements := []string{
		fmt.Sprintf("ALTER ROLE %s NOLOGIN PASSWORD NULL", quoted(name)),
		fmt.Sprintf("GRANT %s TO CURRENT_USER", quoted(name)),
	}
	if version(conn) >= 16 { // where joining alone gives no right
		statements[1] += " WITH INHERIT TRUE, SET TRUE"
	} else { // where, until 14, every role may let others become it
		for _, m := range r.members {
			statements = append(statements, fmt.Sprintf("REVOKE %s FROM %s", quoted(name), quoted(m)))
		}
	}
	return i.in(ctx, conn, func(tx pgx.Tx) error { return i.run(ctx, tx, statements...) })
}

// version is the server's major version; 0 if it does not say.
func version(conn *pgx.Conn) (major int) {
	_, _ = fmt.Sscanf(conn.PgConn().ParameterStatus("server_version"), "%d", &major)
	return major
}

// evict ends the role's sessions and waits until none is left. A session takes a moment to end, and rolls back first.
func (i *Issuer) evict(ctx context.Context, conn *pgx.Conn, oid uint32) error {
	end := time.Now().Add(sessionWait)
	for pause := sessionPause; ; pause = min(2*pause, sessionSlow) {
		var left int
		err := conn.QueryRow(ctx, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usesysid = $1", oid).Scan(&left)
		switch {
		case err != nil:
			return i.clean(ctx, err)
		case left == 0:
			return nil
		case time.Now().After(end):
			return fmt.Errorf("%w: %d after %s", ErrSessions, left, sessionWait)
		}
		if err := wait(ctx, pause); err != nil {
			return err
		}
	}
}

// unprepared refuses to go on over prepared transactions: what they made would belong to nobody.
func (i *Issuer) unprepared(ctx context.Context, conn *pgx.Conn, name string) error {
	var databases []string
	err := conn.QueryRow(ctx, "SELECT ARRAY(SELECT DISTINCT database::text FROM pg_prepared_xacts WHERE owner = $1 ORDER BY 1)", name).Scan(&databases)
	switch {
	case err != nil:
		return fmt.Errorf("looking for prepared transactions: %w", i.clean(ctx, err))
	case len(databases) > 0:
		return fmt.Errorf("%w in %q: a superuser must COMMIT PREPARED or ROLLBACK PREPARED them (pg_prepared_xacts)", ErrPrepared, databases)
	}
	return nil
}

// handOver gives away what the role owns and takes from it what it was given, in each database that the catalogue
// names, until it names none: one that is copied meanwhile appears there too.
func (i *Issuer) handOver(ctx context.Context, conn *pgx.Conn, name string, oid uint32) error {
	var before []string
	for range passes {
		var open, shut []string
		err := conn.QueryRow(ctx, `WITH left_in AS (
			SELECT DISTINCT coalesce(d.datname, current_database()) AS name, coalesce(d.datallowconn, true) AS open
			FROM pg_shdepend s LEFT JOIN pg_database d ON d.oid = s.dbid
			WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = $1)
			SELECT ARRAY(SELECT name::text FROM left_in WHERE open ORDER BY 1), ARRAY(SELECT name::text FROM left_in WHERE NOT open ORDER BY 1)`,
			oid).Scan(&open, &shut)
		switch {
		case err != nil:
			return fmt.Errorf("looking for what it left: %w", i.clean(ctx, err))
		case len(open) > 0 && !slices.Equal(open, before):
		case len(shut) > 0:
			return fmt.Errorf("it left something in %q, which accepts no connections", shut)
		default: // nothing, or what does not move: dropping the role says what
			return nil
		}
		for _, database := range open {
			if err := i.handOverIn(ctx, database, name, oid); err != nil {
				return fmt.Errorf("handing over what it left in %q: %w", database, err)
			}
		}
		before = open
	}
	return nil
}

// handOverIn does so in one database, in one transaction. Schemas go first: an owner must be allowed to create in the
// schema of what it gets.
func (i *Issuer) handOverIn(ctx context.Context, database, name string, oid uint32) error {
	return i.with(ctx, database, func(conn *pgx.Conn) error {
		return i.in(ctx, conn, func(tx pgx.Tx) error {
			var schemas, statements []string
			err := tx.QueryRow(ctx, "SELECT ARRAY(SELECT nspname::text FROM pg_namespace WHERE nspowner = $1 ORDER BY 1)", oid).Scan(&schemas)
			if err != nil {
				return i.clean(ctx, err)
			}
			for _, s := range schemas {
				statements = append(statements, fmt.Sprintf("ALTER SCHEMA %s OWNER TO %s", quoted(s), quoted(i.config.Owner)))
			}
			statements = append(statements,
				fmt.Sprintf("REASSIGN OWNED BY %s TO %s", quoted(name), quoted(i.config.Owner)),
				fmt.Sprintf("DROP OWNED BY %s", quoted(name)))
			return i.run(ctx, tx, statements...)
		})
	})
}

// drop drops the role, unless one of its sessions is there after all: one that was let in just before the role was locked out.
func (i *Issuer) drop(ctx context.Context, conn *pgx.Conn, name string, oid uint32) error {
	return i.in(ctx, conn, func(tx pgx.Tx) error {
		if err := i.run(ctx, tx, fmt.Sprintf("DROP ROLE %s", quoted(name))); err != nil {
			return err
		}
		var left int
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE usesysid = $1", oid).Scan(&left); err != nil {
			return i.clean(ctx, err)
		}
		if left > 0 {
			return errGhost
		}
		return nil
	})
}
