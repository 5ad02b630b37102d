package grants_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/grants"
)

func codes(rs []grants.Reason) []grants.Code {
	var cs []grants.Code
	for _, r := range rs {
		cs = append(cs, r.Code)
	}
	return cs
}

func TestDecide(t *testing.T) {
	offCall := func(in *grants.Input) { in.Answer.OnCall, in.Answer.Settled = false, false }
	votes := func(basis grants.Basis) func(*grants.Input) {
		return func(in *grants.Input) {
			in.Basis = basis
			in.Votes = []grants.Vote{{Person: "T1.U2", Yes: true, At: t0, Claim: grants.Claim{Right: grants.ByName}}}
		}
	}
	never := func(in *grants.Input) { in.Role.Automatic = grants.Never }
	withOffCall := func(in *grants.Input) { in.Role.OffCall = grants.Voters{Users: []string{"U9"}, Count: 1} }
	silent := func(in *grants.Input) { in.Answer = grants.Answer{Why: "it did not answer in time"} }
	tests := []struct {
		name   string
		change []func(*grants.Input)
		want   grants.Decision
		basis  grants.Basis
		codes  []grants.Code
	}{
		{"on call and automatic", nil, grants.Allow, grants.ByOnCall, []grants.Code{grants.OnCallNow}},
		{"on call, never automatic", []func(*grants.Input){never}, grants.Await, grants.ByVotes, []grants.Code{grants.OnCallNow, grants.NeedsVotes}},
		{"on call, unsettled", []func(*grants.Input){func(in *grants.Input) { in.Answer.Settled = false }}, grants.Await, grants.ByVotes, []grants.Code{grants.OnCallNow, grants.NotSettled}},
		{"frozen", []func(*grants.Input){func(in *grants.Input) { in.Person.Frozen = "changed" }}, grants.Await, grants.ByVotes, []grants.Code{grants.OnCallNow, grants.FrozenPerson}},
		{"pinned a minute ago", []func(*grants.Input){func(in *grants.Input) { in.Person.Pinned = at(-1) }}, grants.Await, grants.ByVotes, []grants.Code{grants.OnCallNow, grants.NewPerson}},
		{"pinned an hour ago", []func(*grants.Input){func(in *grants.Input) { in.Person.Pinned = at(-60) }}, grants.Allow, grants.ByOnCall, []grants.Code{grants.OnCallNow}},
		{"off call", []func(*grants.Input){offCall}, grants.Refuse, "", []grants.Code{grants.NotOnCall, grants.NoVoters}},
		{"off call, with voters for it", []func(*grants.Input){offCall, withOffCall}, grants.Await, grants.ByOffCallVotes, []grants.Code{grants.NotOnCall}},
		{"unknown to PagerDuty", []func(*grants.Input){func(in *grants.Input) { in.Person.PagerDuty = "" }}, grants.Refuse, "", []grants.Code{grants.NoPagerDuty, grants.NoVoters}},
		{"unknown to PagerDuty, with voters", []func(*grants.Input){func(in *grants.Input) { in.Person.PagerDuty = "" }, withOffCall}, grants.Await, grants.ByOffCallVotes, []grants.Code{grants.NoPagerDuty}},
		{"PagerDuty silent", []func(*grants.Input){silent}, grants.Refuse, "", []grants.Code{grants.CannotAsk, grants.NoVoters}},
		{"PagerDuty silent, with voters", []func(*grants.Input){silent, withOffCall}, grants.Await, grants.ByOffCallVotes, []grants.Code{grants.CannotAsk}},
		{"a guest", []func(*grants.Input){func(in *grants.Input) { in.Person.Standing = grants.Guest }}, grants.Refuse, "", []grants.Code{grants.BadStanding}},
		{"a role that never concerned them", []func(*grants.Input){offCall, func(in *grants.Input) { in.Concerned = false }}, grants.Refuse, "", []grants.Code{grants.NotForYou}},
		{"on call since a moment, never before", []func(*grants.Input){func(in *grants.Input) { in.Concerned = false }}, grants.Allow, grants.ByOnCall, []grants.Code{grants.OnCallNow}},
		{"voted, still on call", []func(*grants.Input){never, votes(grants.ByVotes)}, grants.Allow, grants.ByVotes, []grants.Code{grants.OnCallNow, grants.NeedsVotes, grants.HasVotes}},
		{"voted, off call by now", []func(*grants.Input){never, votes(grants.ByVotes), offCall}, grants.Refuse, "", []grants.Code{grants.NotOnCall, grants.VotesUndone}},
		{"voted, PagerDuty silent now", []func(*grants.Input){never, votes(grants.ByVotes), silent}, grants.Later, grants.ByVotes, []grants.Code{grants.CannotAsk}},
		{"voted for someone off call", []func(*grants.Input){offCall, withOffCall, votes(grants.ByOffCallVotes)}, grants.Allow, grants.ByOffCallVotes, []grants.Code{grants.HasVotes}},
		{"voted, and one yes is not enough", []func(*grants.Input){never, votes(grants.ByVotes), func(in *grants.Input) { in.Role.Voters.Count = 2 }}, grants.Refuse, "", []grants.Code{grants.OnCallNow, grants.NeedsVotes, grants.VotesUndone}},
		{"voted no", []func(*grants.Input){offCall, withOffCall, votes(grants.ByOffCallVotes), func(in *grants.Input) { in.Votes[0].Yes = false }}, grants.Refuse, "", []grants.Code{grants.NotOnCall, grants.VotesUndone}},
		{"no room on the disk", []func(*grants.Input){func(in *grants.Input) { in.Scarce = true }}, grants.Refuse, "", []grants.Code{grants.DiskFull}},
		{"voted, no room on the disk", []func(*grants.Input){never, votes(grants.ByVotes), func(in *grants.Input) { in.Scarce = true }}, grants.Later, grants.ByVotes, []grants.Code{grants.DiskFull}},
		{"longer than the shift", []func(*grants.Input){func(in *grants.Input) { in.Asked = 3 * time.Hour }}, grants.Allow, grants.ByOnCall, []grants.Code{grants.OnCallNow, grants.CutToShift}},
		{"longer than the role", []func(*grants.Input){func(in *grants.Input) { in.Asked, in.Answer.Shift.Until = 9*time.Hour, time.Time{} }}, grants.Allow, grants.ByOnCall, []grants.Code{grants.OnCallNow, grants.CutToMax}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := grants.Decide(input(tt.change...))
			if v.Decision != tt.want || v.Basis != tt.basis {
				t.Errorf("decision %q on basis %q, want %q on %q", v.Decision, v.Basis, tt.want, tt.basis)
			}
			if diff := cmp.Diff(tt.codes, codes(v.Reasons)); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAShiftWithoutEndIsBoundedByTheRole(t *testing.T) {
	v := grants.Decide(input(func(in *grants.Input) { in.Asked, in.Answer.Shift = 100*time.Hour, grants.Shift{} }))
	if want := t0.Add(4 * time.Hour); !v.Ends.Equal(want) {
		t.Errorf("a shift without an end gives access until %s, want %s", v.Ends, want)
	}
}

func TestAGrantEndsWithTheShift(t *testing.T) {
	v := grants.Decide(input(func(in *grants.Input) { in.Asked = 4 * time.Hour }))
	if !v.Ends.Equal(at(120)) {
		t.Errorf("ends %s, want the shift's end %s", v.Ends, at(120))
	}
}

func TestLookBelievesOnlyWhatIsSettled(t *testing.T) {
	live := snapshot(0, entry("PU1", 1, -5, 300))
	tests := []struct {
		name    string
		history []grants.Snapshot
		settled bool
		until   time.Time
	}{
		{"nobody said so before", nil, false, at(300)},
		{"only a young snapshot says so", []grants.Snapshot{snapshot(-10, entry("PU1", 1, -5, 300))}, false, at(300)},
		{"an old one says so, until earlier", []grants.Snapshot{snapshot(-20, entry("PU1", 1, -5, 60))}, true, at(60)},
		{"an older one said so, a settled newer one does not", []grants.Snapshot{snapshot(-90, entry("PU1", 1, -5, 60)), snapshot(-20)}, false, at(300)},
		{"the first of a new ledger", []grants.Snapshot{{Read: at(-1), First: true, Entries: []grants.Entry{entry("PU1", 1, -5, 300)}}}, true, at(300)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := grants.Look(person(), role(), live, tt.history, 15*time.Minute, t0)
			if !a.OnCall || a.Settled != tt.settled || !a.Shift.Until.Equal(tt.until) {
				t.Errorf("on call %v, settled %v until %s; want true, %v until %s", a.OnCall, a.Settled, a.Shift.Until, tt.settled, tt.until)
			}
		})
	}
}

func TestAnswerMovesAShift(t *testing.T) {
	was := grants.Shift{From: at(-60), Until: at(60)}
	tests := []struct {
		name       string
		said, sure time.Time
		settled    bool
		want       time.Time
	}{
		{"unchanged", at(60), at(60), true, at(60)},
		{"shortened, unsettled", at(30), at(30), false, at(30)},
		{"lengthened, unsettled", at(90), at(90), false, at(60)},
		{"lengthened, settled", at(90), at(90), true, at(90)},
		{"lengthened, settled only in part", at(90), at(75), true, at(75)},
		{"lengthened without end, settled", time.Time{}, time.Time{}, true, time.Time{}},
		{"settled is shorter than what was given: nothing changed in PagerDuty", at(60), at(45), true, at(60)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := grants.Answer{Known: true, OnCall: true, Settled: tt.settled, Said: grants.Shift{Until: tt.said}, Shift: grants.Shift{Until: tt.sure}}
			if got := a.Move(was); !got.Until.Equal(tt.want) {
				t.Errorf("moves to %s, want %s", got.Until, tt.want)
			}
		})
	}
}
