package socket

import (
	"context"

	"nightlatch/bot/view"
)

// offer has a modal opened in which something may be said, as far as that can be done: what
// was pressed is recorded already.
func (l *Listener) offer(j job, m *view.Modal) {
	if m == nil || j.Trigger == "" {
		return
	}
	j.modal = m
	select {
	case l.windows <- j:
	default:
		l.c.Log.Info("too many modals are being opened, so one was not offered", "grant", j.Grant)
	}
}

// open opens a modal, before its trigger is dead.
func (l *Listener) open(ctx context.Context, j job) {
	ctx, cancel := context.WithDeadline(ctx, j.deadline)
	defer cancel()
	if _, err := l.c.Sender.Open(ctx, j.Trigger, *j.modal); err != nil {
		l.c.Log.Info("a modal was not opened", "grant", j.Grant, "error", err)
	}
}
