package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/emulators/slackemu"
)

// options are the command line's.
type options struct {
	binary  string // "": build it
	data    string // where the ledger and its key are kept; "": not at all
	door    string // where the program is asked about tokens; "": at a free port
	verbose bool
	keep    bool
	stderr  io.Writer
}

// stage is everything that runs: both emulators, and the program between them.
type stage struct {
	options
	dir       string
	workspace *slackemu.Emulator
	account   *pagerdutyemu.Emulator
	slack     control // of the workspace
	pagerduty control // of the account
	settings  settings
	binary    string
	program   *program // nil until start
	undo      []func() error
}

// openStage starts the emulators and finds or builds the program, which start then starts.
func openStage(ctx context.Context, o options) (_ *stage, err error) {
	s := &stage{options: o}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "nightlatch-playground-"); err != nil {
		return nil, fmt.Errorf("making a temporary directory: %w", err)
	}
	s.undo = append(s.undo, s.leave)
	door, err := s.listenDoor() // first: nobody should wait for a build to hear that the port is taken
	if err != nil {
		return nil, err
	}
	if err := door.Close(); err != nil {
		return nil, fmt.Errorf("freeing a port: %w", err)
	}
	if s.keep {
		fmt.Fprintf(s.stderr, "playground: everything is kept in %s\n", s.dir)
	}
	if s.binary = o.binary; s.binary == "" {
		s.binary = filepath.Join(s.dir, "nightlatch")
		if err := build(ctx, s.binary); err != nil {
			return nil, err
		}
	}
	if s.settings, err = newSettings(s.dir, o.data); err != nil {
		return nil, err
	}
	if err := s.openSlack(); err != nil {
		return nil, err
	}
	return s, s.openPagerDuty()
}

// leave removes the directory, or says where it is.
func (s *stage) leave() error {
	if s.keep {
		if s.program != nil {
			if err := os.WriteFile(filepath.Join(s.dir, "nightlatch.log"), s.program.log.bytes(), 0o600); err != nil {
				return fmt.Errorf("keeping the log: %w", err)
			}
		}
		fmt.Fprintf(s.stderr, "playground: everything is in %s\n", s.dir)
		return nil
	}
	return os.RemoveAll(s.dir)
}

func (s *stage) openSlack() error {
	listener, err := listen()
	if err != nil {
		return err
	}
	base, token := "http://"+listener.Addr().String(), rand.Text()
	s.workspace = slackemu.New(slackemu.Config{BaseURL: base, ControlToken: token})
	s.serve(listener, s.workspace)
	s.undo = append(s.undo, func() error { s.workspace.Close(); return nil })
	s.slack = newControl(base, token)
	c := s.workspace.Config()
	s.settings.SlackURL, s.settings.appToken, s.settings.botToken = base+"/api/", c.AppToken, c.BotToken
	return nil
}

func (s *stage) openPagerDuty() error {
	listener, err := listen()
	if err != nil {
		return err
	}
	base, token := "http://"+listener.Addr().String(), rand.Text()
	s.account = pagerdutyemu.New(pagerdutyemu.Config{ControlToken: token})
	s.serve(listener, s.account)
	s.undo = append(s.undo, func() error { s.account.Close(); return nil })
	s.pagerduty = newControl(base, token)
	s.settings.PagerDutyURL, s.settings.pagerDutyKey = base, s.account.Config().Key
	return nil
}

// listen takes a port that is free, on this machine only.
func listen() (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening on loopback: %w", err)
	}
	return l, nil
}

// serve answers on the listener until the stage closes.
func (s *stage) serve(l net.Listener, h http.Handler) {
	server, done := &http.Server{Handler: h}, make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // it always ends with the error that it was closed
	}()
	s.undo = append(s.undo, func() error {
		err := server.Close()
		<-done
		return err
	})
}

// run does something beside until the stage closes.
func (s *stage) run(do func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- do(ctx) }()
	s.undo = append(s.undo, func() error { cancel(); return <-ended })
}

// start runs the program until it is ready or cannot be. Between the choice of its port and its listening somebody else
// may take the port, so it has three tries.
func (s *stage) start(ctx context.Context) error {
	const tries = 3
	for try := 1; ; try++ {
		listener, err := s.listenDoor()
		if err != nil {
			return err
		}
		s.settings.Listen = listener.Addr().String()
		if err := listener.Close(); err != nil {
			return fmt.Errorf("freeing a port: %w", err)
		}
		if err := s.settings.write(); err != nil {
			return err
		}
		if s.program, err = startProgram(s.binary, s.settings, s.log()); err != nil {
			return err
		}
		err = s.program.ready(ctx, s.slack)
		if err == nil {
			s.undo = append(s.undo, s.program.end)
			return nil
		}
		err = errors.Join(err, s.program.end())
		if try == tries || !s.program.log.contains("address already in use") {
			return err
		}
	}
}

// log is where the program's log goes beside the memory.
func (s *stage) log() io.Writer {
	if s.verbose {
		return s.stderr
	}
	return io.Discard
}

// close undoes everything, last in first out, whatever fails on the way.
func (s *stage) close() error {
	var errs []error
	for _, undo := range slices.Backward(s.undo) {
		errs = append(errs, undo())
	}
	s.undo = nil
	return errors.Join(errs...)
}
