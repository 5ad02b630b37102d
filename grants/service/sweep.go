package service

import (
	"context"
	"sync"
	"time"

	"nightlatch/grants/ledger"
)

// lane is one queue of due grants: the decisions, which wait for PagerDuty, the deadlines, which
// wait for nobody, or one issuer's revocations.
type lane struct {
	index   string
	kick    chan struct{}
	work    func(context.Context, string) error
	workers int
}

// The bounds of a sweep.
const (
	page = 64          // grants looked at in one go
	idle = time.Second // the longest wait between two looks, and what a grant rests after an error
)

// sweep does what is due in a lane, by a few workers. Each takes the next grant as soon as it is
// free, so that one call that hangs holds up only its own worker.
func (s *Service) sweep(ctx context.Context, l lane) {
	var wg sync.WaitGroup
	defer wg.Wait()
	hands := make(chan struct{}, l.workers)
	var taken resting
	for ctx.Err() == nil {
		ids, next := s.due(ctx, l.index, &taken)
		for _, id := range ids {
			select {
			case hands <- struct{}{}:
			case <-ctx.Done():
				return
			}
			taken.take(id)
			s.pulse.beat(l.index)
			wg.Go(func() {
				defer s.pulse.begin(l.index + " " + id)()
				err := l.work(ctx, id)
				if err != nil && ctx.Err() == nil {
					s.Log.Error("advancing a grant", "grant", id, "error", err)
					taken.rest(id, time.Now().Add(idle))
				} else {
					taken.free(id)
				}
				<-hands
				kick(l.kick)
			})
		}
		if len(ids) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-l.kick:
		case <-time.After(next):
		}
	}
}

// due lists a page of grants that are due in an index and that nobody has taken, and says how
// long it is until there is another one to look at.
func (s *Service) due(ctx context.Context, index string, taken *resting) (ids []string, next time.Duration) {
	now := s.now()
	next = idle
	err := s.Ledger.View(ctx, func(v *ledger.View) error {
		v.ScanIndex(index, "", ledger.End, func(at, id string) bool {
			t, err := ledger.ParseTimeKey(at)
			if err == nil && t.After(now) {
				next = min(next, max(t.Sub(now), time.Millisecond))
				return false
			}
			if !taken.has(id) {
				ids = append(ids, id)
			}
			return len(ids) < page
		})
		return nil
	})
	switch {
	case err == nil:
		s.pulse.beat(index)
	case ctx.Err() == nil:
		s.fatal(err)
		s.Log.Error("looking for what is due", "error", err)
	}
	return ids, next
}

// resting is what a lane leaves alone: grants that a worker has, and those that rest after an error.
type resting struct {
	mu    sync.Mutex
	until map[string]time.Time // zero: a worker has it
}

func (r *resting) take(id string) { r.rest(id, time.Time{}) }

func (r *resting) rest(id string, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until == nil {
		r.until = map[string]time.Time{}
	}
	r.until[id] = until
}

func (r *resting) free(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.until, id)
}

func (r *resting) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	until, ok := r.until[id]
	if ok && !until.IsZero() && !time.Now().Before(until) {
		delete(r.until, id)
		return false
	}
	return ok
}
