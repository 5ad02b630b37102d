package verify

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// How long a key set is used.
const (
	keysFresh = 5 * time.Minute            // then it is asked for again
	keysLast  = keysFresh + 10*time.Minute // then it is not believed any more
	keysPause = 5 * time.Second            // between two questions that unknown keys cause
	keysRetry = time.Second                // after a question without an answer
)

// keySet are public keys by their ID.
type keySet map[string]*ecdsa.PublicKey

// keys is the issuer's key set, as known here.
type keys struct {
	fetch func(context.Context) (keySet, error)

	mu      sync.Mutex
	set     keySet
	fetched time.Time // when set was asked for
	next    time.Time // nobody asks before
	err     error     // of the last question
	flight  *flight   // a question that is on its way
}

// find returns the key with an ID. errNotOurs: the issuer has none; another error: nobody knows.
func (k *keys) find(ctx context.Context, id string) (*ecdsa.PublicKey, error) {
	k.mu.Lock()
	now := time.Now()
	key, known := k.usable(now)[id]
	busy := k.flight != nil || now.Before(k.next)
	if known && (busy || now.Sub(k.fetched) < keysFresh) {
		k.mu.Unlock()
		return key, nil
	}
	f, leads := k.flight, false
	if !busy {
		f, leads = begin(now), true
		k.flight = f
	}
	k.mu.Unlock()
	switch {
	case leads:
		k.refresh(ctx, f)
	case f != nil:
		if err := f.wait(ctx); err != nil {
			return nil, err
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if key, known = k.usable(time.Now())[id]; known {
		return key, nil
	}
	if k.err != nil {
		return nil, k.err
	}
	return nil, errNotOurs
}

// usable is the set, unless it is too old to be believed.
func (k *keys) usable(now time.Time) keySet {
	if now.Sub(k.fetched) >= keysLast {
		return nil
	}
	return k.set
}

// refresh asks the issuer, and answers the flight.
func (k *keys) refresh(ctx context.Context, f *flight) {
	err := errUnanswered // unless there is an answer
	var set keySet
	defer func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.flight, k.err = nil, err
		k.next = time.Now().Add(keysRetry)
		if err == nil {
			k.set, k.fetched, k.next = set, f.begun, f.begun.Add(keysPause)
		}
		close(f.done)
	}()
	set, err = k.fetch(context.WithoutCancel(ctx))
}

// parseKeys reads a JSON Web Key Set (RFC 7517) and keeps what ES256 can use.
func parseKeys(body []byte) (keySet, error) {
	var doc struct {
		Keys []struct {
			Type      string `json:"kty"`
			Curve     string `json:"crv"`
			X         string `json:"x"`
			Y         string `json:"y"`
			ID        string `json:"kid"`
			Algorithm string `json:"alg"`
			Use       string `json:"use"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, fmt.Errorf("reading the key set: %w", err)
	}
	if doc.Keys == nil {
		return nil, fmt.Errorf("reading the key set: it has no keys")
	}
	set := keySet{}
	for _, k := range doc.Keys {
		if k.Type != "EC" || k.Curve != "P-256" || k.ID == "" || k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != "ES256" {
			continue
		}
		key, err := point(k.X, k.Y)
		if err != nil {
			return nil, fmt.Errorf("reading the key %q: %w", k.ID, err)
		}
		if _, twice := set[k.ID]; twice {
			return nil, fmt.Errorf("reading the key set: the key %q stands twice", k.ID)
		}
		set[k.ID] = key
	}
	return set, nil
}

// point makes a key of its two coordinates, if it lies on the curve.
func point(x, y string) (*ecdsa.PublicKey, error) {
	raw := []byte{4} // uncompressed
	for _, text := range []string{x, y} {
		half, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("decoding a coordinate: %w", err)
		}
		if len(half) != 32 {
			return nil, fmt.Errorf("a coordinate has %d bytes", len(half))
		}
		raw = append(raw, half...)
	}
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raw)
}
