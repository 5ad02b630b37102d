package pagerduty_test

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/pagerduty"
)

// furnish puts a policy with an ordinary and a shift-based schedule into an account, and a schedule that no policy has.
func furnish(emu *pagerdutyemu.Emulator) {
	emu.PutUser(pagerdutyemu.User{ID: "PANA", Name: "Ana", Email: "ana@example.com"})
	emu.PutSchedule(pagerdutyemu.Schedule{ID: "SNEW", Name: "Shift-based", V3: true})
	for _, id := range []string{"SNIGHT", "SLONE"} {
		emu.PutSchedule(pagerdutyemu.Schedule{ID: id, Name: "schedule " + id})
		emu.SetShifts(id, pagerdutyemu.Shift{User: "PANA", Start: time.Now().Add(-time.Hour), End: time.Now().Add(time.Hour)})
	}
	emu.PutPolicy(pagerdutyemu.Policy{ID: "PONE", Name: "One", Levels: []pagerdutyemu.Level{{{Schedule: "SNIGHT"}, {Schedule: "SNEW"}}, {{User: "PANA"}}}})
}

func TestWhatStandsUnderAnID(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{})
		furnish(emu)
		c := pagerduty.New(config)
		if got, err := c.Policy(t.Context(), "PONE"); err != nil || got != (pagerduty.Policy{Name: "One", Levels: 2}) {
			t.Errorf("a policy: %+v, %v", got, err)
		}
		for id, want := range map[string]pagerduty.Schedule{
			"SNIGHT": {Name: "schedule SNIGHT", Policies: 1},
			"SLONE":  {Name: "schedule SLONE"},
			"SNEW":   {Shifts: true},
		} {
			if got, err := c.Schedule(t.Context(), id); err != nil || got != want {
				t.Errorf("%s: %+v, %v", id, got, err)
			}
		}
		_, policyErr := c.Policy(t.Context(), "PNONE")
		_, scheduleErr := c.Schedule(t.Context(), "SNONE")
		if !errors.Is(policyErr, pagerduty.ErrNotFound) || !errors.Is(scheduleErr, pagerduty.ErrNotFound) {
			t.Errorf("what there is not: %v, %v", policyErr, scheduleErr)
		}
		wantNoViolations(t, emu)
	})
}

func TestWhetherTheKeyMayWrite(t *testing.T) {
	for name, readOnly := range map[string]bool{"it may": false, "it may only read": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				emu, config := account(t, pagerdutyemu.Config{ReadOnly: readOnly})
				furnish(emu)
				c := pagerduty.New(config)
				if may, err := c.MayWrite(t.Context()); err != nil || may == readOnly {
					t.Errorf("may write: %v, %v", may, err)
				}
				if _, err := c.Policy(t.Context(), "PONE"); err != nil {
					t.Errorf("reading: %v", err)
				}
				wantNoViolations(t, emu)
			})
		})
	}
}

// TestALookThatFailsFindsNothing: no failure looks like something that is not there, or like a right.
func TestALookThatFailsFindsNothing(t *testing.T) {
	for name, fault := range map[string]pagerdutyemu.Fault{
		"500":           {Status: 500},
		"401":           {Status: 401},
		"cut":           {Drop: true},
		"late":          {Delay: time.Hour},
		"another thing": {Status: 200, Body: `{"escalation_policy":{"id":"PTWO"},"schedule":{"id":"PTWO"}}`},
		"no thing":      {Status: 200, Body: `{}`},
		"HTML":          {Status: 200, Body: "<html>" + key + "</html>"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				emu, config := account(t, pagerdutyemu.Config{})
				furnish(emu)
				fault.Method = "*"
				emu.Inject(fault)
				c := pagerduty.New(config)
				_, policyErr := c.Policy(t.Context(), "PONE")
				_, scheduleErr := c.Schedule(t.Context(), "SNIGHT")
				may, writeErr := c.MayWrite(t.Context())
				for what, err := range map[string]error{"policy": policyErr, "schedule": scheduleErr, "write": writeErr} {
					if err == nil || errors.Is(err, pagerduty.ErrNotFound) {
						t.Errorf("%s: %v", what, err)
					} else {
						wantNoKey(t, err.Error())
					}
				}
				if may {
					t.Error("it may write")
				}
			})
		})
	}
}

func TestLooksAreAsPagerDutyDescribesThem(t *testing.T) {
	for _, readOnly := range []bool{false, true} {
		emu := pagerdutyemu.New(pagerdutyemu.Config{Key: key, ReadOnly: readOnly})
		server := httptest.NewServer(emu)
		furnish(emu)
		check := newChecker(t, server.Client().Transport)
		c := pagerduty.New(pagerduty.Config{Key: grants.NewSecret(key), BaseURL: server.URL, Transport: check})
		_, err := c.Policy(t.Context(), "PONE")
		_, scheduleErr := c.Schedule(t.Context(), "SNIGHT")
		_, writeErr := c.MayWrite(t.Context())
		if err := errors.Join(err, scheduleErr, writeErr); err != nil {
			t.Error(err)
		}
		for _, id := range []string{"NONE", "SNEW"} {
			_, policyErr := c.Policy(t.Context(), id)
			_, err := c.Schedule(t.Context(), id)
			if policyErr == nil || err == nil && id == "NONE" {
				t.Errorf("%s is there", id)
			}
		}
		wantNoViolations(t, emu)
		server.Close()
		emu.Close()
	}
}
