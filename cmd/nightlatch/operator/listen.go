package operator

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"strconv"
	"syscall"
	"time"
)

// Socket is where a server listens.
type Socket struct {
	Path  string
	Group string // who may open it, a name or a number; empty: the process's own group
}

// mode is the socket's: its owner and its group may ask.
const mode fs.FileMode = 0o660

// Listen makes the socket. What a process that died left behind is replaced; where another one
// listens, or where there is something else than a socket, it is an *[Error].
func Listen(ctx context.Context, s Socket) (net.Listener, error) {
	gid, err := s.gid()
	if err != nil {
		return nil, err
	}
	if err := s.clear(ctx); err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{Control: bornPrivate}).Listen(ctx, "unix", s.Path)
	if err != nil {
		return nil, fmt.Errorf("listening for operators: %w", err)
	}
	if err := s.open(gid); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// clear removes a socket on which nobody listens.
func (s Socket) clear(ctx context.Context) error {
	info, err := os.Lstat(s.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking for an operators' socket: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return &Error{
			Text: s.Path + " is there, and is no socket",
			Hint: "move it away, or name another operator.socket in the configuration",
		}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", s.Path)
	switch {
	case err == nil:
		_ = conn.Close() // it was only asked whether somebody is there
		return &Error{
			Text: "another process listens at " + s.Path,
			Hint: "stop it first, or give this one an operator.socket of its own",
		}
	case !errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("asking whether somebody listens at %s: %w", s.Path, err)
	}
	if err := os.Remove(s.Path); err != nil {
		return fmt.Errorf("removing the socket of a process that is gone: %w", err)
	}
	return nil
}

// open lets the group in, which until then nobody but the owner is.
func (s Socket) open(gid int) error {
	if gid >= 0 {
		if err := os.Lchown(s.Path, -1, gid); err != nil {
			return &Error{
				Text: fmt.Sprintf("giving %s to the group %s: %v", s.Path, s.Group, errors.Unwrap(err)),
				Hint: "nightlatch's own user must be a member of operator.group; under systemd, by SupplementaryGroups=",
				Err:  err,
			}
		}
	}
	if err := os.Chmod(s.Path, mode); err != nil {
		return fmt.Errorf("opening the operators' socket to its group: %w", err)
	}
	return nil
}

// gid is the number of the group; -1: as it is.
func (s Socket) gid() (int, error) {
	if s.Group == "" {
		return -1, nil
	}
	if n, err := strconv.ParseUint(s.Group, 10, 31); err == nil {
		return int(n), nil
	}
	g, err := user.LookupGroup(s.Group)
	if err != nil {
		return 0, &Error{
			Text: fmt.Sprintf("there is no group %q on this machine", s.Group),
			Hint: "make it, or correct operator.group in the configuration; in a container, write its number",
			Err:  err,
		}
	}
	n, err := strconv.Atoi(g.Gid)
	if err != nil {
		return 0, fmt.Errorf("reading the number of the group %s: %w", s.Group, err)
	}
	return n, nil
}
