package token_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nightlatch/integrations/token"
)

// forger knows the private key of a door and writes tokens by hand.
type forger struct {
	private *ecdsa.PrivateKey
	kid     string
}

// newForger opens a house whose private key the test knows.
func newForger(t *testing.T) (*house, forger) {
	t.Helper()
	private := newPrivate(t)
	path := filepath.Join(t.TempDir(), "token.pem")
	writeKey(t, path, private, 0o600)
	key, err := token.LoadKey(path)
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, func(c *token.DoorConfig) { c.Keys = token.Keys{Current: key} })
	h.issuer = newIssuer(t, key)
	return h, forger{private, key.ID()}
}

func newPrivate(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return private
}

// writeKey writes a key file as openssl does.
func writeKey(t *testing.T, path string, private any, mode os.FileMode) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), mode)
}

func writeFile(t *testing.T, path string, content []byte, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask is
		t.Fatal(err)
	}
}

type fields map[string]any

// header returns a genuine header with changes; nil removes a field.
func (f forger) header(changes fields) fields {
	return changed(fields{"alg": "ES256", "kid": f.kid, "typ": "at+jwt"}, changes)
}

// body returns genuine claims with changes; nil removes a field.
func (f forger) body(changes fields) fields {
	o := order()
	return changed(fields{
		"iss": issuerURL, "sub": "T0NIGHT.U0ADA", "aud": o.Audience, "jti": o.Name, "client_id": "nightlatch",
		"iat": o.Now.Unix(), "nbf": o.Now.Unix(), "exp": o.Until.Unix(),
	}, changes)
}

func changed(of, changes fields) fields {
	maps.Copy(of, changes)
	maps.DeleteFunc(of, func(_ string, v any) bool { return v == nil })
	return of
}

// text is what gets signed.
func text(t *testing.T, header, body any) string {
	t.Helper()
	var parts []string
	for _, v := range []any{header, body} {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(raw))
	}
	return strings.Join(parts, ".")
}

func join(text string, signature []byte) string {
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// sign makes the signature of ES256.
func (f forger) sign(t *testing.T, text string) []byte {
	t.Helper()
	sum := sha256.Sum256([]byte(text))
	return f.signSum(t, sum[:], 32)
}

// signSum signs a digest, in two numbers of that many bytes.
func (f forger) signSum(t *testing.T, sum []byte, size int) []byte {
	t.Helper()
	r, s, err := ecdsa.Sign(rand.Reader, f.private, sum)
	if err != nil {
		t.Fatal(err)
	}
	return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
}

// loosely sets a bit after the last byte of a token's signature: other text for a lax reader's same bytes.
func loosely(raw string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(raw) - 1
	return raw[:last] + string(alphabet[strings.IndexByte(alphabet, raw[last])|1])
}

func (f forger) token(t *testing.T, header, body any) string {
	t.Helper()
	plain := text(t, header, body)
	return join(plain, f.sign(t, plain))
}

// TestForgeriesAreNotActive shows forged, altered and misused tokens to a door whose ledger calls everything live.
func TestForgeriesAreNotActive(t *testing.T) {
	h, f := newForger(t)
	if !h.holds(t, f.token(t, f.header(nil), f.body(nil))) {
		t.Fatal("not even the genuine token is active, so this test shows nothing")
	}
	h.ledger.live[""] = true
	genuine := text(t, f.header(nil), f.body(nil))
	signature := f.sign(t, genuine)
	other := forger{newPrivate(t), f.kid}
	hs := func(secret []byte) string {
		plain := text(t, f.header(fields{"alg": "HS256"}), f.body(nil))
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(plain))
		return join(plain, mac.Sum(nil))
	}
	der, err := x509.MarshalPKIXPublicKey(&f.private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	asn1, err := ecdsa.SignASN1(rand.Reader, f.private, make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	long := text(t, f.header(fields{"alg": "ES384"}), f.body(nil))
	sum := sha512.Sum384([]byte(long))
	es384 := join(long, f.signSum(t, sum[:], 48))
	none := text(t, f.header(fields{"alg": "none"}), f.body(nil))
	past := time.Now().Add(-time.Second).Unix()
	for name, raw := range map[string]string{
		"alg none":                           none + ".",
		"alg none, signed":                   join(none, f.sign(t, none)),
		"alg None":                           text(t, f.header(fields{"alg": "None"}), f.body(nil)) + ".",
		"no alg":                             f.token(t, f.header(fields{"alg": nil}), f.body(nil)),
		"HS256 with the public key (DER)":    hs(der),
		"HS256 with the public key (PEM)":    hs(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		"HS256 with nothing":                 hs(nil),
		"ES384 with our key":                 es384,
		"another key under our kid":          other.token(t, f.header(nil), f.body(nil)),
		"another key and its own kid":        other.token(t, f.header(fields{"kid": "nightlatch-other"}), f.body(nil)),
		"an unknown kid":                     f.token(t, f.header(fields{"kid": "nightlatch-unknown"}), f.body(nil)),
		"no kid":                             f.token(t, f.header(fields{"kid": nil}), f.body(nil)),
		"an empty kid":                       f.token(t, f.header(fields{"kid": ""}), f.body(nil)),
		"a kid that is a number":             f.token(t, f.header(fields{"kid": 1}), f.body(nil)),
		"typ JWT":                            f.token(t, f.header(fields{"typ": "JWT"}), f.body(nil)),
		"no typ":                             f.token(t, f.header(fields{"typ": nil}), f.body(nil)),
		"a critical header":                  f.token(t, f.header(fields{"crit": []string{"x"}, "x": 1}), f.body(nil)),
		"a key in the header":                other.token(t, f.header(fields{"jwk": fields{"kty": "EC"}}), f.body(nil)),
		"another issuer":                     f.token(t, f.header(nil), f.body(fields{"iss": "https://example.com"})),
		"no issuer":                          f.token(t, f.header(nil), f.body(fields{"iss": nil})),
		"another audience":                   f.token(t, f.header(nil), f.body(fields{"aud": "https://billing.example.com"})),
		"two audiences":                      f.token(t, f.header(nil), f.body(fields{"aud": []string{order().Audience, "x"}})),
		"no audience":                        f.token(t, f.header(nil), f.body(fields{"aud": nil})),
		"no expiry":                          f.token(t, f.header(nil), f.body(fields{"exp": nil})),
		"expired":                            f.token(t, f.header(nil), f.body(fields{"exp": past})),
		"expiry as text":                     f.token(t, f.header(nil), f.body(fields{"exp": "tomorrow"})),
		"expiry zero":                        f.token(t, f.header(nil), f.body(fields{"exp": 0})),
		"expiry negative":                    f.token(t, f.header(nil), f.body(fields{"exp": -1})),
		"no jti":                             f.token(t, f.header(nil), f.body(fields{"jti": nil})),
		"a jti that the ledger doesn't hold": f.token(t, f.header(nil), f.body(fields{"jti": "k3v9x2aa-x-2"})),
		"claims null":                        f.token(t, f.header(nil), nil),
		"claims a list":                      f.token(t, f.header(nil), []int{1}),
		"header null":                        f.token(t, nil, f.body(nil)),
		"claims changed after signing":       join(text(t, f.header(nil), f.body(fields{"aud": "x"})), signature),
		"no signature":                       genuine + ".",
		"a signature of zeros":               join(genuine, make([]byte, 64)),
		"a cut signature":                    join(genuine, signature[:63]),
		"a longer signature":                 join(genuine, append(signature[:64:64], 0)),
		"a signature in ASN.1":               join(genuine, asn1),
		"padded":                             join(genuine, signature) + "==",
		"trailing bits":                      loosely(join(genuine, signature)),
		"two parts":                          genuine,
		"four parts":                         join(genuine, signature) + ".x",
		"something before it":                "nl_" + join(genuine, signature),
		"garbage":                            "eyJ.eyJ.x",
		"dots":                               "..",
	} {
		t.Run(name, func(t *testing.T) {
			if h.holds(t, raw) {
				t.Errorf("active: %s", raw)
			}
		})
	}
}

func TestAnotherSpellingDiesWithTheToken(t *testing.T) {
	h, f := newForger(t)
	plain := text(t, f.header(nil), f.body(nil))
	signature := f.sign(t, plain)
	s := new(big.Int).SetBytes(signature[32:])
	s.Sub(elliptic.P256().Params().N, s).FillBytes(signature[32:]) // (r, -s) is as valid as (r, s)
	twin := join(plain, signature)
	if !h.holds(t, twin) {
		t.Fatal("the malleated token is not active, so this test shows nothing")
	}
	h.ledger.live[order().Name] = false
	if h.holds(t, twin) {
		t.Error("the malleated token outlives the credential")
	}
}

func TestAFreshTokenSurvivesAClockSetBack(t *testing.T) {
	h, f := newForger(t)
	ahead := time.Now().Add(30 * time.Second).Unix()
	if !h.holds(t, f.token(t, f.header(nil), f.body(fields{"iat": ahead, "nbf": ahead}))) {
		t.Error("a token signed before the clock was set back is not active")
	}
}

func TestEveryPublishedKeyIsAccepted(t *testing.T) {
	former, next := newKey(t), newKey(t)
	h := newHouse(t, func(c *token.DoorConfig) { c.Keys.Previous, c.Keys.Next = former, next })
	for name, key := range map[string]token.Key{"previous": former, "current": h.key, "next": next} {
		if !h.holds(t, issue(t, newIssuer(t, key), order())) {
			t.Errorf("a token of the %s key is not active", name)
		}
	}
	jwks, err := token.Keys{Current: h.key, Previous: former, Next: next}.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []token.Key{h.key, next, former} {
		publicOf(t, jwks, key.ID())
	}
}

func FuzzIntrospect(f *testing.F) {
	f.Add("")
	f.Add("..")
	f.Add(token.Prefix)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("bnVsbA.bnVsbA.bnVsbA")
	h := newHouse(f, func(c *token.DoorConfig) { c.PerSecond, c.Burst = 1e9, 1e9 })
	f.Fuzz(func(t *testing.T, raw string) {
		w := h.ask(t, "orders-api", secret, raw)
		want := `{"active":false}`
		if raw == "" {
			want = fmt.Sprintf(`{"error":"invalid_request","error_description":%q}`, "the form has not exactly one token")
		}
		if len(raw) < 5000 && strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("answered %d %s", w.Code, w.Body)
		}
	})
}
