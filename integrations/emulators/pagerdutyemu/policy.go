package pagerdutyemu

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
)

// minutesPerLevel is how long every level of every policy has before the next one is called.
const minutesPerLevel = 30

type policyWire struct {
	referenceWire
	Name     string     `json:"name"`
	Handoff  string     `json:"on_call_handoff_notifications"`
	Loops    int        `json:"num_loops"`
	Rules    []ruleWire `json:"escalation_rules"`
	Services []any      `json:"services"` // references, or services in full
	Teams    []string   `json:"teams"`
}

type ruleWire struct {
	ID       string `json:"id"`
	Delay    int    `json:"escalation_delay_in_minutes"`
	Targets  []any  `json:"targets"` // references, or users and schedules in full
	Strategy string `json:"escalation_rule_assignment_strategy,omitempty"`
}

// policyIncludes are what may be asked for in full; the account has no teams.
func policyIncludes() []string {
	return []string{"services", "teams", "targets", "escalation_rule_assignment_strategies"}
}

// listPolicies answers GET /escalation_policies.
func (e *Emulator) listPolicies(r *http.Request) answer {
	return list(e, r, collection[Policy, policyWire]{
		method: policiesMethod, name: "escalation_policies", wire: renderer.policy,
		parameters: []string{"query", "user_ids[]", "team_ids[]", "include[]", "sort_by"},
		find: func(q *query) []Policy {
			q.oneOf("include[]", policyIncludes()...)
			q.oneOf("sort_by", "name", "name:asc", "name:desc")
			matches := found(e.world.policies, func(p Policy) bool {
				return q.finds(p.title()) && q.wantsAny("user_ids[]", p.users()) && q.wantsAny("team_ids[]", nil)
			})
			slices.SortStableFunc(matches, func(a, b Policy) int { return cmp.Compare(a.title(), b.title()) })
			if q.values.Get("sort_by") == "name:desc" {
				slices.Reverse(matches)
			}
			return matches
		},
	})
}

// getPolicy answers GET /escalation_policies/{id}.
func (e *Emulator) getPolicy(r *http.Request) answer {
	return e.read(r, policyMethod, []string{"include[]"}, func(q *query) answer {
		q.oneOf("include[]", policyIncludes()...)
		p, ok := e.world.policies[r.PathValue("id")]
		if !ok {
			return notFound()
		}
		return answer{status: http.StatusOK, body: map[string]policyWire{"escalation_policy": e.renderer(r).policy(p)}}
	})
}

// title is what a policy is called; one without a name is called after its ID.
func (p Policy) title() string { return cmp.Or(p.Name, p.ID) }

// users are the direct targets of a policy.
func (p Policy) users() []string {
	var users []string
	for _, target := range slices.Concat(p.Levels...) {
		if target.User != "" {
			users = append(users, target.User)
		}
	}
	return users
}

func (r renderer) policy(p Policy) policyWire {
	wire := policyWire{
		referenceWire: r.object("escalation_policy", p.ID, p.Name, "/escalation_policies/"), Name: p.title(),
		Handoff: "if_has_services", Rules: []ruleWire{}, Services: []any{}, Teams: []string{},
	}
	for i, level := range p.Levels {
		rule := ruleWire{ID: fmt.Sprintf("%sL%d", p.ID, i+1), Delay: minutesPerLevel, Targets: []any{}}
		for _, target := range level {
			rule.Targets = append(rule.Targets, r.target(target))
		}
		if r.includes("escalation_rule_assignment_strategies") {
			rule.Strategy = "assign_to_everyone"
		}
		wire.Rules = append(wire.Rules, rule)
	}
	for _, s := range found(r.world.services, func(s Service) bool { return s.Policy == p.ID }) {
		if r.includes("services") {
			wire.Services = append(wire.Services, r.service(s))
		} else {
			wire.Services = append(wire.Services, r.serviceReference(s.ID))
		}
	}
	return wire
}

// target is a reference, or what it refers to where that is wanted. Only the newer API shows a shift-based schedule.
func (r renderer) target(t Target) any {
	user, known := r.world.users[t.User]
	switch full := r.includes("targets"); {
	case t.Schedule != "" && full && !r.world.schedules[t.Schedule].V3:
		return r.schedule(t.Schedule)
	case t.Schedule != "":
		return r.scheduleReference(t.Schedule)
	case full && known:
		return r.user(user)
	default:
		return r.userReference(t.User)
	}
}
