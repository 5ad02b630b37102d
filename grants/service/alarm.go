package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
	failingFor = time.Minute      // a target that does not revoke is no alarm before
	silentFor  = 10 * time.Minute // PagerDuty's silence is none before
	passingFor = time.Hour        // what happens once is over after this
	alarmLook  = 10 * time.Second // how often what lasts is looked at
)

// The causes of alarms.
const (
	causeLedger   = "ledger"
	causePager    = "pagerduty"
	causeAppToken = "app_token"
	causeJump     = "clock_jumped"
	causeClock    = "clock"
	causeDisk     = "disk"
	causeTarget   = "target/" // + issuer
)

// alarm is what is stored of one, under its cause. Its pages are numbered; what belongs to one
// number is one incident of whoever is paged.
type alarm struct {
	Cause   string    `json:"cause"`
	Summary string    `json:"summary"`
	Since   time.Time `json:"since"`
	Seen    time.Time `json:"seen"`              // when it was last found
	Passing bool      `json:"passing,omitempty"` // it happened, and does not last
	Over    time.Time `json:"over,omitzero"`

	Born   time.Time `json:"born"`             // of the document, so that no number comes twice
	Pages  int       `json:"pages,omitempty"`  // the number of the last page
	Begun  bool      `json:"begun,omitempty"`  // that page is of what lasts now, and may have been told
	Paged  time.Time `json:"paged,omitzero"`   // when it was heard; zero: it is to be told again
	Ending []ending  `json:"ending,omitempty"` // pages whose end is to be told
}

// ending is a page that is over, and since when nobody could be told so.
type ending struct {
	Page  int       `json:"page"`
	Since time.Time `json:"since"`
}

// doc is the document of the alarm; an alarm that is over and told is none.
func (a alarm) doc() (ledger.Doc, error) {
	doc := ledger.Doc{Kind: docAlarm, Key: a.Cause}
	if !a.Over.IsZero() && len(a.Ending) == 0 {
		return doc, nil
	}
	b, err := grants.Encode(a)
	if err != nil {
		return doc, fmt.Errorf("encoding the alarm of %s: %w", a.Cause, err)
	}
	doc.Value = b
	return doc, nil
}

// ended makes the last page one whose end is to be told.
func (a alarm) ended(now time.Time) alarm {
	if a.Begun {
		a.Ending = append(slices.Clone(a.Ending), ending{a.Pages, now})
	}
	a.Begun, a.Paged = false, time.Time{}
	return a
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

// raise stores an alarm; one that lasts already goes on, and one that comes back while its end
// is being told is paged about anew.
func (s *Service) raise(ctx context.Context, a alarm) {
	a.Seen = s.now()
	a.Born = a.Seen
	stored := s.keepAlarm(ctx, a.Cause, func(was alarm, exists bool) (alarm, bool) {
		if !exists {
			return a, true
		}
		again := !was.Over.IsZero()
		if again {
			was.Since, was.Over = a.Since, time.Time{}
		}
		again = again || was.Passing && a.Seen.Sub(was.Seen) > time.Minute
		was.Seen, was.Summary = a.Seen, a.Summary
		return was, again
	})
	if !stored && s.unstored.put(a) {
		kick(s.alarmKick)
	}
}

// calm says that what lasted is over.
func (s *Service) calm(ctx context.Context, cause string) {
	now := s.now()
	s.unstored.over(cause, now)
	s.keepAlarm(ctx, cause, func(was alarm, exists bool) (alarm, bool) {
		lasted := exists && was.Over.IsZero()
		was = was.ended(now)
		was.Over = now
		return was, lasted
	})
}

// keepAlarm changes the alarm of a cause if there is something to change. It reports whether the
// ledger had room for that.
func (s *Service) keepAlarm(ctx context.Context, cause string, change func(was alarm, exists bool) (alarm, bool)) (stored bool) {
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
	return !errors.Is(err, ledger.ErrFull)
}

// keepAlarming looks for what lasts and pages about what must be told.
func (s *Service) keepAlarming(ctx context.Context) {
	s.calm(ctx, causeAppToken) // the sockets are new: whoever still listens is heard again
	s.calm(ctx, causeDisk)     // this process has not looked yet …
	s.calm(ctx, causeClock)    // … at either
	p := paging{Service: s, told: map[string]bool{}, heard: map[string]map[int]bool{}}
	for ctx.Err() == nil {
		s.keepReserve(ctx)
		s.lookAtClock(ctx)
		s.lookWhoListens(ctx)
		s.findFailing(ctx)
		p.tellAll(ctx)
		select {
		case <-ctx.Done():
		case <-s.alarmKick:
		case <-time.After(alarmLook):
		}
	}
}

// lookWhoListens wakes somebody while others listen with our app token.
func (s *Service) lookWhoListens(ctx context.Context) {
	others := s.others.Load()
	switch {
	case others > 0:
		s.raise(ctx, alarm{Cause: causeAppToken, Since: s.now(), Summary: fmt.Sprintf(
			"Slack counts %d more connections with our app token than are ours: somebody else listens. If no second Nightlatch runs, make a new app token in Slack now.", others)})
	case s.heardOthers:
		s.calm(ctx, causeAppToken)
	}
	s.heardOthers = others > 0
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
