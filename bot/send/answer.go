package send

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"nightlatch/bot/view"
	"nightlatch/grants"
	"nightlatch/grants/service"
)

// Slack lets a response_url be used five times in half an hour. We stop a little before.
const (
	answerUses = 5
	answerLife = 29 * time.Minute
)

// soon is how fresh a command must be for its verdict to be shown where it was typed.
// Later, the person is no longer looking there.
const soon = 30 * time.Second

// answers are the response URLs that may still be used, in memory only.
type answers struct {
	mu       sync.Mutex
	requests map[string]answerURL // by request, before its grant has an ID that we know
	grants   map[string]answerURL // by grant
	swept    time.Time
}

type answerURL struct {
	url   string
	born  time.Time
	uses  int
	ready time.Time // when the acknowledgement of the command has surely left, so that the verdict comes after it; zero: not acknowledged
}

// Slack shows the acknowledgement of a command as an answer, too. The verdict waits for it,
// a moment at a time, so that it comes second and can be replaced later.
const (
	moment     = 200 * time.Millisecond
	mostMoment = 3 * time.Second
	leaves     = 100 * time.Millisecond // the client says only that an acknowledgement is queued
)

func newAnswers() answers {
	return answers{requests: map[string]answerURL{}, grants: map[string]answerURL{}}
}

// request names a person's request before it has an ID.
func request(p grants.PersonKey, role string) string { return string(p) + " " + role }

// Expect keeps the response URL of a command, so that the first verdict on it can be shown
// where it was typed. It is called before the request is recorded, because the verdict may
// come before the call that recorded it returns.
func (s *Sender) Expect(p grants.PersonKey, role, responseURL string) {
	s.answers.put(request(p, role), "", responseURL)
}

// Acknowledged says that the command of a request was acknowledged, so that its verdict may follow.
func (s *Sender) Acknowledged(p grants.PersonKey, role string) {
	s.answers.mu.Lock()
	defer s.answers.mu.Unlock()
	if u, ok := s.answers.requests[request(p, role)]; ok {
		u.ready = time.Now().Add(leaves)
		s.answers.requests[request(p, role)] = u
	}
}

// Remember keeps the response URL of a press in a grant's ephemeral verdict, which lets it
// be replaced.
func (s *Sender) Remember(grant, responseURL string) { s.answers.put("", grant, responseURL) }

func (a *answers) put(request, grant, raw string) {
	if raw == "" {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	fresh := answerURL{url: raw, born: time.Now()}
	a.sweep(fresh.born)
	if grant != "" {
		a.grants[grant] = fresh
		return
	}
	a.requests[request] = fresh
}

// sweep forgets what nobody may use any more, once a minute.
func (a *answers) sweep(now time.Time) {
	if now.Sub(a.swept) < time.Minute {
		return
	}
	a.swept = now
	old := func(life time.Duration) func(string, answerURL) bool {
		return func(_ string, u answerURL) bool { return now.Sub(u.born) > life }
	}
	maps.DeleteFunc(a.requests, old(soon))
	maps.DeleteFunc(a.grants, old(answerLife))
}

// first takes the URL of the command that asked for a grant, while it is fresh. Its error
// says to come back.
func (a *answers) first(g grants.Grant) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := request(g.Person, g.Role.Name)
	u, ok := a.requests[key]
	if !ok || time.Since(u.born) > soon {
		return "", nil
	}
	switch left := time.Until(u.ready); {
	case u.ready.IsZero() && time.Since(u.born) < mostMoment:
		return "", &service.Wait{For: moment, Err: errNotAcknowledged}
	case left > 0:
		return "", &service.Wait{For: left, Err: errNotAcknowledged}
	}
	delete(a.requests, key)
	u.uses++
	a.grants[g.ID] = u
	return u.url, nil
}

var errNotAcknowledged = errors.New("the command is being acknowledged")

// again takes the URL of a grant's ephemeral once more, if it may be used again.
func (a *answers) again(grant string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	u, ok := a.grants[grant]
	if !ok || u.uses >= answerUses || time.Since(u.born) > answerLife {
		return ""
	}
	u.uses++
	a.grants[grant] = u
	return u.url
}

// Answer tells something to whoever pressed or typed, and to nobody else.
func (s *Sender) Answer(ctx context.Context, responseURL string, m view.Message) error {
	return s.respond(ctx, responseURL, m, false)
}

// Replace tells something to whoever pressed, in place of the message that they pressed in.
func (s *Sender) Replace(ctx context.Context, responseURL string, m view.Message) error {
	return s.respond(ctx, responseURL, m, true)
}

// respond posts to a response URL, beside or in place of what was there.
func (s *Sender) respond(ctx context.Context, responseURL string, m view.Message, replace bool) error {
	if !s.slackURL(responseURL) {
		return fmt.Errorf("answering a press: %w: the response URL is not Slack's", ErrRefused)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := slack.PostWebhookCustomHTTPContext(ctx, responseURL, s.http, &slack.WebhookMessage{
		Text: m.Text, Blocks: &slack.Blocks{BlockSet: m.Blocks},
		ResponseType: slack.ResponseTypeEphemeral, ReplaceOriginal: replace,
	})
	if err != nil {
		return s.failed("answering a press", "response_url", err)
	}
	return nil
}

// slackURL keeps us from posting to a host that an envelope made up.
func (s *Sender) slackURL(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil {
		return false
	}
	if u.Host == s.host {
		return true
	}
	return u.Scheme == "https" && (strings.HasSuffix(u.Host, ".slack.com") || strings.HasSuffix(u.Host, ".slack-gov.com"))
}
