package pagerdutyemu

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Service is what incidents happen to.
type Service struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Policy     string `json:"policy"`      // the escalation policy whose first level gets its incidents
	RoutingKey string `json:"routing_key"` // of its Events API v2 integration; empty: it has none
}

// The states of an incident.
const (
	Triggered    = "triggered"
	Acknowledged = "acknowledged"
	Resolved     = "resolved"
)

// Incident is one incident as it stands. By is the user of its last change, or empty when the service itself made it.
type Incident struct {
	ID        string            `json:"id"`
	Number    int               `json:"number"`
	Title     string            `json:"title"`
	Service   string            `json:"service"`
	Key       string            `json:"key"`
	Urgency   string            `json:"urgency"`
	Status    string            `json:"status"`
	Assigned  []string          `json:"assigned"` // users; nobody once it is resolved
	Acks      []Acknowledgement `json:"acknowledgements"`
	Notes     []Note            `json:"notes"`
	CreatedAt time.Time         `json:"created_at"`
	ChangedAt time.Time         `json:"changed_at"`
	By        string            `json:"by"`
}

// Acknowledgement says who acknowledged an incident, and when.
type Acknowledgement struct {
	User string    `json:"user"`
	At   time.Time `json:"at"`
}

// Note is a note of a user on an incident.
type Note struct {
	ID      string    `json:"id"`
	User    string    `json:"user"`
	Content string    `json:"content"`
	At      time.Time `json:"at"`
}

// Trigger is an incident to be.
type Trigger struct {
	Service string `json:"service"`
	Title   string `json:"title"`
	User    string `json:"user"`    // who triggers it; empty: the service does
	Key     string `json:"key"`     // the same key on an open incident of the service adds nothing; default: a new one
	Urgency string `json:"urgency"` // default "high"
}

// PutService adds a service or replaces the one with the same ID.
func (e *Emulator) PutService(s Service) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.world.services[s.ID] = s
}

// Trigger opens an incident and assigns it to whoever is on call on the first level of the service's policy.
func (e *Emulator) Trigger(t Trigger) (Incident, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.world.trigger(t, time.Now())
}

// Acknowledge has a user acknowledge an open incident.
func (e *Emulator) Acknowledge(incident, user string) error {
	return e.change(incident, Acknowledged, user)
}

// Resolve has a user resolve an open incident; an empty user is its service.
func (e *Emulator) Resolve(incident, user string) error { return e.change(incident, Resolved, user) }

func (e *Emulator) change(incident, status, user string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.world.change(incident, status, user, time.Now())
}

// AddNote writes a user's note on an incident, open or not.
func (e *Emulator) AddNote(incident, user, content string) (Note, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.world.addNote(incident, user, content, time.Now())
}

// Incidents returns every incident, oldest first.
func (e *Emulator) Incidents() []Incident {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := make([]Incident, 0, len(e.world.incidents))
	for _, i := range e.world.incidents {
		list = append(list, i.clone())
	}
	return list
}

func (i Incident) clone() Incident {
	i.Assigned, i.Acks, i.Notes = listed(i.Assigned), listed(i.Acks), listed(i.Notes)
	return i
}

func (w *world) incident(id string) *Incident {
	i := slices.IndexFunc(w.incidents, func(i Incident) bool { return i.ID == id })
	if i < 0 {
		return nil
	}
	return &w.incidents[i]
}

func (w *world) trigger(t Trigger, now time.Time) (Incident, error) {
	service, ok := w.services[t.Service]
	if !ok {
		return Incident{}, fmt.Errorf("triggering an incident: there is no service %q", t.Service)
	}
	if t.Title == "" {
		return Incident{}, fmt.Errorf("triggering an incident on %s: it has no title", t.Service)
	}
	for _, i := range w.incidents {
		if t.Key != "" && i.Key == t.Key && i.Service == t.Service && i.Status != Resolved {
			return i.clone(), nil
		}
	}
	number := len(w.incidents) + 1
	id := fmt.Sprintf("QINC%04d", number)
	i := Incident{
		ID: id, Number: number, Title: t.Title, Service: t.Service, Key: cmp.Or(t.Key, "key-"+id),
		Urgency: cmp.Or(t.Urgency, "high"), Status: Triggered, CreatedAt: second(now), ChangedAt: second(now), By: t.User,
	}
	for _, c := range w.onCalls(now, now) {
		if c.Policy == service.Policy && c.Level == 1 && !slices.Contains(i.Assigned, c.User) {
			i.Assigned = append(i.Assigned, c.User)
		}
	}
	w.incidents = append(w.incidents, i)
	return i.clone(), nil
}

func (w *world) change(incident, status, user string, now time.Time) error {
	i := w.incident(incident)
	switch {
	case i == nil:
		return fmt.Errorf("changing an incident: there is no %q", incident)
	case i.Status == Resolved:
		return fmt.Errorf("changing the incident %s: it is resolved", incident)
	case status == Acknowledged && user == "":
		return fmt.Errorf("acknowledging the incident %s: nobody does", incident)
	}
	if status == Acknowledged {
		i.Acks = append(i.Acks, Acknowledgement{User: user, At: second(now)})
	} else {
		i.Assigned, i.Acks = nil, nil
	}
	i.Status, i.By, i.ChangedAt = status, user, second(now)
	return nil
}

func (w *world) addNote(incident, user, content string, now time.Time) (Note, error) {
	i := w.incident(incident)
	if i == nil {
		return Note{}, fmt.Errorf("adding a note: there is no incident %q", incident)
	}
	if content == "" {
		return Note{}, fmt.Errorf("adding a note to %s: it is empty", incident)
	}
	n := Note{ID: fmt.Sprintf("%sN%d", i.ID, len(i.Notes)+1), User: user, Content: content, At: second(now)}
	i.Notes = append(i.Notes, n)
	return n, nil
}
