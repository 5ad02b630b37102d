package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"nightlatch/grants"
)

// CheckSetup says what the server lacks, or has too much of, for issuing and revoking to work as docs/postgres.md promises:
// one error for each thing, with what to do. It changes nothing.
func (i *Issuer) CheckSetup(ctx context.Context) error {
	return i.with(ctx, i.config.Database, func(conn *pgx.Conn) error {
		o := grants.Order{Scopes: i.config.Templates, Now: time.Now()}
		return errors.Join(i.inspect(ctx, conn, o), i.checkRoles(ctx, conn))
	})
}

// checkRoles looks at the issuer, the owner and the templates, as far as they are there.
func (i *Issuer) checkRoles(ctx context.Context, conn *pgx.Conn) error {
	var super, creates, owns bool
	var logsIn, more, unowned []string
	err := conn.QueryRow(ctx, `SELECT me.rolsuper, me.rolcreaterole,
		coalesce((SELECT pg_has_role(me.oid, o.oid, 'USAGE') FROM pg_roles o WHERE o.rolname = $1), true),
		ARRAY(SELECT r.rolname::text FROM pg_roles r WHERE r.rolcanlogin AND (r.rolname = $1 OR r.rolname = ANY($2)) ORDER BY 1),
		ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles o ON o.oid = m.member
			WHERE o.rolname = $1 ORDER BY 1),
		ARRAY(SELECT r.rolname::text FROM pg_roles r WHERE r.rolname = ANY($2)
			AND current_setting('server_version_num')::int >= 160000 AND NOT pg_has_role(me.oid, r.oid, 'MEMBER WITH ADMIN OPTION') ORDER BY 1)
		FROM pg_roles me WHERE me.rolname = current_user`, i.config.Owner, i.config.Templates).
		Scan(&super, &creates, &owns, &logsIn, &more, &unowned)
	if err != nil {
		return fmt.Errorf("looking at the roles: %w", i.clean(ctx, err))
	}
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	user, owner := quoted(i.config.User), quoted(i.config.Owner)
	if super {
		wrong("the issuer is a superuser, and needs CREATEROLE only: ALTER ROLE %s NOSUPERUSER CREATEROLE", user)
	} else if !creates {
		wrong("the issuer cannot make roles: ALTER ROLE %s CREATEROLE", user)
	}
	if !owns {
		wrong("the issuer cannot give to the owner what people have made: GRANT %s TO %s", owner, user)
	}
	for _, name := range logsIn {
		wrong("the role %q logs in, and a template or an owner must not: ALTER ROLE %s NOLOGIN, or name another one", name, quoted(name))
	}
	for _, name := range more {
		wrong("the owner is a member of %q, and views and functions that people leave run with its rights: REVOKE %s FROM %s, or name another owner",
			name, quoted(name), owner)
	}
	for _, name := range unowned {
		wrong("the issuer may not give the template %q to others: GRANT %s TO %s WITH ADMIN TRUE, INHERIT FALSE, SET FALSE", name, quoted(name), user)
	}
	return errors.Join(errs...)
}
