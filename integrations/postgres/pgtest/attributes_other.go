//go:build unix && !linux

package pgtest

import "syscall"

// attributes make a child run as somebody.
func attributes(owner *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: owner}
}
