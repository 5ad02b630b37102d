package token

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"nightlatch/grants"
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

// signer is what the claims of all tokens have in common.
type signer struct{ url, clientID string }

// claims are those of a token for an order that gives this access.
func (a access) claims(by signer, o grants.Order, until time.Time) claims {
	now := jwt.NewNumericDate(o.Now)
	return claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: by.url, Subject: string(o.Person.Key), Audience: jwt.ClaimStrings{o.Audience}, ID: o.Name,
			ExpiresAt: jwt.NewNumericDate(until), NotBefore: now, IssuedAt: now,
		},
		ClientID:   by.clientID,
		Scope:      strings.Join(a.words, " "),
		Details:    a.details,
		Nightlatch: origin{Role: o.Role, Grant: o.Grant},
	}
}

// maxToken is what one preformatted block of a Slack view holds.
const maxToken = 3000

// envelope is what a token has besides its claims: the header of 66 bytes in base64, two dots and the signature.
const envelope = 88 + 2 + 86

// checkLength refuses claims whose token nobody could be shown.
func (c claims) checkLength() error {
	raw, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encoding claims: %w", err)
	}
	if size := base64.RawURLEncoding.EncodedLen(len(raw)) + envelope; size > maxToken {
		return fmt.Errorf("its tokens would have %d characters, and one view in Slack shows %d; use wider paths or split the role", size, maxToken)
	}
	return nil
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
