package grants_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"nightlatch/grants"
)

// fullGrant has every field set.
func fullGrant() grants.Grant {
	vote := grants.Vote{Person: "T1.U2", Yes: true, At: at(1), Claim: grants.Claim{Right: grants.ByGroup, Source: "S1", Digest: "d1", Shift: grants.Shift{Until: at(60)}}}
	r := role()
	r.Verify = grants.Offline
	r.OnCall = append(r.OnCall, grants.Source{Schedule: "S9"})
	r.Voters = grants.Voters{Users: []string{"U2"}, Usergroup: "S1", Policy: "P1", Levels: []int{2}, Count: 1}
	r.OffCall = grants.Voters{Users: []string{"U9"}, Count: 2}
	return grants.Grant{
		V: 1, ID: "01hq0000000000000000000000", Seq: 7, State: grants.Closing, Person: "T1.U1", Role: r,
		Asked: t0, Duration: time.Hour, AskedSeq: 3, Channel: "C7",
		Basis: grants.ByVotes, Voters: r.Voters, PendingUntil: at(15), Votes: []grants.Vote{vote},
		Opened: at(1), Shift: grants.Shift{From: at(-60), Until: at(120)}, Read: at(1), Ends: at(61),
		Credentials: []grants.Credential{{
			Ordinal: 1, Name: "inst0001-01hq0000000000000000000000-1", State: grants.Gone, Since: at(9), Intended: at(2), Answered: true,
			Issued: at(2), Undelivered: true, Expires: at(61), Evidence: grants.ExpiredFinding, Proven: at(9),
		}},
		Reveals: 1, Outcome: grants.Revoked, Ended: at(8), EndedBy: "T1.U2", Explained: 9,
		Reasons: []grants.Reason{{Code: grants.CutToShift, People: []string{"PU1"}, Until: at(120), Detail: "d", Count: 1}},
		Closed:  at(9), Incident: "PINC", Extensions: []grants.Extension{{At: at(5), By: time.Hour, Votes: []grants.Vote{vote}}}, BreakGlass: true,
	}
}

// fullEvent has every field set.
func fullEvent() grants.Event {
	g := fullGrant()
	in := input(func(in *grants.Input) {
		in.Basis, in.Votes, in.Config, in.Person.Frozen = grants.ByVotes, g.Votes, "c0ff", "changed"
	})
	in.Answer.Why = "why"
	in.Person.Pinned = at(-600)
	v := grants.Decide(in)
	v.Voters = g.Voters
	return grants.Event{
		V: 1, Seq: 7, At: at(1), Kind: grants.KindOpened, Actor: grants.Actor{Person: "T1.U2", System: "decide"},
		Grant: g.ID, Doc: "d0c", Credential: g.Credentials[0].Name, Evidence: grants.AbsentFinding, Outcome: grants.Revoked,
		Vote: &g.Votes[0], Input: &in, Verdict: &v, Reasons: g.Reasons, Config: "c0ff",
		Text: grants.Typed{Salt: "s", Text: "t"}.Hash(), Detail: "d", Count: 2,
		Incident: "PINC", Extension: &g.Extensions[0], BreakGlass: true,
	}
}

// fullExtension has every field set.
func fullExtension() grants.Extension {
	g := fullGrant()
	return grants.Extension{
		At: at(5), By: time.Hour, Votes: g.Votes, Ordinal: 1, State: grants.Closed, AskedSeq: 5, Basis: grants.ByVotes, Voters: g.Voters,
		PendingUntil: at(20), Outcome: grants.Extended, Decided: at(6), Reasons: g.Reasons, Ends: at(121),
	}
}

// grantV2 and eventV2 have every field of version 2 set.
func grantV2() grants.Grant {
	g := fullGrant()
	g.V, g.Extensions = 2, []grants.Extension{fullExtension()}
	return g
}

func eventV2() grants.Event {
	e, x := fullEvent(), fullExtension()
	e.V, e.Kind, e.Extension = 2, grants.KindExtended, &x
	in := more(func(in *grants.Input) { in.Basis, in.Votes, in.Stale, in.Scarce = grants.ByVotes, x.Votes, true, true })
	v := grants.Decide(in)
	e.Input, e.Verdict = &in, &v
	return e
}

// What a version looks like can never change: ledgers are full of it. A new field is a new version.
func TestVersionsAreFrozen(t *testing.T) {
	for name, value := range map[string]any{
		"grant-v1.json": fullGrant(), "event-v1.json": fullEvent(), "grant-v2.json": grantV2(), "event-v2.json": eventV2(),
	} {
		got, err := grants.Encode(value)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name)
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if want = bytes.TrimSpace(want); !bytes.Equal(got, want) {
			t.Errorf("%s would be stored as\n%s\nand was\n%s", name, got, want)
		}
	}
}

func TestEveryVersionIsReadBack(t *testing.T) {
	for name, want := range map[string]grants.Grant{"grant-v1.json": fullGrant(), "grant-v2.json": grantV2()} {
		if g, err := grants.DecodeGrant(read(t, name)); err != nil || !reflect.DeepEqual(g, want) {
			t.Errorf("reading %s: %v\n%+v", name, err, g)
		}
	}
	for name, want := range map[string]grants.Event{"event-v1.json": fullEvent(), "event-v2.json": eventV2()} {
		if e, err := grants.DecodeEvent(read(t, name)); err != nil || !reflect.DeepEqual(e, want) {
			t.Errorf("reading %s: %v\n%+v", name, err, e)
		}
	}
}

// The golden values leave no field out; a new field must come with a new version.
func TestGoldenValuesAreFull(t *testing.T) {
	for _, v := range []any{grantV2(), eventV2(), fullExtension()} {
		rv := reflect.ValueOf(v)
		for i := range rv.NumField() {
			if rv.Field(i).IsZero() {
				t.Errorf("%s.%s is not in the golden file", rv.Type(), rv.Type().Field(i).Name)
			}
		}
	}
}

func TestANewerVersionIsRefused(t *testing.T) {
	if _, err := grants.DecodeGrant([]byte(`{"v":3}`)); err == nil {
		t.Error("a grant of version 3 was read")
	}
	if _, err := grants.DecodeEvent([]byte(`{"v":0}`)); err == nil {
		t.Error("an event without a version was read")
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
