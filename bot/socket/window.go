package socket

import (
	"context"
	"errors"

	"nightlatch/bot/view"
	"nightlatch/grants"
	"nightlatch/grants/service"
)

// afterwards has something done that a recorded press offers besides, as far as it can be.
func (l *Listener) afterwards(j job, then func(context.Context)) {
	if then == nil {
		return
	}
	j.then = then
	select {
	case l.windows <- j:
	default:
		l.c.Log.Info("too much is offered at once, so something was not", "verb", string(j.Verb), "grant", j.Grant)
	}
}

// askWhy opens the modal in which whoever denied a request may say why. The no stands without it.
func (l *Listener) askWhy(ctx context.Context, c Command, g grants.Grant) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if c.Trigger == "" {
		return
	}
	if _, err := l.c.Sender.Open(ctx, c.Trigger, l.frame.AskWhy(g)); err != nil {
		l.c.Log.Info("nobody was asked why they said no", "grant", c.Grant, "error", err)
	}
}

// compose acknowledges and opens the form of a request, before anything else: its trigger
// lives three seconds. Without a form the person reads how to write the command.
func (l *Listener) compose(ctx context.Context, j job) {
	c := j.Command
	roles := l.c.People.RolesFor(c.person())
	if len(roles) == 0 {
		l.reply(ctx, j, l.frame.Help(nil))
		return
	}
	l.ack(ctx, j, nil)
	opening, cancel := context.WithDeadline(ctx, j.deadline)
	defer cancel()
	if _, err := l.c.Sender.Open(opening, c.Trigger, l.frame.Compose(roles, c.Channel)); err != nil {
		l.c.Log.Warn("could not open the form of a request", "person", string(c.person()), "error", err)
		l.tell(ctx, c, l.frame.Usage())
	}
}

// homeOpened has a home shown to whoever opened it. Nobody is told when they do so too often:
// the home says what was true last.
func (l *Listener) homeOpened(j job) {
	c := j.Command
	if !l.gate.admits(string(c.person())) {
		l.sorry(j, nil)
		return
	}
	j.then = func(ctx context.Context) {
		ctx, cancel := context.WithDeadline(ctx, j.deadline)
		defer cancel()
		if err := l.c.People.OpenHome(ctx, c.person()); err != nil {
			l.c.Log.Warn("a home was not prepared", "person", string(c.person()), "error", err)
		}
		l.ack(ctx, j, nil)
	}
	select {
	case l.windows <- j:
	default:
		l.sorry(j, nil)
	}
}

// relist shows a list of somebody's own grants anew, in place of the one in which they pressed.
func (l *Listener) relist(ctx context.Context, c Command) {
	ctx, cancel := context.WithTimeout(ctx, fillTimeout)
	defer cancel()
	mine, err := l.c.People.Mine(ctx, c.person())
	if err == nil {
		err = l.c.Sender.Replace(ctx, c.ResponseURL, l.frame.Mine(mine))
	}
	if err != nil {
		l.c.Log.Info("a list of grants was not shown anew", "person", string(c.person()), "error", err)
	}
}

// point chooses the input of a form under which an error stands.
func (j *job) point(err error) {
	r, ok := errors.AsType[*service.Refusal](err)
	if j.Field != view.InputReason || !ok || len(r.Reasons) == 0 {
		return
	}
	code := r.Reasons[0].Code
	if j.Verb == Extend {
		if code != grants.LooksLikeASecret {
			j.Field = view.InputDuration
		}
		return
	}
	switch code {
	case grants.RoleUnknown, grants.NotForYou, grants.TooManyOpen:
		j.Field = view.InputRole
	}
}
