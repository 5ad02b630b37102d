// Package deploy_test holds what people apply against the rules of where they apply it.
package deploy_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/dlclark/regexp2"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"nightlatch/bot/send"
)

// conformance is the folder of what Slack itself published.
func conformance(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("NIGHTLATCH_CONFORMANCE")
	switch {
	case dir != "":
		return dir
	case os.Getenv("CI") != "":
		t.Fatal("NIGHTLATCH_CONFORMANCE is not set: in CI nothing is skipped")
	}
	t.Skip("NIGHTLATCH_CONFORMANCE is not set: it names the folder of the published schemas")
	return ""
}

func manifest(t *testing.T) map[string]any {
	t.Helper()
	data, err := os.ReadFile("slack-manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := yaml.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// lookAhead is a regular expression that backtracks: two patterns of the schema need it.
type lookAhead struct{ *regexp2.Regexp }

func (l lookAhead) MatchString(s string) bool {
	match, err := l.Regexp.MatchString(s)
	return err == nil && match
}

func compile(pattern string) (jsonschema.Regexp, error) {
	re, err := regexp2.Compile(pattern, regexp2.ECMAScript)
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = time.Second
	return lookAhead{re}, nil
}

func TestSlackManifestFollowsSlacksSchema(t *testing.T) {
	dir := conformance(t)
	for _, version := range []string{"1.0.0", "2.0.0"} {
		compiler := jsonschema.NewCompiler()
		compiler.UseRegexpEngine(compile)
		schema, err := compiler.Compile(filepath.Join(dir, "slack", "manifest", "manifest.schema."+version+".json"))
		if err != nil {
			t.Fatal(err)
		}
		m := manifest(t)
		if err := schema.Validate(m); err != nil {
			t.Errorf("version %s: %v", version, err)
		}
		m["settings"].(map[string]any)["socket_mode_enabled"] = "yes"
		if err := schema.Validate(m); err == nil {
			t.Errorf("version %s: a broken manifest is valid too, so the schema checks nothing", version)
		}
	}
}

// TestSlackManifestAsksForNoMore pins the permissions: one more is a decision.
func TestSlackManifestAsksForNoMore(t *testing.T) {
	var m struct {
		OAuth struct {
			Scopes struct{ Bot, User []string }
		} `yaml:"oauth_config"`
		Settings struct {
			Events struct {
				Bot []string `yaml:"bot_events"`
			} `yaml:"event_subscriptions"`
			SocketMode    bool `yaml:"socket_mode_enabled"`
			Interactivity struct {
				Enabled bool `yaml:"is_enabled"`
			}
		}
	}
	data, err := os.ReadFile("slack-manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	want := []string{"channels:read", "chat:write", "commands", "groups:read", "im:write", "usergroups:read", "users:read", "users:read.email"}
	slices.Sort(m.OAuth.Scopes.Bot)
	if diff := cmp.Diff(want, m.OAuth.Scopes.Bot); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, send.Scopes()); diff != "" {
		t.Errorf("what check --live wants is not what the manifest asks for:\n%s", diff)
	}
	if len(m.OAuth.Scopes.User) > 0 {
		t.Error("the manifest asks for a user's token, and nothing here uses one")
	}
	if diff := cmp.Diff([]string{"app_home_opened", "subteam_members_changed", "subteam_updated", "team_join", "user_change"}, m.Settings.Events.Bot); diff != "" {
		t.Error(diff)
	}
	if !m.Settings.SocketMode || !m.Settings.Interactivity.Enabled {
		t.Error("without Socket Mode and interactivity no press arrives")
	}
}
