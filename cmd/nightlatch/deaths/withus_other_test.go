//go:build !linux

package deaths_test

import "syscall"

// withUs would have a child die with its parent, which only linux does. Where the tests are killed, it stays.
func withUs() *syscall.SysProcAttr { return nil }
