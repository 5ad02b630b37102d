package view

import (
	"context"
	"errors"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// Busy is the answer to whoever a bound keeps out. Nothing was done.
const Busy = "Busy right now, so nothing was done. Press again in a moment."

// ErrForeign says that a press or a command came from another workspace.
var ErrForeign = errors.New("from another workspace")

// Sentence is the one place where errors become sentences for people: what happened, then
// what to do next. It tells nothing of an error's text, which is for the operator.
func (f Frame) Sentence(err error) string {
	if r, ok := errors.AsType[*service.Refusal](err); ok {
		return f.refusal(r)
	}
	if _, ok := errors.AsType[*service.TwoLiveError](err); ok {
		return "Two secrets of this grant work already, which is the limit. Press Reveal again to choose which one ends."
	}
	if usage, ok := errors.AsType[UsageError](err); ok {
		return usage.Error()
	}
	switch {
	case errors.Is(err, service.ErrBusy), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return Busy
	case errors.Is(err, service.ErrDuplicate):
		return "That was done already; Slack sent it twice."
	case errors.Is(err, service.ErrNoSuchGrant):
		return "There is no such request or grant any more. `/access help` shows what you can ask for."
	case errors.Is(err, service.ErrJustShown):
		return "The secret was shown moments ago. Nothing new was made; press again in a moment."
	case errors.Is(err, service.ErrOver), errors.Is(err, grants.ErrNotNow):
		return "This is over, so nothing was done. If you still need it, ask again with `/access`."
	case errors.Is(err, service.ErrDirectory):
		return "The people of Slack and PagerDuty are still being read, so nothing can be asked yet. Try again in a minute."
	case errors.Is(err, service.ErrIssuer):
		return "The system that it opens did not make a secret, so there is none. Press Reveal again in a minute; if it goes on, tell whoever looks after that system."
	case errors.Is(err, service.ErrNoSuchPerson):
		return "The directory does not have this person, so nothing was done. New people are read as soon as Slack tells of them; try again in a minute."
	case errors.Is(err, service.ErrNotFrozen):
		return "They are not frozen, so there is nothing to approve."
	case errors.Is(err, ErrForeign):
		return standing(grants.Foreign)
	}
	return "It could not be recorded, so nothing was done. Press again in a minute; if it goes on, tell whoever looks after Nightlatch here."
}

// refusal says why a command was not done, and how the grant stands now to those who were
// only too late. Others learn no more than why.
func (f Frame) refusal(r *service.Refusal) string {
	var about grants.Role
	if r.Role != nil {
		about = *r.Role
	}
	why := f.explanation(toThem, r.Reasons, about)
	late := len(r.Reasons) == 0 || r.Reasons[0].Code == grants.AlreadyVoted || r.Reasons[0].Code == grants.HasVotes
	switch {
	case r.Grant != nil && late && r.Extension > 0:
		return pieces(why, f.nowMore(*r.Grant, r.Extension))
	case r.Grant != nil && late:
		return pieces(why, f.now(*r.Grant))
	case why == "":
		return "It was refused."
	}
	return why
}

// now says what a grant is at the moment, to somebody who was too late or may not.
func (f Frame) now(g grants.Grant) string {
	name, who := bold(g.Role.Name), f.mention(string(g.Person))
	switch g.State {
	case grants.Asked, grants.Pending:
		if g.Question().Approved() {
			return "The request of " + who + " for " + name + " has every yes that it needs, and opens as soon as PagerDuty answers."
		}
		return pieces("The request of "+who+" for "+name+" is not decided yet.", f.votes(g.Votes))
	case grants.Open:
		return pieces("The request of "+who+" for "+name+" is open until "+until(g.Ends)+".", f.votes(g.Votes))
	}
	if g.Opened.IsZero() {
		return pieces("The request of "+who+" for "+name+" is over. "+f.outcome(ofThem, g), f.votes(g.Votes))
	}
	return "The access of " + who + " to " + name + " is over. " + f.outcome(ofThem, g)
}
