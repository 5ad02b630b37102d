//go:build !(linux && amd64)

package deaths_test

import (
	"os"
	"testing"
)

// TestDeathAtEachSystemCall needs a tracer that knows this machine's registers.
func TestDeathAtEachSystemCall(t *testing.T) {
	if os.Getenv("CI") != "" {
		t.Fatal("CI needs linux on amd64, so that the program is killed at its system calls")
	}
	t.Skip("killing the program at its system calls is written for linux on amd64")
}
