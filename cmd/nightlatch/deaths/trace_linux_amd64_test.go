//go:build linux && amd64

package deaths_test

import (
	"fmt"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
)

// changes are the system calls that can change what a restart finds in a directory: the ledger's pages, their syncs, its growth,
// and names. What is appended to a log by write is not among them.
func changes() map[uint64]string {
	return map[uint64]string{
		syscall.SYS_PWRITE64: "pwrite64", syscall.SYS_FDATASYNC: "fdatasync", syscall.SYS_FSYNC: "fsync", syscall.SYS_FTRUNCATE: "ftruncate",
		syscall.SYS_RENAME: "rename", syscall.SYS_RENAMEAT: "renameat", 316: "renameat2",
		syscall.SYS_LINK: "link", syscall.SYS_LINKAT: "linkat", syscall.SYS_UNLINK: "unlink", syscall.SYS_UNLINKAT: "unlinkat",
	}
}

// tracer runs a program under ptrace and kills it at the entry of its n-th call of changes, counted over all
// its threads.
type tracer struct {
	n    int
	seen atomic.Int64
	died atomic.Pointer[string] // the call at which it did

	inside map[int]bool // thread → between entry and exit of a call
}

// Of ptrace and wait, and missing in syscall.
const (
	exitKill  = 0x100000   // PTRACE_O_EXITKILL: the program dies with us
	mineAlone = 0x20000000 // __WNOTHREAD: children of this thread alone, because others trace too
)

// start is a starter. The program is the child of one thread, which does nothing else until it is gone.
func (tr *tracer) start(cmd *exec.Cmd) (*process, error) {
	p, started := &process{done: make(chan struct{})}, make(chan error, 1)
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Setpgid: true} // a group, so that its threads can be waited for and nobody else
	tr.inside = map[int]bool{}
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this function
		defer close(p.done)
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
			err = tr.seize(p.pid)
		}
		started <- err
		if err == nil {
			p.err = tr.follow(p.pid)
		}
		if cmd.Process != nil {
			_ = cmd.Process.Release() // it was waited for here
		}
	}()
	return p, <-started
}

// seize waits for the program's first stop and lets it go on under our eyes.
func (tr *tracer) seize(pid int) error {
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &ws, 0, nil); err != nil {
		return fmt.Errorf("waiting for the traced program: %w", err)
	}
	if err := syscall.PtraceSetOptions(pid, syscall.PTRACE_O_TRACECLONE|syscall.PTRACE_O_TRACESYSGOOD|exitKill); err != nil {
		return fmt.Errorf("tracing the program: %w", err)
	}
	if err := syscall.PtraceSyscall(pid, 0); err != nil {
		return fmt.Errorf("letting the traced program go on: %w", err)
	}
	return nil
}

// follow lets each thread run from call to call until the program has ended, and says how it did.
func (tr *tracer) follow(pid int) error {
	for {
		var ws syscall.WaitStatus
		tid, err := syscall.Wait4(-pid, &ws, syscall.WALL|mineAlone, nil)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return fmt.Errorf("waiting for the traced program: %w", err)
		case ws.Exited() || ws.Signaled():
			if tid == pid {
				return ended(ws)
			}
			continue
		}
		deliver := 0
		switch sig := ws.StopSignal(); sig {
		case syscall.SIGTRAP | 0x80:
			if tr.struck(tid) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
				continue
			}
		case syscall.SIGTRAP, syscall.SIGSTOP: // a new thread
		default:
			deliver = int(sig)
		}
		_ = syscall.PtraceSyscall(tid, deliver) // a thread that is gone needs none
	}
}

// struck counts a call at its entry and reports whether it is the one.
func (tr *tracer) struck(tid int) bool {
	tr.inside[tid] = !tr.inside[tid]
	var regs syscall.PtraceRegs
	if !tr.inside[tid] || syscall.PtraceGetRegs(tid, &regs) != nil {
		return false
	}
	name, counts := changes()[regs.Orig_rax]
	if !counts || tr.seen.Add(1) != int64(tr.n) {
		return false
	}
	tr.died.Store(&name)
	return true
}

// ended is how a process ended, as exec.Cmd would say it.
func ended(ws syscall.WaitStatus) error {
	switch {
	case ws.Signaled():
		return fmt.Errorf("signal: %s", ws.Signal())
	case ws.ExitStatus() != 0:
		return fmt.Errorf("exit status %d", ws.ExitStatus())
	}
	return nil
}
