package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"nightlatch/integrations/emulators/slackemu"
)

// night is one performance of the story: the stage, the transcript, and what is remembered from one step to the next.
type night struct {
	*stage
	*transcript
	handover time.Time                  // when Mara's shift ends, really
	secrets  map[string]string          // by the role that they open
	stolen   map[string]slackemu.Button // by action
}

func newNight(s *stage, w io.Writer) *night {
	return &night{
		stage:      s,
		transcript: &transcript{w: w, names: map[string]string{}, known: map[string]bool{}},
		secrets:    map[string]string{},
		stolen:     map[string]slackemu.Button{},
	}
}

// step is one scene: a sentence, and what happens and must be seen to happen in it.
type step struct {
	says string
	acts []act
}

// act is one thing that happens or is looked at. Its error is a *difference when the world is not as it must be.
type act func(context.Context, *night) error

// difference is what was not as it must be.
type difference struct {
	step           string
	expected, seen string
	log            string // the end of the program's
	cause          error
}

func (d *difference) Error() string {
	if d.step == "" {
		return "the night can't go on"
	}
	return fmt.Sprintf("the night went differently at %q", d.step)
}

// Unwrap returns what kept us from seeing what must be seen, if anything did.
func (d *difference) Unwrap() error { return d.cause }

const (
	pause    = 50 * time.Millisecond // between two looks
	patience = 30 * time.Second      // until something must have been seen; a busy machine is slow
)

// eventually looks until what it looks for is there. look answers what was seen instead.
func (n *night) eventually(ctx context.Context, expected string, look func(context.Context) (seen string, ok bool, err error)) error {
	over := time.Now().Add(patience)
	for {
		seen, ok, err := look(ctx)
		switch {
		case err != nil:
			return err
		case ok:
			return nil
		case time.Now().After(over):
			return &difference{expected: expected + ", within " + patience.String(), seen: seen}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-n.program.done:
			return n.program.died()
		case <-time.After(pause):
		}
	}
}
