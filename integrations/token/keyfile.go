package token

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// makeKey, with a path after it, is how an operator makes a key file by hand.
const makeKey = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out"

// maxKeyFile is far above what a P-256 key needs.
const maxKeyFile = 64 << 10

// LoadOrCreateKey reads the key file, and makes it first if there is none. Of
// several processes that start at once one makes it and all read it. A file
// that its group or others may read is refused.
func LoadOrCreateKey(path string) (Key, error) {
	key, err := LoadKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := createKey(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return Key{}, fmt.Errorf("creating the key file %s: %w; it can be made by hand with: %s %s", path, err, makeKey, path)
	}
	return LoadKey(path) // also what another process made meanwhile
}

// LoadKey reads a P-256 key from a PEM file (PKCS #8) that only its owner may read.
func LoadKey(path string) (Key, error) {
	content, err := readPrivate(path, ownersOnly)
	if err != nil {
		return Key{}, fmt.Errorf("reading the key file: %w", err)
	}
	block, _ := pem.Decode(content)
	if block == nil || block.Type != "PRIVATE KEY" {
		return Key{}, fmt.Errorf("reading the key file %s: it has no PEM block PRIVATE KEY (PKCS #8); make one with: %s %s", path, makeKey, path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return Key{}, fmt.Errorf("reading the key file %s: %w", path, err)
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return Key{}, fmt.Errorf("reading the key file %s: it holds another kind of key; make one with: %s %s", path, makeKey, path)
	}
	key, err := keyOf(private)
	if err != nil {
		return Key{}, fmt.Errorf("reading the key file %s: %w", path, err)
	}
	return key, nil
}

// ownersOnly reports whether nobody but a file's owner can use it.
func ownersOnly(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 == 0 }

// handedOver also accepts root's file that the group of a process which is not root may
// read: the one way in which Kubernetes mounts a secret for such a process, and systemd
// some credentials. Only root can have made it so.
func handedOver(info fs.FileInfo) bool {
	return ownersOnly(info) || (info.Mode().Perm()&0o037 == 0 && os.Geteuid() != 0 && ownedByRoot(info))
}

// readPrivate reads a small regular file, unless more can use it than the rule accepts.
func readPrivate(path string, accepts func(fs.FileInfo) bool) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat() // of the open file: nobody can swap it after the check
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	if !accepts(info) {
		return nil, fmt.Errorf("%s has mode %04o, so others than its owner can use it; run: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	return io.ReadAll(io.LimitReader(f, maxKeyFile))
}

// createKey writes a new key file as a whole or not at all. fs.ErrExist: there is one.
func createKey(path string) (err error) {
	key, err := NewKey()
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key.private)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(temp.Name()), syncDir(dir)) }()
	err = pem.Encode(temp, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	// A link instead of a rename: it never replaces the key of another process.
	return os.Link(temp.Name(), path)
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
