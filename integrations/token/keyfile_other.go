//go:build !unix

package token

import "io/fs"

// ownedByRoot reports false: here is no root.
func ownedByRoot(fs.FileInfo) bool { return false }
