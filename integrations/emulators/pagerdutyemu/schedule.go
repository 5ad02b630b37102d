package pagerdutyemu

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

const week = 7 * 24 * time.Hour

type schedulesWire struct {
	Schedules []scheduleWire `json:"schedules"`
	pageWire
}

type scheduleWire struct {
	ID          string          `json:"id"`
	Type        string          `json:"type"`
	Summary     string          `json:"summary"`
	Self        string          `json:"self"`
	HTMLURL     *string         `json:"html_url"`
	Name        string          `json:"name"`
	TimeZone    string          `json:"time_zone"`
	Description string          `json:"description"`
	Policies    []referenceWire `json:"escalation_policies"`
	Users       []referenceWire `json:"users"`
	Final       *finalWire      `json:"final_schedule,omitempty"`
}

type finalWire struct {
	Name     string      `json:"name"`
	Coverage float64     `json:"rendered_coverage_percentage"`
	Entries  []entryWire `json:"rendered_schedule_entries"`
}

type entryWire struct {
	Start string        `json:"start"`
	End   string        `json:"end"`
	User  referenceWire `json:"user"`
}

// legacySchedules are the schedules that have a name or shifts, without those that are shift-based.
func (w *world) legacySchedules() []string {
	ids := map[string]bool{}
	for id := range w.schedules {
		ids[id] = true
	}
	for id := range w.shifts {
		ids[id] = true
	}
	maps.DeleteFunc(ids, func(id string, _ bool) bool { return w.schedules[id].V3 })
	return slices.Sorted(maps.Keys(ids))
}

// listSchedules answers GET /schedules.
func (e *Emulator) listSchedules(r *http.Request) answer {
	q := e.query(r, schedulesMethod, "limit", "offset", "total", "query")
	page := q.page()
	if len(q.problems) > 0 {
		return invalid(q.problems...)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var found []string
	for _, id := range e.world.legacySchedules() {
		name := cmp.Or(e.world.schedules[id].Name, id)
		if strings.Contains(strings.ToLower(name), strings.ToLower(q.values.Get("query"))) {
			found = append(found, id)
		}
	}
	list := []scheduleWire{}
	for _, id := range cut(&page, found) {
		list = append(list, e.world.scheduleWire(id, e.config.TimeZone, "http://"+r.Host))
	}
	return answer{status: http.StatusOK, body: schedulesWire{Schedules: list, pageWire: page}}
}

// getSchedule answers GET /schedules/{id} with the final schedule of a window: a week from now unless told otherwise.
// Entries are cut to the window.
func (e *Emulator) getSchedule(r *http.Request) answer {
	q := e.query(r, scheduleMethod, "time_zone", "since", "until")
	since := q.time("since", second(time.Now()))
	until := q.time("until", since.Add(week))
	zone := q.zone(e.config.TimeZone)
	if !until.After(since) {
		q.complain("Until must be after since.")
	}
	if len(q.problems) > 0 {
		return invalid(q.problems...)
	}
	id := r.PathValue("id")
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.world.schedules[id].V3 {
		return invalid("A shift-based schedule is not served here.")
	}
	if !slices.Contains(e.world.legacySchedules(), id) {
		return notFound()
	}
	wire := e.world.scheduleWire(id, e.config.TimeZone, "http://"+r.Host)
	wire.Final = e.world.finalWire(id, since, until, zone, "http://"+r.Host)
	return answer{status: http.StatusOK, body: map[string]scheduleWire{"schedule": wire}}
}

func (w *world) scheduleWire(id, zone, base string) scheduleWire {
	name := cmp.Or(w.schedules[id].Name, id)
	wire := scheduleWire{
		ID: id, Type: "schedule", Summary: name, Self: base + "/schedules/" + id, Name: name, TimeZone: zone,
		Policies: []referenceWire{}, Users: []referenceWire{},
	}
	for _, policy := range slices.Sorted(maps.Keys(w.policies)) {
		if slices.Contains(slices.Concat(w.policies[policy].Levels...), Target{Schedule: id}) {
			wire.Policies = append(wire.Policies, w.policyReference(policy, base))
		}
	}
	users := map[string]bool{}
	for _, s := range w.shifts[id] {
		users[s.User] = true
	}
	for _, user := range slices.Sorted(maps.Keys(users)) {
		wire.Users = append(wire.Users, w.userReference(user, base))
	}
	return wire
}

func (w *world) finalWire(id string, since, until time.Time, zone *time.Location, base string) *finalWire {
	wire := &finalWire{Name: "Final Schedule", Entries: []entryWire{}}
	shifts := slices.SortedFunc(slices.Values(w.shifts[id]), func(a, b Shift) int { return a.Start.Compare(b.Start) })
	var covered time.Duration
	for _, s := range shifts {
		if !s.overlaps(Shift{Start: since, End: until}) {
			continue
		}
		if s.Start.Before(since) {
			s.Start = since
		}
		if s.End.IsZero() || s.End.After(until) {
			s.End = until
		}
		covered += s.End.Sub(s.Start)
		wire.Entries = append(wire.Entries, entryWire{
			Start: *stamp(s.Start, zone), End: *stamp(s.End, zone), User: w.userReference(s.User, base),
		})
	}
	wire.Coverage = min(100, 100*float64(covered)/float64(until.Sub(since)))
	return wire
}
