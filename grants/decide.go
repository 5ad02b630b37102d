package grants

import (
	"slices"
	"time"
)

// Code names a reason of a verdict.
type Code string

// The reasons. What each says to people is written in one place of the bot.
const (
	OnCallNow        Code = "on_call"          // People[0] is on call until Until
	NotOnCall        Code = "not_on_call"      // People are on call
	NoPagerDuty      Code = "not_in_pagerduty" // the person has no PagerDuty user
	CannotAsk        Code = "pagerduty_silent" // Detail: why it could not be asked
	NotSettled       Code = "not_settled"      // the shift is too new to be believed; People are settled
	FrozenPerson     Code = "frozen"           // Detail: why
	NewPerson        Code = "new_person"       // pinned too recently
	NeedsVotes       Code = "needs_votes"      // the role is never automatic
	NoVoters         Code = "no_voters"        // nobody can say yes to this
	HasVotes         Code = "approved"         // People said yes
	CutToMax         Code = "cut_to_max"       // the role's maximum
	CutToShift       Code = "cut_to_shift"     // the shift's end, Until
	BadStanding      Code = "standing"         // Detail: the standing
	TooManyOpen      Code = "too_many"         // Count open or pending already
	ShiftOver        Code = "shift_over"       // the shift ends before anything could be used
	VotesUndone      Code = "votes_undone"     // the votes were for another basis than holds now
	TooManyReveals   Code = "too_many_reveals" // Count of this grant already
	RoleChanged      Code = "role_changed"     // an extension is of a role that is offered no more, or not as it was
	NoLonger         Code = "no_longer"        // an extension would not move the end, Until
	ClockOff         Code = "clock_off"        // Detail: by how much our clock differs from Slack's
	DiskFull         Code = "disk_full"        // nothing is opened or issued until there is room again
	ExtensionWaits   Code = "extension_waits"  // one is asked for already; it lapses at Until
	TooManyMore      Code = "too_many_more"    // Count extensions of this grant already
	RoleUnknown      Code = "role_unknown"
	NotForYou        Code = "not_for_you"
	NotYours         Code = "not_yours"
	OwnRequest       Code = "own_request"
	NotAVoter        Code = "not_a_voter"
	AlreadyVoted     Code = "already_voted"
	LooksLikeASecret Code = "looks_secret"
	ReasonMissing    Code = "reason_missing"
)

// Reason is one why of a verdict: a code, and what its sentence needs.
type Reason struct {
	Code   Code      `json:"code"`
	People []string  `json:"people,omitempty"` // PagerDuty user IDs, or person keys for votes
	Until  time.Time `json:"until,omitzero"`
	Detail string    `json:"detail,omitempty"`
	Count  int       `json:"count,omitempty"`
}

// Answer is what PagerDuty said about one person and one role.
type Answer struct {
	Known   bool      `json:"known"`
	Why     string    `json:"why,omitempty"` // it could not be asked
	Read    time.Time `json:"read,omitzero"`
	OnCall  bool      `json:"on_call"`
	Said    Shift     `json:"said,omitzero"`     // the shift as PagerDuty says it now
	Shift   Shift     `json:"shift,omitzero"`    // the same, no longer than what is settled
	Settled bool      `json:"settled"`           // believed: known for long enough
	Entries []Entry   `json:"entries,omitempty"` // everybody's, for the role's sources
	Sure    []string  `json:"sure,omitempty"`    // PagerDuty users who are on call and settled
}

// Look reads out of a snapshot what it says about a person and a role, as far as the
// history of earlier snapshots lets it be believed.
func Look(p Person, role Role, live Snapshot, history []Snapshot, settle time.Duration, now time.Time) Answer {
	a := Answer{Known: true, Read: live.Read}
	var theirs []Entry
	for _, e := range live.Entries {
		if covered(role.OnCall, e) {
			theirs = append(theirs, e)
		}
	}
	a.Entries = mattering(theirs, p.PagerDuty)
	for _, user := range usersOf(theirs) {
		shift, on := ShiftAt(user, role.OnCall, live.Entries, now)
		if !on {
			continue
		}
		believed, settled := SettledShift(history, settle, user, role.OnCall, now)
		if settled && len(a.Sure) < mostEntries {
			a.Sure = append(a.Sure, user)
		}
		if user != p.PagerDuty {
			continue
		}
		a.OnCall, a.Settled, a.Said, a.Shift = true, settled, shift, shift
		if settled {
			a.Shift.Until = sooner(shift.Until, believed.Until)
		}
	}
	return a
}

// mostEntries bounds what an answer keeps, so that its event stays small.
const mostEntries = 100

// mattering keeps the person's own entries and so many of the others'.
func mattering(entries []Entry, user string) []Entry {
	others := 0
	return slices.DeleteFunc(entries, func(e Entry) bool {
		if e.User == user {
			return false
		}
		others++
		return others > mostEntries
	})
}

// Move is what the answer makes of a shift that was believed before: a change shortens it at
// once, and lengthens it only as far as it is settled.
func (a Answer) Move(was Shift) Shift {
	switch {
	case ends(a.Said.Until, was.Until):
		was.Until = a.Said.Until
	case a.Settled && ends(was.Until, a.Shift.Until):
		was.Until = a.Shift.Until
	}
	return was
}

// ends reports whether a ends before b, where zero has no end.
func ends(a, b time.Time) bool { return !a.IsZero() && (b.IsZero() || a.Before(b)) }

// usersOf lists the PagerDuty users of the entries, each once, in order.
func usersOf(entries []Entry) []string {
	var users []string
	for _, e := range entries {
		users = append(users, e.User)
	}
	slices.Sort(users)
	return slices.Compact(users)
}

// sooner is the earlier of two ends, where zero has no end.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// Input is everything a decision rests on. It is stored with the decision's event.
type Input struct {
	Now    time.Time     `json:"now"`
	Grant  string        `json:"grant"`
	Asked  time.Duration `json:"asked"` // how long the person asked for
	Person Person        `json:"person"`
	Role   Role          `json:"role"`
	Answer Answer        `json:"answer"`
	// Concerned: the person was or will be on call for the role, or votes on it, or it has voters for anybody.
	Concerned bool          `json:"concerned"`
	Basis     Basis         `json:"basis,omitempty"` // on which the votes were cast
	Votes     []Vote        `json:"votes,omitempty"`
	Settle    time.Duration `json:"settle"`
	Config    string        `json:"config"` // digest of the configuration

	// Since version 2; the first four are of an extension.
	Extension int       `json:"extension,omitempty"` // its ordinal; 0: this is about the request
	Ends      time.Time `json:"ends,omitzero"`       // when the grant ends without it
	Held      Basis     `json:"held,omitempty"`      // why the grant may be open
	Stale     bool      `json:"stale,omitempty"`     // the configuration offers its role no more, or another one of that name
	Scarce    bool      `json:"scarce,omitempty"`    // the ledger's disk is full, so nothing may be opened
}

// Decision is what a verdict does to a request.
type Decision string

// The decisions.
const (
	Allow  Decision = "open"
	Await  Decision = "wait"  // for votes
	Later  Decision = "later" // everything is there, but PagerDuty must be asked again
	Refuse Decision = "refuse"
)

// Verdict is a decision with its reasons.
type Verdict struct {
	Decision Decision  `json:"decision"`
	Basis    Basis     `json:"basis,omitempty"`
	Voters   Voters    `json:"voters,omitzero"`
	Shift    Shift     `json:"shift,omitzero"`
	Read     time.Time `json:"read,omitzero"`
	Ends     time.Time `json:"ends,omitzero"`
	Reasons  []Reason  `json:"reasons,omitempty"`
}

// Decide is the on-call rule: a whole input in, a verdict with its reasons out.
//
// Automatic is only who is on call at this second, believed, and whose role allows it.
// Whoever is on call otherwise needs the role's voters; everybody else the voters that
// the role lists for people off call, or is refused.
//
// An extension is decided like a request, by the role as it is still offered, and never while
// PagerDuty is silent about somebody whom it knows: nothing is extended on stale knowledge. What
// people gave to somebody off call, the same people extend.
func Decide(in Input) Verdict {
	if in.Person.Standing != Member {
		return refuse(Reason{Code: BadStanding, Detail: string(in.Person.Standing)})
	}
	if in.Scarce {
		return scarce(in)
	}
	if !in.Concerned && !in.Answer.OnCall {
		return refuse(Reason{Code: NotForYou, Detail: in.Role.Name, People: in.Role.Voters.Users})
	}
	basis, reasons := basisOf(in)
	switch {
	case in.Extension > 0 && in.Stale:
		return refuse(Reason{Code: RoleChanged, Detail: in.Role.Name})
	case in.Extension > 0 && !in.Answer.Known && in.Person.PagerDuty != "":
		if len(in.Votes) > 0 {
			return Verdict{Decision: Later, Basis: in.Basis, Reasons: reasons}
		}
		return refuse(reasons...)
	case in.Extension > 0 && in.Held == ByOffCallVotes:
		basis = ByOffCallVotes // by a shift it would end sooner than it was given for
	}
	if basis == ByOnCall {
		return open(in, ByOnCall, reasons)
	}
	if in.Basis != "" && len(in.Votes) > 0 {
		return voted(in, basis, reasons)
	}
	return wait(in, basis, reasons)
}

// basisOf says on which basis a grant could open now, and why on no better one.
func basisOf(in Input) (Basis, []Reason) {
	a, p := in.Answer, in.Person
	switch {
	case p.PagerDuty == "":
		return ByOffCallVotes, []Reason{{Code: NoPagerDuty, People: usersOf(a.Entries)}}
	case !a.Known:
		return ByOffCallVotes, []Reason{{Code: CannotAsk, Detail: a.Why}}
	case !a.OnCall:
		return ByOffCallVotes, []Reason{WhoIs(a)}
	}
	reasons := []Reason{{Code: OnCallNow, People: []string{p.PagerDuty}, Until: a.Shift.Until}}
	switch {
	case p.Frozen != "":
		return ByVotes, append(reasons, Reason{Code: FrozenPerson, Detail: p.Frozen})
	case !p.Pinned.IsZero() && in.Now.Before(p.Pinned.Add(in.Settle)):
		return ByVotes, append(reasons, Reason{Code: NewPerson})
	case !a.Settled:
		return ByVotes, append(reasons, Reason{Code: NotSettled, People: a.Sure})
	case in.Role.Automatic != WhenOnCall:
		return ByVotes, append(reasons, Reason{Code: NeedsVotes, Count: in.Role.Voters.Count})
	}
	return ByOnCall, reasons
}

// WhoIs is the reason for somebody off call: who is on call instead, and until when.
func WhoIs(a Answer) Reason {
	now := slices.DeleteFunc(slices.Clone(a.Entries), func(e Entry) bool {
		return e.Start.After(a.Read) || !e.End.IsZero() && !e.End.After(a.Read)
	})
	r := Reason{Code: NotOnCall, People: usersOf(now)}
	for _, e := range now {
		r.Until = sooner(r.Until, e.End)
	}
	return r
}

// wait asks the voters of the basis; with none there is nothing to wait for.
func wait(in Input, basis Basis, reasons []Reason) Verdict {
	voters := votersFor(basis, in.Role)
	if !voters.Any() {
		return refuse(append(reasons, Reason{Code: NoVoters})...)
	}
	v := Verdict{Decision: Await, Basis: basis, Voters: voters, Reasons: reasons, Read: in.Answer.Read}
	if basis == ByVotes {
		v.Shift = in.Answer.Shift
	}
	return v
}

// votersFor are the people who may say yes on a basis.
func votersFor(basis Basis, role Role) Voters {
	if basis == ByVotes && role.Voters.Any() {
		return role.Voters
	}
	return role.OffCall // an automatic role may list voters for the case of an unsettled shift only there
}

// voted decides about a request that has its votes. Votes for someone on call are worth
// nothing once they are not; votes for someone off call stand.
func voted(in Input, basis Basis, reasons []Reason) Verdict {
	yes := Reason{Code: HasVotes}
	for _, v := range in.Votes {
		if v.Yes {
			yes.People = append(yes.People, string(v.Person))
		}
	}
	if voters := votersFor(in.Basis, in.Role); !voters.Any() || len(yes.People) < voters.Count {
		return refuse(append(reasons, Reason{Code: VotesUndone})...)
	}
	switch {
	case in.Basis == ByOffCallVotes:
		return open(in, ByOffCallVotes, []Reason{yes})
	case basis == ByVotes:
		return open(in, ByVotes, append(reasons, yes))
	case !in.Answer.Known && in.Person.PagerDuty != "":
		return Verdict{Decision: Later, Basis: in.Basis, Reasons: reasons}
	}
	return refuse(append(reasons, Reason{Code: VotesUndone})...)
}

// open gives the whole duration, from now or from the end that is extended, cut to the role's
// maximum from now and to the shift's end.
func open(in Input, basis Basis, reasons []Reason) Verdict {
	v := Verdict{Decision: Allow, Basis: basis, Read: in.Answer.Read}
	from := in.Now
	if in.Extension > 0 {
		from = in.Ends
	}
	v.Ends = from.Add(in.Asked)
	if longest := in.Now.Add(in.Role.Max); v.Ends.After(longest) {
		v.Ends = longest
		reasons = append(reasons, Reason{Code: CutToMax})
	}
	if basis != ByOffCallVotes {
		v.Shift = in.Answer.Shift
		if end := endOf(v.Ends, v.Shift); end.Before(v.Ends) {
			v.Ends = end
			reasons = append(reasons, Reason{Code: CutToShift, Until: end})
		}
	}
	switch {
	case !v.Ends.After(in.Now):
		return refuse(append(reasons, Reason{Code: ShiftOver, Until: v.Ends})...)
	case in.Extension > 0 && !v.Ends.After(in.Ends):
		return refuse(append(reasons, Reason{Code: NoLonger, Until: in.Ends})...)
	}
	v.Reasons = reasons
	return v
}

// endOf is the earlier of a time and a shift's end. A shift without a known end adds no
// time: the duration alone bounds the grant.
func endOf(t time.Time, s Shift) time.Time {
	if s.Until.IsZero() || t.Before(s.Until) {
		return t
	}
	return s.Until
}

// scarce opens nothing. Votes are not lost by it: what has them waits for room.
func scarce(in Input) Verdict {
	reason := Reason{Code: DiskFull}
	if len(in.Votes) > 0 {
		return Verdict{Decision: Later, Basis: in.Basis, Reasons: []Reason{reason}}
	}
	return refuse(reason)
}

func refuse(reasons ...Reason) Verdict { return Verdict{Decision: Refuse, Reasons: reasons} }
