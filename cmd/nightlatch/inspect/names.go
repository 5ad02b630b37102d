package inspect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"nightlatch/bot/send"
	"nightlatch/grants"
	"nightlatch/integrations/pagerduty"
)

// This file looks at the IDs of a configuration. Each is asked about once, wherever it stands.

// place is where an ID stands in the configuration.
type place struct{ key, id string }

// named is one ID and the keys under which it stands.
type named struct {
	id   string
	keys []string
}

// elsewhere says where else the ID stands.
func (n named) elsewhere() string {
	if len(n.keys) == 1 {
		return ""
	}
	return " (also " + strings.Join(n.keys[1:], ", ") + ")"
}

// once puts the places of an ID together, in the order of the file.
func once(places []place) []named {
	var all []named
	for _, p := range places {
		if p.id == "" {
			continue
		}
		at := slices.IndexFunc(all, func(n named) bool { return n.id == p.id })
		if at < 0 {
			all, at = append(all, named{id: p.id}), len(all)
		}
		all[at].keys = append(all[at].keys, p.key)
	}
	return all
}

// channels, people, groups and sources are what the configuration names.
func (i Inspector) channels() []named {
	places := []place{}
	for n, r := range i.Config.Roles {
		places = append(places, place{fmt.Sprintf("roles[%d].channel", n), r.Channel})
	}
	return once(append(places, place{"security.channel", i.Config.Security.Channel}))
}

func (i Inspector) people() []named {
	var places []place
	i.eachVoters(func(key string, v grants.Voters) {
		for n, id := range v.Users {
			places = append(places, place{fmt.Sprintf("%s.users[%d]", key, n), id})
		}
	})
	for n, id := range i.Config.Security.People {
		places = append(places, place{fmt.Sprintf("security.people[%d]", n), id})
	}
	for n, a := range i.Config.Operator.People {
		places = append(places, place{fmt.Sprintf("operator.people[%d].user", n), a.User})
	}
	return once(places)
}

func (i Inspector) groups() []named {
	var places []place
	i.eachVoters(func(key string, v grants.Voters) { places = append(places, place{key + ".usergroup", v.Usergroup}) })
	return once(places)
}

// asked is one line of what PagerDuty is asked, and where it stands.
type asked struct {
	key string
	grants.Source
}

func (i Inspector) sources() []asked {
	var all []asked
	for n, r := range i.Config.Roles {
		for m, s := range r.OnCall {
			all = append(all, asked{fmt.Sprintf("roles[%d].on_call[%d]", n, m), s})
		}
	}
	i.eachVoters(func(key string, v grants.Voters) {
		if s, ok := v.Source(); ok {
			all = append(all, asked{key, s})
		}
	})
	return all
}

func (i Inspector) eachVoters(do func(key string, v grants.Voters)) {
	for n, r := range i.Config.Roles {
		do(fmt.Sprintf("roles[%d].voters", n), r.Voters)
		do(fmt.Sprintf("roles[%d].off_call", n), r.OffCall)
	}
}

// slackNames looks at channels, people and user groups.
func (i Inspector) slackNames(ctx context.Context, f *findings) {
	for _, n := range i.channels() {
		c, err := i.Slack.Channel(ctx, n.id)
		judgeChannel(f, n, c, err)
	}
	i.persons(ctx, f)
	for _, n := range i.groups() {
		members, err := i.Slack.Group(ctx, n.id)
		switch {
		case errors.Is(err, send.ErrNoSuchGroup):
			f.problem(n.keys[0], "%s is no user group of this workspace, or a disabled one; name another%s", n.id, n.elsewhere())
		case err != nil:
			f.unknown(n.keys[0], err)
		case members == 0:
			f.problem(n.keys[0], "the user group %s has no members, so nobody can say yes; add some%s", n.id, n.elsewhere())
		default:
			f.ok(n.keys[0], "%s has %d members", n.id, members)
		}
	}
}

func judgeChannel(f *findings, n named, c send.Channel, err error) {
	_, unseen := errors.AsType[*send.ChannelError](err)
	switch key := n.keys[0]; {
	case unseen:
		f.problem(key, "%s is no channel that the bot can see: correct the ID or, if it is a private channel, /invite @nightlatch there%s", n.id, n.elsewhere())
	case err != nil:
		f.unknown(key, err)
	case c.Archived:
		f.problem(key, "#%s (%s) is archived, so nothing can be said there; name another%s", c.Name, n.id, n.elsewhere())
	case !c.Member:
		f.problem(key, "the bot is not in #%s (%s), so nobody can be asked there; /invite @nightlatch in it%s", c.Name, n.id, n.elsewhere())
	case c.Shared:
		f.problem(key, "#%s (%s) is shared with another organisation, whose people read what is asked there; name another%s", c.Name, n.id, n.elsewhere())
	default:
		f.ok(key, "#%s (%s)", c.Name, n.id)
	}
}

// standings say why somebody counts for nothing.
var standings = map[grants.Standing]string{
	grants.Guest:       "is a guest, who may not take part",
	grants.Bot:         "is a bot",
	grants.Deleted:     "is deactivated",
	grants.Foreign:     "is of another workspace",
	grants.Unconfirmed: "has not confirmed their e-mail address",
}

func (i Inspector) persons(ctx context.Context, f *findings) {
	wanted := i.people()
	if len(wanted) == 0 {
		return
	}
	list, err := i.People(ctx)
	if err != nil {
		f.unknown(wanted[0].keys[0], err) // one line for all of them
		return
	}
	people := make(map[string]grants.Person, len(list))
	for _, p := range list {
		people[p.Key.Slack()] = p
	}
	for _, n := range wanted {
		p, known := people[n.id]
		why, useless := standings[p.Standing]
		switch key := n.keys[0]; {
		case !known:
			f.problem(key, "%s is nobody in this workspace; correct the ID%s", n.id, n.elsewhere())
		case useless:
			f.problem(key, "%s (%s) %s; name somebody else%s", p.Name, n.id, why, n.elsewhere())
		default:
			f.ok(key, "%s (%s)", p.Name, n.id)
		}
	}
}

// pagerDutyNames looks at policies and schedules.
func (i Inspector) pagerDutyNames(ctx context.Context, f *findings) {
	all := i.sources()
	for _, n := range once(idsOf(all, func(s grants.Source) (key, id string) { return ".policy", s.Policy })) {
		p, err := i.PagerDuty.Policy(ctx, n.id)
		if judgePagerDuty(f, n, "escalation policy", err) {
			f.ok(n.keys[0], "%s (%s), %d levels", p.Name, n.id, p.Levels)
			missingLevels(f, all, n.id, p)
		}
	}
	for _, n := range once(idsOf(all, func(s grants.Source) (key, id string) { return ".schedule", s.Schedule })) {
		s, err := i.PagerDuty.Schedule(ctx, n.id)
		switch {
		case !judgePagerDuty(f, n, "schedule", err):
		case s.Shifts:
			f.ok(n.keys[0], "%s is a shift-based schedule", n.id)
		case s.Policies == 0:
			f.problem(n.keys[0], "%s (%s) stands in no escalation policy, and PagerDuty tells who is on call only for those that do; put it into one%s", s.Name, n.id, n.elsewhere())
		default:
			f.ok(n.keys[0], "%s (%s)", s.Name, n.id)
		}
	}
}

// judgePagerDuty reports whether something is there, and says so if it is not.
func judgePagerDuty(f *findings, n named, what string, err error) bool {
	switch {
	case errors.Is(err, pagerduty.ErrNotFound):
		f.problem(n.keys[0], "PagerDuty has no %s %s, or the key may not see it; correct the ID%s", what, n.id, n.elsewhere())
	case err != nil:
		f.unknown(n.keys[0], err)
	}
	return err == nil
}

// missingLevels tells of levels that a policy does not have.
func missingLevels(f *findings, all []asked, policy string, found pagerduty.Policy) {
	for _, s := range all {
		for _, level := range s.Levels {
			if s.Policy == policy && level > found.Levels {
				f.problem(s.key+".levels", "%s (%s) has %d levels, and no level %d; correct one of them", found.Name, policy, found.Levels, level)
			}
		}
	}
}

func idsOf(all []asked, of func(grants.Source) (key, id string)) []place {
	var places []place
	for _, s := range all {
		key, id := of(s.Source)
		places = append(places, place{s.key + key, id})
	}
	return places
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// apart takes joined errors apart.
func apart(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, err := range joined.Unwrap() {
		all = append(all, apart(err)...)
	}
	return all
}
