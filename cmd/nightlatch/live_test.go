package main_test

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	nightlatch "nightlatch/cmd/nightlatch"
	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/emulators/slackemu"
)

// liveConfig names one of each kind. Words in capitals are filled in.
const liveConfig = `environment: playground
ledger: {path: "DIR/ledger.db"}
slack: {api_url: "SLACK/api/", team: T0NIGHT}
pagerduty: {api_url: "PAGER"}
http: {url: "http://127.0.0.1:1"}
token: {key_file: "DIR/token.pem"}
roles:
  - name: orders-read
    on_call: [{policy: PORDERS, levels: [1]}]
    off_call: {users: [U0LOU], count: 1}
    channel: C0ONCALL
    max: 1h
    audience: https://orders.example
    scopes: ["GET /v1/orders/*"]
`

// TestCheckLiveSaysWhatDoesNotWork: a line for each thing, its place in the file where something is to be done, and
// no secret.
func TestCheckLiveSaysWhatDoesNotWork(t *testing.T) {
	slack, pager := slackemu.New(slackemu.Config{}), pagerdutyemu.New(pagerdutyemu.Config{})
	for _, stop := range []func(){slack.Close, pager.Close} {
		t.Cleanup(stop)
	}
	slackServer, pagerServer := httptest.NewServer(slack), httptest.NewServer(pager)
	t.Cleanup(slackServer.Close)
	t.Cleanup(pagerServer.Close)
	slack.PutUser(slackemu.User{ID: "U0LOU", Name: "lou", RealName: "Lou", Email: "lou@example.com"})
	slack.PutChannel(slackemu.Channel{ID: "C0ONCALL", Name: "on-call"})
	pager.PutUser(pagerdutyemu.User{ID: "P0ADA", Name: "Ada", Email: "ada@example.com"})
	pager.PutPolicy(pagerdutyemu.Policy{ID: "PORDERS", Name: "Orders", Levels: []pagerdutyemu.Level{{{Schedule: "SPRIME"}}}})
	pager.SetShifts("SPRIME", pagerdutyemu.Shift{User: "P0ADA", Start: time.Now().Add(-time.Hour), End: time.Now().Add(time.Hour)})

	dir := t.TempDir()
	path := filepath.Join(dir, "nightlatch.yaml")
	text := strings.NewReplacer("DIR", dir, "SLACK", slackServer.URL, "PAGER", pagerServer.URL).Replace(liveConfig)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	secrets := []string{slack.Config().AppToken, slack.Config().BotToken, pager.Config().Key}
	t.Setenv("NIGHTLATCH_SLACK_APP_TOKEN", secrets[0])
	t.Setenv("NIGHTLATCH_SLACK_BOT_TOKEN", secrets[1])
	t.Setenv("NIGHTLATCH_PAGERDUTY_KEY", secrets[2])
	check := func() (code int, stdout, stderr string) {
		var out, errs bytes.Buffer
		code = nightlatch.Main(t.Context(), []string{"check", "--live", "--config", path}, &out, &errs)
		for _, secret := range secrets {
			if strings.Contains(out.String()+errs.String(), secret) {
				t.Errorf("%s is printed", secret)
			}
		}
		return code, out.String(), errs.String()
	}

	code, out, errs := check()
	for _, want := range []string{
		`(?m)^ok: 1 roles`,
		`(?m)^ok: NIGHTLATCH_SLACK_BOT_TOKEN: works in night \(T0NIGHT\)$`,
		`(?m)^ok: roles\[0\].channel: #on-call \(C0ONCALL\)$`,
		`(?m)^ok: roles\[0\].off_call.users\[0\]: Lou \(U0LOU\)$`,
		`(?m)^ok: roles\[0\].on_call\[0\]: on call now: P0ADA$`,
		`(?m)^note: NIGHTLATCH_PAGERDUTY_KEY: reads 1 users, and may write too`,
		`(?m)^\S+nightlatch.yaml:5: note: http.url: does not answer from here`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("no line like %s in\n%s", want, out)
		}
	}
	if code != 0 {
		t.Errorf("it exits with %d:\n%s\n%s", code, out, errs)
	}
	slack.PutChannel(slackemu.Channel{ID: "C0ONCALL", Name: "on-call", WithoutBot: true})
	code, out, errs = check()
	if want := path + ":11: problem: roles[0].channel: the bot is not in #on-call"; code != 1 || !strings.Contains(out, want) {
		t.Errorf("exit %d, and no line %s in\n%s", code, want, out)
	}
	if !strings.Contains(errs, "nightlatch: 1 thing does not work\nhint: each line above") {
		t.Errorf("it ends with\n%s", errs)
	}
}
