//go:build !(linux && amd64)

package deaths_test

import "testing"

// TestDeathAtEachSystemCall needs a tracer that knows this machine's registers.
func TestDeathAtEachSystemCall(t *testing.T) {
	t.Skip("killing the program at its system calls is written for linux on amd64")
}
