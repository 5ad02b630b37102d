package send

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/time/rate"

	"nightlatch/bot/view"
	"nightlatch/grants"
	"nightlatch/grants/service"
)

// Where a surface is shown, as the service keeps it: "ephemeral/" and the phase that it
// showed, or channel/timestamp of a card, or channel/timestamp/phase of a verdict, or nowhere.
const (
	ephemeral = "ephemeral/"
	nowhere   = "nowhere"
)

// Show makes a surface of a grant show the notice.
func (s *Sender) Show(ctx context.Context, n service.Notice) (string, error) {
	f := view.Frame{Environment: s.environment, Who: n.Who}
	if n.Ref == nowhere {
		n.Ref = ""
	}
	var ref string
	var err error
	switch n.Surface {
	case service.Card:
		ref, err = s.showCard(ctx, n, f.Card(n))
	case service.Alert:
		ref, err = s.postDirect(ctx, n, f.DeadUse(n))
	case service.More:
		ref, err = s.showDirect(ctx, n, f.More(n), f.MoreElsewhere(n))
	case service.MoreCard:
		ref, err = s.showCard(ctx, n, f.MoreCard(n))
	default:
		ref, err = s.showVerdict(ctx, n, f.Verdict(n), f.Elsewhere(n))
	}
	if err != nil {
		return "", fmt.Errorf("showing the %s of grant %s: %w", n.Surface, n.Grant.ID, err)
	}
	return ref, nil
}

// showCard posts or updates a card. One that nobody has seen is not posted for a request or
// an extension that is over.
func (s *Sender) showCard(ctx context.Context, n service.Notice, m view.Message) (string, error) {
	state, _ := about(n)
	over := state == grants.Closed
	asked := n.Surface == service.MoreCard || n.Grant.Opened.IsZero()
	if n.Grant.Role.Channel == "" || (n.Ref == "" && over && asked) {
		return nowhere, nil
	}
	if n.Ref == "" {
		return s.post(ctx, n.Grant.Role.Channel, n.Surface, m)
	}
	err := s.update(ctx, n.Ref, n.Surface, m)
	if errors.Is(err, errNoMessage) {
		if over {
			return n.Ref, nil
		}
		return s.post(ctx, n.Grant.Role.Channel, n.Surface, m)
	}
	return n.Ref, err
}

// showVerdict shows the first verdict where the command was typed. What had to wait goes by
// direct message, which is pushed and survives the change from phone to laptop.
// What an earlier place showed is then only a hint to it.
func (s *Sender) showVerdict(ctx context.Context, n service.Notice, m, hint view.Message) (string, error) {
	g := n.Grant
	switch shown, inPlace := strings.CutPrefix(n.Ref, ephemeral); {
	case n.Ref == "":
		at, err := s.answers.first(g)
		if err != nil {
			return "", err
		}
		if at != "" && s.respond(ctx, at, m, true) == nil {
			return ephemeral + phase(g.State), nil
		}
	case inPlace:
		if s.replace(ctx, g, shown, m, hint) {
			return ephemeral + phase(g.State), nil
		}
	default:
		return s.showDirect(ctx, n, m, hint)
	}
	return s.postDirect(ctx, n, m)
}

// showDirect posts or updates a direct message. A decision that was waited for is a new one,
// and what waited is then only a hint to it.
func (s *Sender) showDirect(ctx context.Context, n service.Notice, m, hint view.Message) (string, error) {
	switch {
	case n.Ref == "":
		return s.postDirect(ctx, n, m)
	case decided(n):
		ref, err := s.postDirect(ctx, n, m)
		if err == nil { // what waits no longer must not be pressed; nothing is lost if it stays
			_ = s.update(ctx, n.Ref, n.Surface, hint)
		}
		return ref, err
	}
	err := s.update(ctx, n.Ref, n.Surface, m)
	if errors.Is(err, errNoMessage) {
		return s.postDirect(ctx, n, m)
	}
	return n.Ref, err
}

// about is the state and the outcome of what a surface shows: of the grant, or of an extension.
func about(n service.Notice) (grants.State, grants.Outcome) {
	if n.Surface == service.More || n.Surface == service.MoreCard {
		return n.Extension.State, n.Extension.Outcome
	}
	return n.Grant.State, n.Grant.Outcome
}

// decided reports whether a direct message shows what waited and waits no more. Changing a
// message notifies nobody, so that is told by a new one.
func decided(n service.Notice) bool {
	state, outcome := about(n)
	return strings.HasSuffix(n.Ref, "/"+string(grants.Pending)) && state != grants.Pending && outcome != grants.Withdrawn
}

// postDirect sends a message to the person of a grant.
func (s *Sender) postDirect(ctx context.Context, n service.Notice, m view.Message) (string, error) {
	dm, err := s.directChannel(ctx, n.Grant.Person.Slack())
	if err != nil {
		return "", err
	}
	ref, err := s.post(ctx, dm, n.Surface, m)
	if err != nil {
		return "", err
	}
	state, _ := about(n)
	return ref + "/" + phase(state), nil
}

// replace shows a verdict in place of an earlier ephemeral one. It reports whether that is
// enough: it is when nothing new happened, or when the person did it there and then.
func (s *Sender) replace(ctx context.Context, g grants.Grant, shown string, m, hint view.Message) bool {
	at := s.answers.again(g.ID)
	if at == "" {
		return false
	}
	enough := phase(g.State) == shown || g.Outcome == grants.Withdrawn || g.Outcome == grants.Returned
	if !enough {
		m = hint // the direct message has the buttons
	}
	return s.respond(ctx, at, m, true) == nil && enough
}

// phase is as much of a state as a person is told anew.
func phase(s grants.State) string {
	switch s {
	case grants.Closing, grants.Closed:
		return "over"
	default:
		return string(s)
	}
}

// errNoMessage says that a message is gone or can no longer be changed.
var errNoMessage = errors.New("the message is gone")

// goneCodes are Slack's names for that.
var goneCodes = []string{"message_not_found", "cant_update_message", "edit_window_closed"}

// closedCodes are Slack's names for a channel that only people can open again.
var closedCodes = []string{"channel_not_found", "not_in_channel", "is_archived", "restricted_action", "channel_is_archived"}

// post sends a message and says where it is.
func (s *Sender) post(ctx context.Context, channel string, surface service.Surface, m view.Message) (string, error) {
	const method = "chat.postMessage"
	if err := s.rested(method, surface); err != nil {
		return "", err
	}
	if err := s.pace(channel); err != nil {
		return "", err
	}
	in, ts, err := s.api.PostMessageContext(ctx, channel, content(m), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl())
	if err != nil {
		return "", s.notSent("posting a message", method, channel, err)
	}
	return in + "/" + ts, nil
}

// update changes a message that was sent before.
func (s *Sender) update(ctx context.Context, ref string, surface service.Surface, m view.Message) error {
	const method = "chat.update"
	channel, rest, ok := strings.Cut(ref, "/")
	if !ok {
		return errNoMessage
	}
	ts, _, _ := strings.Cut(rest, "/")
	if err := s.rested(method, surface); err != nil {
		return err
	}
	_, _, _, err := s.api.UpdateMessageContext(ctx, channel, ts, content(m))
	if err != nil && slices.Contains(goneCodes, code(err)) {
		return errNoMessage
	}
	if err != nil {
		return s.notSent("changing a message", method, channel, err)
	}
	return nil
}

func content(m view.Message) slack.MsgOption {
	return slack.MsgOptionCompose(slack.MsgOptionText(m.Text, false), slack.MsgOptionBlocks(m.Blocks...))
}

func (s *Sender) notSent(doing, method, channel string, err error) error {
	if c := code(err); slices.Contains(closedCodes, c) {
		return fmt.Errorf("%s: %w", doing, &ChannelError{Channel: channel, Code: c})
	}
	return s.failed(doing, method, err)
}

// pace lets one message a second into each channel.
func (s *Sender) pace(channel string) error {
	const kept = 1000 // limiters
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.channels) > kept {
		for c, l := range s.channels {
			if l.Tokens() >= 1 {
				delete(s.channels, c)
			}
		}
	}
	l := s.channels[channel]
	if l == nil {
		l = rate.NewLimiter(rate.Every(time.Second), 1)
		s.channels[channel] = l
	}
	return paced(l)
}

// paced takes a turn of a limiter, or says when there is one.
func paced(l *rate.Limiter) error {
	r := l.Reserve()
	if wait := r.Delay(); wait > 0 {
		r.Cancel()
		return &service.Wait{For: wait, Err: ErrRateLimited}
	}
	return nil
}

// directChannel finds the channel of the bot's direct messages with a person.
func (s *Sender) directChannel(ctx context.Context, user string) (string, error) {
	s.mu.Lock()
	id := s.dms[user]
	s.mu.Unlock()
	if id != "" {
		return id, nil
	}
	const method = "conversations.open"
	if err := s.rested(method, service.Verdict); err != nil {
		return "", err
	}
	c, _, _, err := s.api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{user}})
	if err != nil {
		return "", s.failed("opening a direct message", method, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dms[user] = c.ID
	return c.ID, nil
}

// Direct sends a person a direct message that is not kept track of.
func (s *Sender) Direct(ctx context.Context, user string, m view.Message) error {
	dm, err := s.directChannel(ctx, user)
	if err != nil {
		return err
	}
	_, err = s.post(ctx, dm, service.Verdict, m)
	return err
}

// Announce tells the security channel what it should look at.
func (s *Sender) Announce(ctx context.Context, a service.Announcement) error {
	if _, err := s.post(ctx, a.Channel, service.Card, view.Frame{Environment: s.environment}.News(a)); err != nil {
		return fmt.Errorf("telling the security channel: %w", err)
	}
	return nil
}
