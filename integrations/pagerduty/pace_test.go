package pagerduty_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/pagerduty"
)

func TestARefusalIsWaitedFor(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{})
		emu.Inject(pagerdutyemu.Fault{Method: "oncalls", Status: 429, Reset: 45 * time.Second, Times: 1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		got, err := pagerduty.New(config).Entries(ctx, sources(policy("PONE")), time.Time{}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 45*time.Second {
			t.Errorf("asked again after %s", took)
		}
		if !got.Read.Equal(began.Add(45 * time.Second)) {
			t.Errorf("read %s after the start, which is when it was refused", got.Read.Sub(began))
		}
	})
}

func TestARefusalThatOutlastsTheDeadlineIsToldAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{})
		emu.Inject(pagerdutyemu.Fault{Method: "oncalls", Status: 429, Reset: 45 * time.Second, Times: 1})
		client := pagerduty.New(config)
		began := time.Now()
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			_, err := client.Entries(ctx, sources(policy("PONE")), time.Time{}, time.Time{})
			cancel()
			wantFailure(t, err, pagerduty.ErrRateLimited)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %s", took)
		}
		if n := len(emu.Requests()); n != 1 {
			t.Errorf("%d requests while limited", n)
		}
		if _, err := client.Users(t.Context()); err != nil {
			t.Errorf("the limit of on-calls holds up users: %v", err)
		}
		time.Sleep(45 * time.Second)
		now(t, client, policy("PONE"))
	})
}

func TestARefusalWithoutHeadersHoldsUpEverybody(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		asked := 0
		transport := sender(func(r *http.Request) (*http.Response, error) {
			if asked++; asked == 1 {
				return reply(r, http.StatusTooManyRequests, nil), nil
			}
			return reply(r, http.StatusOK, nil), nil
		})
		client := pagerduty.New(pagerduty.Config{Key: grants.NewSecret(key), Transport: transport})
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := client.Entries(ctx, sources(policy("PONE")), time.Time{}, time.Time{})
			cancel()
			wantFailure(t, err, pagerduty.ErrRateLimited)
		}
		if asked != 1 {
			t.Errorf("%d requests after the refusal", asked-1)
		}
		began := time.Now()
		now(t, client, policy("PONE"))
		if took := time.Since(began); took > time.Minute {
			t.Errorf("an unsaid end of the limit was waited for %s", took)
		}
	})
}

func TestANewWindowHasItsOwnPace(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		began := time.Now()
		transport := sender(func(r *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			left, reset := "1", time.Minute-time.Since(began)
			if reset <= 0 {
				left, reset = "59", time.Minute
			}
			return reply(r, http.StatusOK, http.Header{
				"Ratelimit-Limit": {"60"}, "Ratelimit-Remaining": {left},
				"Ratelimit-Reset": {strconv.Itoa(int(reset.Seconds()))},
			}), nil
		})
		client := pagerduty.New(pagerduty.Config{Key: grants.NewSecret(key), Transport: transport})
		now(t, client, policy("PONE")) // somebody else has used up nearly all of the minute
		var asking sync.WaitGroup
		for range 5 {
			asking.Go(func() {
				if _, err := client.Entries(t.Context(), sources(policy("PONE")), time.Time{}, time.Time{}); err != nil {
					t.Error(err)
				}
			})
		}
		asking.Wait()
		if took := time.Since(began); took < 50*time.Second || took > 75*time.Second {
			t.Errorf("six requests around the end of a minute took %s", took)
		}
	})
}

// reply is an answer with an empty list.
func reply(r *http.Request, status int, header http.Header) *http.Response {
	body := io.NopCloser(strings.NewReader(onePage("")))
	return &http.Response{StatusCode: status, Header: header, Body: body, Request: r}
}

func TestWhatIsUsedUpIsNotAskedFor(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{OnCallsPerMinute: 6})
		client := pagerduty.New(config)
		began, answered := time.Now(), 0
		for time.Since(began) < 6*time.Hour {
			now(t, client, policy("PONE"))
			answered++
			time.Sleep(2 * time.Second)
		}
		for _, r := range emu.Requests() {
			if r.Status == 429 {
				t.Fatalf("refused at %s after the start", r.At.Sub(began))
			}
		}
		if answered < 5*6*60 {
			t.Errorf("%d answers in six hours, of %d that the limit allows", answered, 6*6*60)
		}
	})
}

func TestManyAtOnceStayBelowTheLimit(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{OnCallsPerMinute: 30})
		client := pagerduty.New(config)
		now(t, client, policy("PONE"))
		emu.Inject(pagerdutyemu.Fault{Method: "oncalls", Delay: 2 * time.Second})
		var asking sync.WaitGroup
		for range 50 {
			asking.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				if _, err := client.Entries(ctx, sources(policy("PONE")), time.Time{}, time.Time{}); err != nil {
					t.Error(err)
				}
			})
		}
		asking.Wait()
		refused := 0
		for _, r := range emu.Requests() {
			if r.Status == 429 {
				refused++
			}
		}
		if refused > 0 {
			t.Errorf("%d of %d requests were refused", refused, len(emu.Requests()))
		}
	})
}

func TestWaitingForTheLimitCanBeCancelled(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{})
		emu.Inject(pagerdutyemu.Fault{Method: "oncalls", Status: 429, Reset: time.Minute})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		began := time.Now()
		_, err := pagerduty.New(config).Entries(ctx, sources(policy("PONE")), time.Time{}, time.Time{})
		if !errors.Is(err, context.Canceled) || time.Since(began) != 10*time.Second {
			t.Errorf("error %v after %s", err, time.Since(began))
		}
	})
}
