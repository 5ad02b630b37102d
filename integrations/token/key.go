package token

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// keyIDPrefix begins each key ID, and with it each token's header.
const keyIDPrefix = "nightlatch-"

// Prefix begins every token, whatever its key: the header's first 33 bytes,
// {"alg":"ES256","kid":"nightlatch-, in base64. Secret scanners look for it.
const Prefix = "eyJhbGciOiJFUzI1NiIsImtpZCI6Im5pZ2h0bGF0Y2gt"

// Key signs tokens: ECDSA on P-256. It prints as its ID everywhere.
type Key struct {
	id      string
	private *ecdsa.PrivateKey
}

// NewKey makes a key that is stored nowhere.
func NewKey() (Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Key{}, fmt.Errorf("making a key: %w", err)
	}
	return keyOf(private)
}

// keyOf names a private key by its thumbprint.
func keyOf(private *ecdsa.PrivateKey) (Key, error) {
	if private.Curve != elliptic.P256() {
		return Key{}, fmt.Errorf("the key is on curve %s, and ES256 wants P-256", private.Curve.Params().Name)
	}
	k := Key{private: private}
	public, err := k.public()
	if err != nil {
		return Key{}, err
	}
	k.id = keyIDPrefix + public.thumbprint()[:16]
	return k, nil
}

// ID returns the kid: "nightlatch-" and the beginning of the RFC 7638 thumbprint.
func (k Key) ID() string { return k.id }

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return k.private == nil }

// Format writes the ID for every verb of fmt.
func (k Key) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(k.id)) }

// MarshalText writes the ID, for encoders and slog.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.id), nil }

// Keys are the keys of one installation. A new key is published as Next before
// it signs, and a former one stays as Previous until its last token has
// expired, so that services which cache the key set never meet an unknown key.
// Tokens of all three are accepted, only Current signs and must be set.
type Keys struct {
	Current, Next, Previous Key
}

// JWKS returns the public keys as a JSON Web Key Set (RFC 7517), Current first.
func (k Keys) JWKS() ([]byte, error) {
	set := struct {
		Keys []publicKey `json:"keys"`
	}{}
	for _, key := range k.all() {
		public, err := key.public()
		if err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, public)
	}
	var out bytes.Buffer
	if err := json.NewEncoder(&out).Encode(set); err != nil {
		return nil, fmt.Errorf("encoding the key set: %w", err)
	}
	return out.Bytes(), nil
}

// check says what is wrong with the keys.
func (k Keys) check() error {
	if k.Current.IsZero() {
		return errors.New("there is no current key")
	}
	return nil
}

// find returns the public key with the ID.
func (k Keys) find(id string) (*ecdsa.PublicKey, bool) {
	for _, key := range k.all() {
		if key.id == id {
			return &key.private.PublicKey, true
		}
	}
	return nil, false
}

func (k Keys) all() []Key {
	var set []Key
	for _, key := range []Key{k.Current, k.Next, k.Previous} {
		if !key.IsZero() {
			set = append(set, key)
		}
	}
	return set
}

// publicKey is a JSON Web Key.
type publicKey struct {
	Type      string `json:"kty"`
	Curve     string `json:"crv"`
	X         string `json:"x"`
	Y         string `json:"y"`
	ID        string `json:"kid"`
	Algorithm string `json:"alg"`
	Use       string `json:"use"`
}

func (k Key) public() (publicKey, error) {
	point, err := k.private.PublicKey.Bytes() // 4, X, Y
	if err != nil {
		return publicKey{}, fmt.Errorf("encoding a public key: %w", err)
	}
	half := len(point) / 2
	return publicKey{
		Type: "EC", Curve: "P-256", ID: k.id, Algorithm: "ES256", Use: "sig",
		X: base64.RawURLEncoding.EncodeToString(point[1 : 1+half]),
		Y: base64.RawURLEncoding.EncodeToString(point[1+half:]),
	}, nil
}

// thumbprint is the key's digest by RFC 7638: its required members, in order.
func (p publicKey) thumbprint() string {
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":%q,"kty":%q,"x":%q,"y":%q}`, p.Curve, p.Type, p.X, p.Y))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
