package grants

import (
	"slices"
	"time"
)

// Right is what lets a person vote.
type Right string

// The rights.
const (
	ByName  Right = "listed"
	ByGroup Right = "usergroup"
	ByShift Right = "on_call"
)

// Groups is a reading of Slack's user groups that roles name: group ID → Slack user IDs.
type Groups struct {
	Read    time.Time           `json:"read"`
	First   bool                `json:"first,omitempty"` // of a new ledger, which counts as settled
	Members map[string][]string `json:"members"`
}

// Electorate is what a right to vote is read from.
type Electorate struct {
	Groups  []Groups   // newest last
	Live    Snapshot   // who is on call
	History []Snapshot // what was said before
	Stale   bool       // Live is too old to give anybody the right to say yes
	Settle  time.Duration
	Now     time.Time
}

// RightOf says what lets a person vote on a grant, or why they may not. Nobody votes for
// themselves, and nobody votes twice.
func (e Electorate) RightOf(p Person, g Grant) (Right, *Reason) {
	switch {
	case p.Standing != Member:
		return "", &Reason{Code: BadStanding, Detail: string(p.Standing)}
	case p.Key == g.Person:
		return "", &Reason{Code: OwnRequest}
	}
	if v, again := g.VoteOf(p.Key); again {
		return "", &Reason{Code: AlreadyVoted, Until: v.At}
	}
	return e.listed(p, g.Voters)
}

// MayRevoke says whether a person who could vote on the grant may take it back: the
// voters it was opened by, those of its role, whoever holds the grant is not meant here.
func (e Electorate) MayRevoke(p Person, g Grant) (Right, *Reason) {
	if p.Standing != Member {
		return "", &Reason{Code: BadStanding, Detail: string(p.Standing)}
	}
	var why *Reason
	for _, voters := range []Voters{g.Voters, g.Role.Voters, g.Role.OffCall} {
		right, reason := e.listed(p, voters)
		if reason == nil {
			return right, nil
		}
		why = reason
	}
	return "", why
}

// listed looks for a right among the voters: by name, by user group, by shift.
func (e Electorate) listed(p Person, voters Voters) (Right, *Reason) {
	user := p.Key.Slack()
	if slices.Contains(voters.Users, user) {
		return ByName, nil
	}
	if voters.Usergroup != "" && e.member(voters.Usergroup, user) {
		return ByGroup, nil
	}
	src, byShift := voters.Source()
	if !byShift || p.PagerDuty == "" || p.Frozen != "" {
		return "", &Reason{Code: NotAVoter}
	}
	if e.Stale {
		return "", &Reason{Code: CannotAsk, Detail: "its last answer is too old"}
	}
	sources := []Source{src}
	if _, on := ShiftAt(p.PagerDuty, sources, e.Live.Entries, e.Now); !on {
		return "", &Reason{Code: NotAVoter}
	}
	young := !p.Pinned.IsZero() && e.Now.Before(p.Pinned.Add(e.Settle))
	if _, settled := SettledShift(e.History, e.Settle, p.PagerDuty, sources, e.Now); !settled || young {
		return "", &Reason{Code: NotSettled}
	}
	return ByShift, nil
}

// member reports whether a user is in a group now and was long enough ago to be believed.
func (e Electorate) member(group, user string) bool {
	if len(e.Groups) == 0 || !slices.Contains(e.Groups[len(e.Groups)-1].Members[group], user) {
		return false
	}
	for i := len(e.Groups) - 1; i >= 0; i-- {
		if g := e.Groups[i]; g.First || !g.Read.After(e.Now.Add(-e.Settle)) {
			return slices.Contains(g.Members[group], user)
		}
	}
	return false
}
