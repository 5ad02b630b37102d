package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// Service runs the grants of one ledger.
type Service struct {
	Config
	offer       atomic.Pointer[offer]
	known       known
	changes     changes
	issuingNow  set
	refused     quota
	room        room
	unstored    unstored
	wrongClock  bool         // of keepAlarming alone
	heardOthers bool         // too
	others      atomic.Int64 // who listen with our app token
	clock       clock
	broken      chan error // the first error after which the process must stop
	pulse       pulse
	counts      counts
	began       time.Time

	decideKick, deadlineKick chan struct{}
	readKick, newsKick       chan struct{}
	alarmKick                chan struct{}
	callKick                 map[string]chan struct{} // by issuer
	tellKick                 map[Surface]chan struct{}
}

// New checks the ledger's open grants against its events, recovers what a crash left
// half-made and what is overdue, in one transaction, and is then ready to take commands.
func New(ctx context.Context, c Config) (*Service, error) {
	s := &Service{
		Config: c, broken: make(chan error, 1),
		decideKick: make(chan struct{}, 1), deadlineKick: make(chan struct{}, 1), callKick: map[string]chan struct{}{},
		readKick: make(chan struct{}, 1), newsKick: make(chan struct{}, 1), alarmKick: make(chan struct{}, 1),
		tellKick: map[Surface]chan struct{}{},
	}
	s.defaults()
	s.began = time.Now().UTC()
	for _, surface := range []Surface{Verdict, Card, More, MoreCard, Alert, Home} {
		s.tellKick[surface] = make(chan struct{}, 1)
	}
	for name := range s.Issuers {
		s.callKick[name] = make(chan struct{}, 1)
	}
	offer, err := s.offering(c.Roles, c.Digest)
	if err != nil {
		return nil, err
	}
	s.offer.Store(offer)
	if err := s.Ledger.View(ctx, s.inspect); err != nil {
		return nil, err
	}
	if err := s.recover(ctx); err != nil {
		return nil, fmt.Errorf("recovering the ledger: %w", err)
	}
	return s, nil
}

func (s *Service) defaults() {
	zero(&s.Poll, 30*time.Second)
	zero(&s.Reread, time.Hour)
	zero(&s.Limits.PerPerson, 5)
	zero(&s.Limits.InAll, 500)
	zero(&s.Limits.Reveals, 10)
	zero(&s.Limits.Extensions, 10)
	zero(&s.Limits.Together, 10*time.Second)
}

func zero[T comparable](field *T, value T) {
	var none T
	if *field == none {
		*field = value
	}
}

// inspect loads what earlier runs kept, and compares each active grant's document with the
// hash in the event that left it.
func (s *Service) inspect(v *ledger.View) error {
	if err := s.loadKnown(v); err != nil {
		return err
	}
	if n := v.Size(); n > 0 {
		leaf, _ := v.Event(n - 1)
		last, err := grants.DecodeEvent(leaf)
		if err != nil {
			return fmt.Errorf("reading the last event: %w", err)
		}
		s.clock.since(last.At)
	}
	var bad error
	last := map[string]int64{} // active grant → the event that left it
	v.ScanIndex(indexActive, "", ledger.End, func(_, id string) bool {
		last[id], bad = s.matches(v, id)
		return bad == nil
	})
	if bad != nil || len(last) == 0 {
		return bad
	}
	return newest(v, last)
}

// newest refuses a document that was put back to what an earlier event left. It reads the log
// from the oldest of the events on; active grants are young.
func newest(v *ledger.View, last map[string]int64) error {
	var bad error
	v.Events(slices.Min(slices.Collect(maps.Values(last))), func(seq int64, leaf []byte) bool {
		e, err := grants.DecodeEvent(leaf)
		if err != nil {
			bad = fmt.Errorf("reading event %d: %w", seq, err)
		} else if at, active := last[e.Grant]; active && e.Doc != "" && seq > at {
			bad = fmt.Errorf("%w: grant %s is what event %d left, and event %d changed it", ErrAltered, e.Grant, at, seq)
		}
		return bad == nil
	})
	return bad
}

// matches compares a grant's document with the hash in its last event. The issuer of an
// active grant has a lane, though it may have left the configuration: what it made must die.
func (s *Service) matches(v *ledger.View, id string) (seq int64, err error) {
	doc, _ := v.Get(docGrant, id)
	g, err := grants.DecodeGrant(doc)
	if err != nil {
		return 0, fmt.Errorf("reading grant %s: %w", id, err)
	}
	leaf, _ := v.Event(g.Seq)
	e, err := grants.DecodeEvent(leaf)
	if err != nil {
		return 0, fmt.Errorf("reading event %d of grant %s: %w", g.Seq, id, err)
	}
	if e.Grant != id || e.Doc != grants.Digest(doc) {
		return 0, fmt.Errorf("%w: grant %s is not what event %d left", ErrAltered, id, g.Seq)
	}
	if _, ok := s.callKick[g.Role.Issuer]; !ok {
		s.callKick[g.Role.Issuer] = make(chan struct{}, 1)
	}
	return g.Seq, nil
}

// ErrAltered says that a document was changed behind the ledger's back.
var ErrAltered = errors.New("the ledger's documents do not follow from its events")

// recover is the start's one transaction: every credential that was half-made is retired,
// every overdue grant is closing. Revoking itself never holds up the start.
func (s *Service) recover(ctx context.Context) error {
	now := s.now()
	var events []ledger.Event
	err := s.commit(ctx, func(v *ledger.View) (ledger.Change, error) {
		e := bySystem(grants.KindStarted, "start", now)
		e.Config = s.Digest
		docs, err := offered(v, s.offer.Load(), &e)
		if err != nil {
			return ledger.Change{}, err
		}
		change, _, err := s.write(v, grants.Grant{}, due{}, step{docs: docs, events: []grants.Event{e}})
		if err != nil {
			return change, err
		}
		offset := int64(len(change.Events))
		v.ScanIndex(indexActive, "", ledger.End, func(_, id string) bool {
			var more ledger.Change
			if more, err = s.recovered(v, id, offset, now); err != nil {
				return false
			}
			change.Docs = append(without(change.Docs, more.Docs), more.Docs...)
			change.Events = append(change.Events, more.Events...)
			offset += int64(len(more.Events))
			return true
		})
		events = change.Events
		return change, err
	})
	if err == nil {
		s.recorded(ctx, events)
	}
	return err
}

// without leaves out the documents that others replace: the home of a person with several grants.
func without(docs, others []ledger.Doc) []ledger.Doc {
	return slices.DeleteFunc(docs, func(d ledger.Doc) bool {
		return slices.ContainsFunc(others, func(o ledger.Doc) bool { return o.Kind == d.Kind && o.Key == d.Key })
	})
}

// recovered is what the start's transaction does to one grant; offset is how many events it already has.
func (s *Service) recovered(v *ledger.View, id string, offset int64, now time.Time) (ledger.Change, error) {
	g, d, err := load(v, id)
	if err != nil {
		return ledger.Change{}, err
	}
	var st step
	for _, c := range g.InState(grants.Issuing) {
		if g, err = g.Retire(c.Ordinal, false, now); err != nil {
			return ledger.Change{}, err
		}
		st.moves = append(st.moves, move{g, credentialEvent(grants.KindRetiring, c, "start", now)})
	}
	moves, err := overdue(g, now)
	if err != nil {
		return ledger.Change{}, err
	}
	if st.moves = append(st.moves, moves...); len(st.moves) == 0 {
		return ledger.Change{}, nil
	}
	change, _, err := s.writeAt(v, g, d, st, v.Size()+offset)
	return change, err
}

// now is the clock of decisions.
func (s *Service) now() time.Time { return s.clock.now() }

// Run sweeps, polls and tells until ctx ends, or until the ledger's outcome is unknown and
// the process must stop.
func (s *Service) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		select {
		case err := <-s.broken:
			return err
		case <-ctx.Done():
			return nil
		}
	})
	g.Go(func() error { s.keepReading(ctx); return nil })
	g.Go(func() error { s.keepPolling(ctx); return nil })
	g.Go(func() error { s.keepLooking(ctx); return nil })
	g.Go(func() error { s.watchClock(ctx); return nil })
	g.Go(func() error { s.keepAnnouncing(ctx); return nil })
	g.Go(func() error { s.keepAuditing(ctx); return nil })
	g.Go(func() error { s.keepAlarming(ctx); return nil })
	lanes := []lane{{indexDecide, s.decideKick, s.settle, 16}, {indexDeadline, s.deadlineKick, s.deadline, 8}}
	for name, kick := range s.callKick {
		lanes = append(lanes, lane{indexCall + name, kick, s.retire, 4})
	}
	for _, l := range lanes {
		s.pulse.beat(l.index) // from now on it is missed
		g.Go(func() error { s.sweep(ctx, l); return nil })
	}
	for surface := range s.tellKick {
		g.Go(func() error { s.keepTelling(ctx, surface); return nil })
	}
	return g.Wait()
}

// fatal remembers the first error after which nothing in memory can be believed.
func (s *Service) fatal(err error) {
	if !errors.Is(err, ledger.ErrUnknownOutcome) {
		return
	}
	select {
	case s.broken <- fmt.Errorf("the ledger must be recovered from disk: %w", err):
	default:
	}
}

// wake lets every loop look at what is due.
func (s *Service) wake() {
	kick(s.decideKick)
	kick(s.deadlineKick)
	for _, c := range s.tellKick {
		kick(c)
	}
	for _, c := range s.callKick {
		kick(c)
	}
}

func kick(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it looks soon anyway
	}
}

// watchClock records a jump of the wall clock against the time that really passed.
func (s *Service) watchClock(ctx context.Context) {
	const every, jump = 10 * time.Second, time.Minute
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
		t := time.Now()
		drift := t.Round(0).Sub(last.Round(0)) - t.Sub(last) // wall against monotonic
		last = t
		if drift.Abs() <= jump {
			continue
		}
		now := s.now()
		s.raise(ctx, alarm{Cause: causeJump, Since: now, Passing: true, Summary: fmt.Sprintf(
			"The clock of the machine jumped by %s. Ends of grants depend on it: look at its time synchronisation.", drift)})
		_, err := s.update(ctx, "", func(*ledger.View, grants.Grant, due) (step, error) {
			e := bySystem(grants.KindClock, "clock", now)
			e.Detail = drift.String()
			return step{events: []grants.Event{e}}, nil
		})
		if err != nil && ctx.Err() == nil {
			s.Log.Error("recording a jump of the clock", "error", err)
		}
	}
}

// set is a set of grant IDs.
type set struct {
	mu  sync.Mutex
	ids map[string]struct{}
}

// add reports whether the ID was not in the set.
func (s *set) add(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, in := s.ids[id]; in {
		return false
	}
	if s.ids == nil {
		s.ids = map[string]struct{}{}
	}
	s.ids[id] = struct{}{}
	return true
}

func (s *set) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, in := s.ids[id]
	return in
}

func (s *set) remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ids, id)
}
