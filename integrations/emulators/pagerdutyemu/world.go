package pagerdutyemu

import (
	"cmp"
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

// world is what the account holds.
type world struct {
	users     map[string]User
	policies  map[string]Policy
	schedules map[string]Schedule
	shifts    map[string][]Shift    // by schedule, without its overrides
	overrides map[string][]override // by schedule, in the order of their creation
	overrode  int                   // so many overrides were ever made
	services  map[string]Service
	incidents []Incident // oldest first
}

func newWorld() world {
	return world{
		users: map[string]User{}, policies: map[string]Policy{},
		schedules: map[string]Schedule{}, shifts: map[string][]Shift{}, overrides: map[string][]override{},
		services: map[string]Service{},
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
				shifts := w.final(target.Schedule)
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
