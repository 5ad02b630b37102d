package send

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"nightlatch/grants"
)

// Scopes are the permissions that the bot token needs, sorted. deploy/slack-manifest.yaml asks for
// them, and says what each is for.
func Scopes() []string {
	return []string{
		"channels:read", "chat:write", "commands", "groups:read", "im:write", "usergroups:read", "users:read", "users:read.email",
	}
}

// Installation is what Slack says of the app as it is installed.
type Installation struct {
	Identity
	App    string        // the app's ID; empty: Slack did not say
	Scopes []string      // what was granted; nil: Slack did not say
	Ahead  time.Duration // how far our clock is ahead of Slack's; Slack's has whole seconds
	Dated  bool          // Slack said its time
}

// Inspect asks Slack about the installation, whose token this is and what it may do.
func (s *Sender) Inspect(ctx context.Context) (Installation, error) {
	sent := time.Now()
	a, err := s.api.AuthTestContext(ctx)
	if err != nil {
		return Installation{}, s.failed("asking Slack who the bot is", "auth.test", err)
	}
	if a.TeamID == "" || a.UserID == "" {
		return Installation{}, fmt.Errorf("asking Slack who the bot is: %w", ErrBadAnswer)
	}
	in := Installation{
		Identity: Identity{Team: a.TeamID, TeamName: a.Team, Enterprise: a.EnterpriseID, BotUser: a.UserID},
		Scopes:   list(a.Header.Get("X-OAuth-Scopes")),
	}
	if date, err := http.ParseTime(a.Header.Get("Date")); err == nil {
		// It was written at some time between question and answer, and lost its fraction.
		in.Ahead, in.Dated = apart(date, sent, time.Now()), true
	}
	bot, err := s.api.GetUserInfoContext(ctx, a.UserID)
	if err == nil {
		in.App = bot.Profile.ApiAppID
		return in, nil
	}
	if err = s.failed("reading the bot's own account", "users.info", err); errors.Is(err, ErrAuth) {
		return in, nil // a scope is missing, which the scopes tell
	}
	return in, err
}

// apart is how far a clock that read first at the question and last at the answer is ahead of a
// date between them that was cut to a second.
func apart(date, first, last time.Time) time.Duration {
	switch {
	case first.After(date.Add(time.Second)):
		return first.Sub(date.Add(time.Second))
	case last.Before(date):
		return last.Sub(date)
	}
	return 0
}

// list takes a header apart.
func list(header string) []string {
	var words []string
	for word := range strings.SplitSeq(header, ",") {
		if word = strings.TrimSpace(word); word != "" {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	return words
}

// Channel is a channel as far as a card in it is concerned.
type Channel struct {
	Name     string
	Member   bool // the bot is in it
	Archived bool
	Shared   bool // with another organisation, or about to be
}

// Channel reads one channel. Its error is a *ChannelError if there is none that the bot can see.
func (s *Sender) Channel(ctx context.Context, id string) (Channel, error) {
	c, err := s.api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
	switch {
	case err != nil && code(err) == "channel_not_found":
		return Channel{}, &ChannelError{Channel: id, Code: code(err)}
	case err != nil:
		return Channel{}, s.failed("reading the channel "+id, "conversations.info", err)
	case c.ID != id:
		return Channel{}, fmt.Errorf("reading the channel %s: %w", id, ErrBadAnswer)
	}
	return Channel{
		Name: c.Name, Member: c.IsMember, Archived: c.IsArchived, Shared: c.IsExtShared || c.IsPendingExtShared,
	}, nil
}

// ErrNoSuchGroup says that Slack has no user group of this ID, or a disabled one.
var ErrNoSuchGroup = errors.New("slack has no such user group")

// Group reports how many members a user group has. Its error wraps ErrNoSuchGroup if there is none.
func (s *Sender) Group(ctx context.Context, id string) (members int, err error) {
	found, err := s.api.GetUserGroupMembersContext(ctx, id)
	switch {
	case err != nil && code(err) == "no_such_subteam":
		return 0, fmt.Errorf("reading the user group %s: %w", id, ErrNoSuchGroup)
	case err != nil:
		return 0, s.failed("reading the user group "+id, "usergroups.users.list", err)
	}
	return len(found), nil
}

// CanConnect asks Slack for a Socket Mode connection with an app-level token, and does not open it.
func CanConnect(ctx context.Context, c Config, app grants.Secret) error {
	base, _, err := BaseURL(c.APIURL)
	if err != nil {
		return fmt.Errorf("asking Slack for a connection: %w", err)
	}
	api := slack.New("", slack.OptionAppLevelToken(app.Expose()), slack.OptionAPIURL(base), slack.OptionHTTPClient(NewClient(c.Transport)))
	if _, _, err := api.StartSocketModeContext(ctx); err != nil {
		if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
			return fmt.Errorf("asking Slack for a connection: %w, of %s", ErrRateLimited, limited.RetryAfter)
		}
		return fmt.Errorf("asking Slack for a connection: %w", Plainly(err))
	}
	return nil
}

// AppOf is the ID of the app that an app-level token says to be of, or empty: the token's form is
// Slack's own business.
func AppOf(token grants.Secret) string {
	parts := strings.Split(token.Expose(), "-")
	if len(parts) < 4 || parts[0] != "xapp" || !strings.HasPrefix(parts[2], "A") {
		return ""
	}
	return parts[2]
}
