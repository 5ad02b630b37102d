// Package token makes Nightlatch's own credentials, short-lived signed tokens,
// and answers the services that ask whether one of them still holds.
//
// A token is a JWT by RFC 9068: ES256, one audience, an expiry that is the
// grant's end as known when it was minted. The [Issuer] signs it and forgets
// it. What makes a token die earlier is the ledger: its jti is the name of a
// credential there, and the [Door] calls a token active only while that
// credential is live. So a revocation bites at the next introspection, and
// revoking has nothing to do here.
//
// Services either introspect (RFC 7662) and are exact, or check the signature
// with the published keys alone (RFC 7517) and learn of nothing but the expiry.
//
// Caveats: ES256 signatures are malleable, so a token has more than one
// spelling; everything is bound to the jti, never to the bytes. Whoever can
// read the key file can make tokens, but none that introspection accepts
// without a live credential of that name.
package token
