package grants_test

import (
	"testing"
	"time"

	"nightlatch/grants"
)

func slackUser(id, email string) grants.SlackUser {
	return grants.SlackUser{Team: "T1", ID: id, Name: id, Email: email}
}

func find(t *testing.T, people []grants.Person, key grants.PersonKey) grants.Person {
	t.Helper()
	for _, p := range people {
		if p.Key == key {
			return p
		}
	}
	t.Fatalf("%s is not in the directory", key)
	return grants.Person{}
}

func TestPair(t *testing.T) {
	guest, bot, gone, stranger, unsure := slackUser("U5", "e@x"), slackUser("U6", "f@x"), slackUser("U7", "a@x"), slackUser("U8", "h@x"), slackUser("U9", "i@x")
	guest.Guest, bot.Bot, gone.Deleted, stranger.Team, unsure.Unconfirmed = true, true, true, "T2", true
	slack := []grants.SlackUser{
		slackUser("U1", " Ada@X "), slackUser("U2", "twice@x"), slackUser("U3", "TWICE@x"), slackUser("U4", "nobody@x"),
		guest, bot, gone, stranger, unsure, slackUser("U10", "pdtwice@x"), slackUser("U11", ""),
	}
	slack[6].Email = "ada@x" // a deleted account with Ada's address takes nothing from her
	pager := []grants.PagerUser{
		{ID: "P1", Email: "ada@x"},
		{ID: "P2", Email: "twice@x"},
		{ID: "P5", Email: "e@x"},
		{ID: "P6", Email: "f@x"},
		{ID: "P8", Email: "h@x"},
		{ID: "P9", Email: "i@x"},
		{ID: "P10", Email: "pdtwice@x"},
		{ID: "P11", Email: "PDtwice@x"},
		{ID: "P12", Email: ""},
	}
	people := grants.Pair("T1", slack, pager, nil, time.Time{})
	for _, tt := range []struct {
		key      grants.PersonKey
		pager    string
		standing grants.Standing
	}{
		{"T1.U1", "P1", grants.Member},
		{"T1.U2", "", grants.Member},
		{"T1.U3", "", grants.Member}, // ambiguous in Slack
		{"T1.U4", "", grants.Member},
		{"T1.U5", "", grants.Guest},
		{"T1.U6", "", grants.Bot},
		{"T1.U7", "", grants.Deleted},
		{"T2.U8", "", grants.Foreign},
		{"T1.U9", "", grants.Unconfirmed},
		{"T1.U10", "", grants.Member}, // ambiguous in PagerDuty
		{"T1.U11", "", grants.Member}, // no address pairs with no address
	} {
		if p := find(t, people, tt.key); p.PagerDuty != tt.pager || p.Standing != tt.standing {
			t.Errorf("%s: PagerDuty %q, %s; want %q, %s", tt.key, p.PagerDuty, p.Standing, tt.pager, tt.standing)
		}
	}
}

func TestAChangedPairFreezes(t *testing.T) {
	slack := []grants.SlackUser{slackUser("U1", "ada@x"), slackUser("U2", "bob@x")}
	before := grants.Pair("T1", slack, []grants.PagerUser{{ID: "P1", Email: "ada@x"}, {ID: "P2", Email: "bob@x"}}, nil, at(-600))
	after := grants.Pair("T1", slack[:1], []grants.PagerUser{{ID: "P7", Email: "ada@x"}}, before, t0)
	ada := find(t, after, "T1.U1")
	if ada.Frozen == "" || ada.PagerDuty != "P1" || !ada.Pinned.Equal(at(-600)) {
		t.Errorf("after her PagerDuty user changed: %+v; want her frozen, with the pinned P1", ada)
	}
	if bob := find(t, after, "T1.U2"); bob.Standing != grants.Deleted {
		t.Errorf("Bob left Slack and is %s", bob.Standing)
	}
	if thawed := ada.Thaw(); thawed.Frozen != "" || thawed.PagerDuty != "P7" {
		t.Errorf("after a human looked: %+v; want her thawed, with the new P7", thawed)
	}
	again := grants.Pair("T1", slack[:1], []grants.PagerUser{{ID: "P1", Email: "ada@x"}}, after, at(60))
	if find(t, again, "T1.U1").Frozen == "" {
		t.Error("changing the address back thawed her: only a human may")
	}
}

// An address that nobody confirmed, or that another workspace vouches for, takes nobody's pair away.
func TestAStrangersAddressFreezesNobody(t *testing.T) {
	ada, stranger, unsure := slackUser("U1", "ada@x"), slackUser("U8", "ada@x"), slackUser("U9", "ada@x")
	stranger.Team, unsure.Unconfirmed = "T2", true
	pager := []grants.PagerUser{{ID: "P1", Email: "ada@x"}}
	before := grants.Pair("T1", []grants.SlackUser{ada}, pager, nil, at(-600))
	for _, other := range []grants.SlackUser{stranger, unsure} {
		after := grants.Pair("T1", []grants.SlackUser{ada, other}, pager, before, t0)
		if p := find(t, after, "T1.U1"); p.PagerDuty != "P1" || p.Frozen != "" {
			t.Errorf("beside %s: %+v", other.ID, p)
		}
	}
}

func TestMoved(t *testing.T) {
	ada := person()
	frozen, gone, moved, unpaired := ada, ada, ada, ada
	frozen.Frozen, gone.Standing, moved.Email = "changed", grants.Guest, "lovelace@example.com"
	unpaired.Email, unpaired.PagerDuty = "lovelace@example.com", ""
	for _, tt := range []struct {
		name     string
		old, now grants.Person
		want     grants.News
	}{
		{"nothing", ada, ada, ""},
		{"frozen", ada, frozen, grants.FrozenNow},
		{"frozen before", frozen, frozen, ""},
		{"a guest now", ada, gone, grants.GoneNow},
		{"both addresses changed", ada, moved, grants.EmailMoved},
		{"the address of somebody without PagerDuty", unpaired, ada, grants.EmailMoved},
	} {
		if got := grants.Moved(tt.old, tt.now); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
