// Package webhook tells a URL of ours: a second way to page when the first is silent, and the
// heartbeat that something outside waits for.
//
// A [Pager] and a [Heartbeat] have nothing to close. A Pager may be used by many goroutines at
// once; a Heartbeat beats for as long as its Run.
//
// Caveats: whoever has such a URL can use it, so it is a secret: it is in no error and in no log
// line, and no redirect is followed.
package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"nightlatch/grants"
)

// What went wrong, for errors.Is.
var (
	// ErrUnreachable: no answer, or one too late.
	ErrUnreachable = errors.New("the URL cannot be reached")
	// ErrRefused: an answer that is not a success.
	ErrRefused = errors.New("the URL's answer is no success")
)

// Pager posts an alarm as JSON: text, a sentence that most chat and telephone services show, and
// the alarm's own key, summary, since and over.
type Pager struct {
	URL       grants.Secret
	Transport http.RoundTripper // nil: http.DefaultTransport
}

type message struct {
	Text string `json:"text"`
	grants.Alarm
}

// Page posts the alarm once. Its context bounds it.
func (p Pager) Page(ctx context.Context, a grants.Alarm) error {
	m := message{Text: "Nightlatch: " + a.Summary, Alarm: a}
	if !a.Over.IsZero() {
		m.Text = "Nightlatch: this is over since " + a.Over.UTC().Format(time.RFC3339) + ": " + a.Summary
	}
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encoding an alarm: %w", err)
	}
	if err := call(ctx, p.Transport, http.MethodPost, p.URL, body); err != nil {
		return fmt.Errorf("posting an alarm: %w", err)
	}
	return nil
}

// Heartbeat asks a URL for something, again and again, as long as all is well. Whoever stands
// behind the URL pages when it stops: that is how a dead process is noticed.
type Heartbeat struct {
	URL       grants.Secret
	Every     time.Duration // default one minute
	Well      func() bool   // whether to beat
	Transport http.RoundTripper
	Log       *slog.Logger
}

// beatPatience bounds one beat.
const beatPatience = 10 * time.Second

// Run beats until its context ends.
func (h Heartbeat) Run(ctx context.Context) error {
	if h.Every == 0 {
		h.Every = time.Minute
	}
	failing := false
	for {
		if h.Well() {
			err := h.beat(ctx)
			if err != nil && !failing && ctx.Err() == nil {
				h.Log.Warn("the heartbeat does not arrive; whoever waits for it may page", "error", err)
			}
			failing = err != nil
		} else {
			h.Log.Error("no heartbeat: the sweep does not get on")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(h.Every):
		}
	}
}

func (h Heartbeat) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, min(beatPatience, h.Every))
	defer cancel()
	return call(ctx, h.Transport, http.MethodGet, h.URL, nil)
}

// call makes one request whose errors never name the URL.
func call(ctx context.Context, transport http.RoundTripper, method string, target grants.Secret, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, method, target.Expose(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%w: it is no URL", ErrRefused)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	client := http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		if outer, ok := errors.AsType[*url.Error](err); ok {
			err = outer.Err // the outer one has the URL
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", ErrUnreachable, ctx.Err())
		}
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection can be used again
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%w: status %d", ErrRefused, response.StatusCode)
	}
	return nil
}
