package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// Directory is who there is, and what security may do about it.
type Directory interface {
	Everybody() ([]grants.Person, error)
	Thaw(ctx context.Context, o service.Origin, whom grants.PersonKey) (grants.Person, error)
	Freeze(ctx context.Context, o service.Origin, whom grants.PersonKey, why string) (grants.Person, error)
	// TurnAway records what was refused before any other verb could be asked.
	TurnAway(ctx context.Context, o service.Origin, detail string) error
}

// Desk is what is asked for and held, and how it is taken back. It has no verb that opens anything.
type Desk interface {
	Underway(ctx context.Context) ([]service.Notice, error)
	Look(ctx context.Context, id string) (service.Notice, error)
	Revoke(ctx context.Context, p service.Press) (grants.Grant, error)
}

// Config is what a Server is made of. Directory, Desk and Log must be set.
type Config struct {
	Directory Directory
	Desk      Desk
	People    map[uint32]grants.PersonKey // by uid: who may do more than read
	Log       *slog.Logger
}

// Server answers operators.
type Server struct{ c Config }

// New makes a server.
func New(c Config) *Server { return &Server{c} }

// The bounds of a question.
const (
	atOnce      = 16               // connections; the next ones wait in the kernel
	maxQuestion = 16 << 10         // bytes
	patience    = 10 * time.Second // until it is asked and answered
	pause       = time.Second      // before accepting again, after that failed
)

// Run answers until ctx ends, and then finishes what was asked. It closes the listener.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	var busy sync.WaitGroup
	defer busy.Wait()
	slots := make(chan struct{}, atOnce)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close() // it has asked nothing yet
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("listening for operators: %w", err)
		case err != nil: // no more files, say: revoking goes on, and so does this
			s.c.Log.Error("no operator can be heard, trying again", "error", err)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			<-slots
			continue
		}
		busy.Go(func() {
			defer func() { <-slots }()
			s.serve(ctx, conn)
		})
	}
}

// serve hears one question. A stop does not wait for one that has not come yet.
func (s *Server) serve(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience)) // of a connection that is gone, reading fails
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })()
	who, err := peerOf(conn)
	if err != nil {
		s.c.Log.Error("an operator was not heard", "error", err)
		return
	}
	var q question
	in := json.NewDecoder(io.LimitReader(conn, maxQuestion))
	in.DisallowUnknownFields()
	var a answer
	switch err := in.Decode(&q); {
	case errors.Is(err, io.EOF): // looked whether somebody is there
		return
	case err != nil:
		a.Error = &Error{Text: "the question was not understood", Hint: updated}
	default:
		a = s.answer(context.WithoutCancel(ctx), who, q)
	}
	if err := json.NewEncoder(conn).Encode(a); err != nil {
		s.c.Log.Warn("an operator was not answered", "who", who.String(), "error", err)
	}
}

// updated is the hint for a bot that is of another version than its command.
const updated = "the running nightlatch may be of another version than this command; restart it after an update"

// uidHidden is everybody whom a user namespace hides from this process.
const uidHidden = 65534

// peer is the user at the other end.
type peer struct {
	uid   uint32
	known bool
}

func (p peer) String() string {
	switch {
	case !p.known:
		return "a user whom the system does not name"
	case p.uid == 0:
		return "uid 0 (root)"
	}
	return fmt.Sprintf("uid %d", p.uid)
}
