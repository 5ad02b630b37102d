package socket

import (
	"context"
	"errors"
	"slices"

	"nightlatch/bot/view"
	"nightlatch/grants"
	"nightlatch/grants/service"
)

// lengthen acknowledges and opens the form of an extension. Its trigger lives three seconds, so
// nobody is asked before but our own ledger, for what the form says of the grant.
func (l *Listener) lengthen(ctx context.Context, j job) {
	c := j.Command
	l.ack(ctx, j, nil)
	if c.Ephemeral { // the press brings a fresh URL by which the verdict can be replaced
		l.c.Sender.Remember(c.Grant, c.ResponseURL)
	}
	opening, cancel := context.WithDeadline(ctx, j.deadline)
	defer cancel()
	open, err := l.opened(opening, c)
	if err != nil {
		l.note(j, err)
		l.tell(ctx, c, view.Plain(l.frame.Sentence(err)))
		return
	}
	form, otherwise := l.frame.NotDone(view.NotYours), view.Plain(view.NotYours)
	if i := slices.IndexFunc(open, func(g grants.Grant) bool { return g.ID == c.Grant }); i >= 0 {
		form, otherwise = l.frame.Longer(open[i]), l.frame.LongerTyped(open[i])
	} else {
		l.reject(opening, c, "an extension of what is no open grant of theirs")
	}
	if _, err := l.c.Sender.Open(opening, c.Trigger, form); err != nil {
		l.c.Log.Warn("could not open the form of an extension", "person", string(c.person()), "grant", c.Grant, "error", err)
		l.tell(ctx, c, otherwise)
	}
}

// extend records an extension. A typed one is of the open grant that its person can only mean.
func (l *Listener) extend(ctx context.Context, c Command) (answer, error) {
	if c.Grant == "" {
		open, err := l.opened(ctx, c)
		if err != nil {
			return answer{}, err
		}
		g, clear := meant(open, c.Line.Role)
		if !clear {
			m := l.frame.WhichOne(open, c.Line.Role)
			return answer{message: &m}, nil
		}
		c.Grant = g.ID
	}
	g, err := l.c.Taker.Extend(ctx, service.Longer{
		Origin: c.origin(), Grant: c.Grant, By: c.Line.Duration, Reason: c.Line.Reason,
	})
	if err != nil || c.Window != "" { // it closes; what becomes of it comes by direct message
		return answer{}, err
	}
	m := l.frame.AskingMore(g)
	return answer{message: &m}, nil
}

// meant is the only open grant, or the only one of a role that is named.
func meant(open []grants.Grant, role string) (g grants.Grant, clear bool) {
	for _, o := range open {
		if role != "" && o.Role.Name != role {
			continue
		}
		if clear {
			return g, false
		}
		g, clear = o, true
	}
	return g, clear
}

// opened lists a person's open grants. Whoever may not take part is refused, which is recorded.
func (l *Listener) opened(ctx context.Context, c Command) ([]grants.Grant, error) {
	mine, err := l.c.People.Mine(ctx, c.person())
	if refusal, ok := errors.AsType[*service.Refusal](err); ok {
		l.reject(ctx, c, refusal.Error())
	}
	var open []grants.Grant
	for _, n := range mine {
		if n.Grant.State == grants.Open {
			open = append(open, n.Grant)
		}
	}
	return open, err
}

// reject records what was refused before the service was asked to do it.
func (l *Listener) reject(ctx context.Context, c Command, detail string) {
	if err := l.c.Clerk.Reject(ctx, c.origin(), detail); err != nil && !errors.Is(err, service.ErrDuplicate) {
		l.c.Log.Warn("could not record a refused press", "error", err)
	}
}
