package view

import (
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// News is what the security channel reads, of a change in the directory or of a secret that somebody uses.
func (f Frame) News(a service.Announcement) Message {
	say := f.news
	if a.News == grants.UsedDead {
		say = f.usedDead
	}
	m := Plain(say(a))
	m.Blocks = append(m.Blocks, footer(f.environment()+date(a.At, "{date_short_pretty} at {time}")))
	return m
}

func (f Frame) news(a service.Announcement) string {
	if a.More > 0 {
		return "There is news of " + count(a.More, "other account") + " from the same reading; the ledger has their names. If that is more than you expect, look at what changed in Slack and PagerDuty."
	}
	who, detail := f.mention(string(a.Person)), "("+escape(Clean(a.Detail, 500))+")"
	switch {
	case a.News == grants.RolesMoved:
		return pieces("The roles of the configuration changed: "+escape(Clean(a.Detail, 1500))+".",
			"Whoever can edit that file decides who gets access. If you do not know of the change, look at who made it; requests and grants that exist keep the role as it was.")
	case a.News == grants.FrozenNow && a.By != "":
		return pieces(f.mention(string(a.By))+" froze "+who+": nothing opens by itself for them until somebody of security approves.",
			"Their reason: "+escape(Clean(a.Detail, 500)))
	case a.News == grants.FrozenNow:
		return pieces(who+" is frozen: their accounts in Slack and PagerDuty no longer belong together as they did "+detail+".",
			"Nothing opens by itself for them, and what opened by itself was ended. Find out who changed the account, and why, before you approve.")
	case a.News == grants.EmailMoved:
		return pieces("The e-mail address of "+who+" changed on both sides "+detail+". Their accounts are the same, so nothing else changes.",
			"If nobody expected it, freeze them and ask.")
	}
	return who + " may no longer take part " + detail + ". What they held was ended."
}

// usedDead says whose credential was used after its end.
func (f Frame) usedDead(a service.Announcement) string {
	who, g := f.mention(string(a.Person)), a.Grant
	asked := "The service that got it asked"
	if a.Caller != "" {
		asked = "It was used at " + bold(a.Caller) + ", which asked"
	}
	return pieces(
		":warning: A credential of "+who+" for "+bold(g.Role.Name)+" was used after its end, "+at(a.At)+".",
		f.credentialEnd(g, a.Credential),
		asked+", and was told that it is over.",
		who+" is told, too. Ask them whether it was theirs, or a program of theirs that goes on. If it was not, somebody else has had the secret: find out there where the call came from, and write `/access people freeze @user WHY` while you do.",
		"You are told once for each credential. Each further hour in which it is used is recorded under grant `"+g.ID+"`.",
	)
}

// credentialEnd says when and why a credential ended.
func (f Frame) credentialEnd(g grants.Grant, ordinal int) string {
	c := g.Credentials[ordinal-1]
	switch ended, withGrant := g.EndOf(ordinal); {
	case withGrant:
		return f.outcome(ofThem, g)
	case c.State == grants.Live:
		return "It was past its own expiry, " + at(ended) + "."
	case c.Undelivered:
		return "Slack had not confirmed that it was shown, so it was revoked at once, " + at(ended) + "."
	default:
		return "It had been given back or replaced, " + at(ended) + "."
	}
}

// The people that a roster names; with these it stays one acknowledgement.
const (
	frozenListed   = 12
	unpairedListed = 60
)

// Roster is who of the directory needs a look.
func (f Frame) Roster(r service.Roster) Message {
	frozen, unpaired := []string{"Nobody is frozen."}, "Every member has a PagerDuty user."
	if n := len(r.Frozen); n > 0 {
		frozen = []string{"*Frozen* (" + count(n, "member") + "), so that nothing opens by itself for them:"}
		for _, p := range r.Frozen[:min(n, frozenListed)] {
			frozen = append(frozen, f.mention(string(p.Key))+" "+escape(Clean(p.Frozen, 150)))
		}
		if n > frozenListed {
			frozen = append(frozen, "… and "+count(n-frozenListed, "more")+".")
		}
	}
	if n := len(r.Unpaired); n > 0 {
		names := make([]string, 0, unpairedListed)
		for _, p := range r.Unpaired[:min(n, unpairedListed)] {
			names = append(names, f.mention(string(p.Key)))
		}
		unpaired = "*Without a PagerDuty user of the same e-mail address* (" + count(n, "member") + "), so that they need votes: " + strings.Join(names, " ")
		if n > unpairedListed {
			unpaired += " … and " + strconv.Itoa(n-unpairedListed) + " more."
		}
	}
	return Message{Text: "Who of the directory needs a look", Blocks: []slack.Block{
		section(pieces(frozen...)), section(unpaired),
		section("`/access people approve @user` once you know why an account changed; `/access people freeze @user WHY` when you doubt one."),
	}}
}

// Thawed answers whoever approved a person.
func (f Frame) Thawed(p grants.Person) Message {
	return Plain(f.mention(string(p.Key)) + " is no longer frozen. Their PagerDuty user is " + escape(Clean(p.PagerDuty, 40)) +
		"; if PagerDuty has no such user with their e-mail address any more, the next reading freezes them again.")
}

// Frozen answers whoever froze a person.
func (f Frame) Frozen(p grants.Person) Message {
	return Plain(f.mention(string(p.Key)) + " is frozen: nothing opens by itself for them, and what opened by itself is ended. What people said yes to goes on; they can revoke it.")
}
