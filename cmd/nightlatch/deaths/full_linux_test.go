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

// notRecorded is what people read when a press could not be recorded.
const notRecorded = "It could not be recorded, so nothing was done."

// TestAFullDisk fills the disk under the ledger. What is not recorded does not happen, and people are told so; what they
// see is how it is; and with room again everything goes on.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	n := newNight(t)
	disk := filepath.Join(n.dir, "disk")
	n.ledger = filepath.Join(disk, "ledger.db")
	n.write("nightlatch.yaml", n.configured())
	mount(t, disk)
	n.start(plainly)
	read, write := n.asks(ada, "orders-read"), n.asks(ada, "orders-write")
	token := n.reveals(ada, read)

	filler := fill(t, disk)
	recorded := n.asksUntilFull()
	t.Logf("%d more requests found room in pages that were free already", recorded)
	n.tries(ben, write, "approve", func() bool { return n.offers(ada, write, "reveal", false) })
	over := n.tries(ada, read, "return", func() bool { return !n.waits(ada, read) })
	if over == n.active(token) {
		t.Errorf("they are told that it is over: %t, and the secret works: %t", over, !over)
	}

	n.program.kill()
	n.parted()
	n.launch(plainly)
	switch {
	case soon(longest, func() bool { return !n.program.alive() || n.healthy() }) && n.program.alive():
		t.Log("a start on a full disk succeeds")
	case n.reads("hint: the disk is full; free some of it and start again, nothing is lost"):
		t.Log("a start on a full disk is refused with a hint; meanwhile nobody answers whether a token is active")
	default:
		n.fatal("a start on a full disk ended with: %v", n.program.err)
	}
	n.program.kill()

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	n.start(plainly)
	if n.waits(ada, read) != n.active(token) {
		t.Error("with room again, what they see of it is not how it is")
	}
	n.approves(ben, ada, write)
	n.reveals(ada, write)
	n.finishes()
	n.settles(0)
}

// mount puts a small disk at a directory until the test is over.
func mount(t *testing.T, at string) {
	t.Helper()
	if err := os.Mkdir(at, 0o700); err != nil {
		t.Fatal(err)
	}
	switch err := syscall.Mount("tmpfs", at, "tmpfs", 0, "size=2m"); {
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
	for page := make([]byte, 4096); err == nil; {
		_, err = f.Write(page)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("filling a disk: %v", err)
	}
	return f.Name()
}

// asksUntilFull has ada ask until there is no room for it, and says how often there was.
func (n *night) asksUntilFull() (recorded int) {
	n.t.Helper()
	for range 10 {
		act, err := n.slack.RunCommand(ada, channel, "/access orders-read 1h checkout is failing")
		if err != nil {
			n.fatal("asking: %v", err)
		}
		<-act.Done()
		switch said := string(act.Outcome().Payload); {
		case strings.Contains(said, notRecorded):
			return recorded
		case strings.Contains(said, "is recorded"):
			recorded++
			n.asked++
		}
		<-time.After(time.Second) // nobody may ask more often for long
	}
	n.fatal("the disk does not get full")
	return recorded
}

// tries presses a button once. Either it is seen to be done, or its person is told that it could not be recorded.
func (n *night) tries(who, grant, action string, done func() bool) (did bool) {
	n.t.Helper()
	told := func() int { return strings.Count(n.slack.SeenBy(who).Text(), notRecorded) }
	before := told()
	if _, err := n.button(who, grant, action)(); err != nil {
		n.fatal("pressing: %v", err)
	}
	if !soon(longest, func() bool { return told() > before || done() }) {
		n.fatal("%s was told nothing", who)
	}
	n.t.Logf("on a full disk, %s is recorded: %t", action, done())
	return done()
}
