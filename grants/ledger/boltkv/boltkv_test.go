package boltkv_test

import (
	"path/filepath"
	"testing"

	"nightlatch/grants/ledger"
	"nightlatch/grants/ledger/boltkv"
	"nightlatch/grants/ledger/kvtest"
)

func open(t testing.TB, dir string) *boltkv.Engine {
	t.Helper()
	e, err := boltkv.Open(boltkv.Config{Path: filepath.Join(dir, "ledger.db"), Spaces: kvtest.Spaces()})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestContract(t *testing.T) {
	kvtest.Run(t, func(t *testing.T, dir string) ledger.Engine { return open(t, dir) })
}
