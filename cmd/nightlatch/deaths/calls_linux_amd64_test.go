//go:build linux && amd64

package deaths_test

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// TestDeathAtEachSystemCall kills the program at each system call that can change a file.
func TestDeathAtEachSystemCall(t *testing.T) {
	mayTrace(t)
	s, all := sizeOf("system calls"), &deaths{}
	t.Cleanup(func() { all.print(t, s) })
	for _, p := range scripts() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			all.sweep(t, s, func(t *testing.T, at int) []string {
				n, tr := newNight(t), &tracer{n: at}
				n.start(tr.start)
				p.play(n)
				n.settles(s.patient)
				if died := tr.died.Load(); died != nil {
					return []string{*died}
				}
				return nil
			})
		})
	}
}

// mayTrace skips at a desk where tracing is forbidden, as in some containers.
func mayTrace(t *testing.T) {
	t.Helper()
	tr := &tracer{}
	p, err := tr.start(exec.Command(binary, "version"))
	if err == nil {
		<-p.done
		err = p.err
	}
	switch {
	case err == nil:
	case os.Getenv("CI") == "" && (errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES)):
		t.Skipf("a process may not trace its children here, so the program is not killed at its system calls: %v", err)
	default:
		t.Fatalf("tracing a child: %v", err)
	}
}
