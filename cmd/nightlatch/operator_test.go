package main_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
	"nightlatch/grants/ledger/boltkv"
	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/emulators/slackemu"
)

// house is a machine with the real program on it, and emulators of Slack and PagerDuty beside it.
type house struct {
	t     *testing.T
	dir   string
	slack *slackemu.Emulator
	pager *pagerdutyemu.Emulator
	rest  string // of the configuration
	env   []string
	bot   *exec.Cmd
	log   bytes.Buffer
}

// newHouse opens a house in which ada and ben are of security, and cat is on call.
func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir()}
	slackAt, pagerAt := listen(t), listen(t)
	h.slack = slackemu.New(slackemu.Config{BaseURL: "http://" + slackAt.Addr().String()})
	h.pager = pagerdutyemu.New(pagerdutyemu.Config{})
	t.Cleanup(h.pager.Close)
	t.Cleanup(h.slack.Close)
	serve(t, slackAt, h.slack)
	serve(t, pagerAt, h.pager)
	for _, name := range []string{"ada", "ben", "cat"} {
		h.slack.PutUser(slackemu.User{ID: slackID(name), Name: name, Email: name + "@example.com"})
		h.pager.PutUser(pagerdutyemu.User{ID: "P0" + strings.ToUpper(name), Name: name, Email: name + "@example.com"})
	}
	h.slack.PutChannel(slackemu.Channel{ID: "C0ONCALL", Name: "on-call", Members: []string{"U0ADA", "U0BEN", "U0CAT"}})
	now := time.Now()
	h.pager.PutPolicy(pagerdutyemu.Policy{ID: "PORDERS", Name: "Orders", Levels: []pagerdutyemu.Level{{{Schedule: "SPRIME"}}}})
	h.pager.SetShifts("SPRIME", pagerdutyemu.Shift{User: "P0CAT", Start: now.Add(-time.Hour), End: now.Add(time.Hour)})
	h.rest = fmt.Sprintf(`environment: playground
ledger: {path: ledger.db}
slack: {api_url: "http://%s/api/", team: %s}
pagerduty: {api_url: "http://%s"}
settle: 0s
security: {people: [U0ADA, U0BEN]}
http: {listen: "127.0.0.1:0", url: "http://127.0.0.1:8321"}
token: {key_file: token.pem}
roles: [{name: read, on_call: [{policy: PORDERS}], automatic: on_call, voters: {users: [U0BEN], count: 1}, channel: C0ONCALL, max: 30m, audience: api, scopes: [read]}]
`, slackAt.Addr(), h.slack.Config().TeamID, pagerAt.Addr())
	h.env = append(os.Environ(), "NIGHTLATCH_SLACK_APP_TOKEN="+h.slack.Config().AppToken,
		"NIGHTLATCH_SLACK_BOT_TOKEN="+h.slack.Config().BotToken, "NIGHTLATCH_PAGERDUTY_KEY="+h.pager.Config().Key)
	return h
}

func slackID(name string) string { return "U0" + strings.ToUpper(name) }

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func serve(t *testing.T, l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(l) }() // its end is no news: the clean-up closes it
	t.Cleanup(func() { _ = server.Close() })
}

// starts serves with lines more in the configuration, until the directory was read.
func (h *house) starts(more string) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, "nightlatch.yaml"), []byte(h.rest+more), 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.bot = exec.Command("nightlatch", "serve")
	h.bot.Dir, h.bot.Env, h.bot.Stderr = h.dir, h.env, &h.log
	if err := h.bot.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		if h.bot.ProcessState == nil { // a test gave up half-way
			_ = h.bot.Process.Kill()
			_ = h.bot.Wait()
			h.t.Logf("log:\n%s", h.log.String())
		}
	})
	h.until("the directory is read", func() bool {
		_, _, err := h.runs("people", "list")
		return err == nil
	})
}

// until waits for something that the program does by itself.
func (h *house) until(what string, so func() bool) {
	h.t.Helper()
	for patience := time.After(time.Minute); !so(); {
		select {
		case <-patience:
			h.t.Fatalf("waiting in vain: %s", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// runs runs a command as the operator does.
func (h *house) runs(args ...string) (out, errs string, err error) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nightlatch", args...)
	var stdout, stderr strings.Builder
	cmd.Dir, cmd.Stdout, cmd.Stderr = h.dir, &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

// says checks a command that is done, and returns what it says.
func (h *house) says(want string, args ...string) string {
	h.t.Helper()
	out, errs, err := h.runs(args...)
	if err != nil || errs != "" || !regexp.MustCompile(want).MatchString(out) {
		h.t.Errorf("nightlatch %v says\n%s%s(%v), and not %s", args, out, errs, err, want)
	}
	return out
}

// refuses checks a command that is not done, with its hint.
func (h *house) refuses(text, hint string, args ...string) {
	h.t.Helper()
	out, errs, err := h.runs(args...)
	want := "nightlatch: " + text + "\nhint: "
	if err == nil || out != "" || !strings.HasPrefix(errs, want) || !strings.Contains(errs, hint) {
		h.t.Errorf("nightlatch %v says\n%s%s(%v), and not\n%s…%s…", args, out, errs, err, want, hint)
	}
}

// stops ends the program as systemd does.
func (h *house) stops() {
	h.t.Helper()
	if err := h.bot.Process.Signal(syscall.SIGTERM); err != nil {
		h.t.Fatal(err)
	}
	if err := h.bot.Wait(); err != nil {
		h.t.Fatalf("%v\n%s", err, h.log.String())
	}
}

// dies kills the program, which leaves its socket behind.
func (h *house) dies() {
	h.t.Helper()
	if err := h.bot.Process.Kill(); err != nil {
		h.t.Fatal(err)
	}
	_ = h.bot.Wait() // it was killed
	if _, err := os.Lstat(filepath.Join(h.dir, "operator.sock")); err != nil {
		h.t.Errorf("nothing is left to be replaced: %v", err)
	}
}

// events reads what the program recorded, when it does not run.
func (h *house) events() []grants.Event {
	h.t.Helper()
	ctx := context.Background()
	engine, err := boltkv.Open(boltkv.Config{Path: filepath.Join(h.dir, "ledger.db"), Spaces: ledger.Spaces()})
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() {
		if err := engine.Close(); err != nil {
			h.t.Error(err)
		}
	}()
	l, err := ledger.Open(ctx, ledger.Config{Engine: engine, Environment: "playground"})
	if err != nil {
		h.t.Fatal(err)
	}
	var all []grants.Event
	if err := l.View(ctx, func(v *ledger.View) (bad error) {
		v.Events(0, func(_ int64, leaf []byte) bool {
			var e grants.Event
			e, bad = grants.DecodeEvent(leaf)
			all = append(all, e)
			return bad == nil
		})
		return bad
	}); err != nil {
		h.t.Fatal(err)
	}
	return all
}

// recorded checks that one event of a kind came through the socket, by a person, and says so much.
func (h *house) recorded(all []grants.Event, kind grants.Kind, person, detail string) {
	h.t.Helper()
	for _, e := range all {
		if e.Kind == kind && e.Actor.System == "operator" && e.Actor.Person.Slack() == person && strings.Contains(e.Detail, detail) {
			return
		}
	}
	h.t.Errorf("no event %s of %q through the socket says %q", kind, person, detail)
}

// TestOperatorsOnTheMachine: the real program hears its operators, knows them by their uid, and
// records what they do.
func TestOperatorsOnTheMachine(t *testing.T) {
	h := newHouse(t)
	uid := os.Getuid()

	// Nobody in particular reads, and changes nothing.
	h.starts("")
	h.says(`(?m)^U0CAT +cat +cat@example.com +P0CAT +member +\S.* no$`, "people", "list")
	h.until("the bot hears Slack", func() bool { return h.slack.Connections() > 0 })
	if _, err := h.slack.RunCommand("U0CAT", "C0ONCALL", "/access read 20m checkout is down"); err != nil {
		t.Fatal(err)
	}
	grant := h.open()
	h.says(`(?m)^reason +checkout is down$`, "grants", "show", grant)
	h.refuses(who(uid)+" may only read", "operator.people", "people", "freeze", "U0CAT", "because")
	h.refuses(who(uid)+" may only read", "operator.people", "people", "approve", "U0CAT")
	h.refuses(who(uid)+" may only read", "operator.people", "revoke", grant)
	h.says(`(?m)^U0CAT .* no$`, "people", "list")
	h.open()
	h.stops()

	// Who is somebody does what that person may do in Slack, and no more.
	h.starts(fmt.Sprintf("operator: {people: [{uid: %d, user: U0CAT}]}\n", uid))
	h.refuses("you are not among security.people", "ask one of them", "people", "freeze", "U0ADA", "because")
	h.refuses("you are not among those who may revoke this", "its role", "revoke", grant)
	h.dies()
	h.starts(fmt.Sprintf("operator: {people: [{uid: %d, user: U0BEN}]}\n", uid))
	h.refusesASecond()
	h.refuses("this person is not frozen", "nothing to approve", "people", "approve", "U0CAT")
	h.refuses("the directory does not have this person", "Slack user ID", "people", "freeze", "U0NOBODY", "because")
	h.refuses("there is no such request or grant", "nightlatch grants", "revoke", "06rkz1v8xw0000000000000000")
	h.says(`(?m)^`+grant+` +(closing|closed) `, "revoke", grant)
	h.says(`(?m)^U0CAT .* frozen by U0BEN$`, "people", "freeze", "cat@example.com", "lost", "their", "laptop")
	h.says(`\A.*\nU0CAT .* frozen by U0BEN\n`, "people", "list")
	h.says(`(?m)^U0CAT .* no$`, "people", "approve", "U0CAT")
	h.stops()

	all := h.events()
	h.recorded(all, grants.KindRejected, "", fmt.Sprintf("uid %d", uid))
	h.recorded(all, grants.KindRejected, "U0CAT", "")
	h.recorded(all, grants.KindRejected, "U0BEN", "who is not frozen")
	h.recorded(all, grants.KindRejected, "U0BEN", "somebody whom the directory does not have")
	h.recorded(all, grants.KindDirectory, "U0BEN", "froze")
	h.recorded(all, grants.KindDirectory, "U0BEN", "approved")
	h.recorded(all, grants.KindClosed, "U0BEN", "") // nothing was revealed
	if strings.Contains(fmt.Sprint(all), "laptop") {
		t.Error("what was typed stands in an event, and cannot be erased")
	}
	h.refuses("nothing listens at operator.sock", "nightlatch serve", "people", "list")
}

// refusesASecond starts another program, with a ledger of its own and the same socket.
func (h *house) refusesASecond() {
	h.t.Helper()
	second := strings.NewReplacer("ledger.db", "second.db", "token.pem", "second.pem").Replace(h.rest) + "operator: {socket: operator.sock}\n"
	if err := os.WriteFile(filepath.Join(h.dir, "second.yaml"), []byte(second), 0o600); err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.CommandContext(h.t.Context(), "nightlatch", "serve", "--config", "second.yaml")
	cmd.Dir, cmd.Env = h.dir, h.env
	said, err := cmd.CombinedOutput()
	want := "nightlatch: another process listens at operator.sock\nhint: stop it first, or give this one an operator.socket of its own\n"
	if err == nil || !strings.HasSuffix(string(said), want) {
		h.t.Errorf("a second one on the same socket: %v\n%s", err, said)
	}
}

func who(uid int) string {
	if uid == 0 {
		return "uid 0 (root)"
	}
	return fmt.Sprintf("uid %d", uid)
}

// openGrant is the line of an open grant of cat's.
var openGrant = regexp.MustCompile(`(?m)^([0-9a-z]{26}) +open +read +cat U0CAT `)

// open waits until a grant is open, and returns its ID.
func (h *house) open() (id string) {
	h.t.Helper()
	h.until("a grant is open", func() bool {
		out, _, err := h.runs("grants")
		if match := openGrant.FindStringSubmatch(out); err == nil && match != nil {
			id = match[1]
		}
		return id != ""
	})
	return id
}
