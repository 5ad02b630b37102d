package socket

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Bounds of the pause before a new connection is asked for.
const (
	shortestPause = time.Second
	longestPause  = time.Minute
	steady        = 5 * time.Minute // a connection that lived this long resets the pause
)

// pacer is an HTTP client that waits before it asks Slack for another connection. slack-go
// asks again at once whenever a socket was opened and closed, thousands of times a second
// when Slack closes each one right after its hello.
type pacer struct {
	client *http.Client
	hold   func() time.Duration // how long the other connection asks for; zero or less: it does not

	mu    sync.Mutex
	last  time.Time
	pause time.Duration
}

// Do is http.Client's, with the wait.
func (p *pacer) Do(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/apps.connections.open") {
		if err := p.wait(r.Context()); err != nil {
			return nil, err
		}
	}
	return p.client.Do(r)
}

// wait waits for the pause, and then for the other connection, which may end meanwhile.
func (p *pacer) wait(ctx context.Context) error {
	const look = time.Second
	at := p.next()
	for {
		pause := max(time.Until(at), min(p.hold(), look))
		if pause <= 0 {
			return nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// next says when a connection may be asked for: at once after one that was steady, else
// each time twice as long after the one before, a little scattered.
func (p *pacer) next() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.last.IsZero() || now.Sub(p.last) >= steady {
		p.pause, p.last = 0, now
		return now
	}
	p.pause = min(max(2*p.pause, shortestPause), longestPause)
	at := p.last.Add(p.pause + rand.N(p.pause/5))
	if at.Before(now) {
		at = now
	}
	p.last = at
	return at
}
