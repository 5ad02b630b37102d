package send

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"nightlatch/grants/service"
)

// What can go wrong between us and Slack. Each error of a Sender wraps one of them, or is a
// *ChannelError or the end of its context.
var (
	// ErrAuth says that Slack does not accept the token for this.
	ErrAuth = errors.New("slack does not accept the token for this")
	// ErrRateLimited says that Slack, or the pace that it asks for, wants a pause.
	ErrRateLimited = errors.New("slack wants a pause")
	// ErrUnreachable says that Slack was not reached or did not answer.
	ErrUnreachable = errors.New("slack does not answer")
	// ErrRefused says that Slack answered no; the error's text has its code.
	ErrRefused = errors.New("slack refused it")
	// ErrModalClosed says that its person has closed a modal, so that it shows nothing any more.
	ErrModalClosed = errors.New("the modal is closed")
	// ErrBadAnswer says that Slack's answer could not be understood.
	ErrBadAnswer = errors.New("slack's answer could not be understood")
)

// ChannelError says that a channel cannot be written to, which only people can change.
type ChannelError struct {
	Channel string
	Code    string // Slack's: channel_not_found, not_in_channel, is_archived, …
}

// Unwrap tells the service what kind of failure this is.
func (e *ChannelError) Unwrap() error { return service.ErrChannel }

func (e *ChannelError) Error() string {
	return fmt.Sprintf("channel %s cannot be written to (%s): invite the bot or change the role's channel", e.Channel, e.Code)
}

// codes that mean that a token will not do, whatever is sent with it.
var authCodes = []string{
	"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope",
	"not_allowed_token_type", "no_permission", "ekm_access_denied",
}

// failed makes an error of slack-go one of ours: without URLs, bodies or answers, which it
// may hold. It also remembers how long a method must rest.
func (s *Sender) failed(doing, method string, err error) error {
	if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		wait := max(limited.RetryAfter, time.Second)
		s.rest(method, wait)
		return &service.Wait{For: wait, Err: fmt.Errorf("%s: %w", doing, ErrRateLimited)}
	}
	return fmt.Errorf("%s: %w", doing, Plainly(err))
}

// Plainly takes out of an error of slack-go or net/http whatever nobody may read: the
// URL that was called, and what was answered.
func Plainly(err error) error {
	if answer, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		switch {
		case answer.Needed != "":
			return fmt.Errorf("%w (%s: needs %s)", ErrAuth, answer.Err, answer.Needed)
		case slices.Contains(authCodes, answer.Err):
			return fmt.Errorf("%w (%s)", ErrAuth, answer.Err)
		}
		return fmt.Errorf("%w (%s)", ErrRefused, answer.Err)
	}
	if status, ok := errors.AsType[slack.StatusCodeError](err); ok {
		return fmt.Errorf("%w (HTTP status %d)", ErrUnreachable, status.Code)
	}
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w in time: %w", ErrUnreachable, context.DeadlineExceeded)
	}
	if inURL, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("%w: %w", ErrUnreachable, inURL.Err)
	}
	return ErrBadAnswer
}

// code is Slack's own name of what went wrong, or empty.
func code(err error) string {
	answer, _ := errors.AsType[slack.SlackErrorResponse](err)
	return answer.Err
}

// rest remembers that a method must not be called for a while.
func (s *Sender) rest(method string, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pauses[method] = time.Now().Add(wait)
}

// rested says whether a method may be called again. Cards wait a second longer than what a
// person waits for, so that verdicts go first after a pause.
func (s *Sender) rested(method string, surface service.Surface) error {
	card := surface == service.Card || surface == service.MoreCard
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.pauses[method]
	if !ok {
		return nil
	}
	if card {
		at = at.Add(time.Second)
	}
	if wait := time.Until(at); wait > 0 {
		return &service.Wait{For: wait, Err: ErrRateLimited}
	}
	if card {
		delete(s.pauses, method)
	}
	return nil
}
