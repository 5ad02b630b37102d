package wiring_test

import (
	"slices"
	"strings"
	"time"

	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/emulators/slackemu"
)

// The people of each night, by their Slack user IDs.
const (
	ada  = "U0ADA"  // on call at level 1 for the first twenty minutes
	ben  = "U0BEN"  // on call at level 2 all night
	cat  = "U0CAT"  // on call at level 1 after ada
	dan  = "U0DAN"  // not in PagerDuty
	lou  = "U0LOU"  // may say yes to people off call
	boss = "U0BOSS" // owns the workspace, which counts for nothing here
	gus  = "U0GUS"  // a guest
	eve  = "U0EVE"  // of another workspace
	rob  = "U0ROB"  // a bot
)

const (
	channel = "C0ONCALL"
	prime   = "SPRIME" // the schedule of level 1
	second  = "SSECOND"
	handOff = 20 * time.Minute // from ada to cat
)

// configuration is what an operator writes. Words in capitals are filled in.
const configuration = `
environment: playground
ledger: {path: "LEDGER"}
slack: {api_url: "http://SLACK/api/", team: T0NIGHT}
pagerduty: {api_url: "http://PAGER"}
pager: {events_url: "http://PAGER"}
settle: SETTLE
poll: POLL
reread: REREAD
http: {listen: "DOOR", url: "http://DOOR", metrics: callers}
token: {key_file: "KEYFILE"}
introspection:
  - {name: orders-api, sha256: "SHA256", audiences: ["https://orders.example"]}
roles:
  - name: orders-read
    description: Read orders
    runbook: https://runbooks.example/orders
    on_call: [{policy: PORDERS, levels: [1]}]
    automatic: on_call
    voters: {policy: PORDERS, levels: [2], count: 1}
    channel: C0ONCALL
    max: 8h
    audience: https://orders.example
    scopes: ["GET /v1/orders/*"]
  - name: orders-write
    on_call: [{policy: PORDERS, levels: [1]}]
    voters: {policy: PORDERS, levels: [2], count: 1}
    off_call: {users: [U0LOU], count: 1}
    channel: C0ONCALL
    max: 4h
    audience: https://orders.example
    scopes: ["POST /v1/orders/*"]
`

// people fills both worlds. Whoever is in PagerDuty has the same e-mail address in Slack.
func (n *night) people() {
	members := []slackemu.User{
		{ID: ada, Name: "ada"},
		{ID: ben, Name: "ben"},
		{ID: cat, Name: "cat"},
		{ID: dan, Name: "dan"},
		{ID: lou, Name: "lou"},
		{ID: boss, Name: "boss", IsAdmin: true, IsOwner: true},
		{ID: gus, Name: "gus", IsRestricted: true},
		{ID: eve, Name: "eve", TeamID: "T0ELSE", IsStranger: true},
		{ID: rob, Name: "rob", IsBot: true},
	}
	room := slackemu.Channel{ID: channel, Name: "on-call"}
	for _, u := range members {
		u.Email = u.Name + "@example.com"
		n.slack.PutUser(u)
		room.Members = append(room.Members, u.ID)
	}
	n.slack.PutChannel(room)
	for _, id := range []string{ada, ben, cat, lou, boss, gus, eve} {
		n.pager.PutUser(pagerdutyemu.User{ID: pd(id), Name: id, Email: strings.ToUpper(id[2:]) + "@Example.com"})
	}
	n.pager.PutPolicy(pagerdutyemu.Policy{ID: "PORDERS", Name: "Orders", Levels: []pagerdutyemu.Level{
		{{Schedule: prime}}, {{Schedule: second}},
	}})
	n.pager.SetShifts(prime,
		pagerdutyemu.Shift{User: pd(ada), Start: n.began.Add(-4 * time.Hour), End: n.began.Add(handOff)},
		pagerdutyemu.Shift{User: pd(cat), Start: n.began.Add(handOff), End: n.began.Add(12 * time.Hour)},
	)
	n.pager.SetShifts(second,
		pagerdutyemu.Shift{User: pd(ben), Start: n.began.Add(-4 * time.Hour), End: n.began.Add(30 * time.Hour)},
	)
}

// pd is the PagerDuty user ID of somebody.
func pd(slackUser string) string { return "P" + slackUser[1:] }

// enrol adds people to the workspace and to the channel.
func (n *night) enrol(room string, ids ...string) {
	members := slices.Clone(ids)
	for _, id := range ids {
		name := strings.ToLower(id)
		n.slack.PutUser(slackemu.User{ID: id, Name: name, Email: name + "@example.com"})
	}
	n.slack.PutChannel(slackemu.Channel{ID: room, Name: strings.ToLower(room), Members: append(members, ada, ben)})
}
