package pagerdutyemu

import "net/http"

type serviceWire struct {
	referenceWire
	Name        string        `json:"name"`
	Description string        `json:"description"`
	Status      string        `json:"status"`
	Policy      referenceWire `json:"escalation_policy"`
	Teams       []string      `json:"teams"`
}

// listServices answers GET /services.
func (e *Emulator) listServices(r *http.Request) answer {
	return list(e, r, collection[Service, serviceWire]{
		method: servicesMethod, name: "services", parameters: []string{"query", "name"}, wire: renderer.service,
		find: func(q *query) []Service {
			return found(e.world.services, func(s Service) bool { return q.finds(s.Name) && q.wants("name", s.Name) })
		},
	})
}

// getService answers GET /services/{id}.
func (e *Emulator) getService(r *http.Request) answer {
	return e.read(r, serviceMethod, nil, func(*query) answer {
		s, ok := e.world.services[r.PathValue("id")]
		if !ok {
			return notFound()
		}
		return answer{status: http.StatusOK, body: map[string]serviceWire{"service": e.renderer(r).service(s)}}
	})
}

func (r renderer) service(s Service) serviceWire {
	status := "active"
	for _, i := range r.world.incidents {
		if i.Service == s.ID && i.Status != Resolved {
			status = "critical"
		}
	}
	return serviceWire{
		referenceWire: r.object("service", s.ID, s.Name, "/services/"), Name: s.Name,
		Status: status, Policy: r.policyReference(s.Policy), Teams: []string{},
	}
}
