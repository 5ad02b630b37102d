package grants_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/grants"
)

// more is what an extension of an open grant is decided about: one hour open, half an hour in,
// another hour is asked for.
func more(change ...func(*grants.Input)) grants.Input {
	in := input(func(in *grants.Input) {
		in.Now, in.Asked, in.Extension, in.Ends = at(30), time.Hour, 1, at(60)
		in.Answer.Shift.Until, in.Answer.Said.Until, in.Held = at(600), at(600), grants.ByOnCall
	})
	for _, c := range change {
		c(&in)
	}
	return in
}

func TestDecideAboutAnExtension(t *testing.T) {
	never := func(in *grants.Input) { in.Role.Automatic = grants.Never }
	silent := func(in *grants.Input) { in.Answer = grants.Answer{Why: "it did not answer in time"} }
	offCall := func(in *grants.Input) { in.Answer.OnCall, in.Answer.Settled = false, false }
	withOffCall := func(in *grants.Input) { in.Role.OffCall = grants.Voters{Users: []string{"U9"}, Count: 1} }
	held := func(in *grants.Input) { in.Held = grants.ByOffCallVotes }
	noSeat := func(in *grants.Input) { in.Person.PagerDuty = "" }
	votes := func(in *grants.Input) {
		in.Basis, in.Votes = grants.ByVotes, []grants.Vote{{Person: "T1.U2", Yes: true, At: t0}}
	}
	shift := func(minute int) func(*grants.Input) {
		return func(in *grants.Input) { in.Answer.Shift.Until = at(minute) }
	}
	tests := []struct {
		name   string
		change []func(*grants.Input)
		want   grants.Decision
		ends   int // minute
		codes  []grants.Code
	}{
		{"on call and automatic", nil, grants.Allow, 120, []grants.Code{grants.OnCallNow}},
		{"to the shift's end and no longer", []func(*grants.Input){shift(90)}, grants.Allow, 90, []grants.Code{grants.OnCallNow, grants.CutToShift}},
		{"at the shift's end already", []func(*grants.Input){shift(60)}, grants.Refuse, 0, []grants.Code{grants.OnCallNow, grants.CutToShift, grants.NoLonger}},
		{
			"no further from now than the role's maximum",
			[]func(*grants.Input){func(in *grants.Input) { in.Asked = 4 * time.Hour }},
			grants.Allow, 30 + 240,
			[]grants.Code{grants.OnCallNow, grants.CutToMax},
		},
		{
			"as far as the role goes already",
			[]func(*grants.Input){func(in *grants.Input) { in.Ends = at(30 + 240) }},
			grants.Refuse, 0,
			[]grants.Code{grants.OnCallNow, grants.CutToMax, grants.NoLonger},
		},
		{"never automatic", []func(*grants.Input){never}, grants.Await, 0, []grants.Code{grants.OnCallNow, grants.NeedsVotes}},
		{"voted", []func(*grants.Input){never, votes}, grants.Allow, 120, []grants.Code{grants.OnCallNow, grants.NeedsVotes, grants.HasVotes}},
		{"voted, off call by now", []func(*grants.Input){never, votes, offCall}, grants.Refuse, 0, []grants.Code{grants.NotOnCall, grants.VotesUndone}},
		{"PagerDuty silent", []func(*grants.Input){silent}, grants.Refuse, 0, []grants.Code{grants.CannotAsk}},
		{"PagerDuty silent, though others could vote", []func(*grants.Input){silent, withOffCall}, grants.Refuse, 0, []grants.Code{grants.CannotAsk}},
		{"voted, PagerDuty silent now", []func(*grants.Input){never, votes, silent}, grants.Later, 0, []grants.Code{grants.CannotAsk}},
		{"off call, with voters for it", []func(*grants.Input){offCall, withOffCall}, grants.Await, 0, []grants.Code{grants.NotOnCall}},
		{"PagerDuty knows nothing of them, and voters do", []func(*grants.Input){silent, noSeat, withOffCall}, grants.Await, 0, []grants.Code{grants.NoPagerDuty}},
		{"its role is another one by now", []func(*grants.Input){func(in *grants.Input) { in.Stale = true }}, grants.Refuse, 0, []grants.Code{grants.RoleChanged}},
		{"given off call, on call by now", []func(*grants.Input){held, withOffCall}, grants.Await, 0, []grants.Code{grants.OnCallNow}},
		{"given off call, and nobody to vote", []func(*grants.Input){held}, grants.Refuse, 0, []grants.Code{grants.OnCallNow, grants.NoVoters}},
		{"gone", []func(*grants.Input){func(in *grants.Input) { in.Person.Standing = grants.Deleted }}, grants.Refuse, 0, []grants.Code{grants.BadStanding}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := grants.Decide(more(tt.change...))
			if v.Decision != tt.want || v.Decision == grants.Allow && !v.Ends.Equal(at(tt.ends)) {
				t.Errorf("%s until %s, want %s until %s", v.Decision, v.Ends, tt.want, at(tt.ends))
			}
			if diff := cmp.Diff(tt.codes, codes(v.Reasons)); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
		})
	}
}

// extending is an open grant of an hour with an extension that waits for votes.
func extending(t *testing.T) grants.Grant {
	t.Helper()
	g := must(t)(opened(t).AskMore(time.Hour, at(30)))
	v := grants.Decide(more(func(in *grants.Input) { in.Role.Automatic, in.Role.Voters.Count = grants.Never, 2 }))
	return must(t)(g.AwaitMore(v, at(30)))
}

func TestExtendMovesTheEndAndNothingElse(t *testing.T) {
	g := must(t)(opened(t).AskMore(time.Hour, at(30)))
	if d := g.NextAt(grants.Retry{}, grants.Retry{}); !d.Decide.Equal(at(30)) || !d.Deadline.Equal(at(45)) {
		t.Errorf("an extension that is asked for is due %+v", d)
	}
	g = must(t)(g.Extend(grants.Decide(more()), at(30)))
	if x, _ := g.Extension(1); x.Outcome != grants.Extended || !x.Ends.Equal(at(120)) || !g.Ends.Equal(at(120)) || g.State != grants.Open {
		t.Errorf("extension %+v of a grant that is %s until %s", x, g.State, g.Ends)
	}
	if _, waits := g.Extending(); waits {
		t.Error("it still waits")
	}
	shorter := must(t)(g.Follow(grants.Shift{Until: at(50)}, at(31), at(31)))
	longer := must(t)(shorter.Follow(grants.Shift{Until: at(700)}, at(32), at(32)))
	if !shorter.Ends.Equal(at(50)) || !longer.Ends.Equal(at(120)) {
		t.Errorf("it follows its shift to %s and back to %s", shorter.Ends, longer.Ends)
	}
}

func TestOneExtensionAtATime(t *testing.T) {
	g := extending(t)
	if _, err := g.AskMore(time.Hour, at(31)); !errors.Is(err, grants.ErrNotNow) {
		t.Errorf("a second one beside the first: %v", err)
	}
	g = must(t)(g.WithdrawMore(at(31)))
	g = must(t)(g.AskMore(time.Hour, at(32)))
	if x, waits := g.Extending(); !waits || x.Ordinal != 2 || len(g.Extensions) != 2 {
		t.Errorf("after a withdrawal: %+v", g.Extensions)
	}
}

func TestVotesOnAnExtension(t *testing.T) {
	yes := grants.Vote{Person: "T1.U2", Yes: true, At: at(31)}
	g := must(t)(extending(t).CastMore(yes))
	if _, err := g.CastMore(yes); !errors.Is(err, grants.ErrNotNow) {
		t.Errorf("a second vote of the same person: %v", err)
	}
	if x, _ := g.Extending(); x.Question(g).Approved() || len(g.Votes) != 0 {
		t.Error("one yes of two approves, or counts for the grant")
	}
	denied := must(t)(g.CastMore(grants.Vote{Person: "T1.U3", At: at(32)}))
	if x, _ := denied.Extension(1); x.Outcome != grants.Denied || denied.State != grants.Open || !denied.Ends.Equal(at(60)) {
		t.Errorf("a no leaves %+v of a grant that is %s until %s", x, denied.State, denied.Ends)
	}
	yes.Person = "T1.U3"
	g = must(t)(g.CastMore(yes))
	if d := g.NextAt(grants.Retry{}, grants.Retry{}); !d.Decide.Equal(at(30)) {
		t.Errorf("approved and due %+v", d)
	}
}

func TestAnExtensionEndsWithItsGrant(t *testing.T) {
	g, _, err := extending(t).End(grants.Returned, "T1.U1", at(31))
	if err != nil {
		t.Fatal(err)
	}
	if x, _ := g.Extension(1); x.State != grants.Closed || x.Outcome != grants.Lapsed {
		t.Errorf("after the grant's end it is %s, %s", x.State, x.Outcome)
	}
	if _, err := g.Extend(grants.Decide(more()), at(31)); !errors.Is(err, grants.ErrNotNow) {
		t.Errorf("a grant that is over was extended: %v", err)
	}
	if _, err := opened(t).AskMore(time.Hour, at(60)); !errors.Is(err, grants.ErrNotNow) {
		t.Errorf("an extension was asked for at the end: %v", err)
	}
}

func TestAnExtensionNeverWritesIntoTheGrantItCameFrom(t *testing.T) {
	before := extending(t)
	must(t)(before.CastMore(grants.Vote{Person: "T1.U2", Yes: true, At: at(31)}))
	must(t)(before.WithdrawMore(at(31)))
	if x, _ := before.Extending(); x.State != grants.Pending || len(x.Votes) != 0 {
		t.Error("the old value changed; a transaction that runs twice would see it")
	}
}
