package pagerdutyemu

type incidentWire struct {
	referenceWire
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

func (r renderer) incident(i Incident) incidentWire {
	wire := incidentWire{
		referenceWire: r.object("incident", i.ID, i.Title, "/incidents/"),
		Number:        i.Number, Title: i.Title, CreatedAt: r.at(i.CreatedAt), UpdatedAt: r.at(i.ChangedAt), Status: i.Status, Key: i.Key,
		Urgency: i.Urgency, Service: r.serviceReference(i.Service),
		AssignedVia: "escalation_policy", ChangedAt: r.at(i.ChangedAt),
		Assignments: []assignmentWire{}, Acks: []ackWire{}, Teams: []string{}, Pending: []string{},
	}
	wire.HTMLURL = &wire.Self
	if id := r.world.services[i.Service].Policy; id != "" {
		policy := r.policyReference(id)
		wire.Policy = &policy
	}
	wire.ChangedBy = wire.Service
	if i.By != "" {
		wire.ChangedBy = r.userReference(i.By)
	}
	if i.Status == Resolved {
		wire.ResolvedAt = &wire.ChangedAt
	}
	for _, user := range i.Assigned {
		wire.Assignments = append(wire.Assignments, assignmentWire{At: wire.CreatedAt, Assignee: r.userReference(user)})
	}
	for _, a := range i.Acks {
		wire.Acks = append(wire.Acks, ackWire{At: r.at(a.At), Acknowledger: r.userReference(a.User)})
	}
	return wire
}

func (r renderer) note(n Note) noteWire {
	return noteWire{
		ID: n.ID, User: r.userReference(n.User), Content: n.Content, CreatedAt: r.at(n.At),
		Channel: channelWire{Summary: "The PagerDuty website or APIs"},
	}
}
