// Package verify is what a service imports to accept Nightlatch's tokens: it
// wraps an http.Handler, and what reaches that handler is allowed.
//
// # In five minutes
//
// The role's configuration names this service as its audience and says, line by
// line, which methods and paths its tokens open ("GET /v1/orders/*": * is one
// segment, ** at the end is the rest). The token endpoints' configuration names this
// service as a caller that may introspect tokens of that audience, with the SHA-256 of a
// secret. The service has the secret itself:
//
//	v, err := verify.New(verify.Config{
//		Issuer:   "https://nightlatch.example.com",
//		Audience: "https://orders.example.com",
//		Caller:   "orders-api",
//		Secret:   verify.Secret(os.Getenv("NIGHTLATCH_SECRET")),
//	})
//	if err != nil {
//		return err
//	}
//	http.Handle("/v1/", v.Wrap(orders))
//
// In the handler, [FromContext] says who calls, and under which grant. Try it:
//
//	curl -H "Authorization: Bearer $TOKEN" https://orders.example.com/v1/orders/4711
//
// # What is checked
//
// Every call, in this order: one Authorization header with a bearer token;
// its type (at+jwt), its signature (ES256, whatever its header asks for) by the
// issuer's published keys; issuer, audience, expiry; that the credential is live, by asking
// the issuer (RFC 7662); that the path has one reading only; that
// authorization_details (RFC 9396, type http_api) give the method and the path.
// A detail of an unknown type refuses the call, and so does a token without details:
// scope words alone open nothing here.
//
// A path is refused before it is compared if somebody could read it otherwise: with
// a segment of dots or an empty one; with a backslash, a semicolon, a percent
// sign, ? or #, a control character, or bytes that are no UTF-8, escaped or not; with an escaped
// slash; with an escaped letter, digit or one of -._~, which need no escape. A slash at the
// end is part of the path. The method is that of the request line, compared letter by letter
// (GET does not give HEAD); headers by which some frameworks replace method or path are refused. A field
// _method in a form is not looked for: the wrapped handler must not obey it.
//
// # What the handler sees
//
// The path that was judged, in URL.Path, URL.EscapedPath and RequestURI alike. Wrap
// outside of whatever changes paths again; http.StripPrefix belongs inside, unless the
// role's paths are meant without the prefix. The Authorization header is gone:
// the handler has no use for it, and its logs and the services behind it should not get it.
//
// # How fast a token dies
//
// An answer of the issuer counts for at most one second, so a revoked token is refused
// one second and one question after its end. While the issuer does not answer,
// tokens that it called live when it was asked last go on for OfflineGrace after that,
// and never beyond their expiry; all others are answered 503. An issuer that answers, and does
// not know this service (a wrong secret), is no outage: nothing goes on then, and the log says what to compare. Offline asks
// for keys only: it accepts tokens that were made for at most ten minutes, and refuses all
// others, because their end would not be noticed. A call that has begun is never cut; a
// connection that was upgraded outlives its token unless the handler looks at [Token].
//
// # Answers
//
// By RFC 6750: 401 without and with invalid_token, 403 insufficient_scope, 400
// invalid_request for a path, a header or a method that is not plain, and 503 when nobody can say.
// Each call is one line in the log with the grant, the person and, where the token names one, the incident; never the token.
//
// # Caveats
//
// Nothing is fetched before the first call. Keys are asked for again after five
// minutes, and when a token names an unknown one, at most every five seconds; keys that cannot
// be asked for again are used for ten more minutes. The service's clock may be up to
// a minute behind the issuer's; an expiry is taken by the letter. Tokens elsewhere than in the
// Authorization header (a query, a form) are not looked for.
package verify
