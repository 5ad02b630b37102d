// Package deaths kills the program as it is shipped, again and again, and looks at what it left.
//
// It has tests only. Each plays a short night: the built binary, a ledger file, a loopback
// listener, and the emulators of Slack and PagerDuty. In one sweep the program dies by SIGKILL at its n-th
// outgoing request, before that takes effect or after; in the other at its n-th system call that
// can change a file, under ptrace; n = 1, 2, … until a night ends by itself. It is then started
// again on the same ledger, people repeat the presses that nobody answered, and the end of the
// night is held against the promises.
//
// Caveats: the binary knows nothing of this; no variable, flag or build tag of it is for tests. SIGKILL
// keeps the page cache, so this is the death of a process, not of a machine. The
// sweep by system calls needs linux on amd64 and the right to trace. NIGHTLATCH_FULL=1 makes
// both sweeps complete; otherwise they are thinned, as the table in sizes_test.go says.
package deaths
