package send

import (
	"net/http"
	"sync/atomic"
	"time"
)

// clock notes what time it is at Slack, which stands on every answer. Ends of grants depend on the
// clock of this machine, and Slack's is one that nobody here can turn.
type clock struct {
	next  http.RoundTripper
	host  string
	ahead atomic.Pointer[time.Duration] // how far ours is ahead; nil: unknown
}

// RoundTrip passes a request on.
func (c *clock) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(r)
	if err != nil || r.URL.Host != c.host {
		return response, err
	}
	if theirs, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		ahead := time.Now().Round(0).Sub(theirs) // to the second, and to the time that the answer took
		c.ahead.Store(&ahead)
	}
	return response, err
}

// Ahead is how far the clock of this machine was ahead of Slack's at Slack's last answer, to a few
// seconds; zero if Slack has not answered yet.
func (s *Sender) Ahead() time.Duration {
	if d := s.clock.ahead.Load(); d != nil {
		return *d
	}
	return 0
}
