package pagerdutyemu_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	client "github.com/PagerDuty/go-pagerduty"
	"github.com/google/go-cmp/cmp"

	"nightlatch/integrations/emulators/pagerdutyemu"
)

func TestTheRealClientOverridesAShift(t *testing.T) {
	emu, asked, check := account(t, pagerdutyemu.Config{})
	now := time.Now().UTC().Truncate(time.Second)
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }
	over := func(from, until time.Duration) client.Override {
		return client.Override{Start: at(from), End: at(until), User: client.APIObject{ID: "PCHEF", Type: "user_reference"}}
	}
	running, err := asked.CreateOverrideWithContext(t.Context(), "SNIGHT", over(-time.Minute, 30*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	ahead, err := asked.CreateOverrideWithContext(t.Context(), "SNIGHT", over(40*time.Minute, 50*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	listed := func(options client.ListOverridesOptions) []string {
		t.Helper()
		options.Since, options.Until = at(0), at(45*time.Minute)
		list, err := asked.ListOverridesWithContext(t.Context(), "SNIGHT", options)
		wantNil(t, err)
		var seen []string
		for _, o := range list.Overrides {
			seen = append(seen, o.ID+" "+o.User.ID+" "+o.Start+" "+o.End)
		}
		return seen
	}
	first := " PCHEF " + at(0) + " " + at(30*time.Minute)
	second := " PCHEF " + at(40*time.Minute) + " "
	for name, test := range map[string]struct{ got, want []string }{
		"cut to the window": {listed(client.ListOverridesOptions{}), []string{first, second + at(45*time.Minute)}},
		"overflowing": {
			listed(client.ListOverridesOptions{Overflow: true}),
			[]string{" PCHEF " + running.Start + " " + running.End, second + at(50*time.Minute)},
		},
		"editable": {listed(client.ListOverridesOptions{Editable: true}), []string{ahead.ID + second + at(45*time.Minute)}},
	} {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	window := client.GetScheduleOptions{Since: at(0), Until: at(time.Hour)}
	schedule, err := asked.GetScheduleWithContext(t.Context(), "SNIGHT", window)
	if err != nil {
		t.Fatal(err)
	}
	var final []string
	for _, entry := range schedule.FinalSchedule.RenderedScheduleEntries {
		final = append(final, entry.User.ID)
	}
	if diff := cmp.Diff([]string{"PCHEF", "PANA", "PCHEF", "PANA"}, final); diff != "" {
		t.Errorf("final schedule (-want +got):\n%s", diff)
	}
	wantNil(t, asked.DeleteOverrideWithContext(t.Context(), "SNIGHT", running.ID))
	wantNil(t, asked.DeleteOverrideWithContext(t.Context(), "SNIGHT", ahead.ID))
	for id, want := range map[string]int{running.ID: 400, ahead.ID: 404} {
		if err := asked.DeleteOverrideWithContext(t.Context(), "SNIGHT", id); status(err) != want {
			t.Errorf("deleting %s again: %v, want %d", id, err, want)
		}
	}
	if on := emu.OnCall(time.Now()); len(on) == 0 || on[0].User != "PANA" {
		t.Errorf("on call without overrides: %v", on)
	}
	check.wants("POST /schedules/{id}/overrides 201", "GET /schedules/{id}/overrides 200", "DELETE /schedules/{id}/overrides/{override_id} 200",
		"DELETE /schedules/{id}/overrides/{override_id} 204", "DELETE /schedules/{id}/overrides/{override_id} 400",
		"DELETE /schedules/{id}/overrides/{override_id} 404")
	if v := emu.Violations(); len(v) > 0 {
		t.Errorf("violations: %v", v)
	}
}

func TestAnOverrideIsRefused(t *testing.T) {
	emu, asked, check := account(t, pagerdutyemu.Config{})
	emu.PutSchedule(pagerdutyemu.Schedule{ID: "SNEW", Name: "Shift-based", V3: true})
	now := time.Now().UTC().Truncate(time.Second)
	from, until := now.Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339)
	over := func(user, from, until string) client.Override {
		return client.Override{Start: from, End: until, User: client.APIObject{ID: user, Type: "user_reference"}}
	}
	for name, test := range map[string]struct {
		schedule string
		override client.Override
		want     int
		why      []string
	}{
		"taken":                  {"SNIGHT", over("PCHEF", from, until), 0, nil},
		"it ends as it starts":   {"SNIGHT", over("PCHEF", from, from), 400, []string{"Override must end after its start"}},
		"a stranger":             {"SNIGHT", over("PEVE", from, until), 400, []string{"User not found"}},
		"no such schedule":       {"SNONE", over("PCHEF", from, until), 404, nil},
		"a shift-based schedule": {"SNEW", over("PCHEF", from, until), 400, []string{"A shift-based schedule is not served here."}},
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
	_, unbounded := asked.ListOverridesWithContext(t.Context(), "SNEW", client.ListOverridesOptions{Since: from, Until: until})
	deleted := asked.DeleteOverrideWithContext(t.Context(), "SNEW", "QOVER0001")
	if status(unbounded) != 400 || status(deleted) != 400 {
		t.Errorf("a shift-based schedule: list %v, delete %v", unbounded, deleted)
	}
	check.wants("POST /schedules/{id}/overrides 400", "POST /schedules/{id}/overrides 404", "GET /schedules/{id}/overrides 400")
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
