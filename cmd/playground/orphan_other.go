//go:build !linux

package main

import "syscall"

// attributes are those of the program's process. Here it outlives us if we are killed.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
