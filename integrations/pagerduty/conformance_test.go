package pagerduty_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/pagerduty"
)

// defects are where PagerDuty's own document says something else than its prose and its service.
var defects = []struct {
	why   string
	patch func(*openapi3.T)
}{
	{"the prose says that an on-call's start may be null", func(d *openapi3.T) { nullable(d, "start") }},
	{"the prose says that an on-call's end may be null", func(d *openapi3.T) { nullable(d, "end") }},
	{"a direct target has no schedule", func(d *openapi3.T) { nullable(d, "schedule") }},
	{"the prose says that a coverage may be null", func(d *openapi3.T) {
		d.Components.Schemas["SubSchedule"].Value.Properties["rendered_coverage_percentage"].Value.Nullable = true
	}},
	{"a GET has no content whose type could be told", func(d *openapi3.T) {
		d.Components.Parameters["header_Content-Type"].Value.Required = false
	}},
}

func nullable(document *openapi3.T, property string) {
	document.Components.Schemas["Oncall"].Value.Properties[property].Value.Nullable = true
}

// checker passes requests on, and checks each and its answer against PagerDuty's document.
type checker struct {
	t      *testing.T
	router routers.Router
	next   http.RoundTripper

	mu      sync.Mutex
	checked map[string]int // by path and status
}

func newChecker(t *testing.T, next http.RoundTripper) *checker {
	t.Helper()
	folder := os.Getenv("NIGHTLATCH_CONFORMANCE")
	if folder == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("NIGHTLATCH_CONFORMANCE is not set, and CI is")
		}
		t.Skip("NIGHTLATCH_CONFORMANCE does not say where PagerDuty's document is")
	}
	document, err := openapi3.NewLoader().LoadFromFile(filepath.Join(folder, "pagerduty", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, defect := range defects {
		defect.patch(document)
	}
	document.Servers = openapi3.Servers{{URL: "/"}} // the emulator is on this machine
	router, err := gorillamux.NewRouter(document)
	if err != nil {
		t.Fatal(err)
	}
	return &checker{t: t, router: router, next: next, checked: map[string]int{}}
}

// RoundTrip checks a request, passes it on and checks the answer.
func (c *checker) RoundTrip(r *http.Request) (*http.Response, error) {
	route, parameters, err := c.router.FindRoute(r)
	if err != nil {
		c.t.Errorf("%s %s is not in the document: %v", r.Method, r.URL.Path, err)
		return nil, fmt.Errorf("finding the route: %w", err)
	}
	input := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: hasKey, MultiError: true, IncludeResponseStatus: true, SkipSettingDefaults: true},
	}
	if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
		c.t.Errorf("request %s: %v", r.URL, err)
	}
	for name := range r.URL.Query() {
		if route.Operation.Parameters.GetByInAndName("query", name) == nil {
			c.t.Errorf("the document has no parameter %q of %s", name, r.URL.Path)
		}
	}
	response, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("passing the request on: %w", err)
	}
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	answer := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: response.StatusCode, Header: response.Header,
		Body: io.NopCloser(bytes.NewReader(body)), Options: input.Options,
	}
	if err := openapi3filter.ValidateResponse(r.Context(), answer); err != nil {
		c.t.Errorf("answer to %s: %v\n%s", r.URL, err, body)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checked[fmt.Sprintf("%s %d", r.URL.Path, response.StatusCode)]++
	return response, nil
}

func hasKey(_ context.Context, input *openapi3filter.AuthenticationInput) error {
	header := input.RequestValidationInput.Request.Header.Get("Authorization")
	if header != "Token token="+key && header != "Token token=wrong" {
		return errors.New("no key in the Authorization header")
	}
	return nil
}

func TestRequestsAndAnswersAreAsPagerDutyDescribesThem(t *testing.T) {
	emu := pagerdutyemu.New(pagerdutyemu.Config{Key: key, TimeZone: "Europe/Berlin", PerMinute: 12})
	server := httptest.NewServer(emu)
	defer server.Close()
	defer emu.Close()
	check := newChecker(t, http.DefaultTransport)
	config := pagerduty.Config{Key: grants.NewSecret(key), BaseURL: server.URL, Transport: check, PageSize: 2}
	start := time.Now().UTC()
	emu.PutUser(pagerdutyemu.User{ID: "PANA", Name: "Ana", Email: "ana@example.com"})
	emu.PutUser(pagerdutyemu.User{ID: "PBEN", Name: "Ben", Email: "ben@example.com", InvitationSent: true})
	emu.PutUser(pagerdutyemu.User{ID: "PCHEF", Name: "Chef", Email: "chef@example.com", TimeZone: "Asia/Tokyo"})
	emu.PutSchedule(pagerdutyemu.Schedule{ID: "SNEW", Name: "Shift-based", V3: true})
	emu.SetShifts("SNIGHT", pagerdutyemu.Shift{User: "PANA", Start: start.Add(-time.Hour), End: start.Add(time.Hour)})
	emu.SetShifts("SNEW", pagerdutyemu.Shift{User: "PBEN", Start: start.Add(-time.Hour)})
	emu.PutPolicy(pagerdutyemu.Policy{ID: "PONE", Name: "One", Levels: []pagerdutyemu.Level{
		{{Schedule: "SNIGHT"}, {Schedule: "SNEW"}}, {{User: "PCHEF"}},
	}})

	ask := func(config pagerduty.Config, from, until time.Time) error {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		client := pagerduty.New(config)
		_, err := client.Entries(ctx, sources(policy("PONE"), schedule("SNIGHT")), from, until)
		_, usersErr := client.Users(ctx)
		return errors.Join(err, usersErr)
	}
	if err := ask(config, time.Time{}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := ask(config, start, start.Add(25*time.Hour)); err != nil {
		t.Fatal(err)
	}
	wrong := config
	wrong.Key = grants.NewSecret("wrong")
	wantFailure(t, ask(wrong, time.Time{}, time.Time{}), pagerduty.ErrUnauthorized)
	for range 5 {
		if err := ask(config, time.Time{}, time.Time{}); err != nil {
			wantFailure(t, err, pagerduty.ErrRateLimited)
		}
	}
	wantNoViolations(t, emu)
	for _, want := range []string{"/oncalls 200", "/users 200", "/oncalls 401", "/users 401", "/oncalls 429", "/users 429"} {
		if check.checked[want] == 0 {
			t.Errorf("%s was never checked; only %v", want, check.checked)
		}
	}
}
