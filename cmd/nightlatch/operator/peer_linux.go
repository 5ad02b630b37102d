package operator

import (
	"fmt"
	"net"
	"syscall"
)

// bornPrivate gives a socket the mode with which its file is made: nobody gets in between the
// making of the file and its being given to a group, whatever the umask.
func bornPrivate(_, _ string, c syscall.RawConn) error {
	var failed error
	if err := c.Control(func(fd uintptr) { failed = syscall.Fchmod(int(fd), 0o600) }); err != nil {
		return err
	}
	return failed
}

// peerOf asks the kernel which user of the machine is at the other end.
func peerOf(conn net.Conn) (peer, error) {
	local, ok := conn.(*net.UnixConn)
	if !ok {
		return peer{}, nil
	}
	raw, err := local.SyscallConn()
	if err != nil {
		return peer{}, fmt.Errorf("asking the kernel who is there: %w", err)
	}
	var cred *syscall.Ucred
	var failed error
	if err := raw.Control(func(fd uintptr) {
		cred, failed = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); err != nil {
		return peer{}, fmt.Errorf("asking the kernel who is there: %w", err)
	}
	if failed != nil {
		return peer{}, fmt.Errorf("asking the kernel who is there: %w", failed)
	}
	return peer{uid: cred.Uid, known: true}, nil
}
