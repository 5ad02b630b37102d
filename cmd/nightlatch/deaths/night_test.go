package deaths_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// start starts the program on the night's ledger and waits until it can be pressed. A life in
// which it dies before that is followed by another one.
func (n *night) start(how starter) {
	n.t.Helper()
	for {
		n.parted()
		n.endedWell()
		if n.lives > 8 {
			n.fatal("the program does not stay alive")
		}
		n.launch(how)
		if n.ready() {
			n.remembered()
			return
		}
		how = plainly // it died by our hand, which strikes once
	}
}

// parted waits until Slack has noticed that the program is gone, and has read what it said last.
func (n *night) parted() {
	n.t.Helper()
	n.await("the connections of a life before are gone", func() bool { return n.slack.Connections() == 0 })
}

// endedWell checks that a life ended by our strike, or in order when it was told to. Whom a signal meets
// before the program is ready for it, that one dies as well; and whoever is told to stop before it has started, says so.
func (n *night) endedWell() {
	n.t.Helper()
	if n.program == nil || n.program.err == nil || killed(n.program.err) {
		return
	}
	if n.outside.when == told && (n.program.err.Error() == "signal: terminated" || n.reads("hint: it was told to stop before it had started")) {
		return
	}
	n.fatal("a life ended with: %v", n.program.err)
}

func (n *night) launch(how starter) {
	n.t.Helper()
	n.lives++
	log, err := os.OpenFile(n.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		n.fatal("opening the log: %v", err)
	}
	fmt.Fprintf(log, "--- life %d\n", n.lives)
	n.mu.Lock() // a request may be there before we know of whom
	n.program, err = how(n.command(log, "nightlatch.yaml"))
	n.mu.Unlock()
	if err != nil {
		n.fatal("%v", err)
	}
	if err := log.Close(); err != nil { // the program has its own
		n.fatal("closing the log: %v", err)
	}
	n.t.Cleanup(n.program.kill)
}

// ready waits until the program answers and is connected to Slack, or is dead; in its first life also until it
// knows the people.
func (n *night) ready() bool {
	n.t.Helper()
	n.await("the program is ready", func() bool {
		return !n.program.alive() || (n.slack.Connections() > 0 && (n.lives > 1 || n.reads("kind=directory")) && n.healthy())
	})
	return n.program.alive()
}

// reads reports whether the log of any life has a text.
func (n *night) reads(text string) bool {
	log, err := os.ReadFile(n.logPath())
	return err == nil && bytes.Contains(log, []byte(text))
}

// await waits for something that must come.
func (n *night) await(what string, come func() bool) {
	n.t.Helper()
	for limit := time.Now().Add(longest); !come(); <-time.After(pause) {
		if time.Now().After(limit) {
			n.fatal("waiting in vain: %s", what)
		}
	}
}

// soon waits for something for a while, and reports whether it came.
func soon(most time.Duration, come func() bool) bool {
	for limit := time.Now().Add(most); !come(); <-time.After(pause) {
		if time.Now().After(limit) {
			return false
		}
	}
	return true
}

func (n *night) logPath() string { return filepath.Join(n.dir, "log") }

// fatal ends the night, with all that helps to find out why: a program that still runs says where.
func (n *night) fatal(format string, args ...any) {
	n.t.Helper()
	if n.program != nil && n.program.alive() {
		n.program.signal(syscall.SIGQUIT)
		soon(3*time.Second, func() bool { return !n.program.alive() })
	}
	n.t.Fatalf(format+"\n%s", append(args, n.story())...)
}

// story is the log of all lives and what people see, without a secret.
func (n *night) story() string {
	log, _ := os.ReadFile(n.logPath())
	own, stacks, _ := strings.Cut(string(log), "SIGQUIT: quit")
	lines := strings.Split(own, "\n")
	const most = 60
	var b strings.Builder
	died, _, _ := n.outside.seen()
	fmt.Fprintf(&b, "lives: %d, died at: %q, alive: %t; the door was last silent because: %s\n", n.lives, died, n.program != nil && n.program.alive(), n.silence)
	for _, who := range []string{ada, ben} {
		fmt.Fprintf(&b, "%s sees:\n%s\n", who, n.slack.SeenBy(who).Text())
	}
	b.WriteString(strings.Join(lines[max(0, len(lines)-most):], "\n"))
	b.WriteString(stacks)
	return aToken.ReplaceAllString(b.String(), "(a token)")
}

// script is what people do in a night.
type script struct {
	name string
	play func(*night)
}

// scripts are the short nights. Together they press everything that a grant can meet.
func scripts() []script {
	return []script{
		{"a yes, a longer one, a secret, a return", func(n *night) {
			write := n.asks(ada, "orders-write")
			n.approves(ben, ada, write)
			n.extends(ada, write)
			n.approvesMore(ben, ada, write)
			n.reveals(ada, write)
			n.ends(ada, ada, write, "return")
		}},
		{"automatic, a secret, the shift ends", func(n *night) {
			read := n.asks(ada, "orders-read")
			n.reveals(ada, read)
			n.fates[read] = ending
			if err := n.pager.EndShift(prime, pd(ada)); err != nil {
				n.fatal("ending the shift: %v", err)
			}
			n.insist(press{what: "the shift's end is noticed", done: func() bool { return !n.waits(ada, read) }})
			n.over(read)
		}},
		{"automatic, a secret, extended, revoked", func(n *night) {
			read := n.asks(ada, "orders-read")
			n.reveals(ada, read)
			n.extends(ada, read)
			n.ends(ben, ada, read, "revoke")
		}},
	}
}

// finishes has ada give back and withdraw whatever she still has or waits for, which a repeated
// press may have left.
func (n *night) finishes() {
	n.t.Helper()
	for _, grant := range n.theirs(ada) {
		switch {
		case n.offers(ada, grant, "return", false):
			n.ends(ada, ada, grant, "return")
		case n.offers(ada, grant, "withdraw", false):
			n.insist(press{
				what: "ada withdraws",
				done: func() bool { return !n.offers(ada, grant, "withdraw", false) },
				act:  n.button(ada, grant, "withdraw"),
			})
		}
	}
}
