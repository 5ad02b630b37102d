package token_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"flag"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/grants"
	"nightlatch/integrations/token"
)

var update = flag.Bool("update", false, "write the golden files")

const (
	issuerURL = "https://nightlatch.example.com"
	secret    = "correct horse battery staple+/=" // of the caller orders-api
)

// newKey returns a fresh key.
func newKey(t testing.TB) token.Key {
	t.Helper()
	key, err := token.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// newIssuer returns an issuer with the key.
func newIssuer(t testing.TB, key token.Key) *token.Issuer {
	t.Helper()
	issuer, err := token.New(token.Config{Keys: token.Keys{Current: key}, URL: issuerURL})
	if err != nil {
		t.Fatal(err)
	}
	return issuer
}

// order asks for an hour of reading orders.
func order() grants.Order {
	now := time.Now().UTC().Truncate(time.Second)
	return grants.Order{
		Name: "k3v9x2aa-01jd8m4v0q7r2x5y9bcdefghjk-1", Grant: "01jd8m4v0q7r2x5y9bcdefghjk", Role: "orders-read",
		Person: grants.Person{Key: "T0NIGHT.U0ADA", Name: "Ada", Email: "ada@example.com"}, Audience: "https://orders.example.com",
		Scopes: []string{"GET,HEAD /v1/orders/*", "orders.read", "POST /v1/refunds/**", "audit"},
		Now:    now, Until: now.Add(time.Hour),
	}
}

// issue returns the token for the order.
func issue(t *testing.T, issuer *token.Issuer, o grants.Order) string {
	t.Helper()
	s, err := issuer.Issue(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s.Expose()
}

// decode returns one segment of a token as bytes.
func decode(t *testing.T, raw string, segment int) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[segment])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// publicOf reads the public key with a kid out of a key set, by hand.
func publicOf(t *testing.T, jwks []byte, kid string) *ecdsa.PublicKey {
	t.Helper()
	var set struct {
		Keys []struct{ Kid, X, Y string }
	}
	if err := json.Unmarshal(jwks, &set); err != nil {
		t.Fatal(err)
	}
	for _, k := range set.Keys {
		if k.Kid != kid {
			continue
		}
		point := []byte{4}
		for _, c := range []string{k.X, k.Y} {
			b, err := base64.RawURLEncoding.DecodeString(c)
			if err != nil {
				t.Fatal(err)
			}
			point = append(point, b...)
		}
		public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
		if err != nil {
			t.Fatal(err)
		}
		return public
	}
	t.Fatalf("the key set has no key %q", kid)
	return nil
}

// signedBy checks an ES256 signature with nothing but crypto/ecdsa.
func signedBy(t *testing.T, raw string, public *ecdsa.PublicKey) bool {
	t.Helper()
	text := raw[:strings.LastIndex(raw, ".")]
	sig := decode(t, raw, 2)
	if len(sig) != 64 {
		t.Fatalf("the signature has %d bytes", len(sig))
	}
	sum := sha256.Sum256([]byte(text))
	return ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
}

// ledger is what holds: names of live credentials. Its err, if any, is its answer.
type ledger struct {
	live map[string]bool
	err  error
}

func (l *ledger) active(_ context.Context, name string) (bool, error) { return l.live[name], l.err }

// house is a door with its issuer, a ledger and a log.
type house struct {
	key    token.Key
	issuer *token.Issuer
	ledger *ledger
	door   *token.Door
	log    *bytes.Buffer
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// newHouse opens a door for two callers, orders-api and billing-api. The order's credential is live.
func newHouse(t testing.TB, change func(*token.DoorConfig)) *house {
	t.Helper()
	h := &house{key: newKey(t), ledger: &ledger{live: map[string]bool{order().Name: true}}, log: &bytes.Buffer{}}
	h.issuer = newIssuer(t, h.key)
	config := token.DoorConfig{
		URL: issuerURL, Keys: token.Keys{Current: h.key}, Active: h.ledger.active,
		Callers: []token.Caller{
			{Name: "orders-api", SecretSHA256: hash(secret), Audiences: []string{"https://orders.example.com"}},
			{Name: "billing-api", SecretSHA256: hash("other"), Audiences: []string{"https://billing.example.com"}},
		},
		Log: slog.New(slog.NewTextHandler(h.log, nil)),
	}
	if change != nil {
		change(&config)
	}
	door, err := token.NewDoor(config)
	if err != nil {
		t.Fatal(err)
	}
	h.door = door
	return h
}

// ask introspects a token as a caller.
func (h *house) ask(t testing.TB, caller, password, raw string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/introspect", strings.NewReader(url.Values{"token": {raw}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if caller != "" {
		r.SetBasicAuth(caller, password)
	}
	w := httptest.NewRecorder()
	h.door.ServeHTTP(w, r)
	return w
}

// holds introspects as orders-api and says whether the token is active.
func (h *house) holds(t testing.TB, raw string) bool {
	t.Helper()
	w := h.ask(t, "orders-api", secret, raw)
	switch body := strings.TrimSpace(w.Body.String()); {
	case w.Code != http.StatusOK:
		t.Fatalf("introspection answered %d %s", w.Code, body)
	case body == `{"active":false}`:
		return false
	case !strings.HasPrefix(body, `{"active":true,`):
		t.Fatalf("introspection answered %s", body)
	}
	return true
}

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}
