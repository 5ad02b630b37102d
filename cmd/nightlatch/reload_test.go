package main_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestHangupReadsTheRoles: the roles are read again on SIGHUP, and nothing is loaded by halves.
func TestHangupReadsTheRoles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "nightlatch.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(silent)
	cmd := exec.CommandContext(t.Context(), "nightlatch", "serve")
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
	until(t, log, listening)
	hangup := func(want string) {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		until(t, log, regexp.MustCompile("("+want+")"))
	}
	write(strings.Replace(silent, "name: read,", "name: look,", 1))
	hangup(`msg=loaded roles=1`)
	write(silent + "nonsense: true\n")
	hangup(`was not loaded" key=nonsense`)
	write(strings.Replace(silent, "max: 4h", "max: 3h", 1) + "limits: {reveals: 3}\n")
	hangup(`only roles can change .* differs=limits`)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until(t, log, regexp.MustCompile("(msg=stopped)"))
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
