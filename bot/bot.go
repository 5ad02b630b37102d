// Package bot is Slack's side of Nightlatch. It wires its two directions: send is made
// first, because the service tells people through it; the incoming half, a [Bot], is made
// last, because it hands what people press to the service.
//
// Life cycle: [New] connects to nothing, [Bot.Run] listens until its context ends.
//
// Caveat: no type of the Slack client leaves this package and those below it.
package bot

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/gorilla/websocket"

	"nightlatch/bot/send"
	"nightlatch/bot/socket"
	"nightlatch/grants"
)

// Config is what a Bot is made of. AppToken, Sender, Identity and the six sides of the
// service must be set.
type Config struct {
	AppToken    grants.Secret
	APIURL      string            // default send.DefaultURL
	Transport   http.RoundTripper // nil: a clone of http.DefaultTransport
	Dialer      *websocket.Dialer // nil: gorilla's own
	Sender      *send.Sender
	Identity    send.Identity // what the sender's Identify said
	Taker       socket.Taker
	Ender       socket.Ender
	Revealer    socket.Revealer
	Clerk       socket.Clerk
	People      socket.People
	Directory   socket.Directory
	Environment string
	Limits      socket.Limits
	Log         *slog.Logger // nil: silent
}

// Bot is the incoming half.
type Bot struct{ listener *socket.Listener }

// New makes a Bot. It connects to nothing.
func New(c Config) (*Bot, error) {
	l, err := socket.New(socket.Config(c))
	if err != nil {
		return nil, fmt.Errorf("making the bot: %w", err)
	}
	return &Bot{listener: l}, nil
}

// Run listens to Slack until ctx ends, which is no error, or until Slack refuses the app
// token for good. It returns within five seconds of the end of ctx.
func (b *Bot) Run(ctx context.Context) error { return b.listener.Run(ctx) }

// Counts say how the connection to Slack is.
type Counts = socket.Counts

// Counts says how the connection to Slack is.
func (b *Bot) Counts() Counts { return b.listener.Counts() }
