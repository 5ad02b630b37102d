package verify

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// typ says in a token's header that it is an access token (RFC 9068, section 2.1).
const typ = "at+jwt"

// maxToken is more than a token that fits into one view of Slack can have.
const maxToken = 4096

// slower is how far this clock may be behind the issuer's.
const slower = time.Minute

// offlineLife is how long a token that nobody asks about may live.
const offlineLife = 10 * time.Minute

// claims are the body of a token.
type claims struct {
	jwt.RegisteredClaims
	Scope      string          `json:"scope"`
	Details    json.RawMessage `json:"authorization_details"`
	Nightlatch struct {
		Role     string `json:"role"`
		Grant    string `json:"grant"`
		Incident string `json:"incident"`
	} `json:"nightlatch"`
}

func (c claims) token() Token {
	return Token{
		ID: c.ID, Person: c.Subject, Role: c.Nightlatch.Role, Grant: c.Nightlatch.Grant, Incident: c.Nightlatch.Incident,
		Scopes: strings.Fields(c.Scope), Expires: c.ExpiresAt.Time,
	}
}

// read verifies a token as far as it can be without asking about it.
func (v *Verifier) read(ctx context.Context, raw string) (claims, error) {
	if len(raw) > maxToken {
		return claims{}, errNotOurs
	}
	var c claims
	var silent error
	// The claims are checked below: the library would accept a token without expiry.
	parser := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodES256.Alg()}),
		jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())
	_, err := parser.ParseWithClaims(raw, &c, func(t *jwt.Token) (any, error) {
		id, _ := t.Header["kid"].(string)
		if id == "" || t.Header["typ"] != typ || len(t.Header) != 3 { // 3: nothing "crit" that we would not understand
			return nil, errNotOurs
		}
		key, err := v.keys.find(ctx, id)
		if err != nil && !errors.Is(err, errNotOurs) {
			silent = err // that nobody knows the key now says nothing about the token
		}
		return key, err
	})
	switch {
	case silent != nil:
		return claims{}, silent
	case err != nil:
		return claims{}, errNotOurs
	}
	return c, c.check(v.config, time.Now())
}

// check holds verified claims against what this service wants.
func (c claims) check(want Config, now time.Time) error {
	switch {
	case c.Issuer != want.Issuer, len(c.Audience) != 1, c.Audience[0] != want.Audience:
		return errNotOurs
	case c.ID == "", c.Subject == "", c.ExpiresAt == nil:
		return errNotOurs
	case c.NotBefore != nil && c.NotBefore.After(now.Add(slower)):
		return errNotOurs
	case !now.Before(c.ExpiresAt.Time):
		return errExpired
	case want.Offline && (c.IssuedAt == nil || c.ExpiresAt.Sub(c.IssuedAt.Time) > offlineLife):
		return errTooLong
	}
	return nil
}
