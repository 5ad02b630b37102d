//go:build !linux

package life

// ForbidDumps does nothing on this system.
func ForbidDumps() error { return nil }
