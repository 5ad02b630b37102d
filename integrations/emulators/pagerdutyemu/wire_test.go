package pagerdutyemu_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/integrations/emulators/pagerdutyemu"
)

// get sends one request, with PagerDuty's headers unless others are given.
func get(t *testing.T, emu http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return send(t, emu, http.MethodGet, target, "", headers...)
}

func decode[T any](t *testing.T, body io.Reader) T {
	t.Helper()
	var value T
	if err := json.NewDecoder(body).Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestAnOnCallLooksLikePagerDutys(t *testing.T) {
	start := time.Now().UTC().Truncate(time.Second)
	emu := night(pagerdutyemu.Config{}, pagerdutyemu.Shift{User: "PANA", Start: start.Add(-time.Hour), End: start.Add(time.Hour)})
	emu.PutUser(pagerdutyemu.User{ID: "PANA", Name: "Ana"})
	got := decode[map[string]any](t, get(t, emu, "/oncalls?total=true&time_zone=Asia%2FTokyo").Body)
	tokyo := time.FixedZone("", 9*3600)
	reference := func(id, kind, path, summary string) map[string]any {
		return map[string]any{
			"id": id, "type": kind, "summary": summary, "html_url": nil,
			"self": "http://example.com/" + path + "/" + id,
		}
	}
	policy := reference("PONE", "escalation_policy_reference", "escalation_policies", "PONE")
	want := map[string]any{
		"limit": 25.0, "offset": 0.0, "more": false, "total": 2.0,
		"oncalls": []any{
			map[string]any{
				"escalation_policy": policy, "escalation_level": 1.0,
				"schedule": reference("SNIGHT", "schedule_reference", "schedules", "SNIGHT"),
				"user":     reference("PANA", "user_reference", "users", "Ana"),
				"start":    start.Add(-time.Hour).In(tokyo).Format(time.RFC3339),
				"end":      start.Add(time.Hour).In(tokyo).Format(time.RFC3339),
			},
			map[string]any{
				"escalation_policy": policy, "escalation_level": 2.0, "schedule": nil,
				"user": reference("PCHEF", "user_reference", "users", "PCHEF"), "start": nil, "end": nil,
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

type onCallPage struct {
	OnCalls []struct {
		User     struct{ ID string }
		Schedule struct{ ID string }
	}
	Limit, Offset int
	More          bool
}

func TestFiltersMustAllHoldAndUnusedSchedulesAreAbsent(t *testing.T) {
	start := time.Now()
	emu := night(pagerdutyemu.Config{}, pagerdutyemu.Shift{User: "PANA", Start: start.Add(-time.Hour), End: start.Add(time.Hour)})
	emu.SetShifts("SOTHER", pagerdutyemu.Shift{User: "PBEN"})
	at := func(d time.Duration) string { return url.QueryEscape(start.Add(d).Format(time.RFC3339)) }
	for query, want := range map[string]string{
		"":                                       "PANA PCHEF",
		"escalation_policy_ids[]=PONE":           "PANA PCHEF",
		"escalation_policy_ids[]=PTWO":           "",
		"schedule_ids[]=SNIGHT":                  "PANA",
		"schedule_ids[]=SOTHER":                  "",
		"schedule_ids[]=null":                    "PCHEF",
		"user_ids[]=PCHEF":                       "PCHEF",
		"user_ids[]=PCHEF&user_ids[]=PANA":       "PANA PCHEF",
		"user_ids[]=PCHEF&schedule_ids[]=SNIGHT": "",
		"since=" + at(2*time.Hour) + "&until=" + at(3*time.Hour): "PCHEF",
		"until=" + at(3*time.Hour):                               "PANA PCHEF",
	} {
		page := decode[onCallPage](t, get(t, emu, "/oncalls?"+query).Body)
		var users []string
		for _, c := range page.OnCalls {
			users = append(users, c.User.ID)
		}
		if got := strings.Join(users, " "); got != want {
			t.Errorf("%q: %s on call, want %s", query, got, want)
		}
	}
	if v := emu.Violations(); len(v) > 0 {
		t.Errorf("violations: %v", v)
	}
}

func TestPagesHoldTwentyFiveUnlessToldAndAHundredAtMost(t *testing.T) {
	emu := pagerdutyemu.New(pagerdutyemu.Config{})
	level := make(pagerdutyemu.Level, 230)
	for i := range level {
		level[i].User = "PUSER"
	}
	emu.PutPolicy(pagerdutyemu.Policy{ID: "PONE", Levels: []pagerdutyemu.Level{level}})
	for query, want := range map[string]onCallPage{
		"":                     {Limit: 25, More: true},
		"limit=100&offset=100": {Limit: 100, Offset: 100, More: true},
		"limit=100&offset=200": {Limit: 100, Offset: 200},
		"limit=500":            {Limit: 100, More: true},
		"offset=1000":          {Limit: 25, Offset: 1000},
	} {
		page := decode[onCallPage](t, get(t, emu, "/oncalls?"+query).Body)
		count := len(page.OnCalls)
		page.OnCalls = nil
		if diff := cmp.Diff(want, page); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
		if left := max(230-want.Offset, 0); count != min(left, want.Limit) {
			t.Errorf("%q: %d entries", query, count)
		}
	}
}

func TestWhatPagerDutyWouldNotTakeIsRefused(t *testing.T) {
	since := url.QueryEscape(time.Now().Add(time.Hour).Format(time.RFC3339))
	for name, test := range map[string]struct {
		target   string
		headers  []string
		status   int
		violates bool
	}{
		"unknown path":       {"/teams", nil, 404, true},
		"unknown parameter":  {"/oncalls?earliest=true", nil, 400, true},
		"repeated parameter": {"/users?limit=1&limit=2", nil, 400, true},
		"repeated value":     {"/oncalls?user_ids[]=P&user_ids[]=P", nil, 400, true},
		"no version":         {"/users", []string{"Accept", "application/json"}, 406, true},
		"no key":             {"/users", []string{"Authorization", ""}, 401, false},
		"bearer":             {"/users", []string{"Authorization", "Bearer u+emulated"}, 401, false},
		"until before since": {"/oncalls?since=" + since, nil, 400, false},
		"no time":            {"/oncalls?since=today", nil, 400, false},
		"no zone":            {"/oncalls?time_zone=Mars", nil, 400, false},
		"too deep":           {"/users?limit=100&offset=9950", nil, 400, false},
		"no limit":           {"/users?limit=0", nil, 400, false},
		"a negative limit":   {"/users?limit=-1", nil, 400, false},
		"a negative offset":  {"/oncalls?offset=-1", nil, 400, false},
		"no number":          {"/users?limit=all", nil, 400, false},
		"no window":          {"/schedules/S/overrides", nil, 400, false},
		"an empty window":    {"/schedules/S?since=" + since + "&until=" + since, nil, 400, false},
	} {
		t.Run(name, func(t *testing.T) {
			emu := pagerdutyemu.New(pagerdutyemu.Config{})
			w := get(t, emu, test.target, test.headers...)
			if w.Code != test.status {
				t.Errorf("status %d", w.Code)
			}
			if violated := len(emu.Violations()) > 0; violated != test.violates {
				t.Errorf("violations: %v", emu.Violations())
			}
			if refusal := decode[struct{ Error struct{ Code int } }](t, w.Body); refusal.Error.Code == 0 {
				t.Error("the refusal has no code")
			}
		})
	}
}

func TestAMinuteHasItsLimit(t *testing.T) {
	emu := pagerdutyemu.New(pagerdutyemu.Config{OnCallsPerMinute: 2})
	want := []struct {
		status    int
		remaining string
	}{{200, "1"}, {200, "0"}, {429, "0"}}
	for i, want := range want {
		w := get(t, emu, "/oncalls")
		if w.Code != want.status || w.Header().Get("ratelimit-remaining") != want.remaining ||
			w.Header().Get("ratelimit-limit") != "2" || w.Header().Get("ratelimit-reset") == "" {
			t.Errorf("request %d: status %d, headers %v", i+1, w.Code, w.Header())
		}
		if body := w.Body.String(); want.status == 429 && body != `{"error":{"message":"Rate Limit Exceeded","code":2020}}` {
			t.Errorf("body %s", body)
		}
	}
	if w := get(t, emu, "/users"); w.Code != 200 {
		t.Errorf("the limit of on-calls is the one of users: status %d", w.Code)
	}
}

func TestAHoldKeepsARequestBeforeOrAfterItReadTheWorld(t *testing.T) {
	for when, want := range map[pagerdutyemu.When]int{pagerdutyemu.Before: 1, pagerdutyemu.After: 2} {
		t.Run(string(when), func(t *testing.T) {
			start := time.Now()
			emu := night(pagerdutyemu.Config{}, pagerdutyemu.Shift{User: "PANA", Start: start.Add(-time.Hour)})
			held := emu.Hold(pagerdutyemu.Hold{Method: "oncalls", When: when})
			answer := make(chan *httptest.ResponseRecorder)
			go func() { answer <- get(t, emu, "/oncalls") }()
			<-held.Arrived()
			if err := emu.EndShift("SNIGHT", "PANA"); err != nil {
				t.Error(err)
			}
			held.Release()
			if page := decode[onCallPage](t, (<-answer).Body); len(page.OnCalls) != want {
				t.Errorf("%d on call", len(page.OnCalls))
			}
			get(t, emu, "/oncalls") // the next one passes
		})
	}
}

func TestAFaultCutsOrFailsSoManyRequests(t *testing.T) {
	emu := pagerdutyemu.New(pagerdutyemu.Config{})
	server := httptest.NewServer(emu)
	defer server.Close()
	emu.Inject(pagerdutyemu.Fault{Method: "users", Drop: true, Skip: 1, Times: 1})
	emu.Inject(pagerdutyemu.Fault{Method: "*", Status: 500, Times: 1})
	ask := func() int {
		r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, server.URL+"/users", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Token token=u+emulated")
		r.Header.Set("Accept", "application/vnd.pagerduty+json;version=2")
		r.Close = true // an idle connection would hide the cut, by asking again
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0
		}
		if err := w.Body.Close(); err != nil {
			t.Error(err)
		}
		return w.StatusCode
	}
	for i, want := range []int{500, 0, 200} {
		if got := ask(); got != want {
			t.Errorf("request %d: status %d, want %d", i+1, got, want)
		}
	}
}
