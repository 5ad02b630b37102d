//go:build linux || darwin

package inspect

import "syscall"

// freeSpace is how many bytes a user who is not root may still write beside a path.
func freeSpace(path string) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil
}
