package life

import (
	"fmt"
	"syscall"
)

// prSetDumpable is an operation of prctl(2).
const prSetDumpable = 4

// ForbidDumps keeps the memory of the process, where secrets pass through, out of cores and from
// the debuggers of everybody but root: the kernel writes no core of it, and gives its files in
// /proc to root.
func ForbidDumps() error {
	if _, _, errno := syscall.Syscall(syscall.SYS_PRCTL, prSetDumpable, 0, 0); errno != 0 {
		return fmt.Errorf("forbidding dumps of the process: %w", errno)
	}
	return nil
}
