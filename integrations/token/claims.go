package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// typ says in a token's header that it is an access token (RFC 9068, section 2.1).
const typ = "at+jwt"

// claims are the body of a token, and of introspection's answer. The order of
// the fields is the order on the wire.
type claims struct {
	jwt.RegisteredClaims
	ClientID   string   `json:"client_id"`
	Scope      string   `json:"scope,omitempty"`
	Details    []detail `json:"authorization_details,omitempty"`
	Nightlatch origin   `json:"nightlatch"`
}

// origin tells a service's log which access a token belongs to.
type origin struct {
	Role  string `json:"role"`
	Grant string `json:"grant"`
}

// size is how many bytes the claims of an access take.
func (a access) size() int {
	raw, err := json.Marshal(a.details)
	if err != nil {
		return maxToken // strings always encode; were it otherwise, nothing would fit
	}
	return len(raw) + len(strings.Join(a.words, " "))
}

// sign makes the token. Its header is alg, kid, typ, in this order: the library
// encodes a map, whose keys are sorted.
func (k Key) sign(c claims) (string, error) {
	unsigned := jwt.NewWithClaims(jwt.SigningMethodES256, c)
	unsigned.Header["typ"], unsigned.Header["kid"] = typ, k.id
	signed, err := unsigned.SignedString(k.private)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	return signed, nil
}

// Why a token is not active.
var (
	errNotOurs = errors.New("not a token of ours")
	errExpired = errors.New("expired")
)

// read verifies a token: whose it is, and that it has not expired. The claims
// come with errExpired too, and never with errNotOurs. What the token says never
// becomes part of an error.
func (k Keys) read(raw, issuer string, now time.Time) (claims, error) {
	var c claims
	// The claims are checked below: the library would accept a token without expiry, and
	// would refuse a fresh one when the clock was set back after it was signed.
	parser := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodES256.Alg()}),
		jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())
	_, err := parser.ParseWithClaims(raw, &c, func(t *jwt.Token) (any, error) {
		id, _ := t.Header["kid"].(string)
		key, ok := k.find(id)
		if !ok || t.Header["typ"] != typ || len(t.Header) != 3 { // 3: nothing "crit" that we would not understand
			return nil, errNotOurs
		}
		return key, nil
	})
	switch {
	case err != nil:
		return claims{}, errNotOurs
	case c.Issuer != issuer, len(c.Audience) != 1, c.ID == "", c.ExpiresAt == nil:
		return claims{}, errNotOurs
	case !now.Before(c.ExpiresAt.Time):
		return c, errExpired
	}
	return c, nil
}
