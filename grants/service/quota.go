package service

import (
	"sync"
	"time"

	"nightlatch/grants"
)

// The refusals of one person that are events of their own. Nobody can grow the log without
// bound by pressing what is not theirs, however often they press.
const (
	refusalsKept = 20
	refusalSpan  = time.Minute
)

// quota counts refusals per person.
type quota struct {
	mu     sync.Mutex
	people map[grants.PersonKey]*refusals
}

type refusals struct {
	since  time.Time
	kept   int
	missed int // since the last one that was recorded
}

// check reports whether one more refusal of a person is to be an event, and how many before
// it were none. It changes nothing, so that a transaction may go by its answer twice.
func (q *quota) check(p grants.PersonKey, now time.Time) (missed int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.people[p]
	if r == nil {
		return 0, true
	}
	return r.missed, r.kept < refusalsKept || now.Sub(r.since) >= refusalSpan
}

// count counts a refusal that became an event, or did not.
func (q *quota) count(p grants.PersonKey, recorded bool, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.people[p]
	if r == nil {
		q.forget(now)
		r = &refusals{since: now}
		q.people[p] = r
	}
	if now.Sub(r.since) >= refusalSpan {
		r.since, r.kept = now, 0
	}
	if recorded {
		r.kept, r.missed = r.kept+1, 0
	} else {
		r.missed++
	}
}

// forget makes room: whoever was quiet for the whole span, and of whom nothing is left to say.
func (q *quota) forget(now time.Time) {
	if q.people == nil {
		q.people = map[grants.PersonKey]*refusals{}
	}
	for p, r := range q.people {
		if r.missed == 0 && now.Sub(r.since) >= refusalSpan {
			delete(q.people, p)
		}
	}
}
