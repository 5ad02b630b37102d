//go:build !linux && !darwin

package inspect

import "errors"

// freeSpace is known on Linux and macOS alone.
func freeSpace(string) (uint64, error) { return 0, errors.ErrUnsupported }
