package pagerduty

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	pd "github.com/PagerDuty/go-pagerduty"

	"nightlatch/grants"
)

// What went wrong, for errors.Is. An error of this package is one of them, or context.Canceled. Where the context's
// deadline was what ended the wait, it is context.DeadlineExceeded as well.
var (
	// ErrUnreachable: no answer, an answer too late, or one with status 5xx.
	ErrUnreachable = errors.New("PagerDuty cannot be reached")
	// ErrRateLimited: PagerDuty wants us to wait for longer than the context allows.
	ErrRateLimited = errors.New("PagerDuty limits our requests")
	// ErrUnauthorized: the key is wrong or may not do this.
	ErrUnauthorized = errors.New("PagerDuty refuses the key")
	// ErrBadAnswer: an answer that cannot be relied on, or one that says that the request was wrong.
	ErrBadAnswer = errors.New("PagerDuty's answer makes no sense")
)

const (
	mostTries   = 4
	firstPause  = 250 * time.Millisecond // before the second try after 5xx; doubled each time
	mostAnswer  = 8 << 20                // bytes; a page of 100 entries has 100 KB
	mostMessage = 300                    // bytes of a foreign message that an error repeats
)

// exchange is one request and its answer. The library hides both headers and causes, so this stands between it and the
// HTTP client and keeps them.
type exchange struct {
	http    *http.Client
	timeout time.Duration
	whole   func(body []byte) error // what makes a 2xx answer whole

	status int // 0: no answer
	header http.Header
	err    error // why there is no answer
	bad    error // why the answer cannot be used
}

// Do sends the request and reads the whole answer within the time for one request.
func (x *exchange) Do(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(r.Context(), x.timeout)
	defer cancel()
	response, err := x.http.Do(r.WithContext(ctx))
	if err != nil {
		x.err = x.cause(err)
		return nil, x.err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer+1))
	if err != nil {
		x.err = x.cause(err)
		return nil, x.err
	}
	x.status, x.header = response.StatusCode, response.Header
	switch {
	case len(body) > mostAnswer:
		x.bad = errors.New("an answer of more than 8 MiB")
	case x.status/100 == 2 && x.whole != nil:
		x.bad = x.whole(body)
	}
	if x.bad != nil {
		return nil, x.bad
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// cause leaves out the URL, which may be 2 KB long, and says what a deadline was.
func (x *exchange) cause(err error) error {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s", x.timeout)
	}
	return err
}

// ask gets one page, at the pace that PagerDuty allows, and tries again where that may help.
func ask[T any](ctx context.Context, c *Client, pace *pacer, get func(*pd.Client) (pd.APIListObject, []T, error)) (page[T], error) {
	var got page[T]
	_, err := c.exchange(ctx, pace, complete, func(api *pd.Client) (err error) {
		got.sent = time.Now().UTC()
		got.APIListObject, got.items, err = get(api)
		return err
	})
	if err != nil {
		return page[T]{}, err
	}
	return got, nil
}

// exchange asks one question, at the pace that PagerDuty allows, and again where that may help. It returns the status
// of the last answer, and 0 if there was none.
func (c *Client) exchange(ctx context.Context, pace *pacer, whole func([]byte) error, get func(*pd.Client) error) (status int, err error) {
	for try := 1; ; try++ {
		if err := pace.wait(ctx); err != nil {
			return 0, err
		}
		x := &exchange{http: c.http, timeout: c.timeout, whole: whole}
		api := pd.NewClient(c.key.Expose(), pd.WithAPIEndpoint(c.base))
		api.HTTPClient = x
		err := get(api)
		limited := pace.learn(x.status, x.header, time.Now())
		if err == nil {
			return x.status, nil
		}
		failure := judge(ctx, x, c.key, err)
		pause := limited
		if x.status >= http.StatusInternalServerError {
			pause = firstPause << (try - 1)
		}
		if pause == 0 || try == mostTries || !fits(ctx, pause) {
			return x.status, failure
		}
		c.log.WarnContext(ctx, "asking PagerDuty again", "status", x.status, "pause", pause, "try", try)
		if err := sleep(ctx, pause, failure); err != nil {
			return 0, err
		}
	}
}

// judge makes one of our errors of what happened. The foreign text is repeated without the key, should it hold it.
func judge(ctx context.Context, x *exchange, secret grants.Secret, err error) error {
	kind := ErrBadAnswer
	switch {
	case x.err != nil && ctx.Err() != nil:
		return ended(ctx, ErrUnreachable)
	case x.err != nil:
		kind, err = ErrUnreachable, x.err
	case x.bad != nil:
		err = x.bad
	case x.status == http.StatusTooManyRequests:
		kind = ErrRateLimited
	case x.status == http.StatusUnauthorized || x.status == http.StatusForbidden:
		kind = ErrUnauthorized
	case x.status >= http.StatusInternalServerError:
		kind = ErrUnreachable
	}
	text := err.Error()
	if key := secret.Expose(); key != "" {
		text = strings.ReplaceAll(text, key, secret.String())
	}
	return fmt.Errorf("%w: %.*s", kind, mostMessage, text)
}

// ended is the error of a context that is over: cancelling is the caller's own doing, a deadline has a reason.
func ended(ctx context.Context, reason error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", reason, ctx.Err())
	}
	return fmt.Errorf("asking PagerDuty: %w", ctx.Err())
}

func fits(ctx context.Context, pause time.Duration) bool {
	deadline, bounded := ctx.Deadline()
	return !bounded || time.Now().Add(pause).Before(deadline)
}

func sleep(ctx context.Context, pause time.Duration, reason error) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx, reason)
	}
}
