package main

import (
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"nightlatch/cmd/nightlatch/config"
)

// onHangup reads the configuration again whenever SIGHUP comes. One with a problem is logged, and
// the program goes on with the one that it has.
func onHangup(file config.File, log *slog.Logger) (reloads <-chan config.Loaded, stop func()) {
	hangups, loads, done := make(chan os.Signal, 1), make(chan config.Loaded), make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-done:
				return
			case <-hangups:
			}
			loaded, err := config.Load(file)
			if err != nil {
				logProblems(log, err)
				continue
			}
			select {
			case <-done:
				return
			case loads <- loaded:
			}
		}
	}()
	return loads, func() { signal.Stop(hangups); close(done) }
}

// logProblems says why a configuration was not loaded, a line for each problem.
func logProblems(log *slog.Logger, err error) {
	problems, ok := errors.AsType[config.Problems](err)
	if !ok {
		log.Error("the configuration was not loaded", "error", err)
		return
	}
	for _, p := range problems.List {
		log.Error("the configuration was not loaded", "key", p.Key, "line", p.Line, "what", p.Text)
	}
}
