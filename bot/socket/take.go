package socket

import (
	"context"
	"errors"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"nightlatch/bot/send"
	"nightlatch/bot/view"
	"nightlatch/grants/service"
)

// Slack waits three seconds for an acknowledgement. What is not recorded by then is not
// done, so that nobody presses twice what happened once.
const (
	takeTime = 2500 * time.Millisecond
	ackTime  = 2 * time.Second
)

// errBusy says that a bound keeps a command out.
var errBusy = service.ErrBusy

// receive reads one envelope and queues what is to be done. It never waits.
func (l *Listener) receive(w *wire, r socketmode.Request) {
	c, err := Parse(r.Type, r.EnvelopeID, r.Payload)
	j := job{Command: c, via: w, deadline: time.Now().Add(takeTime)}
	switch {
	case err != nil && !errors.Is(err, errNoGrant):
		l.malformed.Add(1)
		l.c.Log.Warn("an envelope cannot be understood", "error", err)
		return
	case c.Verb == Nothing:
		l.sorry(j, nil)
	case c.Verb == UserChanged, c.Verb == DirectoryChanged:
		l.hear(j)
	case c.foreign(l.c.Identity):
		l.foreign.Add(1)
		l.refuse(j, strangers, view.ErrForeign)
	case err != nil:
		l.refuse(j, string(c.person()), err)
	case c.Verb == OpenHome:
		l.homeOpened(j)
	case c.Verb.takesAway():
		l.queue(l.endings, j)
	case !l.gate.admits(string(c.person())):
		l.swallow(j)
	case (c.Verb.reveals() || c.Verb.opens()) && l.repeats.again(c.Envelope, time.Now()):
		l.sorry(j, nil)
	case c.Verb.reveals():
		l.queue(l.reveals, j)
	case c.Verb == Form:
		j.then = func(ctx context.Context) { l.compose(ctx, j) }
		l.queue(l.windows, j)
	case c.Verb == More:
		j.then = func(ctx context.Context) { l.lengthen(ctx, j) }
		l.queue(l.windows, j)
	default:
		l.queue(l.takes, j)
	}
}

// refuse has a command refused and recorded, unless there are too many of these.
func (l *Listener) refuse(j job, who string, flaw error) {
	if !l.gate.admits(who) {
		l.swallow(j)
		return
	}
	j.flaw = flaw
	l.queue(l.takes, j)
}

func (l *Listener) queue(q chan<- job, j job) {
	select {
	case q <- j:
	default:
		l.swallow(j)
	}
}

// swallow answers "busy, press again" and counts it.
func (l *Listener) swallow(j job) {
	l.swallowed.Add(1)
	l.refused.Add(1)
	l.sorry(j, errBusy)
}

// sorry queues an acknowledgement that says no more than an error, or nothing. When even
// this queue is full, Slack's own warning is what the person sees.
func (l *Listener) sorry(j job, flaw error) {
	j.flaw = flaw
	select {
	case l.apologies <- j:
	default:
	}
}

// apologise acknowledges and says why nothing was done.
func (l *Listener) apologise(ctx context.Context, j job) {
	switch {
	case j.flaw == nil && j.Verb == Reveal && j.Window != "": // a copy: whichever is acknowledged first, the modal stays
		wait := l.frame.OneMoment()
		l.ack(ctx, j, slack.NewUpdateViewSubmissionResponse(&wait))
		return
	case j.flaw == nil:
		l.ack(ctx, j, nil)
		return
	}
	l.reply(ctx, j, view.Plain(l.frame.Sentence(j.flaw)))
}

// take has the service record a command, then acknowledges it.
func (l *Listener) take(ctx context.Context, j job) {
	recording, cancel := context.WithDeadline(ctx, j.deadline)
	defer cancel()
	a, err := l.record(recording, j)
	if j.Verb == Ask {
		defer l.c.Sender.Acknowledged(j.person(), j.Line.Role)
	}
	switch {
	case errors.Is(err, service.ErrDuplicate):
		l.ack(ctx, j, nil)
	case err != nil:
		l.note(j, err)
		j.point(err)
		l.reply(ctx, j, view.Plain(l.frame.Sentence(err)))
	case a.message != nil:
		l.reply(ctx, j, *a.message)
	default:
		l.ack(ctx, j, nil)
		l.afterwards(j, a.then)
	}
}

// answer is what a person is told when a command was recorded. What happens then, the service
// tells by itself.
type answer struct {
	message *view.Message         // nil: nothing
	then    func(context.Context) // what is offered to them then, as far as it can be; nil: nothing
}

// record does a command's one commit.
func (l *Listener) record(ctx context.Context, j job) (answer, error) {
	c := j.Command
	switch {
	case j.flaw != nil:
		l.reject(ctx, c, j.flaw.Error())
		return answer{}, j.flaw
	case c.Usage != nil:
		return answer{}, c.Usage
	}
	press := service.Press{Origin: c.origin(), Grant: c.Grant, Extension: c.Extension}
	if c.Ephemeral && (c.Verb == Withdraw || c.Verb == Return) { // the buttons of a verdict
		l.c.Sender.Remember(c.Grant, c.ResponseURL)
	}
	var err error
	switch c.Verb {
	case Ask:
		return l.ask(ctx, c)
	case Extend:
		return l.extend(ctx, c)
	case Help:
		m := l.frame.Help(l.c.People.RolesFor(c.person()))
		return answer{message: &m}, nil
	case Show:
		mine, err := l.c.People.Mine(ctx, c.person())
		if err != nil {
			return answer{}, err
		}
		m := l.frame.Mine(mine)
		return answer{message: &m}, nil
	case Usage:
		m := l.frame.Usage()
		return answer{message: &m}, nil
	case Approve, Deny:
		return l.vote(ctx, c)
	case ListPeople, ApprovePerson, FreezePerson:
		return l.people(ctx, c)
	case Explain:
		_, err = l.c.Taker.Explain(ctx, service.Explanation{Origin: c.origin(), Grant: c.Grant, Text: c.Line.Reason})
	case Withdraw:
		_, err = l.c.Ender.Withdraw(ctx, press)
	case Return:
		_, err = l.c.Ender.Return(ctx, press)
	case Revoke:
		_, err = l.c.Ender.Revoke(ctx, press)
	}
	if err != nil || !c.Listed || c.ResponseURL == "" {
		return answer{}, err
	}
	return answer{then: func(ctx context.Context) { l.relist(ctx, c) }}, nil
}

// vote records a yes or no. A no to a request is offered a word of explanation once it stands.
func (l *Listener) vote(ctx context.Context, c Command) (answer, error) {
	g, err := l.c.Taker.Vote(ctx, service.Ballot{Origin: c.origin(), Grant: c.Grant, Extension: c.Extension, Yes: c.Verb == Approve})
	if err != nil || c.Verb == Approve || c.Extension > 0 {
		return answer{}, err
	}
	return answer{then: func(ctx context.Context) { l.askWhy(ctx, c, g) }}, nil
}

func (l *Listener) ask(ctx context.Context, c Command) (answer, error) {
	l.c.Sender.Expect(c.person(), c.Line.Role, c.ResponseURL)
	g, err := l.c.Taker.Request(ctx, service.Ask{
		Origin: c.origin(), Role: c.Line.Role, Duration: c.Line.Duration, Reason: c.Line.Reason, Channel: c.Channel,
	})
	if err != nil {
		return answer{}, err
	}
	if c.Window != "" { // it closes; the verdict comes by direct message
		return answer{}, nil
	}
	m := l.frame.Asking(g)
	return answer{message: &m}, nil
}

// note logs what is no ordinary answer, once.
func (l *Listener) note(j job, err error) {
	if _, ok := errors.AsType[*service.Refusal](err); ok {
		return
	}
	if _, ok := errors.AsType[view.UsageError](err); ok {
		return
	}
	l.c.Log.Warn("a command was not done", "verb", string(j.Verb), "person", string(j.person()), "grant", j.Grant, "error", err)
}

// ephemeral is a message inside an acknowledgement.
type ephemeral struct {
	ResponseType string        `json:"response_type"`
	Text         string        `json:"text"`
	Blocks       []slack.Block `json:"blocks,omitempty"`
}

// longestAnswer is the number of blocks that an acknowledgement holds safely: Slack drops
// one of 20 KB or more.
const longestAnswer = 4

// reply acknowledges a command and answers the person: in the acknowledgement where it may
// hold something, else through the response URL, else by direct message.
func (l *Listener) reply(ctx context.Context, j job, m view.Message) {
	c := j.Command
	if c.Typed && len(m.Blocks) <= longestAnswer {
		l.ack(ctx, j, ephemeral{ResponseType: slack.ResponseTypeEphemeral, Text: m.Text, Blocks: m.Blocks})
		return
	}
	if c.Field != "" && view.FieldError(m.Text) { // what was typed stays there
		l.ack(ctx, j, slack.NewErrorsViewSubmissionResponse(map[string]string{c.Field: m.Text}))
		return
	}
	if c.Window != "" {
		modal := l.frame.Problem(m.Text)
		if c.Field != "" {
			modal = l.frame.NotDone(m.Text)
		}
		l.ack(ctx, j, slack.NewUpdateViewSubmissionResponse(&modal))
		return
	}
	l.ack(ctx, j, nil)
	l.tell(ctx, c, m)
}

// tell answers a person outside an acknowledgement.
func (l *Listener) tell(ctx context.Context, c Command, m view.Message) {
	var err error
	if c.ResponseURL != "" {
		err = l.c.Sender.Answer(ctx, c.ResponseURL, m)
	}
	if c.foreign(l.c.Identity) || (c.ResponseURL != "" && err == nil) {
		return
	}
	if err = l.c.Sender.Direct(ctx, c.User, m); err != nil && !errors.Is(err, send.ErrRateLimited) {
		l.c.Log.Warn("could not answer a press", "person", string(c.person()), "error", err)
	}
}

// ack acknowledges an envelope, on the connection that it came by while that is up.
func (l *Listener) ack(ctx context.Context, j job, payload any) {
	ctx, cancel := context.WithTimeout(ctx, ackTime)
	defer cancel()
	if err := j.via.live().client.AckCtx(ctx, j.Envelope, payload); err != nil {
		l.c.Log.Warn("could not acknowledge", "verb", string(j.Verb), "error", send.Plainly(err))
	}
}
