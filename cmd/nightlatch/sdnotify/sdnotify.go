// Package sdnotify tells the service manager how the program is: ready, alive, stopping.
//
// [FromEnv] finds out whether somebody listens, and [Manager.Run] tells them, from the
// moment when everything is built until the program stops. It follows sd_notify(3) and
// sd_watchdog_enabled(3).
//
// Caveat: a sign of life is only worth what it is made of. Run takes it from its caller,
// and stays silent while that one has no progress to show.
package sdnotify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"
)

// Manager is the service manager that started this process. The zero value is none: it
// is told nothing.
type Manager struct {
	Socket string        // the datagram socket where it listens
	Within time.Duration // whoever gives no sign of life for so long is ended and restarted; 0: nobody is
}

// FromEnv reads what systemd leaves in the environment of the process with this ID.
func FromEnv(env func(string) (string, bool), pid int) (Manager, error) {
	socket, _ := env("NOTIFY_SOCKET")
	m := Manager{Socket: socket}
	usec, watched := env("WATCHDOG_USEC")
	if !watched || socket == "" {
		return m, nil
	}
	if of, ok := env("WATCHDOG_PID"); ok && of != strconv.Itoa(pid) {
		return m, nil // another process is watched, and handed its environment down
	}
	n, err := strconv.ParseInt(usec, 10, 64)
	switch {
	case err != nil:
		return m, fmt.Errorf("reading WATCHDOG_USEC: %w", err)
	case n <= 0 || n > int64(maxWithin/time.Microsecond):
		return m, fmt.Errorf("reading WATCHDOG_USEC: %d is no time to be alive within", n)
	}
	m.Within = time.Duration(n) * time.Microsecond
	return m, nil
}

// maxWithin keeps the arithmetic far from an overflow.
const maxWithin = 365 * 24 * time.Hour

// Run tells that the program is ready, gives signs of life until ctx ends, and tells that
// it stops. A sign of life is given only while what alive returns is not older than half of
// Within: a program that hangs is ended after one and a half times Within at most.
func (m Manager) Run(ctx context.Context, alive func() time.Time, log *slog.Logger) error {
	if m.Socket == "" {
		<-ctx.Done()
		return nil
	}
	if err := m.tell("READY=1"); err != nil {
		return err // it would end us anyway, without a reason
	}
	if m.Within > 0 {
		m.beat(ctx, alive, log)
	}
	<-ctx.Done()
	if err := m.tell("STOPPING=1"); err != nil {
		log.Warn("telling the service manager", "error", err)
	}
	return nil
}

// beat gives signs of life until ctx ends.
func (m Manager) beat(ctx context.Context, alive func() time.Time, log *slog.Logger) {
	ticker := time.NewTicker(m.Within / 4)
	defer ticker.Stop()
	hanging := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		age := time.Since(alive())
		if age > m.Within/2 {
			if !hanging {
				log.Error("no progress, so no sign of life is given", "for", age)
			}
			hanging = true
			continue
		}
		hanging = false
		if err := m.tell("WATCHDOG=1"); err != nil {
			log.Warn("telling the service manager", "error", err)
		}
	}
}

// tell sends one message. A connection of its own for each goes on after the manager was
// restarted.
func (m Manager) tell(state string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("telling the service manager %s: %w", state, err)
		}
	}()
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: m.Socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err = conn.Write([]byte(state))
	return err
}

// patience bounds one message: a manager that reads nothing must not hold up a stop.
const patience = time.Second
