package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/cmd/nightlatch/config"
	"nightlatch/grants"
)

// least is the smallest configuration that can be served, outside the playground.
const least = `ledger: {path: ledger.db}
http: {url: "https://nightlatch.internal"}
token: {key_file: token.pem}
introspection: [{name: api, cert: "dns:api", audiences: [api]}]
roles:
`

// role is the smallest role.
const role = `{name: read, on_call: [{policy: PORDERS}], automatic: on_call, max: 4h, audience: api, scopes: [read]}`

// with is the least configuration with one role, its TLS and further lines.
func with(role string, lines ...string) string {
	return strings.Replace(least, "http: {", "http: {tls: {certificate: c, key: k, client_ca: a}, ", 1) +
		"- " + role + "\n" + strings.Join(lines, "\n")
}

// change is the smallest role with one part changed.
func change(from, to string) string {
	if !strings.Contains(role, from) {
		panic("the role has no " + from)
	}
	return strings.Replace(role, from, to, 1)
}

func lines(problems []config.Problem) []string {
	var all []string
	for _, p := range problems {
		all = append(all, fmt.Sprintf("%d %v", p.Line, p))
	}
	return all
}

func problemsOf(t *testing.T, data string) []string {
	t.Helper()
	_, _, err := config.Parse([]byte(data))
	if err == nil {
		return nil
	}
	problems, ok := errors.AsType[config.Problems](err)
	if !ok {
		t.Fatalf("parsing: %v", err)
	}
	return lines(problems.List)
}

func TestLeast(t *testing.T) {
	c, warnings, err := config.Parse([]byte(with(role)))
	if err != nil {
		t.Fatal(problemsOf(t, with(role)))
	}
	want := grants.Role{
		Name: "read", OnCall: []grants.Source{{Policy: "PORDERS"}}, Automatic: grants.WhenOnCall,
		Max: 4 * time.Hour, Default: time.Hour, PendingFor: 15 * time.Minute,
		Issuer: "token", Verify: grants.Introspect, Audience: "api", Scopes: []string{"read"},
	}
	if diff := cmp.Diff([]grants.Role{want}, c.Roles); diff != "" {
		t.Error(diff)
	}
	if c.Settle != 15*time.Minute || c.Poll != 30*time.Second || c.Slack.URL != "https://slack.com/api/" || c.Limits.PerPerson != 5 {
		t.Errorf("a default is missing: %+v", c)
	}
	if diff := cmp.Diff([]string{
		"0 slack.team: is missing: while Slack does not answer the program cannot start, and what is over is not revoked; " +
			"it is the T… in the workspace's address, https://app.slack.com/client/T…",
		"6 roles[0].automatic: read is automatic on Slack alone: a stolen Slack session of whoever is on call opens it",
	}, lines(warnings)); diff != "" {
		t.Error(diff)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name, data, want string
	}{
		{"unknown key", with(role, "setle: 1m"), "7 setle: is unknown"},
		{"unknown inner key", with(role, "log: {levle: debug}"), "7 log.levle: is unknown"},
		{"unknown key of a role", with(change("max:", "maximum: 1h, max:")), "6 roles[0].maximum: is unknown"},
		{"unknown key of a source", with(change("policy: PORDERS", "policy: PORDERS, level: 1")), "6 roles[0].on_call[0].level: is unknown"},
		{"key in another case", with(role, "Settle: 1m"), "7 Settle: is unknown; keys are lower-case"},
		{"dotted key", with(role, "slack.api_url: https://evil.example/"), "7 slack.api_url: is unknown"},
		{"field that is no key", with(role, "secrets: {slackapp: x}"), "7 secrets: is unknown"},
		{"dash", with(role, `"-": {slackapp: x}`), "7 -: is unknown"},
		{"key twice", with(role, "settle: 1m", "settle: 2m"), `0 is not a configuration: yaml: unmarshal errors: line 8: mapping key "settle" already defined at line 7`},
		{"duration without unit", with(role, "settle: 15"), "7 settle: is not a duration; write a number and a unit"},
		{"duration of a role", with(change("4h", "four")), "6 roles[0].max: is not a duration"},
		{"text for a number", with(role, `limits: {in_all: "500"}`), "7 limits.in_all: must be a number, and is text; take its quotes away"},
		{"a number in words", with(change("policy: PORDERS", "policy: PORDERS, levels: [one]")), "6 roles[0].on_call[0].levels[0]: must be a number, and is text; write it in digits, such as 1"},
		{"a slip", with(role, "pol: 30s"), "7 pol: is unknown; did you mean poll?"},
		{"a slip in a role", with(change("max:", "verfy: offline, max:")), "6 roles[0].verfy: is unknown; did you mean verify?"},
		{"a slip in a source", with(change("policy: PORDERS", "policy: PORDERS, lvels: [1]")), "6 roles[0].on_call[0].lvels: is unknown; did you mean levels?"},
		{"a tab", with(role, "log:", "\tlevel: debug"), "8 is indented with a tab; YAML wants spaces"},
		{"a person's name", with(role, "security: {people: [@mara]}"), `7 a value cannot begin with "@"; for a person or a group an ID is wanted`},
		{"a person's name in a list", with(role, "security:", "  people:", "    - @mara"), `9 a value cannot begin with "@"`},
		{"a channel's name", with(role, "security:", "  channel: #security"), "8 security.channel: has no value, because #security begins with # and so is a comment"},
		{"text for a list", with(change("[read]", "read")), "6 roles[0].scopes: must be a list"},
		{"a number for a name", with(change("name: read", "name: 7")), "6 roles[0].name: must be text, and is a number; put it in quotes"},
		{"list for a block", with(role, "slack: [a]"), "7 slack: must be a block of keys"},
		{"log level", with(role, "log: {level: loud}"), "7 log.level: is not a level"},
		{"log format", with(role, "log: {format: xml}"), "7 log.format: is \"xml\""},
		{"app token in YAML", with(role, "slack: {app_token: something}"), "7 slack.app_token: a secret does not belong into this file; set NIGHTLATCH_SLACK_APP_TOKEN, or NIGHTLATCH_SLACK_APP_TOKEN_FILE"},
		{"key in YAML", with(role, "pagerduty: {key: something}"), "7 pagerduty.key: a secret does not belong into this file; set NIGHTLATCH_PAGERDUTY_KEY"},
		{"secret anywhere", with(change("name: read", `name: read, description: "use xoxb-1234567890-abcdefghij"`)), "6 roles[0].description: looks like a secret"},
		{"environment", with(role, "environment: Prod uction"), "7 environment: must be one lower-case word"},
		{"another Slack", with(role, `slack: {api_url: "https://slack.example/api/"}`), "7 slack.api_url: is not the vendor's"},
		{"loopback Slack in production", with(role, `slack: {api_url: "http://127.0.0.1:1/api/"}`), "7 slack.api_url: is not the vendor's"},
		{"plain Slack", with(role, `slack: {api_url: "http://slack.com/api/"}`), "7 slack.api_url: is not the vendor's"},
		{"another PagerDuty in the playground", with(role, "environment: playground", `pagerduty: {api_url: "https://pd.example"}`), "8 pagerduty.api_url: is not the vendor's"},
		{"a loopback name that is none", with(role, "environment: playground", `pagerduty: {api_url: "http://127.0.0.1.evil.example"}`), "8 pagerduty.api_url: is not the vendor's"},
		{"a user in a URL", with(role, "environment: playground", `pagerduty: {api_url: "http://a@127.0.0.1"}`), "8 pagerduty.api_url: is no base URL"},
		{"no slash", with(role, "environment: playground", `slack: {api_url: "http://127.0.0.1:1/api"}`), "8 slack.api_url: must end with a slash"},
		{"a socket for everybody", with(role, `operator: {socket: "@nightlatch"}`), "7 operator.socket: begins with @"},
		{"a long socket", with(role, "operator: {socket: /run/"+strings.Repeat("n", 99)+"}"), "7 operator.socket: is 104 bytes long"},
		{"an operator without a uid", with(role, "operator: {people: [{user: U0ADA}]}"), "7 operator.people[0].uid: is missing; id -u prints it"},
		{"an operator without a person", with(role, "operator: {people: [{uid: 1000}]}"), "7 operator.people[0].user: \"\" is no Slack user ID"},
		{"a uid below zero", with(role, "operator: {people: [{uid: -1, user: U0ADA}]}"), "7 operator.people[0].uid: is -1, which is no user ID"},
		{"a uid that would wrap to root", with(role, "operator: {people: [{uid: 4294967296, user: U0ADA}]}"), "7 operator.people[0].uid: is 4294967296, which is no user ID"},
		{"the uid of the hidden", with(role, "operator: {people: [{uid: 65534, user: U0ADA}]}"), "7 operator.people[0].uid: is 65534, which is everybody"},
		{"a uid that is text", with(role, `operator: {people: [{uid: "1000", user: U0ADA}]}`), "7 operator.people[0].uid: must be a number, and is text"},
		{"a uid twice", with(role, "operator: {people: [{uid: 7, user: U0ADA}, {uid: 7, user: U0BEN}]}"), "7 operator.people[1].uid: 7 stands twice"},
		{"workspace", with(role, "slack: {team: night}"), "7 slack.team: \"night\" is no workspace ID"},
		{"fast poll", with(role, "poll: 1s"), "7 poll: is 1s; below 5s is for environment: playground"},
		{"negative settle", with(role, "settle: -1s"), "7 settle: is -1s, and must be at least 0s and at most 24h"},
		{"limit", with(role, "limits: {per_person: 0}"), "7 limits.per_person: is 0, and must be at least 1"},
		{"limits that contradict", with(role, "limits: {per_person: 9, in_all: 8}"), "7 limits.in_all: is 8, less than limits.per_person"},
		{"no roles", strings.Replace(with(role), "roles:\n- "+role, "", 1), "0 roles: is missing"},
		{"role name", with(change("name: read", "name: Read It")), "6 roles[0].name: must be one lower-case word"},
		{"role twice", with(role, "- "+role), `7 roles[1].name: "read" is already the name of roles[0]`},
		{"runbook", with(change("name: read", "name: read, runbook: see the wiki")), "6 roles[0].runbook: is no link"},
		{"runbook that runs", with(change("name: read", `name: read, runbook: "javascript:alert(1)"`)), "6 roles[0].runbook: is no link"},
		{"automatic", with(change("automatic: on_call", "automatic: always")), `6 roles[0].automatic: is "always", and must be never or on_call`},
		{"verify", with(change("automatic: on_call", "automatic: on_call, verify: never")), `6 roles[0].verify: is "never", and must be introspect or offline`},
		{"automatic for nobody", with(change("on_call: [{policy: PORDERS}], ", "")), "6 roles[0].on_call: is missing"},
		{"for nobody", with(change("automatic: on_call, ", "")), "6 roles[0]: can never be given to anybody"},
		{"voters without a shift", with(change("on_call: [{policy: PORDERS}], automatic: on_call", "channel: C012, voters: {users: [U012], count: 1}")), "6 roles[0]: can never be given to anybody"},
		{"policy and schedule", with(change("policy: PORDERS", "policy: PORDERS, schedule: PDEF456")), "6 roles[0].on_call[0]: must have either policy or schedule"},
		{"levels of a schedule", with(change("policy: PORDERS", "schedule: PDEF456, levels: [1]")), "6 roles[0].on_call[0].levels: are a policy's"},
		{"level", with(change("policy: PORDERS", "policy: PORDERS, levels: [0]")), "6 roles[0].on_call[0].levels[0]: is 0"},
		{"policy name", with(change("PORDERS", "Primary")), `6 roles[0].on_call[0].policy: "Primary" is no PagerDuty ID`},
		{"no channel", with(change("max:", "voters: {users: [U012], count: 1}, max:")), "6 roles[0].channel: is missing"},
		{"security channel's name", with(role, "security: {channel: security}"), `7 security.channel: "security" is no channel ID`},
		{"security's name", with(role, "security: {people: [ada]}"), `7 security.people[0]: "ada" is no Slack user ID`},
		{"a command's name", with(change("name: read", "name: people")), "6 roles[0].name: is a command of security"},
		{"another command's name", with(change("name: read", "name: extend")), "6 roles[0].name: is a command, /access extend"},
		{"channel name", with(change("max:", "channel: oncall, max:")), `6 roles[0].channel: "oncall" is no channel ID`},
		{"user name", with(change("max:", "channel: C012, voters: {users: [ada], count: 1}, max:")), `6 roles[0].voters.users[0]: "ada" is no Slack user ID`},
		{"user twice", with(change("max:", "channel: C012, voters: {users: [U012, U012], count: 1}, max:")), "6 roles[0].voters.users: lists somebody twice"},
		{"group", with(change("max:", "channel: C012, off_call: {usergroup: admins, count: 1}, max:")), `6 roles[0].off_call.usergroup: "admins" is no Slack user group ID`},
		{"more votes than people", with(change("max:", "channel: C012, off_call: {users: [U012], count: 2}, max:")), "6 roles[0].off_call.count: is 2, and users lists only 1"},
		{"votes of nobody", with(change("max:", "channel: C012, off_call: {count: 1}, max:")), "6 roles[0].off_call.count: is 1, and nobody is listed"},
		{"levels of no policy", with(change("max:", "channel: C012, off_call: {users: [U012], levels: [1], count: 1}, max:")), "6 roles[0].off_call.levels: are of a policy"},
		{"no max", with(change("max: 4h, ", "")), "6 roles[0].max: is missing"},
		{"long max", with(change("4h", "25h")), "6 roles[0].max: is 25h, and must be at least 1s and at most 24h"},
		{"default", with(change("max: 4h", "max: 4h, default: 5h")), "6 roles[0].default: is 5h, more than max, which is 4h"},
		{"issuer", with(change("max:", "issuer: vault, max:")), `6 roles[0].issuer: "vault" does not exist`},
		{"no audience", with(change("audience: api, ", "")), "6 roles[0].audience: is missing"},
		{"no scopes", with(change(", scopes: [read]", "")), "6 roles[0].scopes: is missing"},
		{"scopes", with(change("[read]", "[/v1/orders]")), `6 roles[0].scopes: scope 1, "/v1/orders"`},
		{"listener without TLS", strings.Replace(strings.Replace(least, "cert: \"dns:api\"", "sha256: \""+strings.Repeat("0", 64)+"\"", 1), "http: {", `http: {listen: "0.0.0.0:8321", `, 1) + "- " + role, "2 http.listen: "},
		{"half of TLS", strings.Replace(least, "http: {", `http: {tls: {key: k, client_ca: a}, `, 1) + "- " + role, "2 http.tls.certificate: is missing"},
		{"certificates of nobody", strings.Replace(least, "http: {", `http: {tls: {certificate: c, key: k}, `, 1) + "- " + role, "4 introspection[0].cert: needs http.tls.client_ca"},
		{"not YAML", "roles: [", "0 is not a configuration: yaml: "},
		{"two documents", with(role) + "\n---\nsettle: 1m\n", "0 is not a configuration: there is a second document"},
		{"a broken second document", with(role) + "\n---\n[", "0 is not a configuration: there is a second document"},
		{"a list", "- a", "0 is not a configuration"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := problemsOf(t, c.data)
			if len(got) != 1 || !strings.Contains(got[0], c.want) {
				t.Errorf("got %q, want just %q", got, c.want)
			}
		})
	}
}

// TestEmpty: what must be said is asked for, whatever "nothing" looks like.
func TestEmpty(t *testing.T) {
	want := problemsOf(t, "{}")
	if len(want) != 4 {
		t.Errorf("got %q", want)
	}
	for _, data := range []string{"", "\n", "# nothing\n", "---\n", "null"} {
		var got []string
		for _, line := range problemsOf(t, data) {
			got = append(got, strings.TrimLeft(line, "0123456789"))
		}
		for i := range want {
			want[i] = strings.TrimLeft(want[i], "0123456789")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", data, diff)
		}
	}
}

// TestEverythingAtOnce: nobody should have to start ten times to read ten problems.
func TestEverythingAtOnce(t *testing.T) {
	got := problemsOf(t, "settle: 1\nslack: {nope: 1}\nroles: [{name: A, max: x}]\nzzz: 1\n")
	for _, want := range []string{"settle:", "slack.nope:", "roles[0].name:", "roles[0].max:", "zzz:", "ledger.path:", "token.key_file:", "http.url:", "roles[0].audience:"} {
		found := false
		for _, line := range got {
			_, rest, _ := strings.Cut(line, " ")
			found = found || strings.HasPrefix(rest, want)
		}
		if !found {
			t.Errorf("no problem of %s in\n%s", want, strings.Join(got, "\n"))
		}
	}
}

func TestWarnings(t *testing.T) {
	data := strings.Replace(with(change("automatic: on_call", "channel: C012, voters: {users: [U012]}, off_call: {users: [U012], count: 1}"),
		"settle: 0"), "audiences: [api]", "audiences: [other]", 1)
	_, warnings, err := config.Parse([]byte(data))
	if err != nil {
		t.Fatal(problemsOf(t, data))
	}
	if diff := cmp.Diff([]string{
		"0 slack.team: is missing: while Slack does not answer the program cannot start, and what is over is not revoked; " +
			"it is the T… in the workspace's address, https://app.slack.com/client/T…",
		`4 introspection[0].audiences[0]: "other" is no role's audience`,
		"6 roles[0].voters.count: is 0: these people may revoke, and can't say yes",
		"7 settle: is 0: whoever can edit a schedule in PagerDuty can put themselves on call and get access at once",
	}, lines(warnings)); diff != "" {
		t.Error(diff)
	}
}

// TestPlayground: there, and only there, everything may be on this machine.
func TestPlayground(t *testing.T) {
	data := strings.Replace(with(role, "environment: playground", "poll: 1s", "settle: 0",
		`slack: {api_url: "http://127.0.0.1:4321/api/"}`, `pagerduty: {api_url: "http://[::1]:4322"}`),
		"https://nightlatch.internal", "http://127.0.0.1:8321", 1)
	if got := problemsOf(t, data); got != nil {
		t.Error(got)
	}
}

// TestPlainOnLoopback is enough for a trial, and for nobody elsewhere.
func TestPlainOnLoopback(t *testing.T) {
	data := strings.Replace(strings.Replace(least, `cert: "dns:api"`, `sha256: "`+strings.Repeat("1", 64)+`"`, 1)+"- "+role,
		"https://nightlatch.internal", "http://127.0.0.1:8321", 1)
	_, warnings, err := config.Parse([]byte(data))
	if err != nil {
		t.Fatal(problemsOf(t, data))
	}
	if all := lines(warnings); !slices.ContainsFunc(all, func(w string) bool {
		return strings.HasPrefix(w, "2 http.url: is plain: only services on this machine can check tokens")
	}) {
		t.Errorf("the warnings are %q", all)
	}
	if got := problemsOf(t, strings.Replace(data, "127.0.0.1:8321", "nightlatch.internal", 1)); len(got) != 1 || !strings.Contains(got[0], "is not https") {
		t.Errorf("plain http across a network: %q", got)
	}
}

func TestEUPagerDuty(t *testing.T) {
	if got := problemsOf(t, with(role, `pagerduty: {api_url: "https://api.eu.pagerduty.com"}`)); got != nil {
		t.Error(got)
	}
}

func TestSecrets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nightlatch.yaml")
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := errors.Join(os.WriteFile(path, []byte(with(role)), 0o600), os.WriteFile(keyFile, []byte("u+secret\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"NIGHTLATCH_SLACK_APP_TOKEN": "xapp-1", "NIGHTLATCH_SLACK_BOT_TOKEN": "xoxb-1", "NIGHTLATCH_PAGERDUTY_KEY_FILE": keyFile,
	}
	load := func() (config.Loaded, error) {
		return config.Load(config.File{Path: path, Env: func(k string) (string, bool) { v, ok := env[k]; return v, ok }})
	}
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Secrets.SlackApp.Expose() + c.Secrets.SlackBot.Expose() + c.Secrets.PagerDuty.Expose(); got != "xapp-1xoxb-1u+secret" {
		t.Errorf("got %q", got)
	}
	const open = "names FILE, which has mode 0644: everybody on this machine can use the secret"
	has := func() bool {
		return slices.ContainsFunc(c.Warnings, func(p config.Problem) bool {
			return p.Key == "NIGHTLATCH_PAGERDUTY_KEY_FILE" && strings.HasPrefix(strings.ReplaceAll(p.Text, keyFile, "FILE"), open)
		})
	}
	if has() {
		t.Errorf("a file of its owner's: %v", c.Warnings)
	}
	if err := os.Chmod(keyFile, 0o644); err != nil {
		t.Fatal(err)
	}
	if c, err = load(); err != nil || !has() {
		t.Errorf("a file that everybody reads: %v, %v", c.Warnings, err)
	}
	if printed := fmt.Sprintf("%+v %#v", c, c); strings.Contains(printed, "xoxb-1") || strings.Contains(printed, "u+secret") {
		t.Error("a printed configuration shows a secret")
	}

	env = map[string]string{
		"NIGHTLATCH_SLACK_APP_TOKEN": "xoxb-swapped", "NIGHTLATCH_PAGERDUTY_KEY": "u+a secret",
		"NIGHTLATCH_SLACK_BOT_TOKEN": "xoxb-1", "NIGHTLATCH_SLACK_BOT_TOKEN_FILE": keyFile,
	}
	_, err = load()
	problems, ok := errors.AsType[config.Problems](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	if diff := cmp.Diff([]string{
		"0 NIGHTLATCH_SLACK_APP_TOKEN: is not an app-level token, which begins with xapp-",
		"0 NIGHTLATCH_SLACK_BOT_TOKEN: is set, and NIGHTLATCH_SLACK_BOT_TOKEN_FILE too; unset one of them",
		"0 NIGHTLATCH_PAGERDUTY_KEY: holds a space or a character that no secret has",
	}, lines(problems.List)); diff != "" {
		t.Error(diff)
	}
}

// TestDigest: what decides is in it, how it is written is not.
func TestDigest(t *testing.T) {
	digest := func(data string) string {
		t.Helper()
		c, _, err := config.Parse([]byte(data))
		if err != nil {
			t.Fatal(problemsOf(t, data))
		}
		d, err := c.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	one := digest(with(role))
	if two := digest("# a comment\n" + with(role, "settle: 15m")); two != one {
		t.Error("the digest depends on a comment or a written default")
	}
	if two := digest(with(change("4h", "3h"))); two == one {
		t.Error("a longer grant leaves the digest as it was")
	}
}

func TestOperators(t *testing.T) {
	c, warnings, err := config.Parse([]byte(with(role, "operator: {people: [{uid: 0, user: U0ROOT}, {uid: 1000, user: U0ADA}]}")))
	if err != nil {
		t.Fatal(err)
	}
	if c.Operator.Socket != "operator.sock" {
		t.Errorf("the socket is %s, not beside the ledger", c.Operator.Socket)
	}
	want := map[uint32]grants.PersonKey{0: "T0.U0ROOT", 1000: "T0.U0ADA"}
	if diff := cmp.Diff(want, c.Operator.Persons("T0")); diff != "" {
		t.Error(diff)
	}
	if all := lines(warnings); !slices.Contains(all, "7 operator.people[0].uid: is root: whoever becomes root on this machine acts as U0ROOT") {
		t.Errorf("the warnings are %q", all)
	}
}

func TestOfflineHasAPrice(t *testing.T) {
	_, warnings, err := config.Parse([]byte(with(change("automatic: on_call", "automatic: on_call, verify: offline"))))
	if err != nil {
		t.Fatal(err)
	}
	const want = "6 roles[0].verify: is offline: nobody can cut a token of read, which works up to 10 minutes after the grant is over"
	if all := lines(warnings); !slices.Contains(all, want) {
		t.Errorf("the warnings are %q", all)
	}
}
