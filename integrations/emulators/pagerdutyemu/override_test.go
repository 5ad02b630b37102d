package pagerdutyemu_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	client "github.com/PagerDuty/go-pagerduty"
	"github.com/google/go-cmp/cmp"

	"nightlatch/integrations/emulators/pagerdutyemu"
)

// over is an override of the chef's, as the client asks for it.
func over(from, until time.Time) client.Override {
	return client.Override{
		Start: from.Format(time.RFC3339), End: until.Format(time.RFC3339),
		User: client.APIObject{ID: "PCHEF", Type: "user_reference"},
	}
}

func TestTheRealClientOverridesAShift(t *testing.T) {
	emu, asked, check := account(t, pagerdutyemu.Config{})
	now := time.Now().UTC().Truncate(time.Second)
	onCall := func(want string) {
		t.Helper()
		list, err := asked.ListOnCallsWithContext(t.Context(), client.ListOnCallOptions{ScheduleIDs: []string{"SNIGHT"}})
		if err != nil || len(list.OnCalls) != 1 || list.OnCalls[0].User.ID != want {
			t.Errorf("on call: %+v, %v, want %s alone", list, err, want)
		}
	}
	onCall("PANA")
	running, err := asked.CreateOverrideWithContext(t.Context(), "SNIGHT", over(now.Add(-time.Minute), now.Add(30*time.Minute)))
	if err != nil {
		t.Fatal(err)
	}
	ahead, err := asked.CreateOverrideWithContext(t.Context(), "SNIGHT", over(now.Add(40*time.Minute), now.Add(50*time.Minute)))
	if err != nil {
		t.Fatal(err)
	}
	onCall("PCHEF")
	wantNil(t, asked.DeleteOverrideWithContext(t.Context(), "SNIGHT", running.ID))
	wantNil(t, asked.DeleteOverrideWithContext(t.Context(), "SNIGHT", ahead.ID))
	for id, want := range map[string]int{running.ID: 400, ahead.ID: 404} {
		if err := asked.DeleteOverrideWithContext(t.Context(), "SNIGHT", id); status(err) != want {
			t.Errorf("deleting %s again: %v, want %d", id, err, want)
		}
	}
	onCall("PANA")
	check.wants("GET /oncalls 200", "POST /schedules/{id}/overrides 201", "DELETE /schedules/{id}/overrides/{override_id} 200",
		"DELETE /schedules/{id}/overrides/{override_id} 204", "DELETE /schedules/{id}/overrides/{override_id} 400",
		"DELETE /schedules/{id}/overrides/{override_id} 404")
	if v := emu.Violations(); len(v) > 0 {
		t.Errorf("violations: %v", v)
	}
}

func TestOverridesAreListedInAWindow(t *testing.T) {
	_, asked, check := account(t, pagerdutyemu.Config{})
	now := time.Now().UTC().Truncate(time.Second)
	minute := func(m int) time.Time { return now.Add(time.Duration(m) * time.Minute) }
	for _, o := range []client.Override{over(minute(40), minute(50)), over(minute(-1), minute(30))} {
		_, err := asked.CreateOverrideWithContext(t.Context(), "SNIGHT", o)
		wantNil(t, err)
	}
	type seen struct{ id, start, end string }
	see := func(id string, from, until int) seen {
		return seen{id, minute(from).Format(time.RFC3339), minute(until).Format(time.RFC3339)}
	}
	for name, test := range map[string]struct {
		from, until int
		options     client.ListOverridesOptions
		want        []seen
	}{
		"cut to it":   {0, 45, client.ListOverridesOptions{}, []seen{see("", 0, 30), see("", 40, 45)}},
		"overflowing": {0, 45, client.ListOverridesOptions{Overflow: true}, []seen{see("", -1, 30), see("", 40, 50)}},
		"editable":    {0, 60, client.ListOverridesOptions{Editable: true}, []seen{see("QOVER0001", 40, 50)}},
		"outside":     {50, 60, client.ListOverridesOptions{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			test.options.Since, test.options.Until = minute(test.from).Format(time.RFC3339), minute(test.until).Format(time.RFC3339)
			list, err := asked.ListOverridesWithContext(t.Context(), "SNIGHT", test.options)
			if err != nil {
				t.Fatal(err)
			}
			var got []seen
			for _, o := range list.Overrides {
				got = append(got, seen{o.ID, o.Start, o.End})
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("overrides %v, want %v", got, test.want)
			}
		})
	}
	backwards := client.ListOverridesOptions{Since: minute(45).Format(time.RFC3339), Until: minute(0).Format(time.RFC3339)}
	if _, err := asked.ListOverridesWithContext(t.Context(), "SNIGHT", backwards); status(err) != 400 {
		t.Errorf("the wrong way: %v", err)
	}
	check.wants("GET /schedules/{id}/overrides 200", "GET /schedules/{id}/overrides 400")
}

func TestAnOverrideIsRefused(t *testing.T) {
	emu, asked, check := account(t, pagerdutyemu.Config{})
	emu.PutSchedule(pagerdutyemu.Schedule{ID: "SNEW", Name: "Shift-based", V3: true})
	now := time.Now().UTC().Truncate(time.Second)
	from, until := now, now.Add(time.Hour)
	stranger := over(from, until)
	stranger.User.ID = "PEVE"
	for name, test := range map[string]struct {
		schedule string
		override client.Override
		want     int
		why      []string
	}{
		"taken":                  {"SNIGHT", over(from, until), 0, nil},
		"it ends as it starts":   {"SNIGHT", over(from, from), 400, []string{"Override must end after its start"}},
		"a stranger":             {"SNIGHT", stranger, 400, []string{"User not found"}},
		"no such schedule":       {"SNONE", over(from, until), 404, nil},
		"a shift-based schedule": {"SNEW", over(from, until), 400, []string{"A shift-based schedule is not served here."}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := asked.CreateOverrideWithContext(t.Context(), test.schedule, test.override)
			if status(err) != test.want || test.want == 0 && err != nil {
				t.Fatalf("creating it: %v", err)
			}
			if refused, ok := errors.AsType[client.APIError](err); ok && test.why != nil {
				if diff := cmp.Diff(test.why, refused.APIError.ErrorObject.Errors); diff != "" {
					t.Errorf("the reasons of %v (-want +got):\n%s", refused, diff)
				}
			}
		})
	}
	_, listed := asked.ListOverridesWithContext(t.Context(), "SNEW", client.ListOverridesOptions{
		Since: from.Format(time.RFC3339), Until: until.Format(time.RFC3339),
	})
	deleted := asked.DeleteOverrideWithContext(t.Context(), "SNEW", "QOVER0001")
	if status(listed) != 400 || status(deleted) != 400 {
		t.Errorf("a shift-based schedule: list %v, delete %v", listed, deleted)
	}
	check.wants("POST /schedules/{id}/overrides 400", "POST /schedules/{id}/overrides 404", "GET /schedules/{id}/overrides 400")
}

func TestWhatIsNoOverrideIsRefused(t *testing.T) {
	const times = `"start":"2030-01-01T00:00:00Z","end":"2030-01-01T01:00:00+01:00"`
	for name, test := range map[string]struct {
		body     string
		violates bool
	}{
		"no JSON":             {`{`, true},
		"nothing":             {`{}`, true},
		"none":                {`{"overrides":[]}`, true},
		"no times":            {`{"override":{"user":{"id":"PANA","type":"user_reference"}}}`, false},
		"it ends before":      {`{"override":{` + times + `,"user":{"id":"PANA","type":"user_reference"}}}`, false},
		"nobody":              {`{"override":{"start":"2030-01-01T00:00:00Z","end":"2030-01-02T00:00:00Z"}}`, false},
		"of another kind":     {`{"override":{"start":"2030-01-01T00:00:00Z","end":"2030-01-02T00:00:00Z","user":{"id":"PANA","type":"team"}}}`, false},
		"times of other form": {`{"override":{"start":"1893456000","end":"tomorrow","user":{"id":"PANA","type":"user"}}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			emu := shut(t)
			w := send(t, emu, "POST", "/schedules/SNIGHT/overrides", test.body)
			if refusal := decode[struct{ Error struct{ Code int } }](t, w.Body); w.Code != 400 || refusal.Error.Code != 2001 {
				t.Errorf("status %d, code %d", w.Code, refusal.Error.Code)
			}
			if violated := len(emu.Violations()) > 0; violated != test.violates {
				t.Errorf("violations: %v", emu.Violations())
			}
			if on := emu.OnCall(time.Date(2030, 1, 1, 0, 30, 0, 0, time.UTC)); len(on) == 0 || on[0].Start != (time.Time{}) {
				t.Errorf("on call: %+v", on)
			}
		})
	}
}

func TestSeveralOverridesAreEachTakenOrRefused(t *testing.T) {
	emu, _, check := account(t, pagerdutyemu.Config{})
	now := time.Now().UTC().Truncate(time.Second)
	one := func(user string, from, until time.Duration) map[string]any {
		return map[string]any{
			"start": now.Add(from).Format(time.RFC3339), "end": now.Add(until).Format(time.RFC3339),
			"user": map[string]string{"id": user, "type": "user_reference"},
		}
	}
	w := check.post(t, "/schedules/SNIGHT/overrides", map[string]any{"overrides": []any{
		one("PCHEF", time.Hour, 2*time.Hour), one("PCHEF", time.Hour, time.Hour), one("PANA", 90*time.Minute, 2*time.Hour),
	}})
	var got []int
	for _, result := range decode[[]struct{ Status int }](t, w) {
		got = append(got, result.Status)
	}
	if diff := cmp.Diff([]int{201, 400, 201}, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	for after, want := range map[time.Duration]string{75 * time.Minute: "PCHEF", 100 * time.Minute: "PANA"} {
		if on := emu.OnCall(now.Add(after)); len(on) == 0 || on[0].User != want {
			t.Errorf("after %s %v are on call, not %s, who was put over the other", after, on, want)
		}
	}
	check.wants("POST /schedules/{id}/overrides 201")
}

// post sends what the client has no call for, past the same check.
func (c *checker) post(t *testing.T, path string, body any) io.Reader {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.base+path, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Token token=u+emulated")
	r.Header.Set("Accept", "application/vnd.pagerduty+json;version=2")
	r.Header.Set("Content-Type", "application/json")
	w, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return w.Body
}

func TestADeletedOverrideGivesTheShiftBack(t *testing.T) {
	hour := func(h int) time.Time { return time.Date(2000, 1, 1, h, 0, 0, 0, time.UTC) } // a bubble begins at hour 0
	shift := func(user string, from, until int) pagerdutyemu.Shift {
		return pagerdutyemu.Shift{User: user, Start: hour(from), End: hour(until)}
	}
	for name, test := range map[string]struct {
		at     int // when the override from 4 to 6 is deleted
		status int
		want   []pagerdutyemu.Shift
	}{
		"ahead":       {3, 204, []pagerdutyemu.Shift{shift("PANA", 0, 8)}},
		"in progress": {5, 200, []pagerdutyemu.Shift{shift("PANA", 0, 4), shift("PBEN", 4, 5), shift("PANA", 5, 8)}},
		"over":        {7, 400, []pagerdutyemu.Shift{shift("PANA", 0, 4), shift("PBEN", 4, 6), shift("PANA", 6, 8)}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				emu := night(pagerdutyemu.Config{}, shift("PANA", 0, 8))
				emu.Override("SNIGHT", shift("PBEN", 4, 6))
				time.Sleep(time.Duration(test.at) * time.Hour)
				w := send(t, emu, "DELETE", "/schedules/SNIGHT/overrides/QOVER0001", "")
				if w.Code != test.status || w.Code < 300 && w.Body.Len() > 0 {
					t.Errorf("status %d: %s", w.Code, w.Body)
				}
				if diff := cmp.Diff(test.want, firstLevel(emu, hour(0), hour(8))); diff != "" {
					t.Errorf("shifts (-want +got):\n%s", diff)
				}
			})
		})
	}
}
