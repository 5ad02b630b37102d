package main

// faults are mistakes that somebody will make one day.
var faults = []fault{
	{
		name: "the second page of on-calls dropped",
		file: "integrations/pagerduty/page.go",
		old:  "if !p.More {",
		with: "if true {",
		pkg:  "integrations/pagerduty", test: "TestEveryPageOfOnCallsIsRead",
	},
	{
		name: "Live overwriting Retiring",
		file: "grants/transition.go",
		old:  "c, err := g.credential(ordinal, Issuing)\n",
		with: "c, err := g.credential(ordinal, Issuing, Retiring)\n",
		pkg:  "grants", test: "TestLiveNeverOverwritesRetiring",
	},
	{
		name: "a vote counted twice",
		file: "grants/transition.go",
		old:  "if _, again := g.VoteOf(v.Person); again {",
		with: "if _, again := g.VoteOf(v.Person); again && false {",
		pkg:  "grants", test: "TestAVoteCountsOnce",
	},
	{
		name: "a secret accepted in the configuration",
		file: "cmd/nightlatch/config/problem.go",
		old:  "if grants.LooksSecret(node.Value) &&",
		with: "if grants.LooksSecret(node.Value) && false &&",
		pkg:  "cmd/nightlatch/config", test: "TestRefused",
	},
	{
		name: "an unknown key of the configuration ignored",
		file: "cmd/nightlatch/config/load.go",
		old:  "v.UnmarshalExact(&c,",
		with: "v.Unmarshal(&c,",
		pkg:  "cmd/nightlatch/config", test: "TestRefused",
	},
	{
		name: "the bot token sent to another host",
		file: "cmd/nightlatch/config/check.go",
		old:  "case !loopback(u.Hostname()) || environment != Playground:",
		with: "case false:",
		pkg:  "cmd/nightlatch/config", test: "TestRefused",
	},
	{
		name: "the ledger closed under a running service",
		file: "cmd/nightlatch/life/life.go",
		old:  "before = over",
		with: "before = told.Done()",
		pkg:  "cmd/nightlatch/life", test: "TestPartsStopInOrder",
	},
}
