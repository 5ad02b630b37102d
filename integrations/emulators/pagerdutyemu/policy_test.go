package pagerdutyemu_test

import (
	"strings"
	"testing"

	client "github.com/PagerDuty/go-pagerduty"

	"nightlatch/integrations/emulators/pagerdutyemu"
)

func TestPoliciesAreFilteredAndPaged(t *testing.T) {
	emu, asked, check := account(t, pagerdutyemu.Config{})
	emu.PutSchedule(pagerdutyemu.Schedule{ID: "SNEW", Name: "Shift-based", V3: true})
	emu.PutPolicy(pagerdutyemu.Policy{ID: "PTWO", Name: "All hands", Levels: []pagerdutyemu.Level{{{Schedule: "SNEW"}, {User: "PANA"}}}})
	for name, test := range map[string]struct {
		options client.ListEscalationPoliciesOptions
		want    string
	}{
		"by name":      {client.ListEscalationPoliciesOptions{}, "PTWO PONE"},
		"backwards":    {client.ListEscalationPoliciesOptions{SortBy: "name:desc"}, "PONE PTWO"},
		"searched":     {client.ListEscalationPoliciesOptions{Query: "HANDS"}, "PTWO"},
		"of a user":    {client.ListEscalationPoliciesOptions{UserIDs: []string{"PCHEF"}}, "PONE"},
		"of a team":    {client.ListEscalationPoliciesOptions{TeamIDs: []string{"TONE"}}, ""},
		"in full":      {client.ListEscalationPoliciesOptions{Includes: []string{"services", "targets"}}, "PTWO PONE"},
		"first page":   {client.ListEscalationPoliciesOptions{Limit: 1, Total: true}, "PTWO and more"},
		"second page":  {client.ListEscalationPoliciesOptions{Limit: 1, Offset: 1}, "PONE"},
		"a large page": {client.ListEscalationPoliciesOptions{Limit: 100}, "PTWO PONE"},
	} {
		t.Run(name, func(t *testing.T) {
			page, err := asked.ListEscalationPoliciesWithContext(t.Context(), test.options)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, p := range page.EscalationPolicies {
				ids = append(ids, p.ID)
			}
			if page.More {
				ids = append(ids, "and more")
			}
			if got := strings.Join(ids, " "); got != test.want {
				t.Errorf("policies %q, want %q", got, test.want)
			}
		})
	}
	_, tooDeep := asked.ListEscalationPoliciesWithContext(t.Context(), client.ListEscalationPoliciesOptions{Limit: 100, Offset: 9950})
	if status(tooDeep) != 400 {
		t.Errorf("too deep: %v", tooDeep)
	}
	check.wants("GET /escalation_policies 200", "GET /escalation_policies 400")
}

func TestAPolicyNamesOrIncludesItsTargets(t *testing.T) {
	emu, asked, check := account(t, pagerdutyemu.Config{})
	emu.PutSchedule(pagerdutyemu.Schedule{ID: "SNEW", Name: "Shift-based", V3: true})
	emu.PutPolicy(pagerdutyemu.Policy{ID: "PTWO", Name: "All hands", Levels: []pagerdutyemu.Level{{{Schedule: "SNEW"}, {User: "PANA"}}}})
	for include, want := range map[string]string{
		"":         "SNIGHT schedule_reference, PCHEF user_reference, SHOP service_reference",
		"targets":  "SNIGHT schedule, PCHEF user, SHOP service_reference",
		"services": "SNIGHT schedule_reference, PCHEF user_reference, SHOP service",
	} {
		options := &client.GetEscalationPolicyOptions{}
		if include != "" {
			options.Includes = []string{include}
		}
		p, err := asked.GetEscalationPolicyWithContext(t.Context(), "PONE", options)
		if err != nil {
			t.Fatal(err)
		}
		var seen []string
		for _, rule := range p.EscalationRules {
			for _, target := range rule.Targets {
				seen = append(seen, target.ID+" "+target.Type)
			}
		}
		for _, service := range p.Services {
			seen = append(seen, service.ID+" "+service.Type)
		}
		if got := strings.Join(seen, ", "); got != want {
			t.Errorf("with %q: %s, want %s", include, got, want)
		}
	}
	two, err := asked.GetEscalationPolicyWithContext(t.Context(), "PTWO", &client.GetEscalationPolicyOptions{Includes: []string{"targets"}})
	if err != nil || two.EscalationRules[0].Targets[0].Type != "schedule_v3_reference" {
		t.Errorf("a shift-based schedule as a target: %+v, %v", two, err)
	}
	_, unknown := asked.GetEscalationPolicyWithContext(t.Context(), "PNONE", nil)
	if status(unknown) != 404 {
		t.Errorf("unknown: %v", unknown)
	}
	check.wants("GET /escalation_policies/{id} 200", "GET /escalation_policies/{id} 404")
}

func TestAPageOfPoliciesHoldsAHundredAtMost(t *testing.T) {
	emu := pagerdutyemu.New(pagerdutyemu.Config{})
	for i := range 130 {
		emu.PutPolicy(pagerdutyemu.Policy{ID: "P" + strings.Repeat("x", i)})
	}
	type page struct {
		Policies []struct{ ID string } `json:"escalation_policies"`
		Limit    int
		More     bool
	}
	for query, want := range map[string]struct {
		count, limit int
		more         bool
	}{
		"": {25, 25, true}, "?limit=500": {100, 100, true}, "?limit=100&offset=100": {30, 100, false},
	} {
		got := decode[page](t, get(t, emu, "/escalation_policies"+query).Body)
		if len(got.Policies) != want.count || got.Limit != want.limit || got.More != want.more {
			t.Errorf("%q: %d of %d, more: %t", query, len(got.Policies), got.Limit, got.More)
		}
	}
	if w := get(t, emu, "/escalation_policies/P?include[]=rules"); w.Code != 400 {
		t.Errorf("an unknown include answers %d", w.Code)
	}
}
