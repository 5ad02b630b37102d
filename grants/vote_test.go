package grants_test

import (
	"testing"
	"time"

	"nightlatch/grants"
)

func TestRightOf(t *testing.T) {
	voters := grants.Voters{Users: []string{"U2"}, Usergroup: "S1", Policy: "P1", Levels: []int{2}, Count: 1}
	g := asked()
	g.Voters = voters
	g.Votes = []grants.Vote{{Person: "T1.U7", Yes: true, At: t0}}
	second := entry("PU5", 2, -60, 60)
	base := grants.Electorate{
		Groups:  []grants.Groups{{Read: at(-60), Members: map[string][]string{"S1": {"U3"}}}, {Read: at(-1), Members: map[string][]string{"S1": {"U3", "U4"}}}},
		Live:    snapshot(0, second, entry("PU6", 2, -60, 60)),
		History: []grants.Snapshot{snapshot(-60, second)},
		Settle:  15 * time.Minute, Now: t0,
	}
	stale := base
	stale.Stale = true
	who := func(key grants.PersonKey, pd string) grants.Person {
		return grants.Person{Key: key, PagerDuty: pd, Standing: grants.Member}
	}
	guest := who("T1.U2", "")
	guest.Standing = grants.Guest
	admin := who("T1.U1", "PU5") // the requester, whatever else they are
	tests := []struct {
		name  string
		e     grants.Electorate
		p     grants.Person
		right grants.Right
		code  grants.Code
	}{
		{"listed", base, who("T1.U2", ""), grants.ByName, ""},
		{"listed, with a stale answer", stale, who("T1.U2", ""), grants.ByName, ""},
		{"listed, but a guest", base, guest, "", grants.BadStanding},
		{"in the group", base, who("T1.U3", ""), grants.ByGroup, ""},
		{"in the group since a minute", base, who("T1.U4", ""), "", grants.NotAVoter},
		{"on call at the level", base, who("T1.U5", "PU5"), grants.ByShift, ""},
		{"on call, stale answer", stale, who("T1.U5", "PU5"), "", grants.CannotAsk},
		{"on call since a moment", base, who("T1.U6", "PU6"), "", grants.NotSettled},
		{"the requester", base, admin, "", grants.OwnRequest},
		{"voted already", base, who("T1.U7", ""), "", grants.AlreadyVoted},
		{"nobody in particular", base, who("T1.U8", "PU8"), "", grants.NotAVoter},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			claim, reason := tt.e.RightOf(tt.p, g.Question())
			var code grants.Code
			if reason != nil {
				code = reason.Code
			}
			if claim.Right != tt.right || code != tt.code {
				t.Errorf("right %q, reason %q; want %q, %q", claim.Right, code, tt.right, tt.code)
			}
		})
	}
}
