package view

import (
	"strconv"
	"strings"

	"nightlatch/grants"
)

// voice is whom a sentence is about: the reader, or the person who asked.
type voice struct{ they, their, them string }

var (
	toThem  = voice{"You", "your", "you"}
	ofThem  = voice{"They", "their", "them"}
	capital = strings.NewReplacer("your", "Your", "their", "Their")
)

// Explain says one reason of a verdict to the person whom it is about.
func (f Frame) Explain(r grants.Reason, role grants.Role) string { return f.explain(toThem, r, role) }

// explain is the one place where reasons become sentences.
func (f Frame) explain(v voice, r grants.Reason, role grants.Role) string {
	switch r.Code {
	case grants.OnCallNow, grants.NotOnCall, grants.NoPagerDuty, grants.CannotAsk, grants.NotSettled,
		grants.FrozenPerson, grants.NewPerson, grants.ShiftOver, grants.CutToShift:
		return f.explainShift(v, r)
	case grants.NeedsVotes:
		if r.Count > 1 {
			return "Nobody gets this role without a yes from " + strconv.Itoa(r.Count) + " other people."
		}
		return "Nobody gets this role without a yes from somebody else."
	case grants.NoVoters:
		return "The role lists nobody who could say yes in this case, so whoever is on call has to act."
	case grants.HasVotes:
		return f.mentions(r.People, "and") + " said yes."
	case grants.CutToMax:
		return "The role is given for " + length(role.Max) + " at a time at most, so this was shortened to that."
	case grants.VotesUndone:
		return "The yes was for somebody on call, which " + lower(v.they) + " no longer are. Ask again if it is still needed."
	case grants.LooksLikeASecret:
		return "The reason looks as if it holds a password or a token, so nothing of it was stored. Ask again without it, and change that password or token: it was sent through Slack."
	case grants.ReasonMissing:
		return "A reason is missing. Ask again and say in a few words what it is for, as in `/access orders-read 1h checkout is failing`."
	}
	return f.explainPress(r)
}

// explainShift says what has to do with being on call.
func (f Frame) explainShift(v voice, r grants.Reason) string {
	switch r.Code {
	case grants.OnCallNow:
		if r.Until.IsZero() {
			return v.they + " are on call."
		}
		return v.they + " are on call until " + until(r.Until) + "."
	case grants.NotOnCall:
		return v.they + " are not on call. " + f.onCall(r)
	case grants.NoPagerDuty:
		return "PagerDuty knows nobody by " + v.their + " e-mail address in Slack, so it cannot say whether " + lower(v.they) + " are on call. " + f.onCall(r)
	case grants.CannotAsk:
		return "PagerDuty does not answer, so nobody can tell who is on call. Try again in a minute."
	case grants.NotSettled:
		s := capital.Replace(v.their) + " shift was changed so recently that it is not believed by itself yet."
		if len(r.People) > 0 {
			s += " Known for longer as on call: " + f.mentions(r.People, "and") + "."
		}
		return s
	case grants.FrozenPerson:
		if grants.FrozenByHand(r) {
			return "Somebody of security froze " + v.their + " account, so nothing opens by itself for " + v.them + " until they have looked."
		}
		return capital.Replace(v.their) + " Slack and PagerDuty accounts no longer belong together as they did, so nothing opens by itself for " + v.them + " until an administrator has looked."
	case grants.NewPerson:
		return capital.Replace(v.their) + " Slack and PagerDuty accounts were paired only just now, which is not believed by itself yet."
	case grants.ShiftOver:
		return capital.Replace(v.their) + " shift ends before anything could be used. Whoever is on call next can ask."
	default: // grants.CutToShift
		return "It ends with " + v.their + " shift, at " + date(r.Until, "{time}") + "."
	}
}

// onCall names who is on call instead, and until when.
func (f Frame) onCall(r grants.Reason) string {
	switch len(r.People) {
	case 0:
		return "Nobody is on call for this role right now."
	case 1:
		if r.Until.IsZero() {
			return "On call is " + f.mention(r.People[0]) + "."
		}
		return "On call is " + f.mention(r.People[0]) + ", until " + until(r.Until) + "."
	}
	s := "On call are " + f.mentions(r.People, "and")
	if r.Until.IsZero() {
		return s + "."
	}
	return s + ", the first of them until " + until(r.Until) + "."
}

// explainPress says why a command or a press was not done. It always speaks to who pressed.
func (f Frame) explainPress(r grants.Reason) string {
	switch r.Code {
	case grants.RoleUnknown:
		return "There is no role of that name. `/access help` lists what you can ask for."
	case grants.NotForYou:
		ask := "whoever looks after Nightlatch here"
		if len(r.People) > 0 {
			ask = f.mentions(r.People, "or") // the role's voters
		}
		return "This is not for you. If you think it should be, ask " + ask + "."
	case grants.NotYours:
		return "This belongs to somebody else, and only they can do that."
	case grants.OwnRequest:
		return "Nobody decides about their own request. Somebody else has to."
	case grants.NotAVoter:
		return "You are not among the people who decide about this."
	case grants.AlreadyVoted:
		return "You have voted already (" + at(r.Until) + "). Everybody has one vote."
	case grants.TooManyReveals:
		return "The secret of this was revealed " + count(r.Count, "time") + ", which is the limit. Return it and ask again if you still need it."
	case grants.TooManyOpen:
		if r.Detail == "all" {
			return "There are " + count(r.Count, "request") + " and grants of everybody that are not over yet, which is the limit. Try again in a minute."
		}
		return "You have " + count(r.Count, "request") + " and grants that are not over yet, which is the limit. Withdraw or return one, then ask again."
	case grants.DiskFull:
		return "The disk of the machine on which this bot runs is full, so nothing is opened or shown until there is room. Tell whoever looks after Nightlatch. What is over still ends."
	case grants.ClockOff:
		return "The clock of the machine on which this bot runs is off by more than a minute, so nothing is issued. Tell whoever looks after Nightlatch, and press Reveal again when it is right."
	case grants.RoleChanged:
		return "The role was changed or taken out of the configuration since this was opened, so it is not extended. Ask anew: `/access help` lists what you can ask for."
	case grants.NoLonger:
		return "It lasts that long already, until " + until(r.Until) + ", so nothing was added."
	case grants.ExtensionWaits:
		return "You asked for more time already, and that is not decided yet. It lapses at " + at(r.Until) + "; withdraw it if you want to ask differently."
	case grants.TooManyMore:
		return "This was extended " + count(r.Count, "time") + ", which is the limit. Return it and ask again if you still need it."
	case grants.BadStanding:
		return standing(grants.Standing(r.Detail))
	}
	return "It was refused (" + escape(Clean(string(r.Code), 40)) + ")."
}

// standing says why an account may not take part.
func standing(s grants.Standing) string {
	const next = " Ask whoever looks after Nightlatch here."
	switch s {
	case grants.Guest:
		return "Guests of this workspace cannot take part." + next
	case grants.Foreign:
		return "Only people of this workspace can take part; your account belongs to another one."
	case grants.Bot:
		return "Bots cannot take part."
	case grants.Deleted:
		return "This Slack account is deactivated."
	case grants.Unconfirmed:
		return "Your e-mail address is not confirmed in Slack. Confirm it, then try again in an hour."
	default:
		return "Your Slack account is not known here yet; new people are read once an hour." + next
	}
}

// explanation is every reason of a decision, one line each.
func (f Frame) explanation(v voice, reasons []grants.Reason, role grants.Role) string {
	lines := make([]string, 0, len(reasons))
	for _, r := range reasons {
		lines = append(lines, f.explain(v, r, role))
	}
	return strings.Join(lines, "\n")
}

// voters says who may say yes.
func (f Frame) voters(v grants.Voters) string {
	var who []string
	for _, u := range v.Users {
		who = append(who, account(u))
	}
	if v.Usergroup != "" {
		who = append(who, "<!subteam^"+escape(Clean(v.Usergroup, 40))+">")
	}
	if v.Policy != "" {
		who = append(who, "whoever is on call"+levels(v.Levels)+" of the escalation policy "+escape(Clean(v.Policy, 40)))
	}
	if len(who) == 0 || !v.Any() {
		return "Nobody can say yes to this."
	}
	s := list(who, "or") + " can say yes"
	if v.Count > 1 {
		s += "; " + strconv.Itoa(v.Count) + " of them must"
	}
	return upperFirst(s) + "."
}

func levels(ls []int) string {
	if len(ls) == 0 {
		return " at any level"
	}
	names := make([]string, 0, len(ls))
	for _, l := range ls {
		names = append(names, strconv.Itoa(l))
	}
	return " at level " + list(names, "or")
}

func lower(s string) string { return strings.ToLower(s) }

func upperFirst(s string) string {
	if s == "" || s[0] == '<' {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
