package pagerdutyemu

import (
	"errors"
	"net/http"
)

// controlIncidents are the commands that let incidents happen, and let people act on them.
func (e *Emulator) controlIncidents(mux *http.ServeMux) {
	post(mux, "service", func(s Service) (any, error) {
		if s.ID == "" {
			return nil, errors.New("a service needs an id")
		}
		e.PutService(s)
		return nil, nil
	})
	post(mux, "trigger", func(t Trigger) (any, error) { return e.Trigger(t) })
	post(mux, "acknowledge", func(c struct{ Incident, User string }) (any, error) {
		return nil, e.Acknowledge(c.Incident, c.User)
	})
	post(mux, "resolve", func(c struct{ Incident, User string }) (any, error) {
		return nil, e.Resolve(c.Incident, c.User)
	})
	post(mux, "note", func(c struct{ Incident, User, Content string }) (any, error) {
		return e.AddNote(c.Incident, c.User, c.Content)
	})
	mux.HandleFunc("GET /control/incidents", func(w http.ResponseWriter, _ *http.Request) { tell(w, e.Incidents(), nil) })
}
