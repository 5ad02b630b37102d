package grants

import (
	"slices"
	"strings"
	"time"
)

// PersonKey names one human: the Slack team's ID, a dot, the Slack user's ID.
type PersonKey string

// KeyOf makes the key of a Slack user.
func KeyOf(team, user string) PersonKey { return PersonKey(team + "." + user) }

// Slack returns the Slack user ID in the key.
func (k PersonKey) Slack() string {
	_, user, _ := strings.Cut(string(k), ".")
	return user
}

// Standing says whether someone may take part at all, and why not.
type Standing string

// The standings. Only a Member may ask, vote or press.
const (
	Member      Standing = "member"
	Guest       Standing = "guest"
	Bot         Standing = "bot"
	Deleted     Standing = "deleted"
	Foreign     Standing = "foreign" // another workspace's user (Slack Connect)
	Unconfirmed Standing = "unconfirmed"
	Unknown     Standing = "unknown" // not in the directory
)

// Person is a line of the directory: one human with their accounts.
type Person struct {
	Key       PersonKey `json:"key"`
	Name      string    `json:"name"`
	Email     string    `json:"email"`               // case-folded
	PagerDuty string    `json:"pagerduty,omitempty"` // the pinned user, who is asked about
	Found     string    `json:"found,omitempty"`     // the user that the last reading pairs, where it is another one
	Standing  Standing  `json:"standing"`
	Pinned    time.Time `json:"pinned"`          // when the pair was first seen
	Frozen    string    `json:"frozen,omitzero"` // why automatic grants are refused until a human looks; empty: they are not
}

// SlackUser is a user as Slack lists them.
type SlackUser struct {
	Team, ID, Name, Email                     string
	Bot, Guest, Deleted, Foreign, Unconfirmed bool
}

// PagerUser is a user as PagerDuty lists them.
type PagerUser struct {
	ID, Name, Email string
}

// Fold makes e-mail addresses comparable.
func Fold(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// Pair makes the directory from both lists: Slack and PagerDuty users whose case-folded
// e-mails are exactly equal are one person. An address that stands twice on either
// side pairs nobody; deleted, foreign and unconfirmed users and bots don't count. Whoever was pinned before keeps that time; when their PagerDuty
// user changed, they keep the pinned one and are frozen until a human has looked. Those
// who are no longer listed come back as Deleted.
func Pair(team string, slack []SlackUser, pager []PagerUser, pinned []Person, now time.Time) []Person {
	before := make(map[PersonKey]Person, len(pinned))
	for _, p := range pinned {
		before[p.Key] = p
	}
	pd := onlyOnce(pager, func(u PagerUser) string { return Fold(u.Email) })
	once := onlyOnce(slack, func(u SlackUser) string {
		switch u.standing(team) {
		case Deleted, Bot, Foreign, Unconfirmed: // the address may be anybody's: it takes nobody's pair away
			return ""
		}
		return Fold(u.Email)
	})
	people := make([]Person, 0, len(slack))
	for _, u := range slack {
		p := Person{
			Key: KeyOf(u.Team, u.ID), Name: u.Name, Email: Fold(u.Email), Pinned: now,
			Standing: u.standing(team),
		}
		_, unique := once[p.Email]
		if match, ok := pd[p.Email]; ok && unique && p.Standing == Member {
			p.PagerDuty = match.ID
		}
		if old, ok := before[p.Key]; ok {
			p = p.repin(old)
		}
		delete(before, p.Key)
		people = append(people, p)
	}
	for _, gone := range before {
		gone.Standing = Deleted
		people = append(people, gone)
	}
	slices.SortFunc(people, func(a, b Person) int { return strings.Compare(string(a.Key), string(b.Key)) })
	return people
}

// repin keeps what was pinned of old, and freezes a person whose pair changed.
func (p Person) repin(old Person) Person {
	p.Frozen = old.Frozen
	switch {
	case p.Standing != Member:
		p.Pinned, p.PagerDuty = old.Pinned, old.PagerDuty
	case old.PagerDuty == p.PagerDuty:
		p.Pinned = old.Pinned
	case old.PagerDuty == "":
		// A new pair is pinned from now; it is settled like a new shift.
	default:
		p.Found = p.PagerDuty
		if p.Frozen == "" {
			p.Frozen = "the PagerDuty user of " + p.Email + " changed from " + old.PagerDuty + " to " + orNone(p.PagerDuty)
		}
		p.PagerDuty, p.Pinned = old.PagerDuty, old.Pinned
	}
	return p
}

// Thaw is a person whom a human has looked at: the pair that was found last is the one that holds.
func (p Person) Thaw() Person {
	if p.Found != "" {
		p.PagerDuty, p.Found = p.Found, ""
	}
	p.Frozen = ""
	return p
}

// frozenByHand begins why somebody is frozen whom a human froze.
const frozenByHand = "frozen by "

// Freeze is a person whom a human doubts.
func (p Person) Freeze(by PersonKey) Person {
	p.Frozen = frozenByHand + by.Slack()
	return p
}

// FrozenByHand reports whether a reason says that a human froze somebody.
func FrozenByHand(r Reason) bool {
	return r.Code == FrozenPerson && strings.HasPrefix(r.Detail, frozenByHand)
}

// News is what somebody of security should look at: a change in the directory, of what a person held, or of what may be asked for.
type News string

// The news.
const (
	FrozenNow  News = "frozen"         // nothing opens by itself for this person any more
	EmailMoved News = "e-mail changed" // on both sides, with the same accounts: a notice only
	GoneNow    News = "gone"           // may no longer take part
	UsedDead   News = "used after end" // somebody used a credential of this person that is over
	RolesMoved News = "roles changed"  // the configuration offers other roles
)

// Moved says what changed about a person that somebody should look at; empty: nothing.
func Moved(old, now Person) News {
	switch {
	case old.Standing == Member && now.Standing != Member:
		return GoneNow
	case old.Frozen == "" && now.Frozen != "":
		return FrozenNow
	case old.Email != now.Email && now.Standing == Member && now.PagerDuty != "":
		return EmailMoved
	}
	return ""
}

// Update is a person after Slack said that their account changed. Only what Slack knows changes; the pair is
// left to the next reading of both sides.
func (p Person) Update(team string, u SlackUser) Person {
	p.Standing, p.Name = u.standing(team), u.Name
	return p
}

// Recheck is the directory after only Slack answered: who people are there is current,
// their pairs stay as they were, and nobody new is added.
func Recheck(team string, slack []SlackUser, pinned []Person) []Person {
	now := make(map[PersonKey]SlackUser, len(slack))
	for _, u := range slack {
		now[KeyOf(u.Team, u.ID)] = u
	}
	people := make([]Person, 0, len(pinned))
	for _, p := range pinned {
		if u, ok := now[p.Key]; ok {
			p = p.Update(team, u)
		} else {
			p.Standing = Deleted
		}
		people = append(people, p)
	}
	return people
}

func (u SlackUser) standing(team string) Standing {
	switch {
	case u.Deleted:
		return Deleted
	case u.Bot:
		return Bot
	case u.Foreign || u.Team != team:
		return Foreign
	case u.Guest:
		return Guest
	case u.Unconfirmed:
		return Unconfirmed
	}
	return Member
}

// onlyOnce indexes the values whose key is not empty and stands exactly once.
func onlyOnce[T any](list []T, key func(T) string) map[string]T {
	index, twice := make(map[string]T, len(list)), map[string]bool{}
	for _, v := range list {
		k := key(v)
		if _, seen := index[k]; seen || k == "" {
			twice[k] = true
		}
		index[k] = v
	}
	for k := range twice {
		delete(index, k)
	}
	return index
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
