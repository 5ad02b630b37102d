package pagerdutyemu

import (
	"fmt"
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
)

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
	q.zone(e.config.TimeZone) // complains of one that there is not
	return q
}

func (q *query) complain(problem string) { q.problems = append(q.problems, problem) }

// wants reports whether a filter lets a value through; one that was not given lets all.
func (q *query) wants(filter, value string) bool {
	list, filtered := q.values[filter]
	return !filtered || slices.Contains(list, value)
}

// wantsAny is wants for something that has several values.
func (q *query) wantsAny(filter string, values []string) bool {
	list, filtered := q.values[filter]
	return !filtered || slices.ContainsFunc(list, func(v string) bool { return slices.Contains(values, v) })
}

// finds reports whether a name contains what is searched for.
func (q *query) finds(name string) bool {
	return strings.Contains(strings.ToLower(name), strings.ToLower(q.values.Get("query")))
}

// oneOf complains of values that a parameter does not have.
func (q *query) oneOf(name string, known ...string) {
	for _, value := range q.values[name] {
		if !slices.Contains(known, value) {
			q.complain(fmt.Sprintf("%s is not known: %s", name, value))
		}
	}
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
		return otherwise
	}
	return n
}
