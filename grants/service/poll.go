package service

import (
	"context"
	"errors"
	"slices"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// nearEnd is how close to an entry's end the following ones are read with every poll.
const nearEnd = 30 * time.Minute

// askAgain is how long after a "not on call" PagerDuty is asked again; two such answers end a grant.
const askAgain = time.Second

// keepReading reads the directory and the hours ahead: at the start until it succeeds, then
// every Reread, and soon after Slack says that something changed.
func (s *Service) keepReading(ctx context.Context) {
	retry := time.Second
	for ctx.Err() == nil {
		pause, began := s.Reread, time.Now()
		if err := s.reread(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("reading the directory and the shifts ahead", "error", err)
			pause, retry = retry, min(2*retry, time.Minute)
		} else {
			retry = time.Second
			kick(s.decideKick)
		}
		if err := s.forgetOld(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("forgetting what is old", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		case <-s.readKick:
			select {
			case <-ctx.Done():
			case <-time.After(readingsApart - time.Since(began)):
			}
		}
	}
}

// forgetOld deletes the IDs of envelopes that Slack will not send again, and where grants were
// shown whose denial is final.
func (s *Service) forgetOld(ctx context.Context) error {
	now := s.now()
	return errors.Join(
		s.forget(ctx, docEnvelope, indexEnvelope, now.Add(-envelopeLife)),
		s.forget(ctx, docTold, indexTold, now),
	)
}

// forget deletes the documents of a kind whose time in an index has come, a page at a time.
func (s *Service) forget(ctx context.Context, kind, index string, before time.Time) error {
	for {
		more := false
		err := s.commit(ctx, func(v *ledger.View) (ledger.Change, error) {
			var change ledger.Change
			v.ScanIndex(index, "", ledger.TimeKey(before), func(_, key string) bool {
				change.Docs = append(change.Docs, ledger.Doc{Kind: kind, Key: key})
				return len(change.Docs) < 1000
			})
			more = len(change.Docs) == 1000
			return change, nil
		})
		if err != nil || !more {
			return err
		}
	}
}

// envelopeLife is how long an envelope's ID is kept.
const envelopeLife = 24 * time.Hour

// keepPolling asks who is on call now, for all roles at once, and lets open grants follow.
func (s *Service) keepPolling(ctx context.Context) {
	var silent time.Time // since when
	heard := false       // since the start
	for ctx.Err() == nil {
		err := s.poll(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil && silent.IsZero():
			silent = s.now()
			s.Log.Warn("polling PagerDuty; open grants keep their last known end", "error", err)
		case err != nil && s.now().Sub(silent) >= silentFor:
			s.raise(ctx, alarm{Cause: causePager, Since: silent, Summary: "PagerDuty has not answered for " + silentFor.String() +
				": nothing opens by itself, no shift's end is learned, and open grants keep their last known end. Look at PagerDuty's status and at the API key."})
		case err == nil && (!heard || !silent.IsZero()):
			if !silent.IsZero() {
				s.Log.Info("PagerDuty answers again")
			}
			s.calm(ctx, causePager)
			silent, heard = time.Time{}, true
		}
		select {
		case <-ctx.Done():
		case <-time.After(s.Poll):
		}
	}
}

// poll is one round. An error ends no grant and extends none.
func (s *Service) poll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, max(s.Poll, 2*askPatience))
	defer cancel()
	open, err := s.openGrants(ctx)
	if err != nil {
		return err
	}
	sources := s.sourcesFor(open)
	live, err := s.OnCall.Entries(ctx, sources, time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	s.known.mu.Lock()
	s.known.live = live
	s.known.mu.Unlock()
	if err := s.remember(ctx, live.Entries); err != nil {
		return err
	}
	if s.needAhead(open, live) {
		now := s.now()
		ahead, err := s.OnCall.Entries(ctx, sources, now, now.Add(horizon))
		if err != nil {
			return err
		}
		s.known.foresee(ahead)
	}
	live = s.bridged(s.withAhead(live))
	var off []grants.Grant
	var errs []error
	for _, g := range open {
		person, err := s.identify(g.Person)
		if err != nil {
			return err
		}
		a := grants.Look(person, g.Role, live, s.past(live), s.Settle, s.now())
		if !a.OnCall {
			off = append(off, g)
			continue
		}
		errs = append(errs, s.follow(ctx, g, a))
	}
	return errors.Join(append(errs, s.confirmAll(ctx, off))...)
}

// openGrants lists the open grants that are bound to a shift.
func (s *Service) openGrants(ctx context.Context) (open []grants.Grant, err error) {
	err = s.Ledger.View(ctx, func(v *ledger.View) error {
		var bad error
		v.ScanIndex(indexOpen, "", ledger.End, func(_, id string) bool {
			var g grants.Grant
			if g, _, bad = load(v, id); bad == nil && g.BoundToShift() {
				open = append(open, g)
			}
			return bad == nil
		})
		return bad
	})
	return open, err
}

// sourcesFor is everything that PagerDuty is asked about: the roles', and those of open
// grants whose role has left the configuration meanwhile.
func (s *Service) sourcesFor(open []grants.Grant) []grants.Source {
	roles := slices.Clone(s.offer.Load().roles)
	for _, g := range open {
		roles = append(roles, g.Role)
	}
	return sourcesOf(roles)
}

// needAhead reports whether what follows must be read: somebody's present shift ends soon,
// or is not the one that their grant knows.
func (s *Service) needAhead(open []grants.Grant, live grants.Snapshot) bool {
	now := s.now()
	return slices.ContainsFunc(open, func(g grants.Grant) bool {
		p, err := s.identify(g.Person)
		if err != nil {
			return false
		}
		shift, on := grants.ShiftAt(p.PagerDuty, g.Role.OnCall, live.Entries, now)
		if !on || shift.Until.IsZero() {
			return false
		}
		return shift.Until.Sub(now) < nearEnd || !shift.Until.Equal(g.Shift.Until)
	})
}

// withAhead adds to an answer about now what was last read of the time after it.
func (s *Service) withAhead(live grants.Snapshot) grants.Snapshot {
	return s.withKnown(live, func(e grants.Entry) bool { return e.Start.After(live.Read) })
}

// bridged adds to an answer about now what was last read of the minute before it and the minute
// after it. A hand-over to oneself leaves a gap of up to a minute in which nobody is on call.
func (s *Service) bridged(live grants.Snapshot) grants.Snapshot {
	from, until := live.Read.Add(-grants.MergeGap), live.Read.Add(grants.MergeGap)
	return s.withKnown(live, func(e grants.Entry) bool {
		begins := e.Start.After(live.Read) && !e.Start.After(until)
		ended := !e.End.IsZero() && !e.End.After(live.Read) && !e.End.Before(from)
		return begins || ended
	})
}

// withKnown adds entries of the hours ahead, as they were last read, to an answer.
func (s *Service) withKnown(live grants.Snapshot, wanted func(grants.Entry) bool) grants.Snapshot {
	s.known.mu.RLock()
	defer s.known.mu.RUnlock()
	live.Entries = slices.Clone(live.Entries)
	for _, e := range s.known.ahead.Entries {
		if wanted(e) {
			live.Entries = append(live.Entries, e)
		}
	}
	return live
}

// follow moves the end of a grant with its person's shift.
func (s *Service) follow(ctx context.Context, g grants.Grant, a grants.Answer) error {
	if a.Move(g.Shift) == g.Shift {
		return nil
	}
	now := s.now()
	_, err := s.update(ctx, g.ID, func(_ *ledger.View, cur grants.Grant, _ due) (step, error) {
		shift := a.Move(cur.Shift)
		if cur.State != grants.Open || shift == cur.Shift || a.Read.Before(cur.Read) { // a reveal may know it newer
			return step{}, errNothing
		}
		next, err := cur.Follow(shift, a.Read, now)
		e := bySystem(grants.KindShift, "poll", now)
		e.Reasons = []grants.Reason{{Code: grants.OnCallNow, People: []string{string(cur.Person)}, Until: shift.Until}}
		return step{moves: []move{{next, e}}}, err
	})
	return err
}

// confirmAll asks a second time about everybody who seemed to be off call, and ends the
// grants of those who are.
func (s *Service) confirmAll(ctx context.Context, off []grants.Grant) error {
	if len(off) == 0 {
		return nil
	}
	if err := wait(ctx, askAgain); err != nil {
		return err
	}
	live, err := s.OnCall.Entries(ctx, s.sourcesFor(off), time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	var errs []error
	for _, g := range off {
		p, err := s.identify(g.Person)
		if err != nil {
			return err
		}
		if a := grants.Look(p, g.Role, s.bridged(live), nil, s.Settle, s.now()); !a.OnCall {
			_, err = s.endOff(ctx, g.ID, grants.WhoIs(a))
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// confirmOff asks a second time about one grant; a reveal waits for it.
func (s *Service) confirmOff(ctx context.Context, g grants.Grant, p grants.Person) (off bool, reason grants.Reason, err error) {
	if err := wait(ctx, askAgain); err != nil {
		return false, reason, err
	}
	a := s.ask(ctx, p, g.Role, 0)
	return a.Known && !a.OnCall, grants.WhoIs(a), ctx.Err()
}

// endOff ends an open grant whose person is no longer on call.
func (s *Service) endOff(ctx context.Context, id string, reason grants.Reason) (grants.Grant, error) {
	now := s.now()
	return s.update(ctx, id, func(_ *ledger.View, g grants.Grant, _ due) (step, error) {
		if g.State != grants.Open {
			return step{}, errNothing
		}
		outcome := grants.OffCall
		if !g.Shift.Until.IsZero() && !now.Before(g.Shift.Until) {
			outcome = grants.ShiftEnded
		}
		moves, err := end(g, outcome, grants.Actor{System: "poll"}, []grants.Reason{reason}, now)
		return step{moves: moves}, err
	})
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
