// Package socket is the incoming half of the bot: it keeps two Socket Mode connections to
// Slack, turns envelopes into commands, and has them recorded before they are acknowledged.
//
// A command goes through fixed steps: it is understood ([Parse]), its workspace is checked,
// the limits are asked, then a worker hands it to the service and acknowledges what the
// service has recorded. Reveal alone is acknowledged at once, because nothing has happened yet and it can be
// pressed again.
//
// Life cycle: [New] connects to nothing; [Listener.Run] does until its context ends. Then it
// takes no more envelopes, finishes what it took, blanks the secrets that are still shown, and closes the
// socket last, so that everything that was recorded could be acknowledged.
//
// Caveats: slack-go closes its socket on every disconnect. Slack hands each envelope to any one of
// the connections, and they are refreshed at different times, so that one of them hears what is
// pressed; what is lost all the same, Slack shows its warning for, and every button may be pressed again. The
// reader never waits: when the workers are behind, a person reads "busy", and when even
// those answers pile up, Slack's own warning.
package socket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"nightlatch/bot/send"
	"nightlatch/bot/view"
	"nightlatch/grants"
	"nightlatch/grants/service"
)

// Taker records what people press and type. Each call is one commit; when it returns nil,
// what was asked is on disk.
type Taker interface {
	Request(ctx context.Context, a service.Ask) (grants.Grant, error)
	Extend(ctx context.Context, x service.Longer) (grants.Grant, error)
	Vote(ctx context.Context, b service.Ballot) (grants.Grant, error)
	Explain(ctx context.Context, e service.Explanation) (grants.Grant, error)
}

// Ender records what takes access away, as Taker records the rest.
type Ender interface {
	Withdraw(ctx context.Context, p service.Press) (grants.Grant, error)
	Return(ctx context.Context, p service.Press) (grants.Grant, error)
	Revoke(ctx context.Context, p service.Press) (grants.Grant, error)
}

// Revealer makes secrets, and takes back the one that was not delivered.
type Revealer interface {
	Reveal(ctx context.Context, s service.Showing) (service.Revealed, error)
	Undelivered(ctx context.Context, grant string, ordinal int, why string) error
}

// Clerk keeps the books on what was not let through, and on who else listens.
type Clerk interface {
	Swallowed(ctx context.Context, count int) error
	Reject(ctx context.Context, o service.Origin, detail string) error
	Overheard(ctx context.Context, connections, ours int) error
}

// People knows them, what they may ask for and what is theirs.
type People interface {
	Who(id string) (grants.Person, bool)
	RolesFor(p grants.PersonKey) []grants.Role
	Mine(ctx context.Context, p grants.PersonKey) ([]service.Notice, error)
	OpenHome(ctx context.Context, p grants.PersonKey) error
}

// Directory is told what Slack and security say of the people.
type Directory interface {
	UserChanged(ctx context.Context, u grants.SlackUser) error
	// DirectoryChanged says that people or user groups are no longer as they were read.
	DirectoryChanged()
	Roster(ctx context.Context, o service.Origin) (service.Roster, error)
	Thaw(ctx context.Context, o service.Origin, whom grants.PersonKey) (grants.Person, error)
	Freeze(ctx context.Context, o service.Origin, whom grants.PersonKey, why string) (grants.Person, error)
}

// Config is what a Listener is made of. AppToken, Sender, Identity and the service's six
// sides must be set.
type Config struct {
	AppToken    grants.Secret
	APIURL      string            // default send.DefaultURL
	Transport   http.RoundTripper // nil: a clone of http.DefaultTransport
	Dialer      *websocket.Dialer // nil: gorilla's own
	Sender      *send.Sender
	Identity    send.Identity // envelopes of other workspaces are refused
	Taker       Taker
	Ender       Ender
	Revealer    Revealer
	Clerk       Clerk
	People      People
	Directory   Directory
	Environment string
	Limits      Limits
	Log         *slog.Logger // nil: silent
}

// Counts say how the listener is, since it was made.
type Counts struct {
	Hellos    int64 // connections that Slack greeted
	Swallowed int64 // commands that the limits or a full queue refused
	Foreign   int64 // commands from elsewhere
	Malformed int64 // envelopes that nobody could read
	Surplus   int64 // alarms that somebody else listens with our app token
	Connected int64 // of our connections, now
}

// Listener listens to Slack.
type Listener struct {
	c       Config
	wires   [connections]*wire
	watch   watch // of the reader alone
	frame   view.Frame
	gate    *gate
	blanker *blanker
	repeats repeats // of the reader alone

	endings, takes, reveals, windows, apologies chan job

	swallowed                                    atomic.Int64 // not reported yet
	hellos, refused, foreign, malformed, surplus atomic.Int64
}

// Bounds of what is on its way at one time. Past them a person reads "busy, press again".
// What takes access away has workers of its own, so that no crowd of requests holds it up.
const (
	takeWorkers, takeQueue     = 4, 64
	revealWorkers, revealQueue = 16, 16
	windowWorkers, windowQueue = 4, 64 // modals in which something may be typed
	sorryWorkers, sorryQueue   = 2, 256
)

// New makes a Listener. It connects to nothing.
func New(c Config) (*Listener, error) {
	switch {
	case c.AppToken.Expose() == "":
		return nil, errors.New("making the Slack listener: the app token is empty")
	case c.Sender == nil || c.Taker == nil || c.Ender == nil || c.Revealer == nil || c.Clerk == nil || c.People == nil || c.Directory == nil:
		return nil, errors.New("making the Slack listener: the sender or a side of the service is missing")
	case c.Identity.Team == "":
		return nil, errors.New("making the Slack listener: the workspace is unknown")
	}
	base, _, err := send.BaseURL(c.APIURL)
	if err != nil {
		return nil, fmt.Errorf("making the Slack listener: %w", err)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	frame := view.Frame{Environment: c.Environment, Who: c.People.Who}
	l := &Listener{
		c: c, frame: frame,
		gate: newGate(c.Limits), blanker: newBlanker(c, frame), repeats: repeats{},
		endings: make(chan job, takeQueue), takes: make(chan job, takeQueue), reveals: make(chan job, revealQueue),
		windows: make(chan job, windowQueue), apologies: make(chan job, sorryQueue),
	}
	for i := range l.wires {
		l.wires[i] = newWire(c, base)
	}
	l.wires[0].beside, l.wires[1].beside = l.wires[1], l.wires[0]
	return l, nil
}

// Counts says how the listener is.
func (l *Listener) Counts() Counts {
	return Counts{
		Hellos: l.hellos.Load(), Swallowed: l.refused.Load(), Foreign: l.foreign.Load(),
		Malformed: l.malformed.Load(), Surplus: l.surplus.Load(), Connected: l.connected(),
	}
}

// What a shutdown may take, together below the five seconds that it has.
const (
	drainTime = 2 * time.Second // for what was taken
	blankTime = time.Second     // for the secrets that are still shown
)

// ackLeaves is what the last acknowledgement gets to leave by: slack-go says only that it is queued.
const ackLeaves = 100 * time.Millisecond

// Run listens until its context ends, which is no error, or until Slack refuses the app token for good.
func (l *Listener) Run(ctx context.Context) error {
	// Work and socket outlive ctx: what was taken is finished and acknowledged.
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	connected, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()

	ended := make(chan error, connections)
	var wired sync.WaitGroup
	for i, w := range l.wires {
		wired.Go(func() { ended <- w.run(connected, time.Duration(i)*headStart) })
	}
	blanking, stopBlanking := context.WithCancel(working)
	defer stopBlanking()
	var blanked, workers, openers sync.WaitGroup
	blanked.Go(func() { l.blanker.run(blanking) })
	l.start(working, &workers, &openers)

	fatal := l.read(ctx, ended)

	close(l.endings)
	close(l.takes)
	close(l.reveals)
	close(l.apologies)
	cut := time.AfterFunc(drainTime, stop)
	l.ignoreWhile(func() {
		workers.Wait()
		close(l.windows) // the takers were the last to ask for some
		openers.Wait()
	})
	cut.Stop()
	stopBlanking()
	blanked.Wait()
	last, done := context.WithTimeout(context.WithoutCancel(ctx), blankTime)
	defer done()
	l.ignoreWhile(func() {
		l.report(last)
		l.blanker.rest(last)
	})
	l.ignoreWhile(func() { time.Sleep(ackLeaves) })
	hangUp()
	l.ignoreWhile(wired.Wait)
	return fatal
}

// start starts the workers. They end when their queues are closed and empty.
func (l *Listener) start(ctx context.Context, workers, openers *sync.WaitGroup) {
	pool := func(wg *sync.WaitGroup, n int, queue <-chan job, do func(context.Context, job)) {
		for range n {
			wg.Go(func() {
				for j := range queue {
					do(ctx, j)
				}
			})
		}
	}
	pool(workers, takeWorkers, l.endings, l.take)
	pool(workers, takeWorkers, l.takes, l.take)
	pool(workers, revealWorkers, l.reveals, l.reveal)
	pool(openers, windowWorkers, l.windows, func(ctx context.Context, j job) { j.then(ctx) })
	pool(workers, sorryWorkers, l.apologies, l.apologise)
}

// report has one event written for everything that was swallowed since the last.
func (l *Listener) report(ctx context.Context) {
	n := l.swallowed.Swap(0)
	if n == 0 {
		return
	}
	if err := l.c.Clerk.Swallowed(ctx, int(n)); err != nil {
		l.swallowed.Add(n) // counted with the next
		l.c.Log.Warn("could not record what was swallowed", "error", err)
	}
}
