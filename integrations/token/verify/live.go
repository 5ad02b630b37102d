package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"time"
)

// How long answers count.
const (
	liveFresh = time.Second // an answer about a token
	liveRetry = time.Second // the fact that there is no answer
	liveSweep = time.Minute // between two looks for what can be forgotten
)

// fingerprint names a token by what was signed. The signature is left out, because it has more than one spelling.
type fingerprint [sha256.Size]byte

func fingerprintOf(raw string) fingerprint {
	return sha256.Sum256([]byte(raw[:strings.LastIndexByte(raw, '.')]))
}

// liveness knows which tokens the issuer calls live. Only tokens with a good signature come here, so
// there are never more than were made.
type liveness struct {
	ask   func(ctx context.Context, c claims, raw string) (bool, error)
	grace time.Duration

	mu    sync.Mutex
	seen  map[fingerprint]*sighting
	swept time.Time
	err   error     // why the issuer gives no answer; nil: it does
	next  time.Time // while err stands, nobody asks before
}

// sighting is what is known of one token.
type sighting struct {
	asked  time.Time // when the last question that was answered was put; zero: none was
	live   bool      // what it was answered with
	used   time.Time // by a call
	flight *flight   // the newest question that is on its way
}

// check returns without an error if the token is live, or if it may go on without an answer: then graced is true.
func (l *liveness) check(ctx context.Context, c claims, raw string) (graced bool, err error) {
	now := time.Now()
	l.mu.Lock()
	s := l.sighting(fingerprintOf(raw), now)
	if !s.asked.IsZero() && now.Sub(s.asked) < liveFresh {
		defer l.mu.Unlock()
		return false, s.verdict()
	}
	if l.err != nil && now.Before(l.next) {
		defer l.mu.Unlock()
		return l.without(s, l.err)
	}
	// An answer to a question that was put too long ago would be old when it comes.
	f, leads := s.flight, false
	if f == nil || now.Sub(f.begun) >= liveFresh {
		f, leads = begin(now), true
		s.flight = f
		l.next = now.Add(liveRetry) // while there is no answer, one call in a second waits for it
	}
	l.mu.Unlock()
	if leads {
		l.answer(ctx, f, s, c, raw)
	} else if err := f.wait(ctx); err != nil {
		return false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.err != nil {
		return l.without(s, f.err)
	}
	return false, s.verdict() // of this question or of a later one
}

func (s *sighting) verdict() error {
	if s.live {
		return nil
	}
	return errDead
}

// without decides on what is known, because there is no answer. A no of the issuer's to this service is
// no outage: nothing goes on then.
func (l *liveness) without(s *sighting, why error) (graced bool, err error) {
	switch {
	case !s.asked.IsZero() && !s.live:
		return false, errDead // it never comes back to life
	case errors.Is(why, errUnanswered) && s.live && time.Since(s.asked) < l.grace:
		return true, nil
	}
	return false, why
}

// answer asks the issuer, and answers the flight.
func (l *liveness) answer(ctx context.Context, f *flight, s *sighting, c claims, raw string) {
	f.err = errUnanswered // unless there is an answer
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if s.flight == f {
			s.flight = nil
		}
		l.err = f.err
		if f.err != nil {
			l.next = time.Now().Add(liveRetry)
		} else if f.begun.After(s.asked) {
			s.asked, s.live = f.begun, f.live
		}
		close(f.done)
	}()
	f.live, f.err = l.ask(context.WithoutCancel(ctx), c, raw)
}

// sighting returns what is known of a token, and forgets now and then what nobody will ask for.
func (l *liveness) sighting(id fingerprint, now time.Time) *sighting {
	if now.Sub(l.swept) >= liveSweep {
		l.swept = now
		for old, s := range l.seen {
			if s.flight == nil && now.Sub(s.used) > max(l.grace, liveFresh) {
				delete(l.seen, old)
			}
		}
	}
	s := l.seen[id]
	if s == nil {
		s = &sighting{}
		l.seen[id] = s
	}
	s.used = now
	return s
}
