package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"nightlatch/bot/send"
	"nightlatch/cmd/nightlatch/config"
	"nightlatch/cmd/nightlatch/inspect"
	"nightlatch/cmd/nightlatch/life"
	"nightlatch/cmd/nightlatch/operator"
	"nightlatch/grants/ledger"
)

// usageError is a command line that could not be understood.
type usageError struct{ error }

// unreadError is a configuration that could not be read at all.
type unreadError struct{ error }

func (e unreadError) Unwrap() error { return e.error }

// The exit codes of failures.
const (
	exitFailure        = 1
	exitUnknownOutcome = 3 // start again: what happened is on disk
)

// ExitCode is what the process exits with after an error.
func ExitCode(err error) int {
	if errors.Is(err, ledger.ErrUnknownOutcome) {
		return exitUnknownOutcome
	}
	return exitFailure
}

// HintFor says what to do next about an error that ended the program.
func HintFor(err error) string {
	var (
		told     *operator.Error
		usage    usageError
		problems config.Problems
		broken   inspect.Problems
		newer    *ledger.NewerError
		mismatch *ledger.MismatchError
		corrupt  *ledger.CorruptError
		unread   unreadError
	)
	switch {
	case errors.As(err, &told):
		return told.Hint
	case errors.As(err, &usage):
		return "nightlatch help shows the commands and an example of each"
	case errors.As(err, &problems) && !slices.ContainsFunc(problems.List, ofTheFile):
		return "nightlatch serve --help shows how secrets are given; nightlatch check looks again, with --without-secrets at the file alone"
	case errors.As(err, &problems):
		return "config.example.yaml explains every key; nightlatch check looks again"
	case errors.As(err, &broken):
		return "each line above that begins with problem or unknown, behind its place in the file, says what to do"
	case errors.Is(err, ledger.ErrUnknownOutcome):
		return "start nightlatch again: whether the last commit happened is read from disk; look at the disk if this repeats"
	case errors.Is(err, ledger.ErrInUse):
		return "another process holds this ledger; stop it first, or give this one a ledger.path of its own"
	case errors.Is(err, ledger.ErrFull), errors.Is(err, syscall.ENOSPC):
		return "the disk is full; free some of it and start again, nothing is lost"
	case errors.As(err, &newer):
		return "a newer nightlatch wrote this ledger; run that one"
	case errors.As(err, &mismatch):
		return "this ledger was born in another environment; correct environment or ledger.path in the configuration"
	case errors.As(err, &corrupt):
		return "the ledger does not prove itself: keep a copy of the file as it is, then restore the newest backup"
	case errors.Is(err, send.ErrAuth):
		return "Slack refuses the bot token: see NIGHTLATCH_SLACK_BOT_TOKEN, and reinstall the app from deploy/slack-manifest.yaml"
	case errors.Is(err, send.ErrUnreachable):
		return "see whether this machine reaches Slack; with slack.team in the configuration nightlatch starts without it"
	case errors.Is(err, syscall.EADDRINUSE):
		return "another process listens there; stop it, or change http.listen"
	case errors.Is(err, fs.ErrNotExist) && !errors.As(err, &unread):
		return hintForMissing(err)
	case errors.Is(err, fs.ErrNotExist):
		return "see the path; config.example.yaml is a configuration to begin with, and --config names yours"
	case errors.Is(err, fs.ErrPermission):
		return "see who owns the file, and as whom nightlatch runs"
	case errors.Is(err, life.ErrSlow):
		return "nothing is lost: what was acknowledged is recorded, and the next start goes on with it"
	case errors.Is(err, context.Canceled):
		return "it was told to stop before it had started"
	}
	return "the log above says what came before; nightlatch check looks for problems of the configuration"
}

// ofTheFile reports whether a problem is one of the configuration's file.
func ofTheFile(p config.Problem) bool { return !p.InEnvironment() }

// hintForMissing says what to do about a file that the configuration names and that cannot be made or found.
func hintForMissing(err error) string {
	path, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return "see the paths in the configuration"
	}
	dir := path.Path // which the ledger looks for before its file
	if path.Op != "stat" {
		dir = filepath.Dir(dir)
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return fmt.Sprintf("make the directory as the user that nightlatch runs as, for that user alone: install -d -m 0700 %s", dir)
	}
	return fmt.Sprintf("put the file there, or correct its path in the configuration: %s", path.Path)
}
