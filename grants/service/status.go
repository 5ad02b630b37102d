package service

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// This file is how a service is, in numbers: for a monitor, which must not learn who has what.

// Status says how a service is. It names nobody.
type Status struct {
	At    time.Time // by the clock of decisions
	Began time.Time // when the service was made

	Events   int64                   // in the ledger
	Commits  uint64                  // since it began
	Recorded map[grants.Kind]uint64  // events since it began
	Verdicts map[VerdictCount]uint64 // since it began

	Pending, Open, Closing int               // grants; pending are those that are asked for, too
	Targets                map[string]Target // by issuer
	Lag                    Histogram         // of revocations since it began: from when it was due to when it was proven

	Swept    time.Time           // Alive
	Answered time.Time           // when PagerDuty last answered a poll; zero: not since it began
	Read     time.Time           // when the shifts ahead were last read, maybe before it began
	Untold   map[Surface]Backlog // what people are not shown yet
	Alarms   int                 // that last
	Scarce   bool                // the ledger's disk is full: nothing opens
}

// VerdictCount is what a verdict is counted under: what was decided, and the first of its reasons.
// A request that was refused before it was recorded is Rejected.
type VerdictCount struct {
	Decision grants.Decision
	Reason   grants.Code
}

// Rejected is the decision about what was refused before it became a request, a vote or an end.
const Rejected grants.Decision = "reject"

// Target is what waits for a target to revoke it.
type Target struct {
	Waiting int       // grants with something to revoke, those included that wait for an expiry
	Failing int       // of these, those that the target did not revoke when it was tried
	Since   time.Time // since when the oldest of these fails
}

// Backlog is what a surface does not show yet.
type Backlog struct {
	Count int
	Since time.Time // of the oldest
}

// Histogram counts durations. Counts[i] are those of at most LagBounds()[i] and more than the bound
// before; the last is of those above every bound.
type Histogram struct {
	Counts []uint64
	Sum    time.Duration
}

// LagBounds are the upper bounds of a Histogram.
func LagBounds() []time.Duration {
	const ms, s, m = time.Millisecond, time.Second, time.Minute
	return []time.Duration{50 * ms, 100 * ms, 250 * ms, 500 * ms, s, 2 * s, 5 * s, 10 * s, 30 * s, m, 5 * m, 15 * m, 60 * m}
}

// counts are what happened since the service was made. The zero value is ready.
type counts struct {
	mu       sync.Mutex
	recorded map[grants.Kind]uint64
	verdicts map[VerdictCount]uint64
	lag      Histogram
}

// event counts what was committed.
func (c *counts) event(e grants.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.recorded == nil {
		c.recorded, c.verdicts = map[grants.Kind]uint64{}, map[VerdictCount]uint64{}
	}
	c.recorded[e.Kind]++
	under := VerdictCount{Decision: Rejected}
	switch {
	case e.Verdict != nil:
		under.Decision = e.Verdict.Decision
	case e.Kind != grants.KindRejected:
		return
	}
	if len(e.Reasons) > 0 {
		under.Reason = e.Reasons[0].Code
	}
	c.verdicts[under]++
}

// proven counts how long ago that was due which is now proven dead.
func (c *counts) proven(lags []time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	bounds := LagBounds()
	if c.lag.Counts == nil {
		c.lag.Counts = make([]uint64, len(bounds)+1)
	}
	for _, lag := range lags {
		lag = max(lag, 0)
		at, _ := slices.BinarySearch(bounds, lag)
		c.lag.Counts[at]++
		c.lag.Sum += lag
	}
}

// fill copies the counts into a status.
func (c *counts) fill(s *Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Recorded, s.Verdicts = maps.Clone(c.recorded), maps.Clone(c.verdicts)
	s.Lag = Histogram{Counts: slices.Clone(c.lag.Counts), Sum: c.lag.Sum}
	if s.Lag.Counts == nil {
		s.Lag.Counts = make([]uint64, len(LagBounds())+1)
	}
}

// lagOf is how long before its proof a credential's end was due: when it was retired or, if that
// came late, when time alone ended its grant.
func lagOf(g grants.Grant, c grants.Credential, now time.Time) time.Duration {
	from := c.Since
	if !g.Ended.IsZero() && !g.Ends.IsZero() && g.Ends.Before(from) && !g.Ended.Before(g.Ends) {
		from = g.Ends
	}
	return now.Sub(from)
}

// Ready reports whether the ledger can be read, which is all that introspection needs.
func (s *Service) Ready(ctx context.Context) error {
	return s.Ledger.View(ctx, func(*ledger.View) error { return nil })
}

// Status says how the service is. It reads the ledger's indexes, and touches no wire.
func (s *Service) Status(ctx context.Context) (Status, error) {
	st := Status{
		At: s.now(), Began: s.began, Commits: s.Ledger.Commits(), Swept: s.Alive(), Scarce: s.room.scarce.Load(),
		Targets: map[string]Target{}, Untold: map[Surface]Backlog{},
	}
	s.counts.fill(&st)
	s.known.mu.RLock()
	st.Answered = s.known.live.Read
	if n := len(s.known.history); n > 0 {
		st.Read = s.known.history[n-1].Read
	}
	s.known.mu.RUnlock()
	err := s.Ledger.View(ctx, func(v *ledger.View) (err error) {
		st.Events = v.Size()
		active, held := length(v, indexActive), length(v, indexHeld)
		st.Open = length(v, indexOpen)
		st.Pending, st.Closing = held-st.Open, active-held
		for issuer := range s.callKick {
			if st.Targets[issuer], err = targetOf(v, issuer); err != nil {
				return err
			}
		}
		for surface := range s.tellKick {
			st.Untold[surface] = backlogOf(v, surface)
		}
		st.Alarms, err = lasting(v)
		return err
	})
	return st, err
}

// length is how many keys an index has.
func length(v *ledger.View, index string) (n int) {
	v.ScanIndex(index, "", ledger.End, func(string, string) bool { n++; return true })
	return n
}

// targetOf is what waits for a target.
func targetOf(v *ledger.View, issuer string) (t Target, bad error) {
	v.ScanIndex(indexCall+issuer, "", ledger.End, func(_, id string) bool {
		t.Waiting++
		var d due
		if b, ok := v.Get(docDue, id); ok {
			if bad = json.Unmarshal(b, &d); bad != nil {
				bad = fmt.Errorf("reading what is due for grant %s: %w", id, bad)
			}
		}
		if since := d.Call.Failing; bad == nil && !since.IsZero() {
			t.Failing++
			t.Since = sooner(t.Since, since)
		}
		return bad == nil
	})
	return t, bad
}

// backlogOf is what a surface does not show yet, the oldest first.
func backlogOf(v *ledger.View, surface Surface) (b Backlog) {
	v.ScanIndex(indexUntold+string(surface), "", ledger.End, func(since, _ string) bool {
		if at, err := ledger.ParseTimeKey(since); err == nil && b.Count == 0 {
			b.Since = at
		}
		b.Count++
		return true
	})
	return b
}

// lasting is how many alarms there are that are not over.
func lasting(v *ledger.View) (n int, bad error) {
	v.Scan(docAlarm, "", func(cause string, b []byte) bool {
		var a alarm
		if bad = json.Unmarshal(b, &a); bad != nil {
			bad = fmt.Errorf("reading the alarm of %s: %w", cause, bad)
		} else if a.Over.IsZero() {
			n++
		}
		return bad == nil
	})
	return n, bad
}
