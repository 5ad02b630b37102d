package life_test

import (
	"syscall"
	"testing"

	"nightlatch/cmd/nightlatch/life"
)

func TestForbidDumps(t *testing.T) {
	const getDumpable = 3 // of prctl(2)
	if err := life.ForbidDumps(); err != nil {
		t.Fatal(err)
	}
	if dumpable, _, errno := syscall.Syscall(syscall.SYS_PRCTL, getDumpable, 0, 0); errno != 0 || dumpable != 0 {
		t.Errorf("the process is dumpable: %d, %v", dumpable, errno)
	}
}
