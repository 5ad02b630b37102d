// Command playground shows Nightlatch at work without accounts anywhere: it starts emulators of Slack and PagerDuty and the real
// nightlatch program on loopback, and lets people act through the emulators.
//
//	go run ./cmd/playground
//
// serves a web page on which one person can be each of four: ask, approve, reveal, use a token on a demo API, and see it
// die when the shift ends.
//
//	go run ./cmd/playground -story
//
// plays one night, from page to revocation, and prints it. Everything that must happen is checked; the exit code is 1 if
// anything was different.
//
// Life cycle: a stage is opened (emulators, a temporary directory, the program), a script is played on it or a page shows
// it, and the stage is closed: the program is ended by its process ID and the directory removed, also after an interrupt.
//
// Caveats: the secrets of this installation are those of the emulators, which everybody knows. Hours are compressed by
// moving the schedule in PagerDuty, never by moving a clock, so what is measured is measured in real seconds. The page's
// clock shows a time in the night, but goes no faster than any other.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// As a signal, a browser that closes its connection would end us like a closed terminal does.
	signal.Ignore(syscall.SIGPIPE)
	code := Main(ctx, os.Args[1:], outlet{os.Stdout, stop}, outlet{os.Stderr, stop})
	stop()
	os.Exit(code)
}

// outlet is where we write to somebody. When nobody reads any more, as behind "| head", that is an interrupt: otherwise
// the program would be left running.
type outlet struct {
	io.Writer
	gone func()
}

// Write passes on what is written.
func (o outlet) Write(b []byte) (int, error) {
	n, err := o.Writer.Write(b)
	if err != nil {
		o.gone()
	}
	return n, err
}
