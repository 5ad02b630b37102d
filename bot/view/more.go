package view

import (
	"slices"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// More tells the person who asked for an extension what became of it: until when the grant
// goes on, who can say yes and Withdraw while it waits, or why not and what can be done.
func (f Frame) More(n service.Notice) Message {
	g, x := n.Grant, n.Extension
	title, body := f.more(n)
	if x.State != grants.Pending {
		return told(title, body, f.footerMore(n))
	}
	return told(title, body, f.footerMore(n), button(Withdraw, onExtension(g, x), "Withdraw", slack.StyleDefault))
}

// MoreElsewhere takes the place of what More showed and nobody updates any more.
func (f Frame) MoreElsewhere(n service.Notice) Message {
	return told(f.More(n).Text, newest, f.footerMore(n))
}

func (f Frame) footerMore(n service.Notice) slack.Block {
	return footer(f.environment() + "Grant " + n.Grant.ID + ", extension " + strconv.Itoa(n.Extension.Ordinal))
}

// onExtension is the value of a button about an extension, so that an old one is never taken
// for a press about the next.
func onExtension(g grants.Grant, x grants.Extension) string {
	return g.ID + " " + strconv.Itoa(x.Ordinal)
}

// more says to whom it belongs how an extension stands.
func (f Frame) more(n service.Notice) (title, body string) {
	g, x := n.Grant, n.Extension
	what := "Your extension of " + bold(g.Role.Name) + " by " + length(x.By)
	why := f.explanation(toThem, x.Reasons, g.Role)
	switch {
	case x.State == grants.Asked:
		return what + " is recorded.", "PagerDuty is being asked whether you are on call."
	case x.State == grants.Pending && x.Question(g).Approved():
		return what + " has every yes that it needs.", pieces(why, "It is decided as soon as PagerDuty answers.", f.votes(x.Votes), asBefore(g), lapses(x))
	case x.State == grants.Pending:
		return what + " waits for a yes.", pieces(why, f.voters(x.Voters)+f.asked(n), f.votes(x.Votes), asBefore(g), lapses(x)+" You will be told by direct message.")
	case x.Outcome == grants.Extended && g.State == grants.Open:
		given := slices.DeleteFunc(slices.Clone(x.Reasons), func(r grants.Reason) bool { return r.Code == grants.NeedsVotes }) // it has them
		why = f.explanation(toThem, given, g.Role)
		return bold(g.Role.Name) + " goes on until " + until(x.Ends) + ".", pieces(why, shorter(g), "Reveal and Return are on the grant's own message, and in `/access show`.")
	case x.Outcome == grants.Extended:
		return bold(g.Role.Name) + " was extended until " + until(x.Ends) + ".", pieces(why, asBefore(g))
	case x.Outcome == grants.Refused:
		return what + " was refused.", pieces(why, asBefore(g), instead(g, x))
	case x.Outcome == grants.Withdrawn:
		return "You withdrew your extension of " + bold(g.Role.Name) + ".", asBefore(g)
	case x.Outcome == grants.Denied:
		return what + " was denied. " + f.outcomeMore(g, x), pieces(asBefore(g), "If you still need it, talk to them, then ask again.")
	case endedWith(g, x):
		return what + " is over. " + f.outcomeMore(g, x), "If you still need it, ask for it anew: `/access " + escape(Clean(g.Role.Name, 80)) + " " + short(g.Role) + " what happened`."
	}
	return what + " is over. " + f.outcomeMore(g, x), pieces(asBefore(g), "If you still need it, ask again: "+extendLine(g)+".")
}

// lapses says how long an extension waits.
func lapses(x grants.Extension) string { return "Undecided, it lapses " + until(x.PendingUntil) + "." }

// asBefore says what holds without the extension.
func asBefore(g grants.Grant) string {
	switch {
	case g.State != grants.Open:
		return "The grant itself is over by now. If you still need it, ask for it anew with `/access`."
	case len(g.Extensions) > 0 && g.Extensions[len(g.Extensions)-1].State != grants.Closed:
		return "Until then nothing changes: the grant ends " + until(g.Ends) + "."
	}
	return "Nothing changes: the grant ends " + until(g.Ends) + "."
}

// instead says what somebody can do whose extension was refused.
func instead(g grants.Grant, x grants.Extension) string {
	has := func(c grants.Code) bool {
		return slices.ContainsFunc(x.Reasons, func(r grants.Reason) bool { return r.Code == c })
	}
	switch {
	case g.State != grants.Open:
		return ""
	case has(grants.NoLonger) && has(grants.CutToShift):
		return "Whoever is on call next can ask for it. If you stay on call, have PagerDuty say so first, then ask again."
	case has(grants.NoLonger):
		return "Ask again when less of it is left."
	}
	return ""
}

// endedWith reports whether an extension lapsed because its grant was over.
func endedWith(g grants.Grant, x grants.Extension) bool {
	return x.Outcome == grants.Lapsed && g.State != grants.Open && x.Decided.Equal(g.Ended)
}

// outcomeMore says how an extension was decided, and by whom.
func (f Frame) outcomeMore(g grants.Grant, x grants.Extension) string {
	when := date(x.Decided, "{date_short_pretty} at {time}")
	switch x.Outcome {
	case grants.Extended:
		return "It goes on until " + until(x.Ends) + "."
	case grants.Refused:
		return "It was refused, " + when + "."
	case grants.Denied:
		by := "somebody"
		for _, v := range x.Votes {
			if !v.Yes {
				by = f.mention(string(v.Person))
			}
		}
		return upperFirst(by) + " said no, " + when + "."
	case grants.Withdrawn:
		return "It was withdrawn, " + when + "."
	}
	if endedWith(g, x) {
		return "The grant ended before anybody decided, " + when + "."
	}
	return "Nobody decided in time, so it lapsed, " + when + "."
}

// waitsMore says that an extension of an open grant is not decided yet.
func waitsMore(g grants.Grant) string {
	x, waits := g.Extending()
	switch {
	case !waits:
		return ""
	case x.State == grants.Asked, x.Question(g).Approved():
		return "You asked for " + length(x.By) + " more. That is being decided."
	}
	return "You asked for " + length(x.By) + " more, which waits for a yes. " + lapses(x)
}

// shorter says that what was shown ends before the grant does. A target enforces the expiry
// that was known when the secret was made.
func shorter(g grants.Grant) string {
	var last time.Time
	for _, c := range g.InState(grants.Live) {
		if c.Expires.After(last) {
			last = c.Expires
		}
	}
	switch {
	case last.IsZero() || g.Ends.Sub(last) < time.Minute:
		return ""
	case g.Role.Verify == grants.Offline:
		return "The secret that was shown works until its own expiry, " + at(last) + ". Reveal makes another."
	}
	return ":warning: The secret that was shown stops working before that, " + at(last) + ". Reveal makes one that lasts."
}

// nowMore says how an extension stands, to somebody who was too late or may not.
func (f Frame) nowMore(g grants.Grant, ordinal int) string {
	x, ok := g.Extension(ordinal)
	if !ok {
		return f.now(g)
	}
	what := "The extension of " + f.mention(string(g.Person)) + "'s " + bold(g.Role.Name) + " by " + length(x.By)
	switch {
	case x.State != grants.Closed && x.Question(g).Approved():
		return what + " has every yes that it needs, and is decided as soon as PagerDuty answers."
	case x.State != grants.Closed:
		return pieces(what+" is not decided yet.", f.votes(x.Votes))
	}
	return pieces(what+" is decided. "+f.outcomeMore(g, x), f.votes(x.Votes))
}
