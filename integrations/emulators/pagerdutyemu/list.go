package pagerdutyemu

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"time"
)

// horizon is how far /oncalls looks ahead.
const horizon = 90 * 24 * time.Hour

// read answers a GET: find looks at the world, and complains of what the query says wrongly.
func (e *Emulator) read(r *http.Request, method string, parameters []string, find func(*query) answer) answer {
	q := e.query(r, method, parameters...)
	e.mu.Lock()
	defer e.mu.Unlock()
	reply := find(q)
	if len(q.problems) > 0 {
		return invalid(q.problems...)
	}
	return reply
}

// collection is what one list of the API has of its own.
type collection[T, W any] struct {
	method     string
	name       string           // of the list in the answer
	parameters []string         // beside limit, offset and total
	find       func(*query) []T // needs the lock; complains of what the query says wrongly
	wire       func(renderer, T) W
}

// list answers a GET of a collection with the page that was asked for.
func list[T, W any](e *Emulator, r *http.Request, c collection[T, W]) answer {
	return e.read(r, c.method, append(c.parameters, "limit", "offset", "total"), func(q *query) answer {
		return paged(e.renderer(r), c.name, q.page(), c.find(q), c.wire)
	})
}

// paged writes the page's part of what was found, and what the page says about itself.
func paged[T, W any](r renderer, name string, page pageWire, found []T, wire func(renderer, T) W) answer {
	if page.Total != nil {
		*page.Total = len(found)
	}
	rest := found[min(page.Offset, len(found)):]
	page.More = len(rest) > page.Limit
	entries := []W{}
	for _, one := range rest[:min(page.Limit, len(rest))] {
		entries = append(entries, wire(r, one))
	}
	return answer{status: http.StatusOK, body: map[string]any{
		name: entries, "limit": page.Limit, "offset": page.Offset, "more": page.More, "total": page.Total,
	}}
}

// listOnCalls answers GET /oncalls. Different filters must all hold; of one filter's values any.
// A schedule_ids[] of null stands for those who are direct targets.
func (e *Emulator) listOnCalls(r *http.Request) answer {
	return list(e, r, collection[OnCall, onCallWire]{
		method: onCallsMethod, name: "oncalls", wire: renderer.onCall,
		parameters: []string{"time_zone", "since", "until", "user_ids[]", "escalation_policy_ids[]", "schedule_ids[]"},
		find: func(q *query) []OnCall {
			now := time.Now()
			since, until := q.time("since", now), q.time("until", now)
			if until.Before(since) {
				q.complain("Until cannot be before since.")
			}
			if until.After(now.Add(horizon)) {
				until = now.Add(horizon)
			}
			return slices.DeleteFunc(e.world.onCalls(since, until), func(c OnCall) bool {
				return !q.wants("user_ids[]", c.User) || !q.wants("escalation_policy_ids[]", c.Policy) ||
					!q.wants("schedule_ids[]", cmp.Or(c.Schedule, "null"))
			})
		},
	})
}

// listUsers answers GET /users.
func (e *Emulator) listUsers(r *http.Request) answer {
	return list(e, r, collection[User, userWire]{
		method: usersMethod, name: "users", parameters: []string{"query"}, wire: renderer.user,
		find: func(q *query) []User {
			return found(e.world.users, func(u User) bool { return q.finds(u.Name) })
		},
	})
}

// found lists what a condition holds for, ordered by ID.
func found[T any](all map[string]T, holds func(T) bool) []T {
	var matches []T
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if holds(all[id]) {
			matches = append(matches, all[id])
		}
	}
	return matches
}
