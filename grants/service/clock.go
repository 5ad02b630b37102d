package service

import (
	"sync"
	"time"
)

// clock is the clock of decisions: UTC, in milliseconds, never before a time that it gave out or
// that was recorded. When the wall clock was set back, it goes on at half the pace until the wall
// clock is there again: what is due comes late, but it comes, and nothing stays ahead for ever.
type clock struct {
	mu   sync.Mutex
	last time.Time // given out, unrounded
	read time.Time // when that was, with the monotonic clock
}

// since makes the clock go on from a time that was recorded.
func (c *clock) since(recorded time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last, c.read = recorded, time.Now()
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := time.Now()
	next := c.last.Add(t.Sub(c.read) / 2)
	if wall := t.Round(0).UTC(); wall.After(next) {
		next = wall
	}
	c.last, c.read = next, t
	return next.Truncate(time.Millisecond).UTC()
}
