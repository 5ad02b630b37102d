package verify_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/integrations/token/verify"
)

func TestARevocationBitesWithinASecond(t *testing.T) {
	for _, before := range []time.Duration{0, 10 * time.Millisecond, 400 * time.Millisecond, 999 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			r := newBubbleRig(t, nil)
			raw := r.issue(t, order())
			if got := r.get(raw); got != http.StatusOK {
				t.Fatalf("a live token is answered %d", got)
			}
			time.Sleep(before)
			r.ledger.set(order().Name, false)
			time.Sleep(time.Second - before)
			if got := r.get(raw); got != http.StatusUnauthorized {
				t.Errorf("one second after it was seen live, and revoked after %v, the token is answered %d", before, got)
			}
		})
	}
}

func TestALiveTokenIsAskedForOnceInASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newBubbleRig(t, nil)
		raw := r.issue(t, order())
		for range 100 { // ten seconds
			if got := r.get(raw); got != http.StatusOK {
				t.Fatalf("a live token is answered %d", got)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if got := r.ledger.questions(); got != 10 {
			t.Errorf("ten seconds made %d questions, want 10", got)
		}
	})
}

func TestManyCallsAtOnceMakeOneQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newBubbleRig(t, nil)
		raw := r.issue(t, order())
		r.ledger.delay = 300 * time.Millisecond
		var passed atomic.Int32
		var all sync.WaitGroup
		guard := r.counting(t, &passed)
		for range 50 {
			all.Go(func() { guard.ServeHTTP(httptest.NewRecorder(), request("GET", "/v1/orders/4711", raw)) })
		}
		all.Wait()
		if got := r.ledger.questions(); got != 1 || passed.Load() != 50 {
			t.Errorf("50 calls at once made %d questions, and %d passed", got, passed.Load())
		}
	})
}

// counting is a guard of its own, whose service may be called by many at once.
func (r *rig) counting(t *testing.T, passed *atomic.Int32) http.Handler {
	t.Helper()
	v, err := verify.New(verify.Config{
		Issuer: r.url, Audience: audience, Caller: "orders-api", Secret: secret, Client: r.client,
		Timeout: 5 * time.Second, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return v.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { passed.Add(1) }))
}

func TestASlowAnswerIsNotReused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newBubbleRig(t, nil)
		raw := r.issue(t, order())
		r.ledger.delay = 3 * time.Second
		var passed atomic.Int32
		guard := r.counting(t, &passed)
		codes := make([]int, 2)
		var all sync.WaitGroup
		for i := range codes {
			all.Go(func() {
				time.Sleep(time.Duration(i) * 1500 * time.Millisecond)
				r.ledger.set(order().Name, i == 0) // revoked after the first question was put
				w := httptest.NewRecorder()
				guard.ServeHTTP(w, request("GET", "/v1/orders/4711", raw))
				codes[i] = w.Code
			})
		}
		all.Wait()
		if codes[1] == http.StatusOK {
			t.Errorf("a call after the revocation is let in by an older question: %v", codes)
		}
	})
}

func TestACallerWhoGoesAwayTakesNobodyAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newBubbleRig(t, nil)
		raw := r.issue(t, order())
		r.ledger.delay = 500 * time.Millisecond
		var passed atomic.Int32
		guard := r.counting(t, &passed)
		hurried := request("GET", "/v1/orders/4711", raw)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() { guard.ServeHTTP(httptest.NewRecorder(), hurried.WithContext(ctx)) })
		all.Go(func() {
			time.Sleep(50 * time.Millisecond)
			guard.ServeHTTP(httptest.NewRecorder(), request("GET", "/v1/orders/4711", raw))
		})
		all.Wait()
		if passed.Load() != 2 || r.ledger.questions() != 1 {
			t.Errorf("%d of 2 passed after %d questions", passed.Load(), r.ledger.questions())
		}
	})
}

func TestATokenEndsWithItsExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newBubbleRig(t, nil)
		o := order()
		o.Until = o.Now.Add(10 * time.Second)
		raw := r.issue(t, o)
		time.Sleep(10*time.Second - time.Millisecond)
		if got := r.get(raw); got != http.StatusOK {
			t.Fatalf("a token in its last millisecond is answered %d", got)
		}
		time.Sleep(time.Millisecond)
		if got := r.get(raw); got != http.StatusUnauthorized {
			t.Errorf("an expired token is answered %d", got)
		}
	})
}

// hangs never answers. It reads the request first, because the server sees only then that the caller goes.
func hangs(_ http.ResponseWriter, req *http.Request) {
	_, _ = io.Copy(io.Discard, req.Body)
	<-req.Context().Done()
}

func TestGrace(t *testing.T) {
	hang := http.HandlerFunc(hangs)
	drop := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for name, away := range map[string]http.Handler{
		"nobody there": drop, "hanging": hang, "an error": status(500), "a proxy's error": status(502), "too busy": status(429),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newBubbleRig(t, nil)
				known, stranger := r.issue(t, order()), order()
				stranger.Name += "2"
				r.ledger.set(stranger.Name, true)
				begun := time.Now()
				if got := r.get(known); got != http.StatusOK {
					t.Fatalf("a live token is answered %d", got)
				}
				r.site.become(away)
				for time.Since(begun) < 56*time.Second {
					time.Sleep(700 * time.Millisecond)
					if got := r.get(known); got != http.StatusOK {
						t.Fatalf("after %v of grace the token is answered %d", time.Since(begun), got)
					}
				}
				if seen, _ := verify.FromContext(r.seen.Context()); !seen.Unconfirmed {
					t.Error("the handler is not told that nobody confirmed the token")
				}
				w := r.call(request("GET", "/v1/orders/4711", r.issue(t, stranger)))
				if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || w.Header().Get("WWW-Authenticate") != "" {
					t.Errorf("a token that was never seen live is answered %d %v", w.Code, w.Header())
				}
				time.Sleep(time.Until(begun.Add(time.Minute)))
				if got := r.get(known); got != http.StatusServiceUnavailable {
					t.Errorf("after the grace the token is answered %d", got)
				}
				r.site.become(r.door)
				time.Sleep(time.Second)
				if got := r.get(known); got != http.StatusOK {
					t.Errorf("after the outage the token is answered %d", got)
				}
				if n := strings.Count(r.log.String(), "gives no answer"); n != 1 || strings.Count(r.log.String(), "answers again") != 1 {
					t.Errorf("the outage is not logged once, but %d times", n)
				}
			})
		})
	}
}

func TestGraceHasItsLimits(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*verify.Config)
		until  time.Duration // of the token
		before func(*rig)    // the outage
		away   http.Handler
		after  time.Duration // of it
		want   int
	}{
		"expiry comes first":         {nil, 20 * time.Second, nil, status(503), 20 * time.Second, 401},
		"just before the expiry":     {nil, 20 * time.Second, nil, status(503), 19 * time.Second, 200},
		"revoked and seen":           {nil, time.Hour, func(r *rig) { r.ledger.set(order().Name, false) }, status(503), 5 * time.Second, 401},
		"none wanted":                {func(c *verify.Config) { c.OfflineGrace = -1 }, time.Hour, nil, status(503), 2 * time.Second, 503},
		"less wanted":                {func(c *verify.Config) { c.OfflineGrace = 5 * time.Second }, time.Hour, nil, status(503), 5 * time.Second, 503},
		"less wanted, and within it": {func(c *verify.Config) { c.OfflineGrace = 5 * time.Second }, time.Hour, nil, status(503), 4 * time.Second, 200},
		"the service is not known":   {nil, time.Hour, nil, status(401), 2 * time.Second, 503},
		"a redirect":                 {nil, time.Hour, nil, http.RedirectHandler("/elsewhere", http.StatusTemporaryRedirect), 2 * time.Second, 503},
		"another page":               {nil, time.Hour, nil, status(200), 2 * time.Second, 503},
		"an answer about another token": {
			nil, time.Hour, nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprint(w, `{"active":true,"jti":"x","iss":"http://127.0.0.1"}`)
			}), 2 * time.Second, 503,
		},
		"an answer without its verdict": {
			nil, time.Hour, nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprintf(w, `{"jti":%q,"iss":"http://127.0.0.1"}`, order().Name)
			}), 2 * time.Second, 503,
		},
		"an endless answer": {
			nil, time.Hour, nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprintf(w, `{"active":true,"jti":%q,"iss":"http://127.0.0.1"}%s`, order().Name, strings.Repeat(" ", 1<<20))
			}), 2 * time.Second, 503,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newBubbleRig(t, test.change)
				o := order()
				o.Until = o.Now.Add(test.until)
				raw := r.issue(t, o)
				if got := r.get(raw); got != http.StatusOK {
					t.Fatalf("a live token is answered %d", got)
				}
				begun := time.Now()
				if test.before != nil {
					time.Sleep(time.Second)
					test.before(r)
					r.get(raw)
				}
				r.site.become(test.away)
				time.Sleep(time.Until(begun.Add(test.after)))
				if got := r.get(raw); got != test.want {
					t.Errorf("answered %d, want %d", got, test.want)
				}
			})
		})
	}
}

func TestAnOutageMakesOneCallWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newBubbleRig(t, nil)
		known, stranger := r.issue(t, order()), order()
		stranger.Name += "2"
		other := r.issue(t, stranger)
		guard := r.counting(t, new(atomic.Int32))
		get := func(raw string) (int, time.Duration) {
			begun, w := time.Now(), httptest.NewRecorder()
			guard.ServeHTTP(w, request("GET", "/v1/orders/4711", raw))
			return w.Code, time.Since(begun)
		}
		get(known)
		r.site.become(http.HandlerFunc(hangs))
		time.Sleep(time.Second)
		get(known) // finds out
		for range 100 {
			if code, waited := get(known); code != http.StatusOK || waited > 0 {
				t.Fatalf("in an outage that is known, a call is answered %d after %v", code, waited)
			}
		}
		time.Sleep(time.Second)
		var all sync.WaitGroup
		all.Go(func() { get(known) }) // asks, and waits
		time.Sleep(100 * time.Millisecond)
		if code, waited := get(other); code != http.StatusServiceUnavailable || waited > 0 {
			t.Errorf("beside the call that asks, another one is answered %d after %v", code, waited)
		}
		all.Wait()
	})
}

func TestOfflineAsksNobodyAndWantsShortTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newBubbleRig(t, func(c *verify.Config) { c.Offline, c.Caller, c.Secret = true, "", "" })
		for life, want := range map[time.Duration]int{10 * time.Minute: 200, 10*time.Minute + time.Second: 401, time.Hour: 401} {
			o := order()
			o.Until = o.Now.Add(life)
			if got := r.get(r.issue(t, o)); got != want {
				t.Errorf("a token for %v is answered %d, want %d", life, got, want)
			}
		}
		if seen := r.ledger.questions(); seen != 0 {
			t.Errorf("%d introspections", seen)
		}
		o := order()
		o.Until = o.Now.Add(10 * time.Minute)
		raw := r.issue(t, o)
		r.site.become(status(503))
		time.Sleep(10*time.Minute - time.Millisecond)
		if got := r.get(raw); got != http.StatusOK {
			t.Errorf("a token in its last millisecond, the issuer being away, is answered %d", got)
		}
		time.Sleep(time.Millisecond)
		if got := r.get(raw); got != http.StatusUnauthorized {
			t.Errorf("an expired token is answered %d", got)
		}
	})
}
