package verify

import (
	"context"
	"time"
)

// flight is one question that is on its way, and all who wait for its answer. Whoever
// begins it asks in its own goroutine; that its caller goes away meanwhile ends
// nothing, because others wait too.
type flight struct {
	begun time.Time
	done  chan struct{}
	live  bool  // the answer about a token; valid when done is closed
	err   error // valid when done is closed
}

func begin(now time.Time) *flight { return &flight{begun: now, done: make(chan struct{})} }

// wait returns when the answer is there, or with an error when ctx is done first.
func (f *flight) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return errUnanswered
	}
}
