package boltkv_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"nightlatch/grants/ledger/boltkv"
)

func TestReserve(t *testing.T) {
	r := boltkv.Reserve{Path: filepath.Join(t.TempDir(), "ledger.db.reserve"), Size: 1 << 20}
	for range 2 { // taking it twice takes it once
		if err := r.Keep(); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(r.Path); err != nil || info.Size() != r.Size || info.Mode().Perm() != 0o600 {
		t.Errorf("the reserve is %+v, %v", info, err)
	}
	for range 2 {
		if err := r.Release(); err != nil {
			t.Fatal(err)
		}
	}
	if err := (boltkv.Reserve{Path: r.Path, Size: 1 << 60}).Keep(); !errors.Is(err, boltkv.ErrScarce) {
		t.Errorf("a reserve larger than the disk: %v", err)
	}
	if _, err := os.Stat(r.Path); err == nil {
		t.Error("a reserve that could not be taken left a file")
	}
}
