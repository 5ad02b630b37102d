package pagerduty_test

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/memnet"
	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/pagerduty"
)

const key = "u+NightlatchTestKey"

// account serves an emulator over a network in memory; its client's configuration may be changed before it is made.
func account(t *testing.T, emulated pagerdutyemu.Config) (*pagerdutyemu.Emulator, pagerduty.Config) {
	t.Helper()
	emulated.Key = key
	emu, network := pagerdutyemu.New(emulated), memnet.New()
	listener, err := network.Listen("pagerduty.test:80")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: emu}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	transport := &http.Transport{DialContext: network.Dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		emu.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		<-served
		if err := network.Close(); err != nil {
			t.Error(err)
		}
	})
	return emu, pagerduty.Config{
		Key: grants.NewSecret(key), BaseURL: "http://pagerduty.test", Transport: transport,
	}
}

// inBubble runs a test where time moves by itself. Most tests here wait for something.
func inBubble(t *testing.T, test func(*testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

func policy(id string) grants.Source   { return grants.Source{Policy: id} }
func schedule(id string) grants.Source { return grants.Source{Schedule: id} }

func sources(list ...grants.Source) []grants.Source { return list }

// now reads who is on call now.
func now(t *testing.T, client *pagerduty.Client, list ...grants.Source) grants.Snapshot {
	t.Helper()
	snapshot, err := client.Entries(t.Context(), list, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

func usersOf(snapshot grants.Snapshot) []string {
	var users []string
	for _, e := range snapshot.Entries {
		users = append(users, e.User)
	}
	slices.Sort(users)
	return users
}

func wantNoViolations(t *testing.T, emu *pagerdutyemu.Emulator) {
	t.Helper()
	for _, v := range emu.Violations() {
		t.Errorf("the emulator saw a violation: %s: %s: %s", v.Method, v.Rule, v.Detail)
	}
}

func TestEveryPageOfOnCallsIsRead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{})
		var level pagerdutyemu.Level
		for i := range 5 {
			level = append(level, pagerdutyemu.Target{User: fmt.Sprintf("PUSER%d", i+1)})
		}
		emu.PutPolicy(pagerdutyemu.Policy{ID: "PPOLICY", Levels: []pagerdutyemu.Level{level}})
		config.PageSize = 2

		got := usersOf(now(t, pagerduty.New(config), policy("PPOLICY")))

		want := []string{"PUSER1", "PUSER2", "PUSER3", "PUSER4", "PUSER5"}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("who is on call (-want +got):\n%s", diff)
		}
		if n := len(emu.Requests()); n != 3 {
			t.Errorf("%d requests for three pages", n)
		}
		wantNoViolations(t, emu)
	})
}

func TestEntriesCarryTheirWholeTimeAndEachStandsOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{TimeZone: "America/New_York"})
		start := time.Now().UTC()
		from, until := start.Add(-time.Hour), start.Add(7*time.Hour)
		emu.SetShifts("SNIGHT", pagerdutyemu.Shift{User: "PANA", Start: from, End: until})
		emu.SetShifts("SNEW", pagerdutyemu.Shift{User: "PBEN", Start: from}) // no end
		emu.PutSchedule(pagerdutyemu.Schedule{ID: "SNEW", V3: true})
		night := pagerdutyemu.Target{Schedule: "SNIGHT"}
		emu.PutPolicy(pagerdutyemu.Policy{ID: "PONE", Levels: []pagerdutyemu.Level{{night}, {night, {User: "PCHEF"}}}})
		emu.PutPolicy(pagerdutyemu.Policy{ID: "PTWO", Levels: []pagerdutyemu.Level{{{Schedule: "SNEW"}}}})

		got := now(t, pagerduty.New(config), policy("PONE"), schedule("SNIGHT"), schedule("SNEW"), policy("PONE"))

		want := grants.Snapshot{Read: start, Entries: []grants.Entry{
			{User: "PANA", Policy: "PONE", Level: 1, Schedule: "SNIGHT", Start: from, End: until},
			{User: "PCHEF", Policy: "PONE", Level: 2},
			{User: "PANA", Policy: "PONE", Level: 2, Schedule: "SNIGHT", Start: from, End: until},
			{User: "PBEN", Policy: "PTWO", Level: 1, Schedule: "SNEW", Start: from},
		}}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("snapshot (-want +got):\n%s", diff)
		}
		if n := len(emu.Requests()); n != 2 {
			t.Errorf("%d requests, want one for policies and one for schedules", n)
		}
		wantNoViolations(t, emu)
	})
}

func TestAWindowShowsWhatComes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{})
		start := time.Now().UTC()
		at := func(h int) time.Time { return start.Add(time.Duration(h) * time.Hour) }
		emu.PutPolicy(pagerdutyemu.Policy{ID: "PONE", Levels: []pagerdutyemu.Level{{{Schedule: "SONE"}}}})
		emu.SetShifts("SONE",
			pagerdutyemu.Shift{User: "PANA", Start: at(-8), End: at(4)},
			pagerdutyemu.Shift{User: "PBEN", Start: at(4), End: at(12)},
			pagerdutyemu.Shift{User: "PCHEF", Start: at(25), End: at(26)}, // within the window's last second
			pagerdutyemu.Shift{User: "PDAN", Start: at(26), End: at(30)})
		client := pagerduty.New(config)

		if got := usersOf(now(t, client, policy("PONE"))); !slices.Equal(got, []string{"PANA"}) {
			t.Errorf("now: %v", got)
		}
		from, until := start.Add(300*time.Millisecond), at(25).Add(300*time.Millisecond)
		got, err := client.Entries(t.Context(), sources(policy("PONE")), from, until)
		if err != nil {
			t.Fatal(err)
		}
		if users := usersOf(got); !slices.Equal(users, []string{"PANA", "PBEN", "PCHEF"}) {
			t.Errorf("the next 25 hours: %v", users)
		}
		if !got.From.Equal(from) || !got.Until.Equal(until) {
			t.Errorf("window %s to %s, asked for %s to %s", got.From, got.Until, from, until)
		}
		for _, wrong := range [][2]time.Time{{{}, until}, {from, {}}, {until, from}} {
			if _, err := client.Entries(t.Context(), sources(policy("PONE")), wrong[0], wrong[1]); err == nil {
				t.Errorf("the window %v is accepted", wrong)
			}
		}
		wantNoViolations(t, emu)
	})
}

func TestNoSourcesAskNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{})
		emu.PutPolicy(pagerdutyemu.Policy{ID: "PONE", Levels: []pagerdutyemu.Level{{{User: "PANA"}}}})

		got := now(t, pagerduty.New(config), grants.Source{})

		if len(got.Entries) != 0 || len(emu.Requests()) != 0 {
			t.Errorf("%d entries after %d requests", len(got.Entries), len(emu.Requests()))
		}
		if got.Read.IsZero() {
			t.Error("the snapshot does not say when it was read")
		}
	})
}

func TestManySourcesAreAskedInShortRequests(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{})
		var list []grants.Source
		for i := range 120 {
			id := fmt.Sprintf("PPOL%03d", i)
			emu.PutPolicy(pagerdutyemu.Policy{ID: id, Levels: []pagerdutyemu.Level{{{User: "PANA"}}}})
			list = append(list, policy(id), policy(id))
		}
		got := now(t, pagerduty.New(config), list...)
		if len(got.Entries) != 120 {
			t.Errorf("%d entries of 120 policies", len(got.Entries))
		}
		for _, r := range emu.Requests() {
			if len(r.Query) > 4000 {
				t.Errorf("a query of %d bytes", len(r.Query))
			}
		}
		wantNoViolations(t, emu)
	})
}

func TestReadIsBeforeTheAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{})
		emu.PutPolicy(pagerdutyemu.Policy{ID: "PONE", Levels: []pagerdutyemu.Level{{{User: "PANA"}}}})
		emu.Inject(pagerdutyemu.Fault{Method: "oncalls", Delay: 3 * time.Second})
		began := time.Now()

		got := now(t, pagerduty.New(config), policy("PONE"), schedule("SONE"))

		if took := time.Since(began); took != 6*time.Second {
			t.Errorf("two slow answers took %s", took)
		}
		if !got.Read.Equal(began) || got.Read.Location() != time.UTC {
			t.Errorf("read %s, asked at %s", got.Read, began)
		}
	})
}

func TestUsersAreAllReadAndUnconfirmedOnesHaveNoEmail(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{})
		var want []grants.PagerUser
		for i := range 7 {
			u := pagerdutyemu.User{ID: fmt.Sprintf("PUSER%d", i), Name: fmt.Sprintf("User %d", i), Email: fmt.Sprintf("User.%d@Example.com", i)}
			u.InvitationSent = i == 5
			emu.PutUser(u)
			wanted := grants.PagerUser{ID: u.ID, Name: u.Name, Email: u.Email}
			if u.InvitationSent {
				wanted.Email = ""
			}
			want = append(want, wanted)
		}
		config.PageSize = 3
		got, err := pagerduty.New(config).Users(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(got, func(a, b grants.PagerUser) int { return cmp.Compare(a.ID, b.ID) })
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("users (-want +got):\n%s", diff)
		}
		wantNoViolations(t, emu)
	})
}
