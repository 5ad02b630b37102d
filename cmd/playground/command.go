package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
)

const usage = `usage: go run ./cmd/playground [-addr HOST:PORT] [-door HOST:PORT] [-data DIR] [-open]
       go run ./cmd/playground -story

The playground runs the nightlatch program against emulators of Slack and PagerDuty
on this machine's loopback. It needs no accounts and no network. It serves one page,
a workspace in which you are each of four people, until it is interrupted; with
-story it plays one night by itself and prints it.

`

// Main runs a command line and returns the process's exit code: 0 when the page was served until it was interrupted, or
// the night went as it must, 1 when anything was different, 2 when the command line is wrong.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o := options{stderr: stderr}
	flags := flag.NewFlagSet("playground", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	story := flags.Bool("story", false, "play one night, from page to revocation, and print it")
	addr := flags.String("addr", "127.0.0.1:8080", "serve the page on this loopback `address`; port 0 takes a free one")
	open := flags.Bool("open", false, "open the page in the browser")
	flags.StringVar(&o.data, "data", "", "keep the ledger and its key in this `directory`, and go on with them the next time")
	flags.StringVar(&o.door, "door", "", "be asked about tokens on this loopback `address`; without it a free port is taken")
	flags.StringVar(&o.binary, "bin", "", "run this nightlatch `file` instead of building ./cmd/nightlatch")
	flags.BoolVar(&o.verbose, "v", false, "copy the program's log to standard error")
	flags.BoolVar(&o.keep, "keep", false, "keep the temporary directory: configuration, ledger and log")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		fmt.Fprintf(stderr, "playground: it takes flags alone, and was given %q\n", flags.Arg(0))
		flags.Usage()
		return 2
	}
	play := func() error { return servePage(ctx, o, *addr, *open, stdout) }
	if *story {
		play = func() error { return playStory(ctx, o, stdout) }
	}
	if err := play(); err != nil {
		tell(stderr, err)
		return 1
	}
	return 0
}

// playStory opens a stage, plays the night on it and closes it, whatever happens.
func playStory(ctx context.Context, o options, stdout io.Writer) (err error) {
	s, err := openStage(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return newNight(s, stdout).play(ctx)
}

// tell says on standard error what was different, and what can be done next.
func tell(w io.Writer, err error) {
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(w, "playground: interrupted; everything that was started is ended")
		return
	}
	fmt.Fprintf(w, "playground: %v\n", err)
	if d, ok := errors.AsType[*difference](err); ok {
		fmt.Fprintf(w, "  expected: %s\n  seen:     %s\n", d.expected, indent(d.seen, "            "))
		if d.log != "" {
			fmt.Fprintf(w, "the program's log ended with\n%s\n", d.log)
		}
	}
	hint := "run it again with -v to see the program's log, and with -keep to look at its files"
	if h, ok := errors.AsType[hinted](err); ok {
		hint = h.hint
	}
	fmt.Fprintf(w, "hint: %s\n", hint)
}

// hinted is an error with advice of its own.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }
