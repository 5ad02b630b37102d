package verify_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/integrations/token"
	"nightlatch/integrations/token/verify"
)

const keysPath = "/.well-known/jwks.json"

func TestEveryPublishedKeyIsAccepted(t *testing.T) {
	r := newRig(t, nil)
	previous, next := newKey(t), newKey(t)
	r.site.become(r.newDoor(t, token.Keys{Current: r.key, Previous: previous, Next: next}))
	for name, key := range map[string]token.Key{"previous": previous, "current": r.key, "next": next} {
		if got := r.get(r.issueWith(t, key, order())); got != http.StatusOK {
			t.Errorf("a token of the %s key is answered %d", name, got)
		}
	}
	if got := r.site.asked(keysPath); got != 1 {
		t.Errorf("the keys were asked for %d times", got)
	}
}

func TestARotationGoesUnnoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newBubbleRig(t, nil)
		first, second := r.key, newKey(t)
		use := func(k token.Keys) { r.site.become(r.newDoor(t, k)) }
		old := r.issueWith(t, first, order())
		check := func(raw string, want int) {
			t.Helper()
			if got := r.get(raw); got != want {
				t.Errorf("answered %d, want %d", got, want)
			}
		}
		check(old, 200)
		use(token.Keys{Current: first, Next: second})
		time.Sleep(6 * time.Minute)
		check(old, 200)
		use(token.Keys{Current: second, Previous: first})
		recent := r.issueWith(t, second, order())
		before := r.site.asked(keysPath)
		check(old, 200)
		check(recent, 200)
		if got := r.site.asked(keysPath); got != before {
			t.Error("a key that was published ahead was asked for again")
		}
		use(token.Keys{Current: second})
		time.Sleep(5 * time.Minute)
		check(recent, 200)
		check(old, 401)
	})
}

func TestAnUnknownKeyIsAskedForSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newBubbleRig(t, nil)
		good, bad := r.issue(t, order()), newKey(t)
		r.get(good)
		begun := time.Now()
		for i := 0; time.Since(begun) < time.Minute; i++ {
			if got := r.get(r.issueWith(t, newKey(t), order())); got != http.StatusUnauthorized {
				t.Fatalf("a token of a key that nobody published is answered %d", got)
			}
			time.Sleep(250 * time.Millisecond)
		}
		if got := r.site.asked(keysPath); got > 13 {
			t.Errorf("a minute of unknown keys made %d questions", got)
		}
		r.site.become(r.newDoor(t, token.Keys{Current: bad, Previous: r.key}))
		time.Sleep(5 * time.Second)
		if got := r.get(r.issueWith(t, bad, order())); got != http.StatusOK {
			t.Errorf("a new key that was not published ahead is answered %d after five seconds", got)
		}
	})
}

func TestKeysThatCannotBeAskedForAreUsedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newBubbleRig(t, func(c *verify.Config) { c.Offline = true })
		short := func() string {
			o := order()
			o.Until = o.Now.Add(5 * time.Minute)
			return r.issue(t, o)
		}
		r.site.become(status(503))
		if got := r.get(short()); got != http.StatusServiceUnavailable {
			t.Errorf("without any keys a token is answered %d", got)
		}
		r.site.become(r.door)
		time.Sleep(time.Second)
		if got := r.get(short()); got != http.StatusOK {
			t.Fatalf("a good token is answered %d", got)
		}
		r.site.become(status(503))
		time.Sleep(15*time.Minute - time.Millisecond)
		if got := r.get(short()); got != http.StatusOK {
			t.Errorf("a quarter of an hour without the issuer, a token is answered %d", got)
		}
		if got := r.get(r.issueWith(t, newKey(t), order())); got != http.StatusServiceUnavailable {
			t.Errorf("a token of a key that may be new is answered %d", got)
		}
		time.Sleep(time.Millisecond)
		if got := r.get(short()); got != http.StatusServiceUnavailable {
			t.Errorf("after that it is answered %d", got)
		}
	})
}

func TestACallerWhoIsGoneBreaksNothing(t *testing.T) {
	r := newRig(t, nil)
	raw := r.issue(t, order())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.call(request("GET", "/v1/orders/4711", raw).WithContext(ctx))
	if got := r.get(raw); got != http.StatusOK {
		t.Errorf("the caller after it is answered %d", got)
	}
}

func TestKeySetsThatAreNotBelieved(t *testing.T) {
	const x, y = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
	key := func(kid, x, y string) string {
		return fmt.Sprintf(`{"kty":"EC","crv":"P-256","kid":%q,"x":%q,"y":%q}`, kid, x, y)
	}
	for name, test := range map[string]struct {
		body string
		want int
	}{
		"another's key":         {`{"keys":[` + key("k", x, y) + `]}`, 401},
		"no key":                {`{"keys":[]}`, 401},
		"keys of another kind":  {`{"keys":[{"kty":"RSA","kid":"k","n":"AQAB","e":"AQAB"},{"kty":"oct","kid":"k2","k":"x"}]}`, 401},
		"nothing":               {``, 503},
		"no set":                {`{}`, 503},
		"a page":                {`<html>`, 503},
		"one ID twice":          {`{"keys":[` + key("k", x, y) + "," + key("k", x, y) + `]}`, 503},
		"a point off the curve": {`{"keys":[` + key("k", x, x) + `]}`, 503},
		"a short point":         {`{"keys":[` + key("k", x[:20], y) + `]}`, 503},
		"a point in no base64":  {`{"keys":[` + key("k", "~", y) + `]}`, 503},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			r.site.become(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, test.body) }))
			if got := r.get(r.issue(t, order())); got != test.want {
				t.Errorf("answered %d, want %d", got, test.want)
			}
		})
	}
}
