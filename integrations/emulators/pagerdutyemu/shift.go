package pagerdutyemu

import (
	"fmt"
	"slices"
	"time"
)

// SetShifts replaces the shifts of a schedule, and takes its overrides away.
func (e *Emulator) SetShifts(schedule string, shifts ...Shift) {
	whole := make([]Shift, 0, len(shifts))
	for _, s := range shifts {
		whole = append(whole, s.whole())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.world.shifts[schedule] = whole
	delete(e.world.overrides, schedule)
}

// EndShift ends a user's running shift or override now. After a shift nobody takes over: the next one starts when it
// would have. After an override it is again the turn of whoever's place it took.
func (e *Emulator) EndShift(schedule, user string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if !slices.ContainsFunc(e.world.final(schedule), func(s Shift) bool { return s.User == user && s.covers(now) }) {
		return fmt.Errorf("ending a shift: %s is not on call for %s", user, schedule)
	}
	e.world.running(schedule, user, now).End = second(now)
	// Whatever began within this second would be left without a length.
	e.world.shifts[schedule] = slices.DeleteFunc(e.world.shifts[schedule], Shift.empty)
	e.world.overrides[schedule] = slices.DeleteFunc(e.world.overrides[schedule], func(o override) bool { return o.empty() })
	return nil
}

// MoveEnd moves the end of a user's running shift or override, or of their next one if none runs. Others stay as they
// are. A zero end takes the end away.
func (e *Emulator) MoveEnd(schedule, user string, end time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	found := e.world.running(schedule, user, now)
	if found == nil {
		found = e.world.next(schedule, user, now)
	}
	if found == nil {
		return fmt.Errorf("moving a shift's end: %s has no shift ahead on %s", user, schedule)
	}
	if end = second(end); !end.IsZero() && !end.After(found.Start) {
		return fmt.Errorf("moving a shift's end: %s is not after the start", end.Format(time.RFC3339))
	}
	found.End = end
	return nil
}

// Swap gives each of two users the other's shifts and overrides on a schedule from now on; a running one is split.
func (e *Emulator) Swap(schedule, a, b string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now, other := second(time.Now()), map[string]string{a: b, b: a}
	var shifts []Shift
	for _, s := range e.world.shifts[schedule] {
		shifts = append(shifts, s.handed(other, now)...)
	}
	e.world.shifts[schedule] = shifts
	overrides := e.world.overrides[schedule]
	e.world.overrides[schedule] = nil
	for _, o := range overrides {
		for i, part := range o.handed(other, now) {
			if i == 0 {
				e.world.overrides[schedule] = append(e.world.overrides[schedule], override{id: o.id, Shift: part})
			} else {
				e.world.override(schedule, part)
			}
		}
	}
}

// Override puts one user in everybody's place on a schedule for a time; the shifts below it stay as they are. Without an
// end it is for ever, which only a script can have.
func (e *Emulator) Override(schedule string, over Shift) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.world.override(schedule, over.whole())
}

// final is who is on call for a schedule, as PagerDuty's final schedule has it.
func (w *world) final(schedule string) []Shift { return lay(w.shifts[schedule], w.overrides[schedule]) }

// lay puts overrides over shifts. Where two overrides meet, the one that was made later wins.
func lay(shifts []Shift, overrides []override) []Shift {
	for _, over := range overrides {
		var after []Shift
		for _, s := range shifts {
			after = append(after, s.without(over.Shift)...)
		}
		shifts = append(after, over.Shift)
	}
	return shifts
}

// running finds the override or, below all overrides, the shift that a user has at a time.
func (w *world) running(schedule, user string, at time.Time) *Shift {
	overrides, shifts := w.overrides[schedule], w.shifts[schedule]
	for i := range slices.Backward(overrides) {
		if overrides[i].User == user && overrides[i].covers(at) {
			return &overrides[i].Shift
		}
	}
	for i := range shifts {
		if shifts[i].User == user && shifts[i].covers(at) {
			return &shifts[i]
		}
	}
	return nil
}

// next finds the first shift or override of a user that begins after a time.
func (w *world) next(schedule, user string, after time.Time) *Shift {
	var first *Shift
	consider := func(s *Shift) {
		if s.User == user && s.Start.After(after) && (first == nil || s.Start.Before(first.Start)) {
			first = s
		}
	}
	for i := range w.shifts[schedule] {
		consider(&w.shifts[schedule][i])
	}
	for i := range w.overrides[schedule] {
		consider(&w.overrides[schedule][i].Shift)
	}
	return first
}

// without is what is left of a shift in whose place another one stands.
func (s Shift) without(over Shift) []Shift {
	if !s.overlaps(over) {
		return []Shift{s}
	}
	var left []Shift
	if s.Start.Before(over.Start) {
		left = append(left, Shift{User: s.User, Start: s.Start, End: over.Start})
	}
	if !over.End.IsZero() && (s.End.IsZero() || s.End.After(over.End)) {
		left = append(left, Shift{User: s.User, Start: over.End, End: s.End})
	}
	return left
}

// handed is a shift of which, from a time on, the other user has the rest.
func (s Shift) handed(other map[string]string, from time.Time) []Shift {
	to := other[s.User]
	switch {
	case to == "" || !s.End.IsZero() && !s.End.After(from):
		return []Shift{s}
	case s.Start.Before(from):
		return []Shift{{User: s.User, Start: s.Start, End: from}, {User: to, Start: from, End: s.End}}
	default:
		return []Shift{{User: to, Start: s.Start, End: s.End}}
	}
}

// clipped is the part of a shift that lies in a window.
func (s Shift) clipped(since, until time.Time) Shift {
	if s.Start.Before(since) {
		s.Start = since
	}
	if s.End.IsZero() || s.End.After(until) {
		s.End = until
	}
	return s
}

func (s Shift) byStart(o Shift) int { return s.Start.Compare(o.Start) }

func (s Shift) empty() bool { return !s.End.IsZero() && !s.End.After(s.Start) }

func (s Shift) whole() Shift { return Shift{User: s.User, Start: second(s.Start), End: second(s.End)} }

func (s Shift) covers(at time.Time) bool { return s.within(at, at) }

// within reports whether the shift overlaps a window, or covers the one moment that the window is.
func (s Shift) within(since, until time.Time) bool {
	ended := !s.End.IsZero() && !s.End.After(since)
	begins := s.Start.Before(until) || !s.Start.After(since)
	return begins && !ended
}

func (s Shift) overlaps(o Shift) bool {
	return (o.End.IsZero() || s.Start.Before(o.End)) && (s.End.IsZero() || o.Start.Before(s.End))
}

// second cuts a time to the precision that PagerDuty has.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
