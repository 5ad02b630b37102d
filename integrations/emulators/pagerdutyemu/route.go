package pagerdutyemu

import (
	"net/http"
	"slices"
	"strings"
)

// The methods, as faults, holds and requests name them.
const (
	onCallsMethod         = "oncalls"
	usersMethod           = "users"
	policiesMethod        = "policies"
	policyMethod          = "policy"
	schedulesMethod       = "schedules"
	scheduleMethod        = "schedule"
	overridesMethod       = "overrides"
	createOverridesMethod = "overrides.create"
	deleteOverrideMethod  = "override.delete"
	incidentsMethod       = "incidents"
	incidentMethod        = "incident"
	createIncidentMethod  = "incident.create"
	updateIncidentMethod  = "incident.update"
	updateIncidentsMethod = "incidents.update"
	notesMethod           = "notes"
	createNoteMethod      = "note.create"
	servicesMethod        = "services"
	serviceMethod         = "service"
	enqueueMethod         = "enqueue"
)

// route is one request that the emulator answers.
type route struct {
	verb, path string // a segment in braces matches any
	method     string
	answer     func(*http.Request) answer
}

// newRoutes are all of them; whatever else is asked is a violation.
func (e *Emulator) newRoutes() []route {
	return []route{
		{http.MethodGet, "/oncalls", onCallsMethod, e.listOnCalls},
		{http.MethodGet, "/users", usersMethod, e.listUsers},
		{http.MethodGet, "/escalation_policies", policiesMethod, e.listPolicies},
		{http.MethodGet, "/escalation_policies/{id}", policyMethod, e.getPolicy},
		{http.MethodGet, "/schedules", schedulesMethod, e.listSchedules},
		{http.MethodGet, "/schedules/{id}", scheduleMethod, e.getSchedule},
		{http.MethodGet, "/schedules/{id}/overrides", overridesMethod, e.listOverrides},
		{http.MethodPost, "/schedules/{id}/overrides", createOverridesMethod, e.createOverrides},
		{http.MethodDelete, "/schedules/{id}/overrides/{override_id}", deleteOverrideMethod, e.deleteOverride},
		{http.MethodGet, "/incidents", incidentsMethod, e.listIncidents},
		{http.MethodPost, "/incidents", createIncidentMethod, e.createIncident},
		{http.MethodPut, "/incidents", updateIncidentsMethod, e.updateIncidents},
		{http.MethodGet, "/incidents/{id}", incidentMethod, e.getIncident},
		{http.MethodPut, "/incidents/{id}", updateIncidentMethod, e.updateIncident},
		{http.MethodGet, "/incidents/{id}/notes", notesMethod, e.listNotes},
		{http.MethodPost, "/incidents/{id}/notes", createNoteMethod, e.createNote},
		{http.MethodGet, "/services", servicesMethod, e.listServices},
		{http.MethodGet, "/services/{id}", serviceMethod, e.getService},
		{http.MethodPost, "/v2/enqueue", enqueueMethod, e.enqueue},
	}
}

// routeOf finds the route of a request and sets its path values; an unknown one has its path as method.
func (e *Emulator) routeOf(r *http.Request) (route, bool) {
	asked := strings.Split(r.URL.Path, "/")
	for _, rt := range e.routes {
		parts := strings.Split(rt.path, "/")
		if r.Method != rt.verb || !slices.EqualFunc(parts, asked, fits) {
			continue
		}
		for i, part := range parts {
			if strings.HasPrefix(part, "{") {
				r.SetPathValue(strings.Trim(part, "{}"), asked[i])
			}
		}
		return rt, true
	}
	return route{method: r.URL.Path}, false
}

func fits(part, asked string) bool {
	return part == asked || strings.HasPrefix(part, "{") && asked != ""
}

// disturbable reports whether a fault or a hold may name the method.
func (e *Emulator) disturbable(method string) bool {
	return method == "*" || slices.ContainsFunc(e.routes, func(rt route) bool { return rt.method == method })
}
