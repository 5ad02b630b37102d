// Package send is the outgoing half of the bot: what Slack is told and asked.
//
// A [Sender] shows grants to people as the service wants them shown, lists the people of
// Slack, opens and fills modals, and answers presses. It keeps Slack's pace: one message a
// second and channel, and no call before the time that Slack's Retry-After named; whoever is too early gets a *service.Wait.
//
// Life cycle: [New] makes it before the service, because the service tells through it. It
// has no goroutines and nothing to close; any number of goroutines may use it.
//
// Caveats: a response_url is a bearer URL. It lives in memory only, so after a restart
// verdicts go by direct message. No error tells a URL, a token, or a part of what was sent
// or answered.
package send

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/time/rate"

	"nightlatch/grants"
)

// DefaultURL is Slack's own Web API.
const DefaultURL = "https://slack.com/api/"

// Config is what a Sender is made of. BotToken must be set.
type Config struct {
	BotToken    grants.Secret
	APIURL      string            // default DefaultURL; the slash at the end may be missing
	Transport   http.RoundTripper // nil: a clone of http.DefaultTransport
	Environment string            // "playground" is shown on every card and verdict
	Log         *slog.Logger      // nil: silent
}

// Sender talks to Slack's Web API and to response URLs.
type Sender struct {
	api         *slack.Client
	http        *http.Client
	clock       *clock
	host        string // of the Web API; response URLs may be there too
	environment string
	log         *slog.Logger

	mu       sync.Mutex
	channels map[string]*rate.Limiter // chat.postMessage, by channel
	accounts *rate.Limiter            // users.info
	pauses   map[string]time.Time     // by method: not before
	dms      map[string]string        // Slack user ID → channel of the direct messages
	answers  answers
}

// callTimeout bounds one call; every caller's context may be shorter.
const callTimeout = 10 * time.Second

// New makes a Sender. It calls nobody.
func New(c Config) (*Sender, error) {
	if c.BotToken.Expose() == "" {
		return nil, fmt.Errorf("making the Slack sender: the bot token is empty")
	}
	base, host, err := BaseURL(c.APIURL)
	if err != nil {
		return nil, fmt.Errorf("making the Slack sender: %w", err)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	client := NewClient(c.Transport)
	slackClock := &clock{next: client.Transport, host: host}
	client.Transport = slackClock
	return &Sender{
		clock: slackClock,
		api:   slack.New(c.BotToken.Expose(), slack.OptionAPIURL(base), slack.OptionHTTPClient(client)),
		http:  client, host: host, environment: c.Environment, log: c.Log,
		channels: map[string]*rate.Limiter{}, accounts: rate.NewLimiter(rate.Every(accountsApart), accountsAtOnce),
		pauses: map[string]time.Time{}, dms: map[string]string{}, answers: newAnswers(),
	}, nil
}

// NewClient makes an HTTP client that follows no redirect: one would carry a token or a
// secret to a place that nobody configured.
func NewClient(transport http.RoundTripper) *http.Client {
	if transport == nil {
		transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	return &http.Client{
		Transport: transport, Timeout: callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// BaseURL reads the URL of a Web API: with the slash at its end that slack-go needs, and its host.
func BaseURL(raw string) (base, host string, err error) {
	if raw == "" {
		raw = DefaultURL
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || u.RawQuery != "" {
		return "", "", fmt.Errorf("the Slack API URL is not of the form https://host/path/")
	}
	return strings.TrimSuffix(raw, "/") + "/", u.Host, nil
}

// Identity is who the bot token belongs to.
type Identity struct {
	Team, TeamName string
	Enterprise     string // empty: the workspace belongs to none
	BotUser        string // the bot's own Slack user ID
}

// Identify asks Slack whose bot token this is.
func (s *Sender) Identify(ctx context.Context) (Identity, error) {
	a, err := s.api.AuthTestContext(ctx)
	if err != nil {
		return Identity{}, s.failed("asking Slack who the bot is", "auth.test", err)
	}
	if a.TeamID == "" || a.UserID == "" {
		return Identity{}, fmt.Errorf("asking Slack who the bot is: %w", ErrBadAnswer)
	}
	return Identity{Team: a.TeamID, TeamName: a.Team, Enterprise: a.EnterpriseID, BotUser: a.UserID}, nil
}
