package pagerdutyemu_test

import (
	"net/url"
	"testing"
	"time"

	client "github.com/PagerDuty/go-pagerduty"

	"nightlatch/integrations/emulators/pagerdutyemu"
)

func TestTheFinalScheduleIsCutToItsWindow(t *testing.T) {
	emu, asked, check := account(t, pagerdutyemu.Config{})
	from := time.Now().UTC().Truncate(time.Second)
	emu.PutSchedule(pagerdutyemu.Schedule{ID: "SNEW", Name: "Shift-based", V3: true})
	emu.SetShifts("SNIGHT",
		pagerdutyemu.Shift{User: "PCHEF", Start: from.Add(time.Hour)},
		pagerdutyemu.Shift{User: "PANA", Start: from.Add(-time.Hour), End: from.Add(time.Hour)},
	)
	window := client.GetScheduleOptions{Since: from.Format(time.RFC3339), Until: from.Add(4 * time.Hour).Format(time.RFC3339)}
	got, err := asked.GetScheduleWithContext(t.Context(), "SNIGHT", window)
	if err != nil {
		t.Fatal(err)
	}
	entries := got.FinalSchedule.RenderedScheduleEntries
	if len(entries) != 2 || entries[0].User.ID != "PANA" || entries[0].Start != window.Since ||
		entries[1].User.ID != "PCHEF" || entries[1].End != window.Until || got.FinalSchedule.RenderedCoveragePercentage != 100 {
		t.Errorf("final schedule: %+v", got.FinalSchedule)
	}
	list, err := asked.ListSchedulesWithContext(t.Context(), client.ListSchedulesOptions{})
	wantNil(t, err)
	if len(list.Schedules) != 1 || list.Schedules[0].ID != "SNIGHT" || len(list.Schedules[0].EscalationPolicies) != 1 {
		t.Errorf("schedules: %+v", list.Schedules)
	}
	_, shiftBased := asked.GetScheduleWithContext(t.Context(), "SNEW", window)
	_, missing := asked.GetScheduleWithContext(t.Context(), "SNONE", window)
	if status(shiftBased) != 400 || status(missing) != 404 {
		t.Errorf("shift-based: %v; missing: %v", shiftBased, missing)
	}
	check.wants("GET /schedules 200", "GET /schedules/{id} 200", "GET /schedules/{id} 400", "GET /schedules/{id} 404")
}

func TestAScheduleShowsItsOverridesInAWindow(t *testing.T) {
	emu, asked, check := account(t, pagerdutyemu.Config{})
	from := time.Now().UTC().Truncate(time.Second)
	emu.SetShifts("SNIGHT", pagerdutyemu.Shift{User: "PANA"})
	emu.Override("SNIGHT", pagerdutyemu.Shift{User: "PCHEF", Start: from, End: from.Add(30 * time.Minute)})
	type reading struct {
		Coverage *float64                             `json:"rendered_coverage_percentage"`
		Entries  []struct{ User struct{ ID string } } `json:"rendered_schedule_entries"`
	}
	type whole struct {
		Schedule struct {
			Final     reading `json:"final_schedule"`
			Overrides reading `json:"overrides_subschedule"`
		}
	}
	// The client has a wrong name for the overrides, and does not see them.
	shown := decode[whole](t, get(t, emu, "/schedules/SNIGHT?since="+url.QueryEscape(from.Format(time.RFC3339))).Body).Schedule
	if len(shown.Final.Entries) != 2 || *shown.Final.Coverage != 100 || len(shown.Overrides.Entries) != 1 ||
		shown.Overrides.Entries[0].User.ID != "PCHEF" || *shown.Overrides.Coverage > 1 {
		t.Errorf("overridden: %+v", shown)
	}
	if shown = decode[whole](t, get(t, emu, "/schedules/SNIGHT").Body).Schedule; len(shown.Final.Entries) != 0 || shown.Final.Coverage != nil {
		t.Errorf("without a window: %+v", shown)
	}
	_, err := asked.GetScheduleWithContext(t.Context(), "SNIGHT", client.GetScheduleOptions{})
	wantNil(t, err)
	_, err = asked.GetScheduleWithContext(t.Context(), "SNIGHT", client.GetScheduleOptions{Since: from.Format(time.RFC3339)})
	wantNil(t, err)
	check.wants("GET /schedules/{id} 200")
}
