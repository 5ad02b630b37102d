package pagerdutyemu

import "time"

type incidentsWire struct {
	Incidents []incidentWire `json:"incidents"`
	pageWire
}

type incidentWire struct {
	ID          string           `json:"id"`
	Type        string           `json:"type"`
	Summary     string           `json:"summary"`
	Self        string           `json:"self"`
	HTMLURL     string           `json:"html_url"`
	Number      int              `json:"incident_number"`
	Title       string           `json:"title"`
	CreatedAt   string           `json:"created_at"`
	UpdatedAt   string           `json:"updated_at"`
	Status      string           `json:"status"`
	Key         string           `json:"incident_key"`
	Urgency     string           `json:"urgency"`
	Service     referenceWire    `json:"service"`
	Policy      *referenceWire   `json:"escalation_policy,omitempty"`
	Assignments []assignmentWire `json:"assignments"`
	Acks        []ackWire        `json:"acknowledgements"`
	AssignedVia string           `json:"assigned_via"`
	ChangedAt   string           `json:"last_status_change_at"`
	ChangedBy   referenceWire    `json:"last_status_change_by"`
	ResolvedAt  *string          `json:"resolved_at,omitempty"`
	Teams       []string         `json:"teams"`
	Pending     []string         `json:"pending_actions"`
}

type assignmentWire struct {
	At       string        `json:"at"`
	Assignee referenceWire `json:"assignee"`
}

type ackWire struct {
	At           string        `json:"at"`
	Acknowledger referenceWire `json:"acknowledger"`
}

type noteWire struct {
	ID        string        `json:"id"`
	User      referenceWire `json:"user"`
	Content   string        `json:"content"`
	CreatedAt string        `json:"created_at"`
	Channel   channelWire   `json:"channel"`
}

type channelWire struct {
	Summary string `json:"summary"`
}

type servicesWire struct {
	Services []serviceWire `json:"services"`
	pageWire
}

type serviceWire struct {
	ID          string        `json:"id"`
	Type        string        `json:"type"`
	Summary     string        `json:"summary"`
	Self        string        `json:"self"`
	HTMLURL     *string       `json:"html_url"`
	Name        string        `json:"name"`
	Description string        `json:"description"`
	Status      string        `json:"status"`
	Policy      referenceWire `json:"escalation_policy"`
	Teams       []string      `json:"teams"`
}

func (w *world) userReference(id, base string) referenceWire {
	return reference("user", id, w.users[id].Name, base+"/users/")
}

func (w *world) policyReference(id, base string) referenceWire {
	return reference("escalation_policy", id, w.policies[id].Name, base+"/escalation_policies/")
}

func (w *world) incidentWire(i Incident, zone *time.Location, base string) incidentWire {
	at := func(t time.Time) string { return *stamp(t, zone) }
	service := w.services[i.Service]
	wire := incidentWire{
		ID: i.ID, Type: "incident", Summary: i.Title, Self: base + "/incidents/" + i.ID, HTMLURL: base + "/incidents/" + i.ID,
		Number: i.Number, Title: i.Title, CreatedAt: at(i.CreatedAt), UpdatedAt: at(i.ChangedAt), Status: i.Status, Key: i.Key,
		Urgency: i.Urgency, Service: reference("service", i.Service, service.Name, base+"/services/"),
		AssignedVia: "escalation_policy", ChangedAt: at(i.ChangedAt),
		Assignments: []assignmentWire{}, Acks: []ackWire{}, Teams: []string{}, Pending: []string{},
	}
	if service.Policy != "" {
		policy := w.policyReference(service.Policy, base)
		wire.Policy = &policy
	}
	wire.ChangedBy = wire.Service
	if i.By != "" {
		wire.ChangedBy = w.userReference(i.By, base)
	}
	if i.Status == Resolved {
		wire.ResolvedAt = &wire.ChangedAt
	}
	for _, user := range i.Assigned {
		wire.Assignments = append(wire.Assignments, assignmentWire{At: wire.CreatedAt, Assignee: w.userReference(user, base)})
	}
	for _, a := range i.Acks {
		wire.Acks = append(wire.Acks, ackWire{At: at(a.At), Acknowledger: w.userReference(a.User, base)})
	}
	return wire
}

func (w *world) noteWire(n Note, zone *time.Location, base string) noteWire {
	return noteWire{
		ID: n.ID, User: w.userReference(n.User, base), Content: n.Content, CreatedAt: *stamp(n.At, zone),
		Channel: channelWire{Summary: "The PagerDuty website or APIs"},
	}
}

func (w *world) serviceWire(s Service, base string) serviceWire {
	status := "active"
	for _, i := range w.incidents {
		if i.Service == s.ID && i.Status != Resolved {
			status = "critical"
		}
	}
	return serviceWire{
		ID: s.ID, Type: "service", Summary: s.Name, Self: base + "/services/" + s.ID, Name: s.Name,
		Status: status, Policy: w.policyReference(s.Policy, base), Teams: []string{},
	}
}
