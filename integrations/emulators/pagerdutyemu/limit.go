package pagerdutyemu

import (
	"net/http"
	"strconv"
	"time"
)

// minute counts the requests to one method in a window of a minute, which begins with its first request. A nil minute
// belongs to a path that has no limit.
type minute struct {
	limit int
	began time.Time
	used  int
}

// take counts a request; it is false when the minute is used up.
func (m *minute) take(now time.Time) bool {
	m.turn(now)
	if m.used >= m.limit {
		return false
	}
	m.used++
	return true
}

func (m *minute) turn(now time.Time) {
	if now.Sub(m.began) >= time.Minute {
		m.began, m.used = now, 0
	}
}

// headers are sent with every answer. A reset of its own makes the minute look used up until then.
func (m *minute) headers(now time.Time, reset time.Duration) http.Header {
	if m == nil {
		return nil
	}
	m.turn(now)
	remaining, left := m.limit-m.used, m.began.Add(time.Minute).Sub(now)
	if reset > 0 {
		remaining, left = 0, reset
	}
	seconds := int((left + time.Second - 1) / time.Second)
	h := http.Header{}
	h.Set("ratelimit-limit", strconv.Itoa(m.limit))
	h.Set("ratelimit-remaining", strconv.Itoa(remaining))
	h.Set("ratelimit-reset", strconv.Itoa(seconds))
	return h
}
