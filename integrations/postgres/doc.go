// Package postgres gives people PostgreSQL logins that end with their grants.
//
// A credential is a role of its own, named after the grant, that logs in with a generated password, is a member of the
// template roles that the order's scopes name, and has an expiry at the server too. The password is made here and leaves as
// part of a connection string; the server gets its SCRAM-SHA-256 verifier only, so no statement and no log line of the server
// ever holds it.
//
// Revoking takes away access, never work. In this order, each step safe to repeat: the role may not log in any more; its
// sessions are ended, until none is left; what it owns goes to the declared owner and what it was given is taken from it, in every
// database where it has left something; it is dropped. After the first two it is dead; whatever holds up the others is an error
// that says what a human must do, and the next call goes on from there.
//
// # Life cycle
//
// [New] checks a [Config] and connects to nothing. Each verb opens connections and closes them. There is no
// state besides the server's own.
//
// # Caveats
//
// An expiry stops new logins and no session: sessions end when Nightlatch revokes. PostgreSQL looks at expiries only where
// a password is asked for, so pg_hba.conf must ask these roles for one.
//
// Three things keep a role from being dropped, until somebody undoes them: a prepared transaction of its own (only its owner or
// a superuser may end it), a privilege that an owner gave to the role itself rather than to a template, and an object that the
// declared owner may not own where it is, because it has no CREATE there. The role is locked out all the same.
//
// Connections go to the server itself: a pooler like PgBouncer refuses the settings that keep them safe.
package postgres
