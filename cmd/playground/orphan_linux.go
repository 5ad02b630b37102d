package main

import "syscall"

// attributes are those of the program's process. It is killed when we are, and goes by what its ledger holds the next time.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
