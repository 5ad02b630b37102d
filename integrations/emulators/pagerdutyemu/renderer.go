package pagerdutyemu

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

// renderer writes what the account holds as one request is to see it. It needs the lock for as long as it is used.
type renderer struct {
	world   *world
	account string         // its time zone
	zone    *time.Location // of times in this answer
	base    string         // of links: the host that was asked
	include []string       // what is written in full, and not as a reference
}

func (e *Emulator) renderer(r *http.Request) renderer {
	asked := query{values: r.URL.Query()}
	return renderer{
		world: &e.world, account: e.config.TimeZone, zone: asked.zone(e.config.TimeZone),
		base: "http://" + r.Host, include: asked.values["include[]"],
	}
}

func (r renderer) includes(what string) bool { return slices.Contains(r.include, what) }

// object is what everything says first; what has no name is called after its ID.
func (r renderer) object(kind, id, name, path string) referenceWire {
	return referenceWire{ID: id, Type: kind, Summary: cmp.Or(name, id), Self: r.base + path + id}
}

func (r renderer) reference(kind, id, name, path string) referenceWire {
	return r.object(kind+"_reference", id, name, path)
}

func (r renderer) userReference(id string) referenceWire {
	return r.reference("user", id, r.world.users[id].Name, "/users/")
}

func (r renderer) policyReference(id string) referenceWire {
	return r.reference("escalation_policy", id, r.world.policies[id].Name, "/escalation_policies/")
}

func (r renderer) serviceReference(id string) referenceWire {
	return r.reference("service", id, r.world.services[id].Name, "/services/")
}

// scheduleReference has a type of its own for the shift-based kind, and a page that the other references have not.
func (r renderer) scheduleReference(id string) referenceWire {
	if !r.world.schedules[id].V3 {
		return r.reference("schedule", id, r.world.schedules[id].Name, "/schedules/")
	}
	v3 := r.reference("schedule_v3", id, r.world.schedules[id].Name, "/v3/schedules/")
	v3.HTMLURL = &v3.Self
	return v3
}

// at writes a time as PagerDuty does, with the zone's offset.
func (r renderer) at(t time.Time) string { return t.In(r.zone).Format(time.RFC3339) }

// orNull is at for a time that may be missing.
func (r renderer) orNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := r.at(t)
	return &text
}

func (r renderer) onCall(c OnCall) onCallWire {
	wire := onCallWire{
		Policy: r.policyReference(c.Policy), Level: c.Level, User: r.userReference(c.User),
		Start: r.orNull(c.Start), End: r.orNull(c.End),
	}
	if c.Schedule != "" {
		schedule := r.scheduleReference(c.Schedule)
		wire.Schedule = &schedule
	}
	return wire
}

func (r renderer) user(u User) userWire {
	return userWire{
		referenceWire: r.object("user", u.ID, u.Name, "/users/"), Name: u.Name, Email: u.Email, TimeZone: cmp.Or(u.TimeZone, r.account),
		Color: "purple", AvatarURL: r.base + "/avatars/blank.png", Role: "user", InvitationSent: u.InvitationSent,
		Teams: []string{}, ContactMethods: []string{}, NotificationRules: []string{},
	}
}
