package view

import (
	"nightlatch/grants"
	"nightlatch/grants/service"
)

// News is what the security channel reads of a change in the directory.
func (f Frame) News(a service.Announcement) Message {
	m := Plain(f.news(a))
	m.Blocks = append(m.Blocks, footer(f.environment()+date(a.At, "{date_short_pretty} at {time}")))
	return m
}

func (f Frame) news(a service.Announcement) string {
	if a.More > 0 {
		return "There is news of " + count(a.More, "other account") + " from the same reading; the ledger has their names. If that is more than you expect, look at what changed in Slack and PagerDuty."
	}
	who, detail := f.mention(string(a.Person)), "("+escape(Clean(a.Detail, 500))+")"
	switch {
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
