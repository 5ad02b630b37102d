package socket

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"nightlatch/bot/send"
)

// connections is how many are kept.
const connections = 2

// The times of two connections.
const (
	headStart = 2 * time.Second  // of the first one, so that it is asked for first
	apart     = 30 * time.Second // at least between the births of two, so that they don't end together
)

// wire is one connection and its successors.
type wire struct {
	client *socketmode.Client
	beside *wire
	since  atomic.Int64 // when Slack greeted it, in nanoseconds; 0: it is not connected
	anew   chan struct{}
}

// newWire makes a wire. Its sibling is set before it runs.
func newWire(c Config, base string) *wire {
	w := &wire{anew: make(chan struct{}, 1)}
	api := slack.New("", slack.OptionAppLevelToken(c.AppToken.Expose()), slack.OptionAPIURL(base),
		slack.OptionHTTPClient(&pacer{client: send.NewClient(c.Transport), hold: func() time.Duration { return w.beside.young() }}))
	var options []socketmode.Option
	if c.Dialer != nil {
		options = append(options, socketmode.OptionDialer(c.Dialer))
	}
	w.client = socketmode.New(api, options...)
	return w
}

// run keeps the wire connected until its context ends or Slack refuses the token for good. It
// hangs up and connects again when it is told to.
func (w *wire) run(ctx context.Context, wait time.Duration) error {
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		one, hangUp := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- w.client.RunContext(one) }()
		select {
		case err := <-ended:
			hangUp()
			return err
		case <-w.anew:
			hangUp()
			<-ended
			w.since.Store(0)
		}
	}
}

// renew has the wire hang up and connect again.
func (w *wire) renew() {
	select {
	case w.anew <- struct{}{}:
	default:
	}
}

// up reports whether Slack greeted the wire and did not end it since.
func (w *wire) up() bool { return w.since.Load() != 0 }

// young is how long it is until the wire is old enough for its sibling to connect; zero if it is
// not connected, so that there is no time to lose.
func (w *wire) young() time.Duration {
	since := w.since.Load()
	if since == 0 {
		return 0
	}
	return apart - time.Since(time.Unix(0, since))
}

// live is the wire on which something can be sent now: itself, or else its sibling.
func (w *wire) live() *wire {
	if !w.up() && w.beside.up() {
		return w.beside
	}
	return w
}

// connected is how many wires are up.
func (l *Listener) connected() int64 {
	n := int64(0)
	for _, w := range l.wires {
		if w.up() {
			n++
		}
	}
	return n
}
