package grants

import (
	"slices"
	"strings"
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

// Claim is a right to vote with its evidence.
type Claim struct {
	Right  Right  `json:"right"`
	Source string `json:"source,omitempty"` // the user group, or the escalation policy
	Digest string `json:"digest,omitempty"` // SHA-256 of all the group's members, in hex
	Shift  Shift  `json:"shift,omitzero"`   // of the voter
}

// Question is what people vote on: a request, or an extension of an open grant.
type Question struct {
	Person PersonKey // who asked
	Voters Voters
	Votes  []Vote
}

// Yes counts the votes for it.
func (q Question) Yes() int {
	n := 0
	for _, v := range q.Votes {
		if v.Yes {
			n++
		}
	}
	return n
}

// Approved reports whether enough people said yes.
func (q Question) Approved() bool { return q.Voters.Any() && q.Yes() >= q.Voters.Count }

// VoteOf returns what a person voted.
func (q Question) VoteOf(p PersonKey) (Vote, bool) {
	i := slices.IndexFunc(q.Votes, func(v Vote) bool { return v.Person == p })
	if i < 0 {
		return Vote{}, false
	}
	return q.Votes[i], true
}

// Question is what people vote on while the grant is a request.
func (g Grant) Question() Question {
	return Question{Person: g.Person, Voters: g.Voters, Votes: g.Votes}
}

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

// RightOf says what lets a person vote on a question, or why they may not. Nobody votes for
// themselves, and nobody votes twice.
func (e Electorate) RightOf(p Person, q Question) (Claim, *Reason) {
	switch {
	case p.Standing != Member:
		return Claim{}, &Reason{Code: BadStanding, Detail: string(p.Standing)}
	case p.Key == q.Person:
		return Claim{}, &Reason{Code: OwnRequest}
	}
	if v, again := q.VoteOf(p.Key); again {
		return Claim{}, &Reason{Code: AlreadyVoted, Until: v.At}
	}
	return e.listed(p, q.Voters)
}

// MayRevoke says whether a person who could vote on the grant may take it back: the
// voters it was opened by, those of its role, whoever holds the grant is not meant here.
func (e Electorate) MayRevoke(p Person, g Grant) (Claim, *Reason) {
	if p.Standing != Member {
		return Claim{}, &Reason{Code: BadStanding, Detail: string(p.Standing)}
	}
	var why *Reason
	for _, voters := range []Voters{g.Voters, g.Role.Voters, g.Role.OffCall} {
		claim, reason := e.listed(p, voters)
		if reason == nil {
			return claim, nil
		}
		why = reason
	}
	return Claim{}, why
}

// listed looks for a right among the voters: by name, by user group, by shift.
func (e Electorate) listed(p Person, voters Voters) (Claim, *Reason) {
	user := p.Key.Slack()
	if slices.Contains(voters.Users, user) {
		return Claim{Right: ByName}, nil
	}
	if voters.Usergroup != "" && e.member(voters.Usergroup, user) {
		return Claim{
			Right: ByGroup, Source: voters.Usergroup,
			Digest: Digest([]byte(strings.Join(e.Groups[len(e.Groups)-1].Members[voters.Usergroup], " "))),
		}, nil
	}
	src, byShift := voters.Source()
	if !byShift || p.PagerDuty == "" || p.Frozen != "" {
		return Claim{}, &Reason{Code: NotAVoter}
	}
	if e.Stale {
		return Claim{}, &Reason{Code: CannotAsk, Detail: "its last answer is too old"}
	}
	sources := []Source{src}
	shift, on := ShiftAt(p.PagerDuty, sources, e.Live.Entries, e.Now)
	if !on {
		return Claim{}, &Reason{Code: NotAVoter}
	}
	young := !p.Pinned.IsZero() && e.Now.Before(p.Pinned.Add(e.Settle))
	if _, settled := SettledShift(e.History, e.Settle, p.PagerDuty, sources, e.Now); !settled || young {
		return Claim{}, &Reason{Code: NotSettled}
	}
	return Claim{Right: ByShift, Source: voters.Policy, Shift: shift}, nil
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
