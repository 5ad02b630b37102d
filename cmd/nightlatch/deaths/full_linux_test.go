//go:build linux

package deaths_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// noRoom is what people read who want something opened or shown on a full disk.
const noRoom = "so nothing is opened or shown until there is room"

// TestAFullDisk fills the disk under the ledger. Nothing new is taken and nothing is shown; what takes access away is
// recorded in the room that is kept for it, also after a death; and with room again everything goes on.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	n := newNight(t)
	disk := filepath.Join(n.dir, "disk")
	n.ledger = filepath.Join(disk, "ledger.db")
	n.write("nightlatch.yaml", n.configured())
	mount(t, disk)
	n.start(plainly)
	read, unseen := n.asks(ada, "orders-read"), n.asks(ada, "orders-read")
	n.reveals(ada, read)
	filler := fill(t, disk)
	n.asksUntilFull()

	n.insist(press{
		what: "a secret is not shown on a full disk",
		done: func() bool {
			m := n.slack.SeenBy(ada).Modal
			return m != nil && strings.Contains(m.Visible(), noRoom)
		},
		act: n.button(ada, unseen, "reveal"),
	})
	n.ends(ada, ada, read, "return")
	n.ends(ben, ada, unseen, "revoke")

	n.program.kill()
	n.start(plainly) // on what is left of the room
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := n.program.stop(); err != nil {
		n.fatal("told to stop, it ended with: %v", err)
	}
	n.start(plainly)
	n.reveals(ada, n.asks(ada, "orders-read"))
	n.settles(0)
}

// mount puts a small disk at a directory until the test is over.
func mount(t *testing.T, at string) {
	t.Helper()
	if err := os.Mkdir(at, 0o700); err != nil {
		t.Fatal(err)
	}
	switch err := syscall.Mount("tmpfs", at, "tmpfs", 0, "size=96m"); {
	case err == nil:
	case os.Getenv("CI") == "" && (errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES)):
		t.Skipf("only root may mount a small disk, so none is filled: %v", err)
	default:
		t.Fatalf("mounting a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(at, 0); err != nil {
			t.Errorf("unmounting: %v", err)
		}
	})
}

// fill writes a file until there is no room, and says which.
func fill(t *testing.T, disk string) string {
	t.Helper()
	f, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for page := make([]byte, 4<<10); err == nil; {
		_, err = f.Write(page)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("filling a disk: %v", err)
	}
	return f.Name()
}

// asksUntilFull has ada ask until there is no room for it. Some requests find it in pages that were free already.
func (n *night) asksUntilFull() {
	n.t.Helper()
	for range 10 {
		act, err := n.slack.RunCommand(ada, channel, "/access orders-read 1h checkout is failing")
		if err != nil {
			n.fatal("asking: %v", err)
		}
		<-act.Done()
		switch said := string(act.Outcome().Payload); {
		case strings.Contains(said, noRoom):
			return
		case strings.Contains(said, "is recorded"):
			n.asked++
		}
		<-time.After(time.Second) // nobody may ask more often for long
	}
	n.fatal("the disk does not get full")
}
