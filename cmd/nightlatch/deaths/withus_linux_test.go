package deaths_test

import "syscall"

// withUs has a child die when its parent does, also when that is killed itself.
func withUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
