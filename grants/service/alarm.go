package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// This file wakes a human: once for each cause, then daily, until it is over. An alarm is a
// document, so that a restart neither forgets it nor pages twice; that somebody was paged, and
// that it is over, are events.

// Pager wakes a human.
type Pager interface {
	// Page tells of an alarm, or that it is over. Telling it again under the same Key does no harm.
	Page(ctx context.Context, a grants.Alarm) error
}

// The times of alarms.
const (
	failingFor    = time.Minute      // a target that does not revoke is no alarm before
	silentFor     = 10 * time.Minute // PagerDuty's silence is none before
	passingFor    = time.Hour        // what happens once is over after this
	pageAgain     = 24 * time.Hour
	pagePatience  = 30 * time.Second // of one way to page; then the next one is tried
	alarmLook     = 10 * time.Second // how often what lasts is looked at
	pageRetry     = 30 * time.Second // after every way failed
	causeLedger   = "ledger"
	causePager    = "pagerduty"
	causeAppToken = "app_token"
	causeClock    = "clock"
	causeDisk     = "disk"
	causeTarget   = "target/" // + issuer
)

// alarm is what is stored of one, under its cause.
type alarm struct {
	Cause   string    `json:"cause"`
	Summary string    `json:"summary"`
	Since   time.Time `json:"since"`
	Seen    time.Time `json:"seen"`              // when it was last found
	Passing bool      `json:"passing,omitempty"` // it happened, and does not last
	Pages   int       `json:"pages,omitempty"`
	Paged   time.Time `json:"paged,omitzero"` // last
	Over    time.Time `json:"over,omitzero"`
}

// wants reports whether somebody must be told of it now.
func (a alarm) wants(now time.Time) bool {
	if !a.Over.IsZero() {
		return true
	}
	return a.Paged.IsZero() || now.Sub(a.Paged) >= pageAgain
}

func (a alarm) doc() (ledger.Doc, error) {
	b, err := grants.Encode(a)
	if err != nil {
		return ledger.Doc{}, fmt.Errorf("encoding the alarm of %s: %w", a.Cause, err)
	}
	return ledger.Doc{Kind: docAlarm, Key: a.Cause, Value: b}, nil
}

func alarmAt(v *ledger.View, cause string) (a alarm, exists bool, err error) {
	b, exists := v.Get(docAlarm, cause)
	if exists {
		if err = json.Unmarshal(b, &a); err != nil {
			err = fmt.Errorf("reading the alarm of %s: %w", cause, err)
		}
	}
	return a, exists, err
}

// raise stores an alarm; one that is there already goes on.
func (s *Service) raise(ctx context.Context, a alarm) {
	a.Seen = s.now()
	s.keepAlarm(ctx, a.Cause, func(was alarm, exists bool) (alarm, bool) {
		if !exists {
			return a, true
		}
		again := !was.Over.IsZero() || was.Passing && a.Seen.Sub(was.Seen) > time.Minute
		was.Seen, was.Over, was.Summary = a.Seen, time.Time{}, a.Summary
		return was, again
	})
}

// calm says that what lasted is over.
func (s *Service) calm(ctx context.Context, cause string) {
	now := s.now()
	s.keepAlarm(ctx, cause, func(was alarm, exists bool) (alarm, bool) {
		lasted := exists && was.Over.IsZero()
		was.Over = now
		return was, lasted
	})
}

// keepAlarm changes the alarm of a cause if there is something to change. An alarm that cannot
// be stored is logged: it is found again.
func (s *Service) keepAlarm(ctx context.Context, cause string, change func(was alarm, exists bool) (alarm, bool)) {
	err := s.commit(ctx, func(v *ledger.View) (ledger.Change, error) {
		was, exists, err := alarmAt(v, cause)
		if err != nil {
			return ledger.Change{}, err
		}
		next, changed := change(was, exists)
		if !changed {
			return ledger.Change{}, errNothing
		}
		doc, err := next.doc()
		return ledger.Change{Docs: []ledger.Doc{doc}}, err
	})
	switch {
	case err == nil:
		kick(s.alarmKick)
	case !errors.Is(err, errNothing) && ctx.Err() == nil:
		s.fatal(err)
		s.Log.Error("storing an alarm", "cause", cause, "error", err)
	}
}

// keepAlarming looks for what lasts and pages about what must be told.
func (s *Service) keepAlarming(ctx context.Context) {
	s.calm(ctx, causeAppToken) // the sockets are new: whoever still listens is heard again
	s.calm(ctx, causeDisk)     // this process has not looked yet
	var rest time.Time         // not before, after every way to page failed
	for ctx.Err() == nil {
		s.keepReserve(ctx)
		s.findFailing(ctx)
		if time.Now().After(rest) {
			if err := s.pageAll(ctx); err != nil && ctx.Err() == nil {
				s.Log.Error("paging, trying again", "error", err)
				rest = time.Now().Add(pageRetry)
			}
		}
		select {
		case <-ctx.Done():
		case <-s.alarmKick:
		case <-time.After(alarmLook):
		}
	}
}

// findFailing raises an alarm for each target that has not revoked for a while, whatever the
// number of grants that wait for it, and ends those of targets that do again.
func (s *Service) findFailing(ctx context.Context) {
	now := s.now()
	type failing struct {
		count int
		since time.Time
	}
	found := map[string]failing{}
	alarmed := map[string]bool{}
	err := s.Ledger.View(ctx, func(v *ledger.View) (bad error) {
		for issuer := range s.callKick {
			_, alarmed[issuer], _ = alarmAt(v, causeTarget+issuer)
			v.ScanIndex(indexCall+issuer, "", ledger.End, func(_, id string) bool {
				var d due
				if b, ok := v.Get(docDue, id); ok {
					bad = json.Unmarshal(b, &d)
				}
				if since := d.Call.Failing; bad == nil && !since.IsZero() {
					f := found[issuer]
					found[issuer] = failing{f.count + 1, sooner(f.since, since)}
				}
				return bad == nil
			})
		}
		return bad
	})
	if err != nil {
		if ctx.Err() == nil {
			s.fatal(err)
			s.Log.Error("looking for targets that do not revoke", "error", err)
		}
		return
	}
	for issuer := range s.callKick {
		f := found[issuer]
		switch lasts := f.count > 0 && now.Sub(f.since) >= failingFor; {
		case lasts && !alarmed[issuer]:
			s.raise(ctx, alarm{Cause: causeTarget + issuer, Since: f.since, Summary: fmt.Sprintf(
				"The target %s has not revoked what is over since %s: %d of its grants may still be usable. It is tried again until it does. Look at the target, and at /access show or the log for the grants.",
				issuer, f.since.Format(time.RFC3339), f.count)})
		case f.count == 0 && alarmed[issuer]:
			s.calm(ctx, causeTarget+issuer)
		}
	}
}

// pageAll pages about every alarm that must be told.
func (s *Service) pageAll(ctx context.Context) error {
	var all []alarm
	err := s.Ledger.View(ctx, func(v *ledger.View) (bad error) {
		v.Scan(docAlarm, "", func(cause string, b []byte) bool {
			var a alarm
			if bad = json.Unmarshal(b, &a); bad != nil {
				bad = fmt.Errorf("reading the alarm of %s: %w", cause, bad)
			}
			all = append(all, a)
			return bad == nil
		})
		return bad
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, a := range all {
		now := s.now()
		if a.Passing && a.Over.IsZero() && now.Sub(a.Seen) >= passingFor {
			s.calm(ctx, a.Cause)
			a.Over = now
		}
		if a.wants(now) {
			errs = append(errs, s.page(ctx, a, now))
		}
	}
	return errors.Join(errs...)
}

// page tells of one alarm and records that it did. The page of a further day is a new one,
// because nobody is woken by what they acknowledged yesterday; the one before it is over then.
func (s *Service) page(ctx context.Context, a alarm, now time.Time) error {
	over := !a.Over.IsZero()
	if !over {
		a.Pages++
		s.Log.Error("a human is needed", "cause", a.Cause, "summary", a.Summary, "since", a.Since, "page", a.Pages)
	} else {
		s.Log.Info("an alarm is over", "cause", a.Cause)
	}
	if a.Pages > 0 {
		if err := s.wakeSomebody(ctx, s.paged(a, a.Pages, a.Over)); err != nil {
			return fmt.Errorf("paging about %s: %w", a.Cause, err)
		}
	}
	if !over && a.Pages > 1 {
		if err := s.wakeSomebody(ctx, s.paged(a, a.Pages-1, now)); err != nil {
			s.Log.Warn("ending the page of yesterday", "cause", a.Cause, "error", err)
		}
	}
	_, err := s.update(ctx, "", func(v *ledger.View, _ grants.Grant, _ due) (step, error) {
		cur, exists, err := alarmAt(v, a.Cause)
		if err != nil || !exists {
			return step{}, errors.Join(err, errNothing)
		}
		e := bySystem(grants.KindPaged, "alarm", now)
		e.Detail, e.Count = a.Cause, a.Pages
		cur.Pages, cur.Paged = a.Pages, now
		doc, err := cur.doc()
		if over {
			e.Kind = grants.KindPageOver
			if !cur.Over.IsZero() { // it did not come back meanwhile
				doc.Value = nil
			}
		}
		st := step{docs: []ledger.Doc{doc}}
		if a.Pages > 0 && len(s.Pagers) > 0 {
			st.events = []grants.Event{e}
		}
		return st, err
	})
	return err
}

// paged is the n-th page of an alarm.
func (s *Service) paged(a alarm, n int, over time.Time) grants.Alarm {
	return grants.Alarm{Key: fmt.Sprintf("nightlatch/%s/%s/%d", s.Ledger.Instance(), a.Cause, n), Summary: a.Summary, Since: a.Since, Over: over}
}

// wakeSomebody tries the ways to page in order, until one of them answers. That it is over, all
// of them are told: any may have paged.
func (s *Service) wakeSomebody(ctx context.Context, a grants.Alarm) error {
	var errs []error
	told := len(s.Pagers) == 0
	for _, p := range s.Pagers {
		pageCtx, cancel := context.WithTimeout(ctx, pagePatience)
		err := p.Page(pageCtx, a)
		cancel()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			errs = append(errs, err)
			continue
		}
		if told = true; a.Over.IsZero() {
			break
		}
	}
	if told {
		return nil
	}
	return errors.Join(errs...)
}
