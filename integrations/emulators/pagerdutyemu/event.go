package pagerdutyemu

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

const (
	mostEventBytes = 512 << 10
	mostKeyLength  = 255 // of a dedup_key
)

type eventWire struct {
	RoutingKey string `json:"routing_key"`
	Action     string `json:"event_action"`
	DedupKey   string `json:"dedup_key"`
	Payload    struct {
		Summary  string `json:"summary"`
		Source   string `json:"source"`
		Severity string `json:"severity"`
	} `json:"payload"`
}

// eventAnswerWire is shaped otherwise than every answer of the REST API.
type eventAnswerWire struct {
	Status   string   `json:"status"`
	Message  string   `json:"message"`
	DedupKey string   `json:"dedup_key,omitempty"`
	Errors   []string `json:"errors,omitempty"`
}

func invalidEvent(status int, problems ...string) answer {
	return answer{status: status, body: eventAnswerWire{Status: "invalid event", Message: "Event object is invalid", Errors: problems}}
}

// enqueue answers POST /v2/enqueue. The routing key in the body is all the authorization there is.
func (e *Emulator) enqueue(r *http.Request) answer {
	raw, err := io.ReadAll(io.LimitReader(r.Body, mostEventBytes+1))
	if err != nil || len(raw) > mostEventBytes {
		e.violate(enqueueMethod, "size", "an event holds 512 KB at most")
		return invalidEvent(http.StatusRequestEntityTooLarge, "Event is too large")
	}
	var event eventWire
	if err := json.Unmarshal(raw, &event); err != nil {
		e.violate(enqueueMethod, "body", "it is no event")
		return invalidEvent(http.StatusBadRequest, "Invalid JSON")
	}
	if problems := event.problems(); len(problems) > 0 {
		return invalidEvent(http.StatusBadRequest, problems...)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	service, ok := e.world.serviceOfKey(event.RoutingKey)
	if !ok {
		return invalidEvent(http.StatusBadRequest, "Invalid routing key")
	}
	if e.events[service] == nil {
		e.events[service] = &minute{limit: e.config.EventsPerMinute}
	}
	now := time.Now()
	if !e.events[service].take(now) {
		return answer{status: http.StatusTooManyRequests, body: eventAnswerWire{
			Status: "throttle exceeded", Message: "Requests for this service are arriving too quickly. Please retry later.",
		}}
	}
	key, err := e.world.apply(event, service, now)
	if err != nil {
		return invalidEvent(http.StatusBadRequest, err.Error())
	}
	return answer{status: http.StatusAccepted, body: eventAnswerWire{Status: "success", Message: "Event processed", DedupKey: key}}
}

func (v eventWire) problems() []string {
	var list []string
	missing := func(name, value string) {
		if value == "" {
			list = append(list, fmt.Sprintf("'%s' is missing or blank", name))
		}
	}
	missing("routing_key", v.RoutingKey)
	switch v.Action {
	case "trigger":
		missing("payload.summary", v.Payload.Summary)
		missing("payload.source", v.Payload.Source)
		if !slices.Contains([]string{"critical", "error", "warning", "info"}, v.Payload.Severity) {
			list = append(list, "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')")
		}
	case "acknowledge", "resolve":
		missing("dedup_key", v.DedupKey)
	default:
		list = append(list, "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')")
	}
	if len(v.DedupKey) > mostKeyLength {
		list = append(list, "'dedup_key' is too long")
	}
	return list
}

func (w *world) serviceOfKey(routingKey string) (string, bool) {
	for id, s := range w.services {
		if routingKey != "" && s.RoutingKey == routingKey {
			return id, true
		}
	}
	return "", false
}

// apply does what an event says, and returns its dedup_key. An event about nothing open is accepted and has no effect.
func (w *world) apply(event eventWire, service string, now time.Time) (string, error) {
	if event.Action == "trigger" {
		key := cmp.Or(event.DedupKey, fmt.Sprintf("event-%d", len(w.incidents)+1))
		_, err := w.trigger(Trigger{Service: service, Title: event.Payload.Summary, Key: key}, now)
		return key, err
	}
	for i := range w.incidents {
		open := &w.incidents[i]
		if open.Service != service || open.Key != event.DedupKey || open.Status == Resolved {
			continue
		}
		if event.Action == "resolve" {
			return event.DedupKey, w.change(open.ID, Resolved, "", now)
		}
		// No person did, so nobody is named as having acknowledged it.
		open.Status, open.By, open.ChangedAt = Acknowledged, "", second(now)
	}
	return event.DedupKey, nil
}
