package verify_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nightlatch/integrations/token"
	"nightlatch/integrations/token/verify"
)

// forger has the private key of a rig, and writes tokens by hand.
type forger struct {
	private *ecdsa.PrivateKey
	kid     string
	issuer  string
}

// newForger returns a rig whose private key the test has.
func newForger(t testing.TB, change func(*verify.Config)) (*rig, forger) {
	t.Helper()
	private := newPrivate(t)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "token.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, change)
	if r.key, err = token.LoadKey(path); err != nil {
		t.Fatal(err)
	}
	r.site.become(r.newDoor(t, token.Keys{Current: r.key}))
	return r, forger{private, r.key.ID(), r.url}
}

type fields map[string]any

// header is a genuine header with changes; nil removes a field.
func (f forger) header(changes fields) fields {
	return changed(fields{"alg": "ES256", "kid": f.kid, "typ": "at+jwt"}, changes)
}

// body are genuine claims with changes; nil removes a field. They are good offline, too, where no door helps to refuse.
func (f forger) body(changes fields) fields {
	o := order()
	return changed(fields{
		"iss": f.issuer, "sub": "T0NIGHT.U0ADA", "aud": []string{o.Audience}, "jti": o.Name, "client_id": "nightlatch",
		"iat": o.Now.Unix(), "nbf": o.Now.Unix(), "exp": o.Now.Add(5 * time.Minute).Unix(),
		"authorization_details": []any{f.detail(nil)},
		"nightlatch":            fields{"role": o.Role, "grant": o.Grant, "incident": "PINC1"},
	}, changes)
}

// detail gives reading of orders, with changes.
func (f forger) detail(changes fields) fields {
	return changed(fields{
		"type": "http_api", "locations": []string{audience}, "actions": []string{"GET"}, "paths": []string{"/v1/orders/*"},
	}, changes)
}

func changed(of, changes fields) fields {
	maps.Copy(of, changes)
	maps.DeleteFunc(of, func(_ string, v any) bool { return v == nil })
	return of
}

// text is what gets signed.
func text(t testing.TB, header, body any) string {
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

// loosely changes bits of the last character that mean nothing.
func loosely(raw string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, raw[len(raw)-1])
	return raw[:len(raw)-1] + alphabet[last+1:last+2]
}

// sign makes an ES256 signature.
func sign(t testing.TB, private *ecdsa.PrivateKey, text string) []byte {
	t.Helper()
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, private, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}

// token writes and signs.
func (f forger) token(t testing.TB, header, body any) string {
	t.Helper()
	plain := text(t, header, body)
	return join(plain, sign(t, f.private, plain))
}

// with is a genuine token with changed claims.
func (f forger) with(t testing.TB, changes fields) string {
	t.Helper()
	return f.token(t, f.header(nil), f.body(changes))
}

// forgeries are tokens that nobody must accept, by what is wrong with them.
func (f forger) forgeries(t testing.TB) map[string]string {
	t.Helper()
	genuine := text(t, f.header(nil), f.body(nil))
	signature := sign(t, f.private, genuine)
	asn1, err := ecdsa.SignASN1(rand.Reader, f.private, make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	stranger := newPrivate(t)
	past, future := time.Now().Add(-time.Second).Unix(), time.Now().Add(2*time.Minute).Unix()
	all := map[string]string{
		"alg none":                      text(t, f.header(fields{"alg": "none"}), f.body(nil)) + ".",
		"alg none, capital":             text(t, f.header(fields{"alg": "None"}), f.body(nil)) + ".",
		"alg none with a signature":     f.token(t, f.header(fields{"alg": "none"}), f.body(nil)),
		"no alg":                        f.token(t, f.header(fields{"alg": nil}), f.body(nil)),
		"alg in lower case":             f.token(t, f.header(fields{"alg": "es256"}), f.body(nil)),
		"alg a list":                    f.token(t, f.header(fields{"alg": []string{"ES256"}}), f.body(nil)),
		"ES384 with our key":            f.token(t, f.header(fields{"alg": "ES384"}), f.body(nil)),
		"another's signature":           join(genuine, sign(t, stranger, genuine)),
		"no kid":                        f.token(t, f.header(fields{"kid": nil}), f.body(nil)),
		"an unknown kid":                f.token(t, f.header(fields{"kid": "nightlatch-x"}), f.body(nil)),
		"a kid that is a path":          f.token(t, f.header(fields{"kid": "../../dev/null"}), f.body(nil)),
		"a kid that is a number":        f.token(t, f.header(fields{"kid": 1}), f.body(nil)),
		"an ID token":                   f.token(t, f.header(fields{"typ": "JWT"}), f.body(nil)),
		"no typ":                        f.token(t, f.header(fields{"typ": nil}), f.body(nil)),
		"typ in capitals":               f.token(t, f.header(fields{"typ": "AT+JWT"}), f.body(nil)),
		"a critical extension":          f.token(t, f.header(fields{"crit": []string{"exp"}}), f.body(nil)),
		"its own key set":               f.token(t, f.header(fields{"jku": "https://evil.example.com/jwks.json"}), f.body(nil)),
		"unencoded":                     f.token(t, f.header(fields{"b64": false}), f.body(nil)),
		"another issuer":                f.with(t, fields{"iss": "https://nightlatch.example.org"}),
		"the issuer with a slash":       f.with(t, fields{"iss": f.issuer + "/"}),
		"no issuer":                     f.with(t, fields{"iss": nil}),
		"another audience":              f.with(t, fields{"aud": "https://billing.example.com"}),
		"an audience that begins alike": f.with(t, fields{"aud": audience + ".evil.example"}),
		"the audience with a slash":     f.with(t, fields{"aud": audience + "/"}),
		"two audiences":                 f.with(t, fields{"aud": []string{audience, "https://billing.example.com"}}),
		"no audience":                   f.with(t, fields{"aud": nil}),
		"an audience of none":           f.with(t, fields{"aud": []string{}}),
		"no expiry":                     f.with(t, fields{"exp": nil}),
		"expired":                       f.with(t, fields{"exp": past}),
		"expiry as text":                f.with(t, fields{"exp": "tomorrow"}),
		"expiry zero":                   f.with(t, fields{"exp": 0}),
		"expiry negative":               f.with(t, fields{"exp": -1}),
		"not yet":                       f.with(t, fields{"nbf": future}),
		"no jti":                        f.with(t, fields{"jti": nil}),
		"nobody's":                      f.with(t, fields{"sub": nil}),
		"claims null":                   f.token(t, f.header(nil), nil),
		"claims a list":                 f.token(t, f.header(nil), []int{1}),
		"header null":                   f.token(t, nil, f.body(nil)),
		"claims changed after signing":  join(text(t, f.header(nil), f.body(fields{"sub": "T0NIGHT.U0EVE"})), signature),
		"no signature":                  genuine + ".",
		"a signature of zeros":          join(genuine, make([]byte, 64)),
		"a cut signature":               join(genuine, signature[:63]),
		"a longer signature":            join(genuine, append(signature[:64:64], 0)),
		"a signature in ASN.1":          join(genuine, asn1),
		"padded":                        join(genuine, signature) + "==",
		"trailing bits":                 loosely(join(genuine, signature)),
		"two parts":                     genuine,
		"four parts":                    join(genuine, signature) + ".x",
		"something before it":           "nl_" + join(genuine, signature),
		"too long":                      f.with(t, fields{"x": strings.Repeat("x", 5000)}),
		"garbage":                       "eyJ.eyJ.x",
		"dots":                          "..",
		"nothing":                       "",
	}
	maps.Copy(all, f.confusions(t))
	return all
}

// confusions ask for another algorithm, with what an attacker has: the public key.
func (f forger) confusions(t testing.TB) map[string]string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&f.private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	hs256 := text(t, f.header(fields{"alg": "HS256"}), f.body(nil))
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write([]byte(hs256))
	hs512 := text(t, f.header(fields{"alg": "HS512"}), f.body(nil))
	long := hmac.New(sha512.New, der)
	long.Write([]byte(hs512))
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rs256 := text(t, f.header(fields{"alg": "RS256"}), f.body(nil))
	sum := sha256.Sum256([]byte(rs256))
	rsaSignature, err := rsa.SignPKCS1v15(rand.Reader, pair, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	own := text(t, f.header(fields{"jwk": fields{"kty": "EC", "crv": "P-256"}}), f.body(nil))
	return map[string]string{
		"HS256 with the public key": join(hs256, mac.Sum(nil)),
		"HS512 with the public key": join(hs512, long.Sum(nil)),
		"RS256":                     join(rs256, rsaSignature),
		"a key of its own":          join(own, sign(t, f.private, own)),
	}
}

func TestNoForgeryPasses(t *testing.T) {
	for mode, change := range map[string]func(*verify.Config){
		"introspected": nil,
		"offline":      func(c *verify.Config) { c.Offline = true },
	} {
		r, f := newForger(t, change)
		if got := r.get(f.with(t, nil)); got != http.StatusOK {
			t.Fatalf("%s: the genuine token is answered %d, so this test shows nothing", mode, got)
		}
		for name, raw := range f.forgeries(t) {
			t.Run(mode+"/"+name, func(t *testing.T) {
				w := r.call(request("GET", "/v1/orders/4711", raw))
				if w.Code != http.StatusUnauthorized || r.seen != nil {
					t.Errorf("answered %d: %s", w.Code, raw)
				}
			})
		}
	}
}

func TestDetailsThatAreNotUnderstoodRefuse(t *testing.T) {
	// Offline, because the door does not know such tokens either.
	r, f := newForger(t, func(c *verify.Config) { c.Offline = true })
	good := f.detail(nil)
	for name, test := range map[string]struct {
		details any
		status  int
	}{
		"the one":                           {[]any{good}, 200},
		"the one after another":             {[]any{f.detail(fields{"paths": []string{"/v2/**"}}), good}, 200},
		"a pattern that no plain path fits": {[]any{f.detail(fields{"paths": []string{"/v1/a;b", "/v1/orders/*"}})}, 200},
		"none":                              {nil, 403},
		"an empty list":                     {[]any{}, 403},
		"no list":                           {good, 403},
		"null in the list":                  {[]any{good, nil}, 403},
		"an unknown type":                   {[]any{f.detail(fields{"type": "payment"})}, 403},
		"an unknown type beside the one":    {[]any{good, fields{"type": "payment"}}, 403},
		"the type in capitals":              {[]any{f.detail(fields{"type": "HTTP_API"})}, 403},
		"an unknown member":                 {[]any{f.detail(fields{"hours": "9-17"})}, 403},
		"another location":                  {[]any{f.detail(fields{"locations": []string{"https://billing.example.com"}})}, 403},
		"no location":                       {[]any{f.detail(fields{"locations": nil})}, 403},
		"no action":                         {[]any{f.detail(fields{"actions": nil})}, 403},
		"any action":                        {[]any{f.detail(fields{"actions": []string{"*"}})}, 403},
		"no path":                           {[]any{f.detail(fields{"paths": nil})}, 403},
		"a path that is text":               {[]any{f.detail(fields{"paths": "/v1/orders/*"})}, 403},
		"the rest in the middle":            {[]any{f.detail(fields{"paths": []string{"/v1/**/4711", "/v1/orders/*"}})}, 403},
		"half a wildcard":                   {[]any{f.detail(fields{"paths": []string{"/v1/orders/4*", "/v1/orders/*"}})}, 403},
		"a path without its slash":          {[]any{f.detail(fields{"paths": []string{"v1/orders/*"}})}, 403},
		"an empty path":                     {[]any{f.detail(fields{"paths": []string{""}})}, 403},
		"an empty segment":                  {[]any{f.detail(fields{"paths": []string{"/v1//orders", "/v1/orders/*"}})}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			if got := r.get(f.with(t, fields{"authorization_details": test.details})); got != test.status {
				t.Errorf("answered %d, want %d", got, test.status)
			}
		})
	}
}

func TestTheIncidentIsInTheLog(t *testing.T) {
	r, f := newForger(t, nil)
	if got := r.get(f.with(t, nil)); got != http.StatusOK {
		t.Fatalf("answered %d", got)
	}
	seen, _ := verify.FromContext(r.seen.Context())
	if line := r.lines(t)[0]; line["incident"] != "PINC1" || seen.Incident != "PINC1" {
		t.Errorf("the incident is %q in the handler, and the line is %v", seen.Incident, line)
	}
}

func TestAnotherSpellingDiesWithTheToken(t *testing.T) {
	r, f := newForger(t, func(c *verify.Config) { c.OfflineGrace = -1 })
	plain := text(t, f.header(nil), f.body(nil))
	signature := sign(t, f.private, plain)
	s := new(big.Int).SetBytes(signature[32:])
	s.Sub(elliptic.P256().Params().N, s).FillBytes(signature[32:]) // (r, -s) is as valid as (r, s)
	r.ledger.set(order().Name, false)
	for _, raw := range []string{f.token(t, f.header(nil), f.body(nil)), join(plain, signature)} {
		if got := r.get(raw); got != http.StatusUnauthorized {
			t.Errorf("a dead token is answered %d", got)
		}
	}
	if got := r.ledger.questions(); got != 1 {
		t.Errorf("one token in two spellings made %d questions, want 1", got)
	}
}

func TestAFreshTokenSurvivesASlowClock(t *testing.T) {
	r, f := newForger(t, nil)
	ahead := time.Now().Add(30 * time.Second).Unix()
	if got := r.get(f.with(t, fields{"iat": ahead, "nbf": ahead})); got != http.StatusOK {
		t.Errorf("a token signed by a clock that is half a minute ahead is answered %d", got)
	}
}

func FuzzToken(f *testing.F) {
	r, forge := newForger(f, nil)
	f.Add(forge.with(f, fields{"sub": nil}))
	for _, raw := range forge.forgeries(f) {
		f.Add(raw)
	}
	genuine := forge.with(f, nil)
	f.Fuzz(func(t *testing.T, raw string) {
		w := r.call(request("GET", "/v1/orders/4711", raw))
		signed := func(raw string) string { return raw[:max(0, strings.LastIndex(raw, "."))] }
		if w.Code == http.StatusOK && signed(strings.TrimLeft(raw, " ")) != signed(genuine) {
			t.Errorf("accepted %q", raw)
		}
		if len(raw) > 40 && strings.Contains(r.log.String(), raw) {
			t.Errorf("the log has %q", raw)
		}
		r.log.Reset()
	})
}
