package pagerdutyemu_test

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

	client "github.com/PagerDuty/go-pagerduty"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/go-cmp/cmp"

	"nightlatch/integrations/emulators/pagerdutyemu"
)

// defects are where PagerDuty's own document says something else than its service, or than its usual Go client sends.
var defects = []struct {
	why   string
	patch func(*openapi3.T)
}{
	{"a GET has no content whose type could be told", func(d *openapi3.T) {
		d.Components.Parameters["header_Content-Type"].Value.Required = false
	}},
	{"the client always sends a priority, null if there is none", func(d *openapi3.T) {
		d.Components.Schemas["PriorityReference"].Value.Nullable = true
	}},
	{"a list of overrides is answered with 200, not with 201", func(d *openapi3.T) {
		answers := d.Paths.Value("/schedules/{id}/overrides").Get.Responses
		answers.Set("200", answers.Value("201"))
		answers.Delete("201")
	}},
	{"the older form of a single override, which the client sends, is answered in that form", func(d *openapi3.T) {
		content := d.Paths.Value("/schedules/{id}/overrides").Post.Responses.Value("201").Value.Content["application/json"]
		single := openapi3.NewObjectSchema().WithPropertyRef("override", d.Components.Schemas["Override"]).WithRequired([]string{"override"})
		content.Schema = openapi3.NewSchemaRef("", openapi3.NewOneOfSchema(single, content.Schema.Value))
	}},
	{"what the prose forbids to delete has to be refused somehow", func(d *openapi3.T) {
		answers := d.Paths.Value("/schedules/{id}/overrides/{override_id}").Delete.Responses
		answers.Set("400", d.Paths.Value("/schedules/{id}/overrides").Get.Responses.Value("400"))
	}},
	{"a policy's services that are included are no references any more", func(d *openapi3.T) {
		services := d.Components.Schemas["EscalationPolicy"].Value.AllOf[1].Value.Properties["services"].Value
		full := openapi3.NewAnyOfSchema()
		full.AnyOf = openapi3.SchemaRefs{services.Items, d.Components.Schemas["Service"]}
		services.Items = openapi3.NewSchemaRef("", full)
	}},
	{"the prose says that a coverage may be null", func(d *openapi3.T) {
		d.Components.Schemas["SubSchedule"].Value.Properties["rendered_coverage_percentage"].Value.Nullable = true
	}},
}

// checker passes requests on, and checks each and its answer against PagerDuty's document.
type checker struct {
	t      *testing.T
	router routers.Router
	base   string // of the emulator

	mu      sync.Mutex
	checked map[string]int // by verb, path of the document, and status
}

func newChecker(t *testing.T) *checker {
	t.Helper()
	if os.Getenv("NIGHTLATCH_CONFORMANCE") == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("NIGHTLATCH_CONFORMANCE is not set, and CI is")
		}
		t.Skip("NIGHTLATCH_CONFORMANCE does not say where PagerDuty's document is")
	}
	router, err := published()
	if err != nil {
		t.Fatal(err)
	}
	return &checker{t: t, router: router, checked: map[string]int{}}
}

// published is PagerDuty's document without its defects, read once: under the race detector that takes seconds.
var published = sync.OnceValues(func() (routers.Router, error) {
	file := filepath.Join(os.Getenv("NIGHTLATCH_CONFORMANCE"), "pagerduty", "openapi.json")
	document, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		return nil, fmt.Errorf("loading the document: %w", err)
	}
	for _, defect := range defects {
		defect.patch(document)
	}
	document.Servers = openapi3.Servers{{URL: "/"}} // the emulator is on this machine
	return gorillamux.NewRouter(document)
})

// Do is what the client takes for its HTTP client.
func (c *checker) Do(r *http.Request) (*http.Response, error) {
	route, parameters, err := c.router.FindRoute(r)
	if err != nil {
		return nil, fmt.Errorf("%s %s is not in the document: %w", r.Method, r.URL.Path, err)
	}
	options := &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, MultiError: true, IncludeResponseStatus: true, SkipSettingDefaults: true,
		ExcludeReadOnlyValidations: true, // a reference in a request needs the id and type that are read-only in an answer
	}
	input := &openapi3filter.RequestValidationInput{Request: r, PathParams: parameters, Route: route, Options: options}
	if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
		c.t.Errorf("request %s %s: %v", r.Method, r.URL, err)
	}
	for name := range r.URL.Query() {
		if route.Operation.Parameters.GetByInAndName("query", name) == nil {
			c.t.Errorf("the document has no parameter %q of %s", name, r.URL.Path)
		}
	}
	response, err := http.DefaultTransport.RoundTrip(r)
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
		Body: io.NopCloser(bytes.NewReader(body)), Options: options,
	}
	if err := openapi3filter.ValidateResponse(r.Context(), answer); err != nil {
		c.t.Errorf("answer to %s %s: %v\n%s", r.Method, r.URL, err, body)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checked[fmt.Sprintf("%s %s %d", r.Method, route.Path, response.StatusCode)]++
	return response, nil
}

// account is an emulator with a service, and the real client for it, whose traffic is checked.
func account(t *testing.T, config pagerdutyemu.Config) (*pagerdutyemu.Emulator, *client.Client, *checker) {
	t.Helper()
	check := newChecker(t)
	emu := night(config, pagerdutyemu.Shift{User: "PANA", Start: time.Now().Add(-time.Hour), End: time.Now().Add(time.Hour)})
	emu.PutUser(pagerdutyemu.User{ID: "PANA", Name: "Ana", Email: "ana@example.com"})
	emu.PutUser(pagerdutyemu.User{ID: "PCHEF", Name: "Chef", Email: "chef@example.com"})
	emu.PutService(pagerdutyemu.Service{ID: "SHOP", Name: "Shop", Policy: "PONE"})
	server := httptest.NewServer(emu)
	t.Cleanup(server.Close)
	t.Cleanup(emu.Close)
	asked := client.NewClient("u+emulated", client.WithAPIEndpoint(server.URL), client.WithV2EventsAPIEndpoint(server.URL))
	asked.HTTPClient, check.base = check, server.URL
	return emu, asked, check
}

func (c *checker) wants(checked ...string) {
	c.t.Helper()
	for _, want := range checked {
		if c.checked[want] == 0 {
			c.t.Errorf("%s was never checked; only %v", want, c.checked)
		}
	}
}

func status(err error) int {
	var refused client.APIError
	if !errors.As(err, &refused) {
		return 0
	}
	return refused.StatusCode
}

func TestTheRealClientLivesThroughAnIncident(t *testing.T) {
	emu, asked, check := account(t, pagerdutyemu.Config{TimeZone: "Europe/Berlin"})
	ctx := context.WithoutCancel(t.Context())
	shop := &client.APIReference{ID: "SHOP", Type: "service_reference"}
	opened, err := asked.CreateIncidentWithContext(ctx, "ana@example.com", &client.CreateIncidentOptions{Title: "The shop is shut", Service: shop})
	wantNil(t, err)
	if opened.Status != pagerdutyemu.Triggered || len(opened.Assignments) != 1 || opened.Assignments[0].Assignee.ID != "PANA" ||
		opened.LastStatusChangeBy.ID != "PANA" || opened.EscalationPolicy.ID != "PONE" {
		t.Errorf("opened: %+v", opened)
	}
	change := func(from, id, to string) error {
		_, err := asked.ManageIncidentsWithContext(ctx, from, []client.ManageIncidentsOptions{{ID: id, Status: to}})
		return err
	}
	wantNil(t, change("ana@example.com", opened.ID, "acknowledged"))
	got, err := asked.GetIncidentWithContext(ctx, opened.ID)
	wantNil(t, err)
	if got.Status != "acknowledged" || len(got.Acknowledgements) != 1 || got.Acknowledgements[0].Acknowledger.ID != "PANA" {
		t.Errorf("acknowledged: %+v", got)
	}

	note := client.IncidentNote{Content: "Looking", User: client.APIObject{Summary: "chef@example.com"}}
	_, err = asked.CreateIncidentNoteWithContext(ctx, opened.ID, note)
	wantNil(t, err)
	listed, err := asked.ListIncidentNotesWithContext(ctx, opened.ID)
	wantNil(t, err)
	if len(listed) != 1 || listed[0].Content != "Looking" || listed[0].User.ID != "PCHEF" {
		t.Errorf("notes: %+v", listed)
	}

	wantNil(t, emu.Resolve(opened.ID, ""))
	got, err = asked.GetIncidentWithContext(ctx, opened.ID)
	wantNil(t, err)
	if got.Status != "resolved" || got.LastStatusChangeBy.ID != "SHOP" || len(got.Assignments) != 0 {
		t.Errorf("resolved: %+v", got)
	}
	_, missing := asked.GetIncidentWithContext(ctx, "QNONE")
	_, orphan := asked.CreateIncidentNoteWithContext(ctx, "QNONE", note)
	_, untitled := asked.CreateIncidentWithContext(ctx, "ana@example.com", &client.CreateIncidentOptions{Service: shop})
	for what, err := range map[string]struct {
		err  error
		want int
	}{
		"a resolved one is acknowledged":    {change("ana@example.com", opened.ID, "acknowledged"), 400},
		"a stranger acknowledges":           {change("eve@example.com", opened.ID, "acknowledged"), 400},
		"one that there is not":             {missing, 404},
		"a change to one that there is not": {change("ana@example.com", "QNONE", "resolved"), 400},
		"a note on one that there is not":   {orphan, 404},
		"one without a title":               {untitled, 400},
	} {
		if status(err.err) != err.want {
			t.Errorf("%s: %v, want %d", what, err.err, err.want)
		}
	}
	if v := emu.Violations(); len(v) > 0 {
		t.Errorf("violations: %v", v)
	}
	check.wants("POST /incidents 201", "PUT /incidents 200", "GET /incidents/{id} 200", "GET /incidents/{id} 404",
		"POST /incidents/{id}/notes 200", "GET /incidents/{id}/notes 200", "PUT /incidents 400", "POST /incidents 400")
}

func TestIncidentsAreFilteredAndPaged(t *testing.T) {
	emu, asked, check := account(t, pagerdutyemu.Config{})
	emu.PutService(pagerdutyemu.Service{ID: "SLOW", Name: "Slow"})
	for _, trigger := range []pagerdutyemu.Trigger{
		{Service: "SHOP", Title: "one"}, {Service: "SHOP", Title: "two", Urgency: "low"}, {Service: "SLOW", Title: "three"},
	} {
		_, err := emu.Trigger(trigger)
		wantNil(t, err)
	}
	wantNil(t, emu.Acknowledge("QINC0001", "PCHEF"))
	wantNil(t, emu.Resolve("QINC0003", "PCHEF"))
	hence := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
	for name, test := range map[string]struct {
		options client.ListIncidentsOptions
		want    []string
	}{
		"all":          {client.ListIncidentsOptions{}, []string{"one", "two", "three"}},
		"open":         {client.ListIncidentsOptions{Statuses: []string{"triggered", "acknowledged"}}, []string{"one", "two"}},
		"of a service": {client.ListIncidentsOptions{ServiceIDs: []string{"SLOW"}}, []string{"three"}},
		"of a user":    {client.ListIncidentsOptions{UserIDs: []string{"PANA"}}, []string{"one", "two"}},
		"low":          {client.ListIncidentsOptions{Urgencies: []string{"low"}}, []string{"two"}},
		"second page":  {client.ListIncidentsOptions{Limit: 2, Offset: 2, Total: true}, []string{"three"}},
		"before":       {client.ListIncidentsOptions{Since: hence(-2 * time.Hour), Until: hence(-time.Hour)}, nil},
		"about now":    {client.ListIncidentsOptions{Since: hence(-time.Hour), Until: hence(time.Hour)}, []string{"one", "two", "three"}},
	} {
		t.Run(name, func(t *testing.T) {
			page, err := asked.ListIncidentsWithContext(t.Context(), test.options)
			if err != nil {
				t.Fatal(err)
			}
			var titles []string
			for _, i := range page.Incidents {
				titles = append(titles, i.Title)
			}
			if diff := cmp.Diff(test.want, titles); diff != "" {
				t.Errorf("incidents (-want +got):\n%s", diff)
			}
		})
	}
	_, err := asked.ListIncidentsWithContext(t.Context(), client.ListIncidentsOptions{Since: hence(-365 * 24 * time.Hour), Until: hence(0)})
	if status(err) != http.StatusBadRequest {
		t.Errorf("a year: %v", err)
	}
	list, err := asked.ListServicesWithContext(t.Context(), client.ListServiceOptions{Query: "sho"})
	wantNil(t, err)
	one, err := asked.GetServiceWithContext(t.Context(), "SHOP", nil)
	wantNil(t, err)
	if len(list.Services) != 1 || list.Services[0].ID != "SHOP" || one.EscalationPolicy.ID != "PONE" || one.Status != "critical" {
		t.Errorf("services: %+v, %+v", list.Services, one)
	}
	check.wants("GET /incidents 200", "GET /incidents 400", "GET /services 200", "GET /services/{id} 200")
}
