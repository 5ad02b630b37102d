package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// part is what events call this package.
const part = "operator"

// answer does what is asked, as far as whoever asks may have it.
func (s *Server) answer(ctx context.Context, who peer, q question) answer {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	a, err := s.read(ctx, q)
	if errors.Is(err, errChanges) {
		a, err = s.change(ctx, who, q)
	}
	if err != nil {
		return answer{Error: s.explain(who, q, err)}
	}
	return a
}

// errChanges is of a verb that does more than read.
var errChanges = errors.New("this verb changes something")

// read answers what everybody may ask who can open the socket.
func (s *Server) read(ctx context.Context, q question) (a answer, err error) {
	switch q.Verb {
	case verbPeople:
		a.People, err = s.c.Directory.Everybody()
	case verbGrants:
		notices, err := s.c.Desk.Underway(ctx)
		for _, n := range notices {
			a.Grants = append(a.Grants, held(n))
		}
		return a, err
	case verbGrant:
		n, err := s.c.Desk.Look(ctx, q.Grant)
		return answer{Grants: []Held{held(n)}}, err
	default:
		err = errChanges
	}
	return a, err
}

// change does what only a person may do whom the configuration names. It is recorded by whoever
// does it; what is refused before that is recorded here.
func (s *Server) change(ctx context.Context, who peer, q question) (a answer, err error) {
	if !slices.Contains([]string{verbApprove, verbFreeze, verbRevoke}, q.Verb) {
		return a, errVerb // no part of it is repeated: it may be anything
	}
	o := service.Origin{Part: part}
	if who.known {
		o.Person = s.c.People[who.uid]
	}
	whom, target, missing := s.target(ctx, q)
	switch {
	case o.Person == "":
		return a, s.turnAway(ctx, o, fmt.Sprintf("%s, whom operator.people does not name, wanted to %s %s", who, q.Verb, target), errNobody)
	case missing != nil:
		return a, s.turnAway(ctx, o, fmt.Sprintf("wanted to %s %s", q.Verb, target), missing)
	}
	var p grants.Person
	switch q.Verb {
	case verbApprove:
		p, err = s.c.Directory.Thaw(ctx, o, whom)
	case verbFreeze:
		p, err = s.c.Directory.Freeze(ctx, o, whom, q.Why)
	default:
		if _, err := s.c.Desk.Revoke(ctx, service.Press{Origin: o, Grant: q.Grant}); err != nil {
			return a, err
		}
		n, err := s.c.Desk.Look(ctx, q.Grant)
		return answer{Grants: []Held{held(n)}}, err
	}
	if errors.Is(err, service.ErrNotFrozen) {
		return a, s.turnAway(ctx, o, fmt.Sprintf("wanted to approve %s, who is not frozen", target), err)
	}
	return answer{People: []grants.Person{p}}, err
}

// turnAway records a refusal and returns why. What cannot be recorded is a failure of its own.
func (s *Server) turnAway(ctx context.Context, o service.Origin, detail string, why error) error {
	if err := s.c.Directory.TurnAway(ctx, o, detail); err != nil {
		return fmt.Errorf("recording a refusal: %w", err)
	}
	return why
}

// The refusals that are decided here.
var (
	errNobody    = errors.New("nobody in particular may only read")
	errVerb      = errors.New("there is no such verb")
	errAmbiguous = errors.New("several people have this address")
)

// target finds whom or what a question means, and how an event names it. What is not found is not
// repeated: it may be a secret, pasted into the wrong place.
func (s *Server) target(ctx context.Context, q question) (whom grants.PersonKey, name string, err error) {
	if q.Verb == verbRevoke {
		if _, err := s.c.Desk.Look(ctx, q.Grant); err != nil {
			return "", "a grant that there is not", err
		}
		return "", "grant " + q.Grant, nil
	}
	people, err := s.c.Directory.Everybody()
	if err != nil {
		return "", "somebody", err
	}
	var found []grants.PersonKey
	for _, p := range people {
		if string(p.Key) == q.Person || p.Key.Slack() == q.Person || p.Email != "" && p.Email == grants.Fold(q.Person) {
			found = append(found, p.Key)
		}
	}
	switch len(found) {
	case 0:
		return "", "somebody whom the directory does not have", service.ErrNoSuchPerson
	case 1:
		return found[0], string(found[0]), nil
	}
	return "", "somebody whose address several people have", errAmbiguous
}

// held is a notice without what only pictures need.
func held(n service.Notice) Held {
	h := Held{Grant: n.Grant, Reason: n.Reason, Why: n.Why, Failing: n.Failing}
	if n.Who != nil {
		if p, ok := n.Who(string(n.Grant.Person)); ok {
			h.Name = p.Name
		}
	}
	return h
}

// explain says an error to the operator. What is nobody's fault but the program's is logged, and
// not said: it may hold anything.
func (s *Server) explain(who peer, q question, err error) *Error {
	if refusal, ok := errors.AsType[*service.Refusal](err); ok {
		return refused(refusal)
	}
	say := func(text, hint string) *Error { return &Error{Text: text, Hint: hint} }
	switch {
	case errors.Is(err, errNobody):
		hint := "operator.people in the configuration says who is whom on this machine; a person of security does the same in Slack, by /access"
		switch {
		case who.known && who.uid == 0:
			hint = "root is nobody in particular: run it as yourself, without sudo; " + hint
		case who.known && who.uid == uidHidden:
			hint = "a user namespace hides from the bot who you are; under systemd it needs PrivateUsers=no, see docs/deploy.md"
		}
		return say(who.String()+" may only read", hint)
	case errors.Is(err, errVerb):
		return say("the running nightlatch does not know this command", updated)
	case errors.Is(err, errAmbiguous):
		return say("several people have this address", "name the person by their Slack user ID, which nightlatch people list shows")
	case errors.Is(err, service.ErrNoSuchPerson):
		return say("the directory does not have this person", "name them by Slack user ID or e-mail address, as nightlatch people list shows them")
	case errors.Is(err, service.ErrNotFrozen):
		return say("this person is not frozen", "there is nothing to approve; nightlatch people list shows how everybody stands")
	case errors.Is(err, service.ErrNoSuchGrant):
		return say("there is no such request or grant", "nightlatch grants lists those that are not over, with their IDs")
	case errors.Is(err, service.ErrDirectory):
		return say("the people of Slack and PagerDuty were not read yet", "try again in a moment; if it stays so, the bot's log says why")
	}
	at := time.Now().UTC().Format(time.RFC3339)
	s.c.Log.Error("an operator's question failed", "who", who.String(), "verb", q.Verb, "at", at, "error", err)
	return say("it failed, and may have been done", "the bot's log says why, at "+at+"; nightlatch people list and nightlatch grants say how things are")
}

// refused says a refusal of the service.
func refused(r *service.Refusal) *Error {
	if len(r.Reasons) == 0 && r.Grant != nil {
		return &Error{
			Text: "nothing was done: it is " + string(r.Grant.State),
			Hint: "only an open grant can be revoked; nightlatch grants show " + r.Grant.ID + " shows the rest",
		}
	}
	var why grants.Reason
	if len(r.Reasons) > 0 {
		why = r.Reasons[0]
	}
	text, hint := "it was refused ("+string(why.Code)+")", "the bot's log and nightlatch people list may say more"
	switch why.Code {
	case grants.NotForYou:
		text, hint = "you are not among security.people", "ask one of them; the configuration names them"
	case grants.BadStanding:
		text, hint = "you may not take part: you count as "+why.Detail+" in Slack", "see your line in nightlatch people list, and operator.people in the configuration"
	case grants.FrozenPerson:
		text, hint = "you are frozen: "+why.Detail, "another person of security.people approves you"
	case grants.OwnRequest:
		text, hint = "nobody approves themselves", "ask another person of security.people"
	case grants.ReasonMissing:
		text, hint = "it needs a reason", "write it behind the person: nightlatch people freeze U0123ABCD lost their laptop"
	case grants.LooksLikeASecret:
		text, hint = "the reason looks like a secret", "nothing was kept of it; say it in words, and change the secret if it is one"
	case grants.NotAVoter:
		text, hint = "you are not among those who may revoke this", "those who vote on its role may; nightlatch people freeze ends what opened by itself"
	case grants.NotSettled:
		text, hint = "you are on call since too short a time to revoke this", "another voter of its role may; settle in the configuration says how long it takes"
	case grants.CannotAsk:
		text, hint = "PagerDuty did not say lately who may revoke this", "whoever the role names by user or group may"
	}
	return &Error{Text: oneLine(text), Hint: oneLine(hint)}
}

// oneLine is a text of which parts were written by others, on one line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
