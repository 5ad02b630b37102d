package pagerdutyemu

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	defaultLimit = 25
	mostLimit    = 100
	deepest      = 10_000 // offset and limit together
	horizon      = 90 * 24 * time.Hour
)

// listOnCalls answers GET /oncalls. Different filters must all hold; of one filter's values any.
func (e *Emulator) listOnCalls(r *http.Request) answer {
	q := e.query(r, onCallsMethod, "limit", "offset", "total", "time_zone", "since", "until",
		"user_ids[]", "escalation_policy_ids[]", "schedule_ids[]")
	now := time.Now()
	since, until := q.time("since", now), q.time("until", now)
	zone := q.zone(e.config.TimeZone)
	if until.Before(since) {
		q.complain("Until cannot be before since.")
	}
	if until.After(now.Add(horizon)) {
		until = now.Add(horizon)
	}
	page := q.page()
	if len(q.problems) > 0 {
		return invalid(q.problems...)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var found []OnCall
	for _, c := range e.world.onCalls(since, until) {
		if q.wants("user_ids[]", c.User) && q.wants("escalation_policy_ids[]", c.Policy) && q.wants("schedule_ids[]", c.Schedule) {
			found = append(found, c)
		}
	}
	entries := []onCallWire{}
	for _, c := range cut(&page, found) {
		entries = append(entries, e.world.onCallWire(c, zone, "http://"+r.Host))
	}
	return answer{status: http.StatusOK, body: onCallsWire{OnCalls: entries, pageWire: page}}
}

// listUsers answers GET /users.
func (e *Emulator) listUsers(r *http.Request) answer {
	q := e.query(r, usersMethod, "limit", "offset", "total", "query")
	page := q.page()
	if len(q.problems) > 0 {
		return invalid(q.problems...)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var found []User
	for _, id := range slices.Sorted(maps.Keys(e.world.users)) {
		u := e.world.users[id]
		if strings.Contains(strings.ToLower(u.Name), strings.ToLower(q.values.Get("query"))) {
			found = append(found, u)
		}
	}
	users := []userWire{}
	for _, u := range cut(&page, found) {
		users = append(users, u.wire(e.config.TimeZone, "http://"+r.Host))
	}
	return answer{status: http.StatusOK, body: usersWire{Users: users, pageWire: page}}
}

// query is a request's parameters while they are read; what is wrong with them gathers in problems.
type query struct {
	values   url.Values
	problems []string
}

// query reads the parameters of a request. One that the method does not have is a violation.
func (e *Emulator) query(r *http.Request, method string, known ...string) *query {
	q := &query{}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		q.complain("The query cannot be parsed.")
	}
	q.values = values
	for name, list := range values {
		switch {
		case !slices.Contains(known, name):
			e.violate(method, "unknown parameter", name)
			q.complain(fmt.Sprintf("%s is not known here.", name))
		case len(list) > 1 && !strings.HasSuffix(name, "[]"):
			e.violate(method, "repeated parameter", name)
			q.complain(fmt.Sprintf("%s may stand once.", name))
		case len(slices.Compact(slices.Sorted(slices.Values(list)))) < len(list):
			e.violate(method, "repeated value", name)
			q.complain(fmt.Sprintf("%s must be unique.", name))
		}
	}
	return q
}

func (q *query) complain(problem string) { q.problems = append(q.problems, problem) }

func (q *query) wants(filter, value string) bool {
	list, filtered := q.values[filter]
	return !filtered || slices.Contains(list, value)
}

func (q *query) time(name string, otherwise time.Time) time.Time {
	if !q.values.Has(name) {
		return otherwise
	}
	t, err := time.Parse(time.RFC3339, q.values.Get(name))
	if err != nil {
		q.complain(name + " is not a time.")
	}
	return t
}

func (q *query) zone(account string) *time.Location {
	name := account
	if q.values.Has("time_zone") {
		name = q.values.Get("time_zone")
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		q.complain("time_zone is not known.")
		return time.UTC
	}
	return zone
}

// page reads limit and offset. A limit over the most is cut to it, and the answer says so.
func (q *query) page() pageWire {
	page := pageWire{Limit: min(q.number("limit", defaultLimit), mostLimit), Offset: q.number("offset", 0)}
	if page.Limit < 1 || page.Limit+page.Offset > deepest {
		q.complain("limit and offset are out of bounds.")
	}
	if q.values.Get("total") == "true" {
		page.Total = new(int)
	}
	return page
}

func (q *query) number(name string, otherwise int) int {
	if !q.values.Has(name) {
		return otherwise
	}
	n, err := strconv.Atoi(q.values.Get(name))
	if err != nil || n < 0 {
		q.complain(name + " is not a number.")
	}
	return n
}

// cut returns the page's part of the list, and completes what the page says about itself.
func cut[T any](page *pageWire, list []T) []T {
	if page.Total != nil {
		*page.Total = len(list)
	}
	list = list[min(page.Offset, len(list)):]
	page.More = len(list) > page.Limit
	return list[:min(page.Limit, len(list))]
}
