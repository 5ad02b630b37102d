package pagerdutyemu

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// User is a user of the account.
type User struct {
	ID             string `json:"id"`
	Name           string `json:"name"`
	Email          string `json:"email"`
	TimeZone       string `json:"time_zone"`       // default: the account's
	InvitationSent bool   `json:"invitation_sent"` // has not accepted yet
}

// Policy is an escalation policy.
type Policy struct {
	ID     string  `json:"id"`
	Name   string  `json:"name"`
	Levels []Level `json:"levels"` // the first is level 1
}

// Level is who is called on one level of a policy.
type Level []Target

// Target is a schedule, or a user, who is then on call permanently.
type Target struct {
	Schedule string `json:"schedule,omitempty"`
	User     string `json:"user,omitempty"`
}

// Schedule names a schedule; V3 is PagerDuty's newer, shift-based kind.
type Schedule struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	V3   bool   `json:"v3"`
}

// Shift is a user's time on a schedule. A zero Start or End is null to the API. Times are cut to whole seconds.
type Shift struct {
	User  string    `json:"user"`
	Start time.Time `json:"start,omitzero"`
	End   time.Time `json:"end,omitzero"`
}

// OnCall is one entry of /oncalls.
type OnCall struct {
	Policy   string    `json:"policy"`
	Level    int       `json:"level"`
	Schedule string    `json:"schedule,omitempty"`
	User     string    `json:"user"`
	Start    time.Time `json:"start,omitzero"`
	End      time.Time `json:"end,omitzero"`
}

// world is what the account holds. The shifts of a schedule are its final ones: whatever changes them has its effect at
// once, as in PagerDuty's final schedule.
type world struct {
	users     map[string]User
	policies  map[string]Policy
	schedules map[string]Schedule
	shifts    map[string][]Shift // by schedule
	services  map[string]Service
	incidents []Incident // oldest first
}

func newWorld() world {
	return world{
		users: map[string]User{}, policies: map[string]Policy{},
		schedules: map[string]Schedule{}, shifts: map[string][]Shift{}, services: map[string]Service{},
	}
}

// PutUser adds a user or replaces the one with the same ID.
func (e *Emulator) PutUser(u User) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.world.users[u.ID] = u
}

// RemoveUser takes a user out of the list of users; their shifts stay.
func (e *Emulator) RemoveUser(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.world.users, id)
}

// PutPolicy adds a policy or replaces the one with the same ID.
func (e *Emulator) PutPolicy(p Policy) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.world.policies[p.ID] = p
}

// RemovePolicy takes a policy away; schedules that stand in no other one vanish from /oncalls.
func (e *Emulator) RemovePolicy(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.world.policies, id)
}

// PutSchedule names a schedule. One that only has shifts is named after its ID.
func (e *Emulator) PutSchedule(s Schedule) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.world.schedules[s.ID] = s
}

// SetShifts replaces the shifts of a schedule.
func (e *Emulator) SetShifts(schedule string, shifts ...Shift) {
	whole := make([]Shift, 0, len(shifts))
	for _, s := range shifts {
		whole = append(whole, s.whole())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.world.shifts[schedule] = whole
}

// EndShift ends a user's running shift now. Nobody takes over: the next shift starts when it would have.
func (e *Emulator) EndShift(schedule, user string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	shifts := e.world.shifts[schedule]
	i := slices.IndexFunc(shifts, func(s Shift) bool { return s.User == user && s.covers(now) })
	if i < 0 {
		return fmt.Errorf("ending a shift: %s is not on call for %s", user, schedule)
	}
	shifts[i].End = second(now)
	if !shifts[i].End.After(shifts[i].Start) {
		e.world.shifts[schedule] = slices.Delete(shifts, i, i+1)
	}
	return nil
}

// MoveEnd moves the end of a user's running shift, or of their next one if none runs. Other shifts stay as they are. A
// zero end takes the end away.
func (e *Emulator) MoveEnd(schedule, user string, end time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	var found *Shift
	for i := range e.world.shifts[schedule] {
		s := &e.world.shifts[schedule][i]
		ahead := s.User == user && (s.End.IsZero() || s.End.After(now))
		if ahead && (found == nil || s.Start.Before(found.Start)) {
			found = s
		}
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

// Swap gives each of two users the other's shifts on a schedule from now on; a running shift is split.
func (e *Emulator) Swap(schedule, a, b string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := second(time.Now())
	var after []Shift
	for _, s := range e.world.shifts[schedule] {
		other := map[string]string{a: b, b: a}[s.User]
		if other == "" || !s.End.IsZero() && !s.End.After(now) {
			after = append(after, s)
			continue
		}
		if s.Start.Before(now) {
			after = append(after, Shift{User: s.User, Start: s.Start, End: now})
			s.Start = now
		}
		s.User = other
		after = append(after, s)
	}
	e.world.shifts[schedule] = after
}

// Override puts one user in everybody's place on a schedule for a time.
func (e *Emulator) Override(schedule string, over Shift) {
	over = over.whole()
	e.mu.Lock()
	defer e.mu.Unlock()
	var after []Shift
	for _, s := range e.world.shifts[schedule] {
		if !s.overlaps(over) {
			after = append(after, s)
			continue
		}
		if s.Start.Before(over.Start) {
			after = append(after, Shift{User: s.User, Start: s.Start, End: over.Start})
		}
		if !over.End.IsZero() && (s.End.IsZero() || s.End.After(over.End)) {
			after = append(after, Shift{User: s.User, Start: over.End, End: s.End})
		}
	}
	e.world.shifts[schedule] = append(after, over)
}

// OnCall returns every entry that covers the time at, as /oncalls would.
func (e *Emulator) OnCall(at time.Time) []OnCall {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.world.onCalls(at, at)
}

// onCalls lists the entries that overlap a window, in a stable order: one per user, policy, level and period.
func (w *world) onCalls(since, until time.Time) []OnCall {
	var list []OnCall
	for _, id := range slices.Sorted(maps.Keys(w.policies)) {
		for i, level := range w.policies[id].Levels {
			for _, target := range level {
				shifts := w.shifts[target.Schedule]
				if target.Schedule == "" {
					shifts = []Shift{{User: target.User}}
				}
				for _, s := range shifts {
					if s.within(since, until) {
						list = append(list, OnCall{
							Policy: id, Level: i + 1, Schedule: target.Schedule,
							User: s.User, Start: s.Start, End: s.End,
						})
					}
				}
			}
		}
	}
	slices.SortStableFunc(list, func(a, b OnCall) int {
		return cmp.Or(cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.Level, b.Level), a.Start.Compare(b.Start))
	})
	return list
}

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
