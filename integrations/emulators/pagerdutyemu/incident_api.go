package pagerdutyemu

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

const (
	month     = 30 * 24 * time.Hour
	halfAYear = 183 * 24 * time.Hour
)

// content reads a request's JSON; fields that PagerDuty does not know it ignores.
func content[T any](r *http.Request) (T, bool) {
	var value T
	err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20)).Decode(&value)
	return value, err == nil
}

// from finds the user whom the header From names by e-mail.
func (e *Emulator) from(r *http.Request, method string) (string, *answer) {
	email := r.Header.Get("From")
	if email == "" {
		e.violate(method, "from", "there is no From header")
		refused := invalid("From header must be the e-mail of a user.")
		return "", &refused
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, u := range e.world.users {
		if strings.EqualFold(u.Email, email) {
			return id, nil
		}
	}
	refused := refusal(http.StatusBadRequest, 1008, "Requester User Not Found")
	return "", &refused
}

// listIncidents answers GET /incidents: those of the last month, unless told otherwise.
func (e *Emulator) listIncidents(r *http.Request) answer {
	return list(e, r, collection[Incident, incidentWire]{
		method: incidentsMethod, name: "incidents", wire: renderer.incident,
		parameters: []string{
			"time_zone", "since", "until", "date_range", "statuses[]", "service_ids[]", "user_ids[]", "urgencies[]", "incident_key",
		},
		find: func(q *query) []Incident {
			until := q.time("until", time.Now().Add(time.Second))
			since := q.time("since", until.Add(-month))
			all := q.values.Get("date_range") == "all"
			if !all && (until.Before(since) || until.Sub(since) > halfAYear) {
				q.complain("since and until must be in order and at most six months apart.")
			}
			q.oneOf("statuses[]", Triggered, Acknowledged, Resolved)
			var matches []Incident
			for _, i := range e.world.incidents {
				timely := all || !i.CreatedAt.Before(second(since)) && i.CreatedAt.Before(until)
				if timely && q.wantsAny("user_ids[]", i.Assigned) && q.wants("statuses[]", i.Status) &&
					q.wants("service_ids[]", i.Service) && q.wants("urgencies[]", i.Urgency) && q.wants("incident_key", i.Key) {
					matches = append(matches, i)
				}
			}
			return matches
		},
	})
}

// getIncident answers GET /incidents/{id}.
func (e *Emulator) getIncident(r *http.Request) answer {
	return e.read(r, incidentMethod, nil, func(*query) answer { return e.incidentAnswer(r, http.StatusOK, r.PathValue("id")) })
}

// incidentAnswer needs the lock.
func (e *Emulator) incidentAnswer(r *http.Request, status int, id string) answer {
	i := e.world.incident(id)
	if i == nil {
		return notFound()
	}
	return answer{status: status, body: map[string]incidentWire{"incident": e.renderer(r).incident(*i)}}
}

// createIncident answers POST /incidents.
func (e *Emulator) createIncident(r *http.Request) answer {
	user, refused := e.from(r, createIncidentMethod)
	if refused != nil {
		return *refused
	}
	asked, ok := content[struct {
		Incident struct {
			Type    string `json:"type"`
			Title   string `json:"title"`
			Service struct {
				ID string `json:"id"`
			} `json:"service"`
			Key     string `json:"incident_key"`
			Urgency string `json:"urgency"`
		} `json:"incident"`
	}](r)
	i := asked.Incident
	if !ok || i.Type != "incident" || i.Urgency != "" && i.Urgency != "high" && i.Urgency != "low" {
		e.violate(createIncidentMethod, "body", "it is no incident")
		return invalid("The incident cannot be read.")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, open := range e.world.incidents {
		if i.Key != "" && open.Key == i.Key && open.Service == i.Service.ID && open.Status != Resolved {
			return invalid("Open incident with matching dedup key already exists on this service")
		}
	}
	opened, err := e.world.trigger(Trigger{Service: i.Service.ID, Title: i.Title, User: user, Key: i.Key, Urgency: i.Urgency}, time.Now())
	if err != nil {
		return invalid(err.Error())
	}
	return e.incidentAnswer(r, http.StatusCreated, opened.ID)
}

// change is what an update of an incident may say here.
type change struct {
	ID     string `json:"id"`
	Type   string `json:"type"`
	Status string `json:"status"`
}

// updateIncident answers PUT /incidents/{id}.
func (e *Emulator) updateIncident(r *http.Request) answer {
	asked, ok := content[struct {
		Incident change `json:"incident"`
	}](r)
	asked.Incident.ID = r.PathValue("id")
	if refused := e.update(r, updateIncidentMethod, ok, asked.Incident); refused != nil {
		return *refused
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.incidentAnswer(r, http.StatusOK, asked.Incident.ID)
}

// updateIncidents answers PUT /incidents, with which the usual clients change a single one too.
func (e *Emulator) updateIncidents(r *http.Request) answer {
	q := e.query(r, updateIncidentsMethod, "limit", "offset", "total")
	page := q.page()
	if len(q.problems) > 0 {
		return invalid(q.problems...)
	}
	asked, ok := content[struct {
		Incidents []change `json:"incidents"`
	}](r)
	if refused := e.update(r, updateIncidentsMethod, ok && len(asked.Incidents) > 0, asked.Incidents...); refused != nil {
		return *refused
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return paged(e.renderer(r), "incidents", page, asked.Incidents, func(r renderer, c change) incidentWire {
		return r.incident(*r.world.incident(c.ID))
	})
}

// update acknowledges and resolves incidents; all of them, or with a refusal none.
func (e *Emulator) update(r *http.Request, method string, readable bool, changes ...change) *answer {
	user, refused := e.from(r, method)
	if refused != nil {
		return refused
	}
	for _, c := range changes {
		played := c.Status == Acknowledged || c.Status == Resolved
		if !readable || !played || c.Type != "incident" && c.Type != "incident_reference" {
			readable = false
		}
	}
	if !readable {
		e.violate(method, "body", "only the status acknowledged or resolved is played")
		bad := invalid("The change cannot be read.")
		return &bad
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range changes {
		i := e.world.incident(c.ID)
		if i == nil {
			bad := notFound()
			if method == updateIncidentsMethod {
				bad = invalid("Incident Not Found") // one path for all of them, so it is there
			}
			return &bad
		}
		if i.Status == Resolved {
			bad := invalid("Incident Already Resolved")
			return &bad
		}
	}
	for _, c := range changes {
		// A second change of the same incident in one request finds it resolved, and changes nothing.
		_ = e.world.change(c.ID, c.Status, user, time.Now())
	}
	return nil
}

// listNotes answers GET /incidents/{id}/notes.
func (e *Emulator) listNotes(r *http.Request) answer {
	return e.read(r, notesMethod, nil, func(*query) answer {
		i := e.world.incident(r.PathValue("id"))
		if i == nil {
			return notFound()
		}
		writer, notes := e.renderer(r), []noteWire{}
		for _, n := range i.Notes {
			notes = append(notes, writer.note(n))
		}
		return answer{status: http.StatusOK, body: map[string][]noteWire{"notes": notes}}
	})
}

// createNote answers POST /incidents/{id}/notes.
func (e *Emulator) createNote(r *http.Request) answer {
	user, refused := e.from(r, createNoteMethod)
	if refused != nil {
		return *refused
	}
	asked, ok := content[struct {
		Note struct {
			Content string `json:"content"`
		} `json:"note"`
	}](r)
	if !ok || asked.Note.Content == "" {
		return invalid("Content cannot be blank.")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	n, err := e.world.addNote(r.PathValue("id"), user, asked.Note.Content, time.Now())
	if err != nil {
		return notFound()
	}
	return answer{status: http.StatusOK, body: map[string]noteWire{"note": e.renderer(r).note(n)}}
}
