package grants_test

import (
	"time"

	"nightlatch/grants"
)

// t0 is 2:14 in the night of every test.
var t0 = time.Date(2026, 3, 29, 2, 14, 0, 0, time.UTC)

func at(minutes int) time.Time { return t0.Add(time.Duration(minutes) * time.Minute) }

func role(change ...func(*grants.Role)) grants.Role {
	r := grants.Role{
		Name: "orders", Description: "Orders API", Runbook: "https://runbooks.example/orders",
		OnCall: []grants.Source{{Policy: "P1", Levels: []int{1}}}, Automatic: grants.WhenOnCall,
		Voters: grants.Voters{Users: []string{"U2", "U3"}, Count: 1}, Channel: "C1",
		Max: 4 * time.Hour, Default: time.Hour, PendingFor: 15 * time.Minute,
		Issuer: "token", Audience: "https://orders.example", Scopes: []string{"GET /v1/orders/*"},
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

func person(change ...func(*grants.Person)) grants.Person {
	p := grants.Person{Key: "T1.U1", Name: "Ada", Email: "ada@example.com", PagerDuty: "PU1", Standing: grants.Member}
	for _, c := range change {
		c(&p)
	}
	return p
}

func entry(user string, level, from, to int) grants.Entry {
	return grants.Entry{User: user, Policy: "P1", Level: level, Schedule: "S1", Start: at(from), End: at(to)}
}

func snapshot(read int, entries ...grants.Entry) grants.Snapshot {
	return grants.Snapshot{Read: at(read), Entries: entries}
}

// input is a request of somebody who is on call for two more hours and settled.
func input(change ...func(*grants.Input)) grants.Input {
	live := snapshot(0, entry("PU1", 1, -60, 120), entry("PU2", 2, -60, 120))
	history := []grants.Snapshot{snapshot(-60, live.Entries...)}
	in := grants.Input{Now: t0, Grant: "g", Asked: time.Hour, Person: person(), Role: role(), Settle: 15 * time.Minute, Concerned: true}
	in.Answer = grants.Look(in.Person, in.Role, live, history, in.Settle, t0)
	for _, c := range change {
		c(&in)
	}
	return in
}
