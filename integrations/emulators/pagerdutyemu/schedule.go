package pagerdutyemu

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"time"
)

const fortnight = 14 * 24 * time.Hour

type scheduleWire struct {
	referenceWire
	Name        string          `json:"name"`
	TimeZone    string          `json:"time_zone"`
	Description string          `json:"description"`
	Policies    []referenceWire `json:"escalation_policies"`
	Users       []referenceWire `json:"users"`
	Final       *subWire        `json:"final_schedule,omitempty"`
	Overrides   *subWire        `json:"overrides_subschedule,omitempty"`
}

// subWire is one reading of a schedule. Without a window it has no entries, and its coverage is null.
type subWire struct {
	Name     string      `json:"name"`
	Coverage *float64    `json:"rendered_coverage_percentage"`
	Entries  []entryWire `json:"rendered_schedule_entries"`
}

type entryWire struct {
	Start *string       `json:"start"`
	End   *string       `json:"end"`
	User  referenceWire `json:"user"`
}

// legacySchedules are the schedules that have a name, shifts or overrides, without those that are shift-based.
func (w *world) legacySchedules() []string {
	ids := slices.Concat(slices.Collect(maps.Keys(w.schedules)), slices.Collect(maps.Keys(w.shifts)), slices.Collect(maps.Keys(w.overrides)))
	ids = slices.DeleteFunc(ids, func(id string) bool { return w.schedules[id].V3 })
	slices.Sort(ids)
	return slices.Compact(ids)
}

// legacySchedule refuses a schedule that there is not, or that only the newer API serves.
func (w *world) legacySchedule(id string) *answer {
	var refused answer
	switch {
	case w.schedules[id].V3:
		refused = invalid("A shift-based schedule is not served here.")
	case !slices.Contains(w.legacySchedules(), id):
		refused = notFound()
	default:
		return nil
	}
	return &refused
}

// listSchedules answers GET /schedules.
func (e *Emulator) listSchedules(r *http.Request) answer {
	return list(e, r, collection[string, scheduleWire]{
		method: schedulesMethod, name: "schedules", parameters: []string{"query"}, wire: renderer.schedule,
		find: func(q *query) []string {
			return slices.DeleteFunc(e.world.legacySchedules(), func(id string) bool {
				return !q.finds(cmp.Or(e.world.schedules[id].Name, id))
			})
		},
	})
}

// window is the part of a schedule that a request wants to see; the zero one shows nothing.
type window struct {
	since, until time.Time
	overflow     bool // entries that pass its bounds are shown whole
}

// window reads the part of a schedule that is wanted: two weeks where only one bound is given, nothing without any.
func (q *query) window() window {
	if !q.values.Has("since") && !q.values.Has("until") {
		return window{}
	}
	w := window{overflow: q.values.Get("overflow") == "true"}
	if q.values.Has("since") {
		w.since = q.time("since", time.Time{})
		w.until = q.time("until", w.since.Add(fortnight))
	} else {
		w.until = q.time("until", time.Time{})
		w.since = w.until.Add(-fortnight)
	}
	if !w.until.After(w.since) {
		q.complain("Until must be after since.")
	}
	return w
}

// cut is the part of a shift that the window shows; it is false for a shift outside.
func (w window) cut(s Shift) (Shift, bool) {
	if !s.overlaps(Shift{Start: w.since, End: w.until}) {
		return Shift{}, false
	}
	if w.overflow {
		return s, true
	}
	return s.clipped(w.since, w.until), true
}

// getSchedule answers GET /schedules/{id}, with what a window shows of it if one is given.
func (e *Emulator) getSchedule(r *http.Request) answer {
	return e.read(r, scheduleMethod, []string{"time_zone", "since", "until", "overflow"}, func(q *query) answer {
		id, shown := r.PathValue("id"), q.window()
		if refused := e.world.legacySchedule(id); refused != nil {
			return *refused
		}
		writer := e.renderer(r)
		wire := writer.schedule(id)
		wire.Final = writer.sub("Final Schedule", e.world.final(id), shown)
		wire.Overrides = writer.sub("Overrides", lay(nil, e.world.overrides[id]), shown)
		return answer{status: http.StatusOK, body: map[string]scheduleWire{"schedule": wire}}
	})
}

func (r renderer) schedule(id string) scheduleWire {
	name := cmp.Or(r.world.schedules[id].Name, id)
	wire := scheduleWire{
		referenceWire: r.object("schedule", id, name, "/schedules/"), Name: name, TimeZone: r.account,
		Policies: []referenceWire{}, Users: []referenceWire{},
	}
	for _, policy := range slices.Sorted(maps.Keys(r.world.policies)) {
		if slices.Contains(slices.Concat(r.world.policies[policy].Levels...), Target{Schedule: id}) {
			wire.Policies = append(wire.Policies, r.policyReference(policy))
		}
	}
	users := map[string]bool{}
	for _, s := range slices.Concat(r.world.shifts[id], r.world.final(id)) {
		users[s.User] = true
	}
	for _, user := range slices.Sorted(maps.Keys(users)) {
		wire.Users = append(wire.Users, r.userReference(user))
	}
	return wire
}

// sub writes the entries that lie in a window, and how much of it they cover.
func (r renderer) sub(name string, shifts []Shift, shown window) *subWire {
	wire := &subWire{Name: name, Entries: []entryWire{}}
	if shown.until.IsZero() {
		return wire
	}
	var covered time.Duration
	for _, s := range slices.SortedStableFunc(slices.Values(shifts), Shift.byStart) {
		part, inside := shown.cut(s)
		if !inside {
			continue
		}
		within := s.clipped(shown.since, shown.until)
		covered += within.End.Sub(within.Start)
		wire.Entries = append(wire.Entries, entryWire{
			Start: r.orNull(part.Start), End: r.orNull(part.End), User: r.userReference(s.User),
		})
	}
	wire.Coverage = new(100 * float64(covered) / float64(shown.until.Sub(shown.since)))
	return wire
}
