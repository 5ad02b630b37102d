package config_test

import (
	"os"
	"strings"
	"testing"

	"nightlatch/cmd/nightlatch/config"
)

// FuzzConfig: whatever the file, there is no panic, every problem says something, a
// configuration that is accepted keeps the rules that protect people, and reading it
// again gives the same digest.
func FuzzConfig(f *testing.F) {
	example, err := os.ReadFile("../../../config.example.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	f.Add(off.ReplaceAll(example, []byte("$1")))
	f.Add([]byte(with(role)))
	f.Add([]byte(with(role, "environment: playground", `slack: {api_url: "http://127.0.0.1:1/api/"}`)))
	f.Add([]byte("a: &a [*a]\n\"\": 1\n? [b]\n: c\n1: 2\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, warnings, err := config.Parse(data)
		if err != nil {
			problems, ok := err.(config.Problems)
			if !ok || len(problems.List) == 0 {
				t.Fatalf("an error without problems: %v", err)
			}
			for _, p := range problems.List {
				if p.Text == "" || strings.ContainsAny(p.Text, "\n\r") {
					t.Errorf("a problem that is no line: %q", p)
				}
			}
			return
		}
		keepsRules(t, c)
		for _, w := range warnings {
			if w.Text == "" {
				t.Errorf("an empty warning of %q", w.Key)
			}
		}
		one, err := c.Digest()
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := config.Parse(data)
		if err != nil {
			t.Fatalf("the second reading: %v", err)
		}
		if two, err := again.Digest(); err != nil || one != two {
			t.Errorf("two readings have the digests %s and %s (%v)", one, two, err)
		}
	})
}

func keepsRules(t *testing.T, c config.Config) {
	t.Helper()
	if c.Environment != config.Playground &&
		(!strings.HasPrefix(c.Slack.URL, "https://slack") || !strings.HasSuffix(c.PagerDuty.URL, ".pagerduty.com")) {
		t.Errorf("outside the playground: %q, %q", c.Slack.URL, c.PagerDuty.URL)
	}
	names := map[string]bool{}
	for _, r := range c.Roles {
		if names[r.Name] || r.Name == "" {
			t.Errorf("the name %q is empty or stands twice", r.Name)
		}
		names[r.Name] = true
		if (r.Audience == "") == (r.Issuer == "token") || r.Max <= 0 || r.Max.Hours() > 24 || r.Default <= 0 || r.Default > r.Max || r.PendingFor <= 0 {
			t.Errorf("a role without bounds: %+v", r)
		}
		if len(r.Voters.Users) > 0 && r.Voters.Usergroup+r.Voters.Policy == "" && r.Voters.Count > len(r.Voters.Users) {
			t.Errorf("more votes than voters: %+v", r.Voters)
		}
	}
}
