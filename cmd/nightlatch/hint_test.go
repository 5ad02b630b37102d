package main_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"nightlatch/bot/send"
	nightlatch "nightlatch/cmd/nightlatch"
	"nightlatch/cmd/nightlatch/config"
	"nightlatch/cmd/nightlatch/life"
	"nightlatch/cmd/nightlatch/operator"
	"nightlatch/grants/ledger"
)

// TestHints: whatever ends the program, its operator reads what to do next, and what
// starts it again can tell whether it should.
func TestHints(t *testing.T) {
	for _, c := range []struct {
		err  error
		hint string
		code int
	}{
		{&operator.Error{Text: "nothing listens", Hint: "start nightlatch serve"}, "start nightlatch serve", 1},
		{ledger.ErrUnknownOutcome, "start nightlatch again", 3},
		{errors.Join(errors.New("closing the ledger"), ledger.ErrUnknownOutcome), "start nightlatch again", 3},
		{ledger.ErrInUse, "another process holds this ledger", 1},
		{ledger.ErrFull, "the disk is full", 1},
		{syscall.ENOSPC, "the disk is full", 1},
		{&ledger.NewerError{Found: 2, Known: 1}, "a newer nightlatch", 1},
		{&ledger.MismatchError{Field: "environment", Found: "playground", Wanted: "production"}, "born in another environment", 1},
		{&ledger.CorruptError{Seq: 7, Reason: "an edited leaf"}, "restore the newest backup", 1},
		{send.ErrAuth, "NIGHTLATCH_SLACK_BOT_TOKEN", 1},
		{send.ErrUnreachable, "slack.team", 1},
		{config.Problems{List: []config.Problem{{Key: "NIGHTLATCH_PAGERDUTY_KEY"}, {Key: "poll"}}}, "config.example.yaml", 1},
		{syscall.EADDRINUSE, "http.listen", 1},
		{fs.ErrNotExist, "in the configuration", 1},
		{&fs.PathError{Op: "open", Path: "/no/such/place/ledger.db", Err: fs.ErrNotExist}, "install -d -m 0700 /no/such/place", 1},
		{&fs.PathError{Op: "stat", Path: "/no/such/place", Err: fs.ErrNotExist}, "install -d -m 0700 /no/such/place", 1},
		{&fs.PathError{Op: "open", Path: "/tls.crt", Err: fs.ErrNotExist}, "/tls.crt", 1},
		{config.Problems{List: []config.Problem{{Key: "NIGHTLATCH_PAGERDUTY_KEY"}}}, "nightlatch serve --help", 1},
		{fs.ErrPermission, "who owns the file", 1},
		{life.ErrSlow, "nothing is lost", 1},
		{context.Canceled, "told to stop", 1},
		{errors.New("anything"), "nightlatch check", 1},
	} {
		err := fmt.Errorf("running the service: %w", c.err)
		hint := nightlatch.HintFor(err)
		if !strings.Contains(hint, c.hint) || strings.HasSuffix(hint, ".") || strings.Contains(hint, "\n") {
			t.Errorf("%v: the hint is %q, want %q in one line without a full stop", c.err, hint, c.hint)
		}
		if code := nightlatch.ExitCode(err); code != c.code {
			t.Errorf("%v: exit code %d, want %d", c.err, code, c.code)
		}
	}
}

// TestLogHasOneLineForEachEvent, also for an error of several.
func TestLogHasOneLineForEachEvent(t *testing.T) {
	var out strings.Builder
	err := fmt.Errorf("reading: %w", errors.Join(errors.New("Slack does not answer"), errors.New("nor does PagerDuty")))
	nightlatch.NewLog(config.Log{Format: "text"}, &out).Error("reading the directory", "error", err)
	if log := out.String(); !strings.Contains(log, `error="reading: Slack does not answer; nor does PagerDuty"`) {
		t.Errorf("the log is %s", log)
	}
}
