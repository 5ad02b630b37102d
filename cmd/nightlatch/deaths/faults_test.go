package deaths_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nightlatch/grants"
)

// TestASecondProcessOnTheSameLedger is refused by name, and does the first one no harm.
func TestASecondProcessOnTheSameLedger(t *testing.T) {
	t.Parallel()
	n := newNight(t)
	n.start(plainly)
	read := n.asks(ada, "orders-read")
	token := n.reveals(ada, read)

	said, err := os.Create(filepath.Join(n.dir, "second"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	other, err := plainly(n.command(said, "nightlatch.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.kill)
	if !soon(longest, func() bool { return !other.alive() }) {
		t.Fatal("two processes run on one ledger")
	}
	text, err := os.ReadFile(said.Name())
	if err != nil {
		t.Fatal(err)
	}
	if other.err == nil || !strings.Contains(string(text), "hint: another process holds this ledger; stop it first") {
		t.Errorf("the second one ended with %v and said:\n%s", other.err, text)
	}

	if n.lives != 1 || !n.program.alive() || !n.active(token) {
		t.Error("the first one was harmed")
	}
	n.ends(ada, ada, read, "return")
	n.settles(0)
}

// TestASecondBotWithTheSameTokens: whoever else listens with our app token is noticed within minutes of the next time
// that Slack greets us, which is waited for at full size alone. Each bot has a ledger of its own here, as a restored
// copy would; it ends nothing of ours.
func TestASecondBotWithTheSameTokens(t *testing.T) {
	t.Parallel()
	n := newNight(t)
	n.start(plainly)
	read := n.asks(ada, "orders-read")
	token := n.reveals(ada, read)

	other := n.twin()
	if !soon(longest, func() bool { return n.slack.Connections() > 1 }) || !other.alive() {
		n.fatal("the other bot does not start: %v", other.err)
	}
	if full() {
		n.noticesTheOther()
	}
	if err := other.stop(); err != nil {
		t.Errorf("the other one ended with: %v", err)
	}
	if !n.active(token) {
		t.Error("a secret of ours was ended by the other one")
	}
	n.ends(ada, ada, read, "return")
	n.settles(0)
	overheard, want := 0, 0
	for _, e := range n.read().events {
		if e.Kind == grants.KindOverheard && e.Count > 0 { // none: that nobody else does any more
			overheard++
		}
	}
	if full() {
		want = 1
	}
	if overheard != want {
		t.Errorf("it is recorded %d times that somebody else listens, want %d", overheard, want)
	}
}

// noticesTheOther waits for the alarm.
func (n *night) noticesTheOther() {
	n.t.Helper()
	n.slack.Disconnect("refresh_requested") // as Slack does every few hours: only its greeting says how many listen
	const most = 6 * time.Minute
	began := time.Now()
	if !soon(most, func() bool { return n.reads("somebody else listens with our app token") }) {
		n.fatal("after %s nobody has noticed the other bot", most)
	}
	n.t.Logf("noticed %s after Slack's next greeting", time.Since(began).Round(time.Second))
}

// twin starts another bot with our tokens, in a directory of its own.
func (n *night) twin() *process {
	n.t.Helper()
	ours, door := n.ledger, n.door
	defer func() { n.ledger, n.door = ours, door }()
	dir := filepath.Join(n.dir, "twin")
	if err := os.Mkdir(dir, 0o700); err != nil {
		n.t.Fatal(err)
	}
	n.ledger, n.door = filepath.Join(dir, "ledger.db"), "http://"+freePort(n.t)
	n.write("twin.yaml", n.configured())
	said, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		n.t.Fatal(err)
	}
	defer said.Close() // it has its own
	p, err := plainly(n.command(said, "twin.yaml"))
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(p.kill)
	return p
}
