package pagerdutyemu

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// override is somebody's time in everybody's place on a schedule. It has no author, as PagerDuty's has none.
type override struct {
	id string
	Shift
}

type overrideWire struct {
	ID    string        `json:"id,omitempty"`
	Start *string       `json:"start"`
	End   *string       `json:"end"`
	User  referenceWire `json:"user"`
}

// createdWire says what became of one of several overrides.
type createdWire struct {
	Status   int          `json:"status"`
	Errors   []string     `json:"errors,omitempty"`
	Override overrideWire `json:"override"`
}

// override makes an override on a schedule, over all that are there.
func (w *world) override(schedule string, over Shift) override {
	w.overrode++
	made := override{id: fmt.Sprintf("QOVER%04d", w.overrode), Shift: over}
	w.overrides[schedule] = append(w.overrides[schedule], made)
	return made
}

// listOverrides answers GET /schedules/{id}/overrides. Only with editable, which leaves out those that have begun, are
// their IDs shown.
func (e *Emulator) listOverrides(r *http.Request) answer {
	return e.read(r, overridesMethod, []string{"since", "until", "editable", "overflow"}, func(q *query) answer {
		id, shown := r.PathValue("id"), q.window()
		for _, name := range []string{"since", "until"} {
			if !q.values.Has(name) {
				q.complain(name + " is required.")
			}
		}
		if refused := e.world.legacySchedule(id); refused != nil {
			return *refused
		}
		editable, now := q.values.Has("editable"), time.Now()
		writer, wires := e.renderer(r), []overrideWire{}
		byStart := func(a, b override) int { return a.byStart(b.Shift) }
		for _, o := range slices.SortedStableFunc(slices.Values(e.world.overrides[id]), byStart) {
			part, inside := shown.cut(o.Shift)
			if !inside || editable && !o.Start.After(now) {
				continue
			}
			o.Shift = part
			if !editable {
				o.id = ""
			}
			wires = append(wires, writer.override(o))
		}
		return answer{status: http.StatusOK, body: map[string][]overrideWire{"overrides": wires}}
	})
}

// wanted is an override as a request asks for it.
type wanted struct {
	Start string `json:"start"`
	End   string `json:"end"`
	User  struct {
		ID   string `json:"id"`
		Type string `json:"type"`
	} `json:"user"`
}

// createOverrides answers POST /schedules/{id}/overrides: several at once, of which some may be refused, or in its older
// form a single one, which is answered in the older form too.
func (e *Emulator) createOverrides(r *http.Request) answer {
	asked, ok := content[struct {
		Overrides []wanted `json:"overrides"`
		Override  *wanted  `json:"override"`
	}](r)
	if !ok || asked.Override == nil && len(asked.Overrides) == 0 {
		e.violate(createOverridesMethod, "body", "it has no overrides")
		return invalid("Overrides cannot be blank.")
	}
	id := r.PathValue("id")
	e.mu.Lock()
	defer e.mu.Unlock()
	if refused := e.world.legacySchedule(id); refused != nil {
		return *refused
	}
	writer := e.renderer(r)
	if asked.Override != nil {
		made, problems := e.world.createOverride(id, *asked.Override)
		if len(problems) > 0 {
			return invalid(problems...)
		}
		return answer{status: http.StatusCreated, body: map[string]overrideWire{"override": writer.override(made)}}
	}
	results := []createdWire{}
	for _, one := range asked.Overrides {
		made, problems := e.world.createOverride(id, one)
		result := createdWire{Status: http.StatusCreated, Override: writer.override(made)}
		if len(problems) > 0 {
			result = createdWire{
				Status: http.StatusBadRequest, Errors: problems,
				Override: overrideWire{Start: &one.Start, End: &one.End, User: writer.userReference(one.User.ID)},
			}
		}
		results = append(results, result)
	}
	return answer{status: http.StatusCreated, body: results}
}

// createOverride makes an override, or says what is wrong with it.
func (w *world) createOverride(schedule string, asked wanted) (override, []string) {
	var problems []string
	parsed := func(name, text string) time.Time {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			problems = append(problems, name+" is not a time")
		}
		return at
	}
	over := Shift{User: asked.User.ID, Start: parsed("Start", asked.Start), End: parsed("End", asked.End)}.whole()
	if len(problems) == 0 && over.empty() {
		problems = append(problems, "Override must end after its start")
	}
	if _, known := w.users[over.User]; !known {
		problems = append(problems, "User not found")
	}
	if asked.User.Type != "user_reference" && asked.User.Type != "user" {
		problems = append(problems, "User must be a reference to a user")
	}
	if len(problems) > 0 {
		return override{}, problems
	}
	return w.override(schedule, over), nil
}

// deleteOverride answers DELETE /schedules/{id}/overrides/{override_id}. One in progress ends now instead, and one that is
// over stays.
func (e *Emulator) deleteOverride(r *http.Request) answer {
	id := r.PathValue("id")
	e.mu.Lock()
	defer e.mu.Unlock()
	if refused := e.world.legacySchedule(id); refused != nil {
		return *refused
	}
	overrides := e.world.overrides[id]
	i := slices.IndexFunc(overrides, func(o override) bool { return o.id == r.PathValue("override_id") })
	if i < 0 {
		return notFound()
	}
	now := second(time.Now())
	switch found := &overrides[i]; {
	case !found.End.IsZero() && !found.End.After(now):
		return invalid("You cannot remove a past override.")
	case found.Start.Before(now):
		found.End = now
		return answer{status: http.StatusOK}
	default:
		e.world.overrides[id] = slices.Delete(overrides, i, i+1)
		return answer{status: http.StatusNoContent}
	}
}

func (r renderer) override(o override) overrideWire {
	return overrideWire{ID: o.id, Start: r.orNull(o.Start), End: r.orNull(o.End), User: r.userReference(o.User)}
}
