package boltkv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ReserveSize is as much as the ledger's file grows by at once.
const ReserveSize = 16 << 20

// ErrScarce says that there is too little room on the disk to keep a reserve.
var ErrScarce = errors.New("the ledger's disk is nearly full")

// Reserve is room on the ledger's disk that is kept for the day on which there is no other: what
// takes access away can still be recorded when it is released. It is a file of its own, whose
// blocks are taken but never read.
type Reserve struct {
	Path string // of the file; on the ledger's disk
	Size int64  // in bytes; zero: ReserveSize
}

// Keep takes the room, if it is not taken yet. It answers ErrScarce rather than the last of the
// disk: a reserve that was released is only taken again when there is three times as much.
func (r Reserve) Keep() error {
	size := r.size()
	if info, err := os.Stat(r.Path); err == nil && info.Size() == size {
		return nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("looking for the reserve: %w", err)
	}
	free, err := free(filepath.Dir(r.Path))
	if err != nil {
		return fmt.Errorf("asking for the room on the ledger's disk: %w", err)
	}
	if free < 3*size {
		return fmt.Errorf("%w: %d MiB are left", ErrScarce, free>>20)
	}
	if err := r.take(size); err != nil {
		return errors.Join(fmt.Errorf("taking the reserve: %w", err), r.Release())
	}
	return nil
}

func (r Reserve) take(size int64) (err error) {
	f, err := os.OpenFile(r.Path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := allocate(f, size); err != nil {
		return err
	}
	return f.Sync()
}

// Release gives the room back to whoever writes next, which should be the ledger.
func (r Reserve) Release() error {
	if err := os.Remove(r.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("releasing the reserve: %w", err)
	}
	return syncDir(filepath.Dir(r.Path))
}

func (r Reserve) size() int64 {
	if r.Size == 0 {
		return ReserveSize
	}
	return r.Size
}

// fill takes the room where nothing else does: by writing it.
func fill(f *os.File, size int64) error {
	chunk := make([]byte, 1<<20)
	for at := int64(0); at < size; at += int64(len(chunk)) {
		if _, err := f.WriteAt(chunk[:min(int64(len(chunk)), size-at)], at); err != nil {
			return err
		}
	}
	return nil
}
