package pagerduty_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/pagerduty"
)

// onePage is an answer of /oncalls with the given entries.
func onePage(entries string) string {
	return `{"oncalls":[` + entries + `],"limit":100,"offset":0,"more":false,"total":null}`
}

func entry(times string) string {
	return `{"user":{"id":"PANA"},"escalation_policy":{"id":"PONE"},"escalation_level":1,"schedule":null` + times + `}`
}

func says(body string) pagerdutyemu.Fault {
	return pagerdutyemu.Fault{Method: "*", Body: body}
}

func TestFailuresAreToldApartAndNameNoKey(t *testing.T) {
	refused := func(status int) pagerdutyemu.Fault { return pagerdutyemu.Fault{Method: "*", Status: status} }
	for name, test := range map[string]struct {
		fault pagerdutyemu.Fault
		want  error
	}{
		"dropped connection": {pagerdutyemu.Fault{Method: "*", Drop: true}, pagerduty.ErrUnreachable},
		"slow":               {pagerdutyemu.Fault{Method: "*", Delay: 10 * time.Second}, pagerduty.ErrUnreachable},
		"500":                {refused(500), pagerduty.ErrUnreachable},
		"503":                {refused(503), pagerduty.ErrUnreachable},
		"401":                {refused(401), pagerduty.ErrUnauthorized},
		"403":                {refused(403), pagerduty.ErrUnauthorized},
		"429":                {refused(429), pagerduty.ErrRateLimited},
		"400":                {refused(400), pagerduty.ErrBadAnswer},
		"404":                {refused(404), pagerduty.ErrBadAnswer},
		"redirect":           {refused(302), pagerduty.ErrBadAnswer},
		"key told back":      {pagerdutyemu.Fault{Method: "*", Status: 400, Body: `{"error":{"code":1,"message":"no ` + key + `"}}`}, pagerduty.ErrBadAnswer},
		"error that is no JSON": {
			pagerdutyemu.Fault{Method: "*", Status: 502, Body: "<html>" + key}, pagerduty.ErrUnreachable,
		},
		"HTML":                    {says("<html>" + key + "</html>"), pagerduty.ErrBadAnswer},
		"cut short":               {says(`{"oncalls":[`), pagerduty.ErrBadAnswer},
		"empty object":            {says(`{}`), pagerduty.ErrBadAnswer},
		"null":                    {says(`null`), pagerduty.ErrBadAnswer},
		"list is null":            {says(`{"oncalls":null,"users":null,"limit":100,"offset":0,"more":false}`), pagerduty.ErrBadAnswer},
		"no more":                 {says(`{"oncalls":[],"users":[],"limit":100,"offset":0}`), pagerduty.ErrBadAnswer},
		"another page":            {says(`{"oncalls":[],"users":[],"limit":100,"offset":100,"more":false}`), pagerduty.ErrBadAnswer},
		"empty page with more":    {says(`{"oncalls":[],"users":[],"limit":100,"offset":0,"more":true}`), pagerduty.ErrBadAnswer},
		"page without a length":   {says(`{"oncalls":[],"users":[],"limit":0,"offset":0,"more":true}`), pagerduty.ErrBadAnswer},
		"too large":               {says(`{"oncalls":[],"users":[],"limit":100,"offset":0,"more":false}` + strings.Repeat(" ", 9<<20)), pagerduty.ErrBadAnswer},
		"no end":                  {says(onePage(entry(`,"start":null`))), pagerduty.ErrBadAnswer},
		"empty end":               {says(onePage(entry(`,"start":null,"end":""`))), pagerduty.ErrBadAnswer},
		"end is no time":          {says(onePage(entry(`,"start":null,"end":"soon"`))), pagerduty.ErrBadAnswer},
		"end without zone":        {says(onePage(entry(`,"start":null,"end":"2030-01-02T03:04:05"`))), pagerduty.ErrBadAnswer},
		"end in the year one":     {says(onePage(entry(`,"start":null,"end":"0001-01-01T00:00:00Z"`))), pagerduty.ErrBadAnswer},
		"end is a number":         {says(onePage(entry(`,"start":null,"end":17`))), pagerduty.ErrBadAnswer},
		"start is no time":        {says(onePage(entry(`,"start":"earlier","end":null`))), pagerduty.ErrBadAnswer},
		"entry without a user":    {says(onePage(`{"escalation_policy":{"id":"P"},"escalation_level":1,"start":null,"end":null}`)), pagerduty.ErrBadAnswer},
		"entry without a policy":  {says(onePage(`{"user":{"id":"P"},"escalation_level":1,"start":null,"end":null}`)), pagerduty.ErrBadAnswer},
		"entry without its level": {says(onePage(`{"user":{"id":"P"},"escalation_policy":{"id":"P"},"start":null,"end":null}`)), pagerduty.ErrBadAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				emu, config := account(t, pagerdutyemu.Config{})
				emu.Inject(test.fault)
				var log bytes.Buffer
				config.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				client := pagerduty.New(config)
				_, err := client.Entries(t.Context(), sources(policy("PONE")), time.Time{}, time.Time{})
				wantFailure(t, err, test.want)
				wantNoKey(t, fmt.Sprintf("%v %+v %#v", err, err, err)+log.String())
				if n := len(emu.Requests()); n != 1 && errors.Is(err, pagerduty.ErrBadAnswer) {
					t.Errorf("%d requests, although asking again cannot help", n)
				}
				if !strings.Contains(test.fault.Body, `"oncalls":[{`) {
					_, err = client.Users(t.Context())
					wantFailure(t, err, test.want)
					wantNoKey(t, err.Error()+log.String())
				}
			})
		})
	}
}

func wantFailure(t *testing.T, err, want error) {
	t.Helper()
	if err == nil && want != nil {
		t.Fatalf("no error, want %q", want)
	}
	for _, kind := range []error{
		pagerduty.ErrUnreachable, pagerduty.ErrRateLimited, pagerduty.ErrUnauthorized, pagerduty.ErrBadAnswer,
	} {
		if errors.Is(err, kind) != (kind == want) {
			t.Errorf("error %v: is %q = %v", err, kind, errors.Is(err, kind))
		}
	}
}

// wantNoKey looks for the key as it stands and in base64 at its three offsets.
func wantNoKey(t *testing.T, text string) {
	t.Helper()
	if strings.Contains(text, key) {
		t.Errorf("the key stands in %s", text)
	}
	for offset := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", offset) + key))
		if strings.Contains(text, encoded[4:len(encoded)-4]) {
			t.Errorf("the key stands in base64 in %s", text)
		}
	}
}

func TestWrongKeyIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_, config := account(t, pagerdutyemu.Config{})
		config.Key = grants.NewSecret("u+another")
		_, err := pagerduty.New(config).Users(t.Context())
		wantFailure(t, err, pagerduty.ErrUnauthorized)
		if strings.Contains(err.Error(), "u+another") {
			t.Errorf("the key stands in %v", err)
		}
	})
}

// sender is a transport made of a function.
type sender func(*http.Request) (*http.Response, error)

func (s sender) RoundTrip(r *http.Request) (*http.Response, error) { return s(r) }

func TestTransportThatRepeatsHeadersDoesNotTellTheKey(t *testing.T) {
	for name, secret := range map[string]string{"plain": key, "not fit for a header": key + "\n" + key} {
		t.Run(name, func(t *testing.T) {
			transport := sender(func(r *http.Request) (*http.Response, error) {
				return nil, fmt.Errorf("proxy refused %v", r.Header)
			})
			client := pagerduty.New(pagerduty.Config{Key: grants.NewSecret(secret), Transport: transport})
			_, err := client.Entries(t.Context(), sources(policy("PONE")), time.Time{}, time.Time{})
			wantFailure(t, err, pagerduty.ErrUnreachable)
			wantNoKey(t, err.Error())
		})
	}
}

func TestARedirectDoesNotTakeTheKeyAlong(t *testing.T) {
	asked := 0
	transport := sender(func(r *http.Request) (*http.Response, error) {
		asked++
		header := http.Header{"Location": {"http://pagerduty.test/elsewhere"}}
		return &http.Response{StatusCode: http.StatusFound, Header: header, Body: http.NoBody, Request: r}, nil
	})
	client := pagerduty.New(pagerduty.Config{Key: grants.NewSecret(key), BaseURL: "http://pagerduty.test", Transport: transport})
	_, err := client.Users(t.Context())
	wantFailure(t, err, pagerduty.ErrBadAnswer)
	if asked != 1 {
		t.Errorf("%d requests", asked)
	}
}

func TestSlowAnswersEndWithTheDeadline(t *testing.T) {
	for name, test := range map[string]struct {
		deadline, timeout, took time.Duration
		exceeded                bool
	}{
		"the caller's":              {deadline: 3 * time.Second, took: 3 * time.Second, exceeded: true},
		"the default of a request":  {deadline: time.Minute, took: 5 * time.Second},
		"the request's own":         {deadline: time.Minute, timeout: 2 * time.Second, took: 2 * time.Second},
		"a caller's without an end": {took: 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				emu, config := account(t, pagerdutyemu.Config{})
				emu.Inject(pagerdutyemu.Fault{Method: "*", Delay: 10 * time.Second})
				config.Timeout = test.timeout
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				began := time.Now()
				_, err := pagerduty.New(config).Entries(ctx, sources(policy("PONE")), time.Time{}, time.Time{})
				wantFailure(t, err, pagerduty.ErrUnreachable)
				if errors.Is(err, context.DeadlineExceeded) != test.exceeded {
					t.Errorf("error %v: is DeadlineExceeded = %v", err, !test.exceeded)
				}
				if took := time.Since(began); took != test.took {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

func TestCancellingIsNotPagerDutysFault(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{})
		held := emu.Hold(pagerdutyemu.Hold{Method: "oncalls", When: pagerdutyemu.Before})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-held.Arrived()
			cancel()
		}()
		_, err := pagerduty.New(config).Entries(ctx, sources(policy("PONE")), time.Time{}, time.Time{})
		wantFailure(t, err, nil)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

func TestAFailureOnALaterPageIsNoShorterList(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{})
		emu.PutPolicy(pagerdutyemu.Policy{ID: "PONE", Levels: []pagerdutyemu.Level{{{User: "PANA"}, {User: "PBEN"}}}})
		emu.Inject(pagerdutyemu.Fault{Method: "oncalls", Skip: 1, Drop: true})
		config.PageSize = 1
		got, err := pagerduty.New(config).Entries(t.Context(), sources(policy("PONE")), time.Time{}, time.Time{})
		wantFailure(t, err, pagerduty.ErrUnreachable)
		if len(got.Entries) != 0 {
			t.Errorf("%d entries come with the error", len(got.Entries))
		}
	})
}

func TestServerErrorsAreAskedAgain(t *testing.T) {
	for times, want := range map[int]error{1: nil, 3: nil, 4: pagerduty.ErrUnreachable} {
		t.Run(fmt.Sprint(times), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				emu, config := account(t, pagerdutyemu.Config{})
				emu.Inject(pagerdutyemu.Fault{Method: "oncalls", Status: 503, Times: times})
				_, err := pagerduty.New(config).Entries(t.Context(), sources(policy("PONE")), time.Time{}, time.Time{})
				wantFailure(t, err, want)
				if (err == nil) != (want == nil) {
					t.Errorf("error %v", err)
				}
				if n := len(emu.Requests()); n != min(times+1, 4) {
					t.Errorf("%d requests", n)
				}
			})
		})
	}
}
