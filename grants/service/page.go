package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// This file tells alarms: the intent of a page is stored before anybody is told, so that its end is
// told too, whatever dies in between.

// The times of pages.
const (
	pageAgain    = 24 * time.Hour   // what lasts is paged about anew after this
	pagePatience = 30 * time.Second // of one way to page; then the next one is tried
	pageRetry    = 30 * time.Second // after every way failed
	endInVain    = 24 * time.Hour   // the end of a page that a way does not take is given up after this
)

// paging is what the one goroutine that pages remembers.
type paging struct {
	*Service
	rest  time.Time               // not before, after every way failed
	told  map[string]bool         // by the key of a page: it was heard, whether or not that could be recorded
	heard map[string]map[int]bool // by the key of a page that is over: the ways that were told so
}

// tellAll tells everything that is to be told.
func (p *paging) tellAll(ctx context.Context) {
	if time.Now().Before(p.rest) {
		return
	}
	alarms, err := p.alarms(ctx)
	for _, a := range alarms {
		err = errors.Join(err, p.tell(ctx, a))
	}
	err = errors.Join(err, p.tellUnstored(ctx))
	if err != nil && ctx.Err() == nil {
		p.Log.Error("paging, trying again", "error", err)
		p.rest = time.Now().Add(pageRetry)
	}
}

func (p *paging) alarms(ctx context.Context) (all []alarm, err error) {
	err = p.Ledger.View(ctx, func(v *ledger.View) (bad error) {
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
	return all, err
}

// tell tells of one alarm, and the ends of its earlier pages.
func (p *paging) tell(ctx context.Context, a alarm) error {
	now := p.now()
	if a.Passing && a.Over.IsZero() && now.Sub(a.Seen) >= passingFor {
		p.calm(ctx, a.Cause) // it is told when the document is read again
		return nil
	}
	var errs []error
	if a.Over.IsZero() && (a.Paged.IsZero() || now.Sub(a.Paged) >= pageAgain) {
		errs = append(errs, p.page(ctx, a.Cause, now))
	}
	for _, e := range a.Ending {
		errs = append(errs, p.end(ctx, a, e, now))
	}
	return errors.Join(errs...)
}

// page tells that an alarm lasts. The page of a further day is a new one, because nobody is woken
// by what they acknowledged yesterday; the one before it is over then.
func (p *paging) page(ctx context.Context, cause string, now time.Time) error {
	var a alarm
	stored := p.keepAlarm(ctx, cause, func(was alarm, exists bool) (alarm, bool) {
		due := exists && was.Over.IsZero() && (was.Paged.IsZero() || now.Sub(was.Paged) >= pageAgain)
		begin := due && (!was.Begun || !was.Paged.IsZero())
		if begin {
			was = was.ended(now)
			was.Pages++
			was.Begun = true
		}
		if a = (alarm{}); due {
			a = was
		}
		return was, begin
	})
	switch {
	case !stored:
		p.unstored.put(a)
		return nil
	case !a.Begun:
		return nil // it is over meanwhile
	}
	p.Log.Error("a human is needed", "cause", cause, "summary", a.Summary, "since", a.Since, "page", a.Pages)
	if err := p.wakeSomebody(ctx, p.paged(a, a.Pages, time.Time{})); err != nil {
		return fmt.Errorf("paging about %s: %w", cause, err)
	}
	return p.record(ctx, cause, grants.KindPaged, a.Pages, func(cur alarm) alarm {
		if cur.Begun && cur.Pages == a.Pages {
			cur.Paged = now
		}
		return cur
	})
}

// end tells every way that a page is over: any of them may have told it. One that does not take it
// for a day is given up.
func (p *paging) end(ctx context.Context, a alarm, e ending, now time.Time) error {
	page := p.paged(a, e.Page, now)
	if p.heard[page.Key] == nil {
		p.heard[page.Key] = map[int]bool{}
	}
	var errs []error
	for i := range p.Pagers {
		if !p.heard[page.Key][i] {
			err := p.call(ctx, i, page)
			p.heard[page.Key][i] = err == nil
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil && now.Sub(e.Since) < endInVain {
		return fmt.Errorf("telling that %s is over: %w", a.Cause, err)
	}
	delete(p.heard, page.Key)
	p.Log.Info("an alarm is over", "cause", a.Cause, "page", e.Page)
	return p.record(ctx, a.Cause, grants.KindPageOver, e.Page, func(cur alarm) alarm {
		cur.Ending = slices.DeleteFunc(slices.Clone(cur.Ending), func(other ending) bool { return other.Page == e.Page })
		return cur
	})
}

// record stores what was told, with its event. Where nobody can be told there is no event.
func (p *paging) record(ctx context.Context, cause string, kind grants.Kind, page int, change func(alarm) alarm) error {
	now := p.now()
	_, err := p.update(ctx, "", func(v *ledger.View, _ grants.Grant, _ due) (step, error) {
		cur, exists, err := alarmAt(v, cause)
		if err != nil || !exists {
			return step{}, errors.Join(err, errNothing)
		}
		doc, err := change(cur).doc()
		st := step{docs: []ledger.Doc{doc}}
		if len(p.Pagers) > 0 {
			e := bySystem(kind, "alarm", now)
			e.Detail, e.Count = cause, page
			st.events = []grants.Event{e}
		}
		return st, err
	})
	return err
}

// paged is a page of an alarm, by its number.
func (s *Service) paged(a alarm, page int, over time.Time) grants.Alarm {
	key := fmt.Sprintf("nightlatch/%s/%s/%d/%d", s.Ledger.Instance(), a.Cause, a.Born.Unix(), page)
	return grants.Alarm{Key: key, Summary: a.Summary, Since: a.Since, Over: over}
}

// wakeSomebody tries the ways to page in order, until one of them answers.
func (p *paging) wakeSomebody(ctx context.Context, a grants.Alarm) error {
	if p.told[a.Key] && a.Over.IsZero() {
		return nil // and could not be recorded
	}
	var errs []error
	for i := range p.Pagers {
		err := p.call(ctx, i, a)
		if err == nil {
			p.told[a.Key] = a.Over.IsZero()
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// call uses one way.
func (s *Service) call(ctx context.Context, way int, a grants.Alarm) error {
	ctx, cancel := context.WithTimeout(ctx, pagePatience)
	defer cancel()
	return s.Pagers[way].Page(ctx, a)
}

// unstored are alarms for which the ledger had no room. They are told all the same, once a day, and
// are forgotten by a restart, which finds them again.
type unstored struct {
	mu     sync.Mutex
	alarms map[string]*remembered
}

type remembered struct {
	alarm
	told time.Time
}

// put keeps an alarm, and reports whether it is new.
func (u *unstored) put(a alarm) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.alarms == nil {
		u.alarms = map[string]*remembered{}
	}
	r := u.alarms[a.Cause]
	if r == nil {
		u.alarms[a.Cause] = &remembered{alarm: a}
		return true
	}
	back := !r.Over.IsZero()
	r.Over = time.Time{}
	return back
}

func (u *unstored) over(cause string, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if r := u.alarms[cause]; r != nil && r.Over.IsZero() {
		r.Over = now
	}
}

// todo lists what is to be told.
func (u *unstored) todo(now time.Time) (all []alarm) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, r := range u.alarms {
		if !r.Over.IsZero() || r.told.IsZero() || now.Sub(r.told) >= pageAgain {
			all = append(all, r.alarm)
		}
	}
	return all
}

func (u *unstored) told(a alarm, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if r := u.alarms[a.Cause]; !a.Over.IsZero() && r != nil && !r.Over.IsZero() {
		delete(u.alarms, a.Cause)
	} else if r != nil {
		r.told = now
	}
}

// tellUnstored pages about alarms of which nothing can be recorded.
func (p *paging) tellUnstored(ctx context.Context) error {
	now := p.now()
	var errs []error
	for _, a := range p.unstored.todo(now) {
		if a.Over.IsZero() {
			p.Log.Error("a human is needed, and that cannot be recorded", "cause", a.Cause, "summary", a.Summary, "since", a.Since)
		}
		if err := p.wakeSomebody(ctx, p.paged(a, 0, a.Over)); err != nil {
			errs = append(errs, fmt.Errorf("paging about %s: %w", a.Cause, err))
			continue
		}
		p.unstored.told(a, now)
	}
	return errors.Join(errs...)
}
