package main

// faults are mistakes that somebody will make one day.
var faults = []fault{
	{
		name:  "the second page of on-calls dropped",
		file:  "integrations/pagerduty/page.go",
		edits: []edit{{"if !p.More {", "if true {"}},
		pkg:   "integrations/pagerduty", test: "TestEveryPageOfOnCallsIsRead",
	},
	{
		name:  "Live overwriting Retiring",
		file:  "grants/transition.go",
		edits: []edit{{"c, err := g.credential(ordinal, Issuing)\n", "c, err := g.credential(ordinal, Issuing, Retiring)\n"}},
		pkg:   "grants", test: "TestLiveNeverOverwritesRetiring",
	},
	{
		name:  "a vote counted twice",
		file:  "grants/transition.go",
		edits: []edit{{"if _, again := g.Question().VoteOf(v.Person); again {", "if _, again := g.Question().VoteOf(v.Person); again && false {"}},
		pkg:   "grants", test: "TestAVoteCountsOnce",
	},
	{
		name: "a secret in one log line",
		file: "bot/socket/reveal.go",
		edits: []edit{{
			"l.blanker.add(w, r, time.Now().Add(shown))",
			`l.blanker.add(w, r, time.Now().Add(shown)); l.c.Log.Debug("shown", "secret", r.Secret.Expose())`,
		}},
		pkg: "bot", test: "TestANight",
	},
	{
		name: "an event written outside its transaction",
		file: "grants/service/store.go",
		edits: []edit{
			{"\tvar told bool\n", "\tvar told bool\n\tvar late []ledger.Event\n"},
			{
				"\t\tafter, told, events = now, len(st.moves) > 0, change.Events\n\t\treturn change, err\n\t})\n",
				`		after, told, events = now, len(st.moves) > 0, change.Events
		late, change.Events = change.Events, nil
		return change, err
	})
	if err == nil && len(late) > 0 {
		err = s.Ledger.Update(ctx, func(*ledger.View) (ledger.Change, error) { return ledger.Change{Events: late}, nil })
	}
`,
			},
		},
		pkg: "grants/service", test: "TestCrashMatrix/scenarios/return_at_the_end",
	},
	{
		name:  "a secret that was seen goes on working",
		file:  "grants/service/replace.go",
		edits: []edit{{"r.Replace && c.State == grants.Live || c.Ordinal == r.Ends", "c.Ordinal == r.Ends"}},
		pkg:   "grants/service", test: "TestReplaceEndsWhateverWasShown",
	},
	{
		name:  "a no explained by somebody else",
		file:  "grants/service/explain.go",
		edits: []edit{{"case g.EndedBy != p.Key:", "case false:"}},
		pkg:   "grants/service", test: "TestANoIsExplained",
	},
	{
		name:  "a gone person ignored by the poll",
		file:  "grants/service/holders.go",
		edits: []edit{{"differs, err = s.changeUser(ctx, key, u, false)", "differs = false"}},
		pkg:   "grants/service", test: "TestThePollEndsTheGrantsOfThoseWhoAreGone",
	},
	{
		name:  "security not told of the use of a dead credential",
		file:  "grants/service/bearer.go",
		edits: []edit{{"append(st.docs, row, news)", "append(st.docs, row)"}},
		pkg:   "grants/service", test: "TestTheUseOfWhatIsOverIsTold",
	},
	{
		name:  "a freezing that ends nothing",
		file:  "grants/service/security.go",
		edits: []edit{{"return p, s.endOfTheGone(ctx)", "return p, nil"}},
		pkg:   "grants/service", test: "TestFreezingEndsWhatOpenedByItself",
	},
	{
		name:  "people looked after by anybody",
		file:  "grants/service/security.go",
		edits: []edit{{"case !slices.Contains(s.SecurityPeople, p.Key.Slack()):", "case false:"}},
		pkg:   "grants/service", test: "TestOnlySecurityLooksAfterTheDirectory",
	},
	{
		name:  "a frozen person approving themselves",
		file:  "grants/service/security.go",
		edits: []edit{{"if whom == o.Person {", "if false {"}},
		pkg:   "grants/service", test: "TestOnlySecurityLooksAfterTheDirectory",
	},
	{
		name:  "a user of the machine who is nobody, and does more than read",
		file:  "cmd/nightlatch/operator/answer.go",
		edits: []edit{{"case o.Person == \"\":", "case false:"}},
		pkg:   "cmd/nightlatch/operator", test: "TestNobodyInParticularOnlyReads",
	},
	{
		name:  "an operators' socket for every user of the machine",
		file:  "cmd/nightlatch/operator/listen.go",
		edits: []edit{{"fs.FileMode = 0o660", "fs.FileMode = 0o666"}},
		pkg:   "cmd/nightlatch/operator", test: "TestSocketIsForItsGroup",
	},
	{
		name:  "a uid that wraps to root",
		file:  "cmd/nightlatch/config/check.go",
		edits: []edit{{"case *a.UID < 0 || *a.UID >= uidsPastEnd:", "case *a.UID < 0:"}},
		pkg:   "cmd/nightlatch/config", test: "TestRefused",
	},
	{
		name:  "an acknowledgement sent by the connection that is gone",
		file:  "bot/socket/wire.go",
		edits: []edit{{"if !w.up() && w.beside.up() {", "if false {"}},
		pkg:   "bot", test: "TestRefreshInTheMiddleOfAPress",
	},
	{
		name:  "somebody said to be asked for whom no card could be posted",
		file:  "grants/service/unasked.go",
		edits: []edit{{"asker.Unasked = is", "asker.Unasked = false"}},
		pkg:   "cmd/nightlatch/wiring", test: "TestWhoeverCouldNotBeAskedIsNotSaidToBe",
	},
	{
		name:  "a wrong secret of a service taken for an outage",
		file:  "integrations/token/verify/issuer.go",
		edits: []edit{{"return nil, errUnknown", "return nil, errUnanswered"}},
		pkg:   "integrations/token/verify", test: "TestAWrongSecretIsNoOutage",
	},
	{
		name:  "a secret accepted in the configuration",
		file:  "cmd/nightlatch/config/problem.go",
		edits: []edit{{"if grants.LooksSecret(node.Value) &&", "if grants.LooksSecret(node.Value) && false &&"}},
		pkg:   "cmd/nightlatch/config", test: "TestRefused",
	},
	{
		name:  "an unknown key of the configuration ignored",
		file:  "cmd/nightlatch/config/load.go",
		edits: []edit{{"v.UnmarshalExact(&c,", "v.Unmarshal(&c,"}},
		pkg:   "cmd/nightlatch/config", test: "TestRefused",
	},
	{
		name:  "the bot token sent to another host",
		file:  "cmd/nightlatch/config/check.go",
		edits: []edit{{"case !loopback(u.Hostname()) || environment != Playground:", "case false:"}},
		pkg:   "cmd/nightlatch/config", test: "TestRefused",
	},
	{
		name:  "the ledger closed under a running service",
		file:  "cmd/nightlatch/life/life.go",
		edits: []edit{{"before = over", "before = told.Done()"}},
		pkg:   "cmd/nightlatch/life", test: "TestPartsStopInOrder",
	},
	{
		name:  "a sign of life from the workers that go on",
		file:  "grants/service/alive.go",
		edits: []edit{{"at.Before(oldest)", "at.After(oldest)"}},
		pkg:   "grants/service", test: "TestAliveStopsWithOneWorker",
	},
	{
		name:  "an answer about a token kept too long by its service",
		file:  "integrations/token/verify/live.go",
		edits: []edit{{"now.Sub(s.asked) < liveFresh", "now.Sub(s.asked) <= liveFresh"}},
		pkg:   "integrations/token/verify", test: "TestARevocationBitesWithinASecond",
	},
	{
		name:  "details of an unknown type taken for ours",
		file:  "integrations/token/verify/details.go",
		edits: []edit{{"if d.Type != detailType || slices", "if slices"}},
		pkg:   "integrations/token/verify", test: "TestDetailsThatAreNotUnderstoodRefuse",
	},
	{
		name:  "an escaped slash in a path",
		file:  "integrations/token/verify/path.go",
		edits: []edit{{"`-._~/\\;%?#`", "`-._~\\;%?#`"}},
		pkg:   "integrations/token/verify", test: "TestNoConfusedPathPasses",
	},
	{
		name:  "a token that its services accept, called dead",
		file:  "integrations/token/issuer.go",
		edits: []edit{{"case h.Verify == grants.Offline:", "case false:"}},
		pkg:   "integrations/token", test: "TestLifeAfterIssuing",
	},
	{
		name:  "a sign of life without progress",
		file:  "cmd/nightlatch/sdnotify/sdnotify.go",
		edits: []edit{{"if age > m.Within/2 {", "if age > m.Within/2 && false {"}},
		pkg:   "cmd/nightlatch/sdnotify", test: "TestReadyAliveStopping",
	},
	{
		name:  "an extension on stale knowledge",
		file:  "grants/decide.go",
		edits: []edit{{`case in.Extension > 0 && !in.Answer.Known && in.Person.PagerDuty != "":`, "case false:"}},
		pkg:   "grants", test: "TestDecideAboutAnExtension",
	},
	{
		name:  "extensions that add up beyond the role's maximum",
		file:  "grants/decide.go",
		edits: []edit{{"longest := in.Now.Add(in.Role.Max)", "longest := from.Add(in.Role.Max)"}},
		pkg:   "grants", test: "TestDecideAboutAnExtension",
	},
	{
		name:  "a vote on an old extension counted for the next",
		file:  "grants/service/extend.go",
		edits: []edit{{"!waits || x.Ordinal != b.Extension ||", "!waits ||"}},
		pkg:   "grants/service", test: "TestAnExtensionNeedsTheVotesThatARequestNeeds",
	},
	{
		name:  "an extension that outlives its grant",
		file:  "grants/transition.go",
		edits: []edit{{"if x := g.extending(); x != nil { // there", "if x := g.extending(); x != nil && false { // there"}},
		pkg:   "grants", test: "TestAnExtensionEndsWithItsGrant",
	},
	{
		name:  "the ordinal on an extension's card ignored",
		file:  "bot/socket/envelope.go",
		edits: []edit{{"c.Grant, c.Extension = grant, ordinal", "c.Grant, _ = grant, ordinal"}},
		pkg:   "bot", test: "TestACardOfAnEarlierExtension",
	},
	{
		name:  "a decision about an extension that notifies nobody",
		file:  "bot/send/show.go",
		edits: []edit{{"if n.Surface == service.More ||", "if n.Surface == \"\" ||"}},
		pkg:   "bot", test: "TestAnExtensionIsApproved",
	},
	{
		name:  "a vote on an extension recorded as one on the request",
		file:  "bot/socket/take.go",
		edits: []edit{{"Grant: c.Grant, Extension: c.Extension, Yes:", "Grant: c.Grant, Yes:"}},
		pkg:   "cmd/nightlatch/wiring", test: "TestAnExtensionWaitsForAYes",
	},
	{
		name:  "a page told twice",
		file:  "grants/service/page.go",
		edits: []edit{{"begin := due && (!was.Begun || !was.Paged.IsZero())", "begin := due"}, {"due := exists && was.Over.IsZero() && (was.Paged.IsZero() || now.Sub(was.Paged) >= pageAgain)", "due := exists && was.Over.IsZero()"}, {"if a.Over.IsZero() && (a.Paged.IsZero() || now.Sub(a.Paged) >= pageAgain) {", "if a.Over.IsZero() {"}},
		pkg:   "grants/service", test: "TestTheSecondWayPagesWhenTheFirstIsSilent",
	},
	{
		name: "a target that says revoked, believed",
		file: "grants/service/revoke.go",
		edits: []edit{{
			"issuer.Check(ctx, grants.Handle{Name: c.Name, Verify: g.Role.Verify, Expires: c.Expires}, now); err != nil",
			"grants.AbsentFinding, error(nil); err != nil",
		}},
		pkg: "grants/service", test: "TestATargetThatLies",
	},
	{
		name:  "work that goes with its access: REASSIGN left out",
		file:  "integrations/postgres/revoke.go",
		edits: []edit{{`fmt.Sprintf("REASSIGN OWNED BY %s TO %s", quoted(name), quoted(i.config.Owner)),`, ""}},
		pkg:   "integrations/postgres", test: "TestWorkOutlivesAccess",
	},
	{
		name:  "a revoke that returns before the sessions are dead",
		file:  "integrations/postgres/revoke.go",
		edits: []edit{{"if err := i.evict(ctx, conn, r.oid); err != nil {", "if true { return nil }; if err := i.evict(ctx, conn, r.oid); err != nil {"}},
		pkg:   "integrations/postgres", test: "TestSessionsEnd",
	},
	{
		name:  "a login without an expiry of its own: VALID UNTIL left out",
		file:  "integrations/postgres/issuer.go",
		edits: []edit{{"proof, stamp(until), strings.Join", `proof, "infinity", strings.Join`}},
		pkg:   "integrations/postgres", test: "TestIssuerKeepsItsContract/a_credential_opens_until_it_expires",
	},
	{
		name:  "a login that others may still become, called dead",
		file:  "integrations/postgres/revoke.go",
		edits: []edit{{"case r.sessions > 0 || len(r.members) > 0:", "case r.sessions > 0:"}},
		pkg:   "integrations/postgres", test: "TestWhoeverCouldBecomeIt",
	},
	{
		name:  "a name of another installation",
		file:  "integrations/postgres/issuer.go",
		edits: []edit{{`return fmt.Errorf("%q: %w", name, ErrForeign)`, "return nil"}},
		pkg:   "integrations/postgres", test: "TestForeignNames",
	},
	{
		name:  "numbers for everybody behind a proxy",
		file:  "cmd/nightlatch/monitor/monitor.go",
		edits: []edit{{`if r.Header.Get(forwarded) != "" {`, `if r.Header.Get(forwarded) == "-" {`}},
		pkg:   "cmd/nightlatch/monitor", test: "TestWhoMayReadTheNumbers",
	},
	{
		name:  "a late revocation measured from when it was noticed",
		file:  "grants/service/status.go",
		edits: []edit{{"return now.Sub(from)", "return min(now.Sub(from), time.Second)"}},
		pkg:   "grants/service", test: "TestStatusShowsATargetThatFails",
	},
	{
		name:  "a channel without the bot called well",
		file:  "cmd/nightlatch/inspect/names.go",
		edits: []edit{{"case !c.Member:", "case false:"}},
		pkg:   "cmd/nightlatch/wiring", test: "TestEachThingThatIsWrongIsFound",
	},
	{
		name:  "the second way to page left out",
		file:  "grants/service/page.go",
		edits: []edit{{"	for i := range p.Pagers {\n		err := p.call(ctx, i, a)", "	for i := range p.Pagers[:1] {\n		err := p.call(ctx, i, a)"}},
		pkg:   "grants/service", test: "TestTheSecondWayPagesWhenTheFirstIsSilent",
	},
	{
		name:  "an end that only one way hears of",
		file:  "grants/service/page.go",
		edits: []edit{{"	for i := range p.Pagers {\n		if !p.heard", "	for i := range p.Pagers[:1] {\n		if !p.heard"}},
		pkg:   "grants/service", test: "TestEveryWayHearsOfTheEnd",
	},
	{
		name:  "a secret out of the reserve of a full disk",
		file:  "grants/service/scarce.go",
		edits: []edit{{"	if !s.room.scarce.Load() {", "	if true {"}},
		pkg:   "grants/service", test: "TestOnAFullDiskAccessIsTakenAwayAndNotGiven",
	},
	{
		name:  "a secret by a wrong clock",
		file:  "grants/service/reveal.go",
		edits: []edit{{"s.Ahead == nil || s.Ahead().Abs() <= mostAhead", "true"}},
		pkg:   "grants/service", test: "TestNothingIsIssuedByAWrongClock",
	},
	{
		name:  "an extension by a role that is not offered any more",
		file:  "grants/service/advance.go",
		edits: []edit{{"g.Basis, !s.offers(g.Role)", "g.Basis, false"}},
		pkg:   "grants/service", test: "TestOnlyARoleThatIsOfferedAsItWasIsExtended",
	},
}
