package socket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"nightlatch/bot/send"
)

// ignoreWhile keeps reading what slack-go says, which would hang otherwise, until f is done.
// An envelope that comes now is not acknowledged: it can be pressed again.
func (l *Listener) ignoreWhile(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	for {
		select {
		case <-l.wires[0].client.Events:
		case <-l.wires[1].client.Events:
		case <-done:
			return
		}
	}
}

// read takes events until the context ends, or a connection for good.
func (l *Listener) read(ctx context.Context, ended <-chan error) error {
	minute := time.NewTicker(time.Minute)
	defer minute.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case err = <-ended:
			err = send.Plainly(err)
		case <-minute.C:
			l.gate.forget()
			l.repeats.forget(time.Now())
			l.recount(time.Now())
			go l.report(ctx)
		case e := <-l.wires[0].client.Events:
			err = l.event(ctx, l.wires[0], e)
		case e := <-l.wires[1].client.Events:
			err = l.event(ctx, l.wires[1], e)
		}
		if err != nil {
			return fmt.Errorf("listening to Slack: %w", err)
		}
	}
}

// event looks at one event of slack-go. Its error is the end.
func (l *Listener) event(ctx context.Context, w *wire, e socketmode.Event) error {
	switch e.Type {
	case socketmode.EventTypeConnecting:
		w.since.Store(0)
	case socketmode.EventTypeHello:
		w.since.Store(time.Now().UnixNano())
		l.greeted(ctx, e.Request)
	case socketmode.EventTypeConnectionError:
		return l.notConnected(e)
	case socketmode.EventTypeErrorBadMessage:
		l.badMessage(w, e)
	case socketmode.EventTypeSlashCommand, socketmode.EventTypeInteractive, socketmode.EventTypeEventsAPI:
		l.receive(w, *e.Request)
	case socketmode.EventTypeErrorWriteFailed:
		l.notWritten(ctx, w, e)
	}
	return nil
}

// notConnected tells the errors that pass from those that only a human can mend, which
// slack-go would retry for ever.
func (l *Listener) notConnected(e socketmode.Event) error {
	data, ok := e.Data.(*slack.ConnectionErrorEvent)
	if !ok {
		return nil
	}
	err := send.Plainly(data.ErrorObj)
	if errors.Is(err, send.ErrAuth) {
		return fmt.Errorf("asking for a connection with the app token: %w", err)
	}
	l.c.Log.Warn("could not connect to Slack", "attempt", data.Attempt, "again_in", data.Backoff, "error", err)
	return nil
}

// notWritten sends an acknowledgement by the other connection: its own was closed under it.
func (l *Listener) notWritten(ctx context.Context, w *wire, e socketmode.Event) {
	w.since.Store(0)
	data, ok := e.Data.(*socketmode.ErrorWriteFailed)
	if !ok || data.Response == nil || !w.beside.up() {
		l.c.Log.Warn("an acknowledgement could not be written")
		return
	}
	go func() { // never in the reader: a queue may be full
		ctx, cancel := context.WithTimeout(ctx, ackTime)
		defer cancel()
		if err := w.beside.client.SendCtx(ctx, *data.Response); err != nil {
			l.c.Log.Warn("an acknowledgement could not be written", "error", send.Plainly(err))
		}
	}()
}

// badMessage reads what slack-go could not. Ours is the smaller parser, and a press that it
// understands is worth taking.
func (l *Listener) badMessage(w *wire, e socketmode.Event) {
	var r socketmode.Request
	if data, ok := e.Data.(*socketmode.ErrorBadMessage); ok && json.Unmarshal(data.Message, &r) == nil && r.EnvelopeID != "" {
		l.receive(w, r)
		return
	}
	l.malformed.Add(1)
	l.c.Log.Warn("Slack sent what cannot be read")
}

// watch is what the hellos said of connections that are not ours. One that is no more may be
// counted for a while, so only what goes on is an alarm.
type watch struct {
	since  time.Time // of the first hello in a row that counted too many; zero: the last one did not
	hellos int       // in that row
	said   bool      // the alarm was raised
}

// The alarm is raised after so many hellos in a row and so much time.
const (
	surplusHellos = 3
	surplusTime   = time.Minute
)

// greeted looks how many listen with our app token.
func (l *Listener) greeted(ctx context.Context, r *socketmode.Request) {
	l.hellos.Add(1)
	ours := int(l.connected())
	if r == nil || r.NumConnections <= ours {
		if l.watch.said {
			l.c.Log.Info("nobody else listens with our app token any more")
			l.tellOverheard(ctx, ours, ours)
		}
		l.watch = watch{}
		l.c.Log.Info("connected to Slack", "ours", ours)
		return
	}
	now := time.Now()
	if l.watch.since.IsZero() {
		l.watch.since = now
	}
	l.watch.hellos++
	l.c.Log.Warn("Slack counts more connections than ours", "connections", r.NumConnections, "ours", ours)
	if l.watch.said || l.watch.hellos < surplusHellos || now.Sub(l.watch.since) < surplusTime {
		return
	}
	l.watch.said = true
	l.surplus.Add(1)
	l.c.Log.Error("somebody else listens with our app token", "connections", r.NumConnections, "ours", ours)
	l.tellOverheard(ctx, r.NumConnections, ours)
}

// tellOverheard has it recorded, beside what is heard meanwhile.
func (l *Listener) tellOverheard(ctx context.Context, connections, ours int) {
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeTime)
		defer cancel()
		if err := l.c.Clerk.Overheard(ctx, connections, ours); err != nil {
			l.c.Log.Error("could not record who listens", "error", err)
		}
	}()
}

// recount has the older connection made anew while Slack counts too many: only a hello says how many
// there are. The other one hears meanwhile what is pressed.
func (l *Listener) recount(now time.Time) {
	a, b := l.wires[0], l.wires[1]
	if l.watch.since.IsZero() || l.watch.said || !a.up() || !b.up() || now.Sub(l.watch.since) < surplusTime/2 {
		return
	}
	if b.since.Load() < a.since.Load() {
		a = b
	}
	a.renew()
}
