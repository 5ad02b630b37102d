package main_test

import (
	"bufio"
	"context"
	"io"
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
)

// silent is a configuration whose Slack and PagerDuty do not answer: all that this
// machine does by itself must work all the same.
const silent = `environment: playground
ledger: {path: ledger.db}
slack: {api_url: "http://127.0.0.1:1/api/", team: T0NIGHT}
pagerduty: {api_url: "http://127.0.0.1:1"}
http: {listen: "127.0.0.1:0", url: "http://127.0.0.1:8321"}
token: {key_file: token.pem}
roles: [{name: read, on_call: [{policy: PABC123}], automatic: on_call, max: 4h, audience: api, scopes: [read]}]
`

var listening = regexp.MustCompile(`msg=serving .*http=(\S+)`)

// TestServeStartsWithoutSlackAndStopsWhenTold runs the program twice on one ledger, one
// after the other: the second start finds it closed. Two at once are refused.
func TestServeStartsWithoutSlackAndStopsWhenTold(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "nightlatch.yaml"), []byte(silent), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		cmd := exec.CommandContext(ctx, "nightlatch", "serve")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "NIGHTLATCH_SLACK_APP_TOKEN=xapp-1-example", "NIGHTLATCH_SLACK_BOT_TOKEN=xoxb-example", "NIGHTLATCH_PAGERDUTY_KEY=u+example")
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		log := bufio.NewReader(stderr)
		address, before := until(t, log, listening)
		if got := health(t, address); got != http.StatusOK {
			t.Errorf("/healthz answers %d", got)
		}
		second := exec.CommandContext(ctx, "nightlatch", "serve")
		second.Dir, second.Env = dir, cmd.Env
		if said, err := second.CombinedOutput(); err == nil || !strings.Contains(string(said), "hint: another process holds this ledger") {
			t.Errorf("a second one on the same ledger: %v\n%s", err, said)
		}
		told := time.Now()
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(log)
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v\n%s", signal, err, rest)
		}
		if took := time.Since(told); took > 5*time.Second {
			t.Errorf("%v: stopping took %s", signal, took)
		}
		if all := before + string(rest); strings.Contains(all, "xapp-1-example") || strings.Contains(all, "xoxb-example") || strings.Contains(all, "u+example") {
			t.Error("the log holds a secret")
		}
		stop()
	}
}

// TestServeTellsItsManager: systemd hears that the program is ready, that its sweep gets on,
// and that it stops.
func TestServeTellsItsManager(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "nightlatch.yaml"), []byte(silent), 0o600); err != nil {
		t.Fatal(err)
	}
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	if err := manager.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	hears := func(want string) {
		t.Helper()
		message := make([]byte, 1<<10)
		for {
			n, err := manager.Read(message)
			if err != nil {
				t.Fatalf("waiting for %s: %v", want, err)
			}
			switch got := string(message[:n]); got {
			case want:
				return
			case "WATCHDOG=1":
			default:
				t.Fatalf("heard %q, want %q", got, want)
			}
		}
	}
	cmd := exec.CommandContext(t.Context(), "nightlatch", "serve")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NIGHTLATCH_SLACK_APP_TOKEN=xapp-1-example", "NIGHTLATCH_SLACK_BOT_TOKEN=xoxb-example", "NIGHTLATCH_PAGERDUTY_KEY=u+example",
		"NOTIFY_SOCKET="+filepath.Join(dir, "notify"), "WATCHDOG_USEC=4000000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hears("READY=1")
	hears("WATCHDOG=1")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hears("STOPPING=1")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// until reads lines until one matches, and returns what it captured.
func until(t *testing.T, r *bufio.Reader, re *regexp.Regexp) (captured, read string) {
	t.Helper()
	for {
		line, err := r.ReadString('\n')
		read += line
		if match := re.FindStringSubmatch(line); match != nil {
			return match[1], read
		}
		if err != nil {
			t.Fatalf("the program ended early: %v\n%s", err, read)
		}
	}
}

func health(t *testing.T, address string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/healthz", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}
