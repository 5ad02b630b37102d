package deaths_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	// What the program is made of, so that a cached result of these tests does not outlive a change of it.
	_ "nightlatch/cmd/nightlatch/wiring"
)

// binary is the program, built once before the first test.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run builds the program as it is shipped and runs the tests.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "nightlatch-deaths-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "making a temporary directory:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "nightlatch")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, "nightlatch/cmd/nightlatch")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// process is a running program, traced or not.
type process struct {
	pid  int
	done chan struct{} // closed when it has ended
	err  error         // how; read after done
	told sync.Once
}

// starter starts a command.
type starter func(*exec.Cmd) (*process, error)

// plainly starts a command and waits for its end. It dies with the thread that started it, and so with us.
func plainly(cmd *exec.Cmd) (*process, error) {
	p, started := &process{done: make(chan struct{})}, make(chan error, 1)
	cmd.SysProcAttr = withUs()
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this function
		defer close(p.done)
		if err := cmd.Start(); err != nil {
			started <- fmt.Errorf("starting the program: %w", err)
			return
		}
		p.pid = cmd.Process.Pid
		started <- nil
		p.err = cmd.Wait()
	}()
	return p, <-started
}

func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill ends the process on the spot, and returns when it is gone.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// signal sends a signal to a process that runs. One that has ended gets none: its number may
// be somebody else's.
func (p *process) signal(s syscall.Signal) {
	if p.alive() {
		_ = syscall.Kill(p.pid, s)
	}
}

// tell has the process told to stop, once: a second signal would mean at once.
func (p *process) tell() { p.told.Do(func() { p.signal(syscall.SIGTERM) }) }

// errStubborn is of a program that had to be killed because it did not stop.
var errStubborn = errors.New("the program did not end when it was told to")

// stop tells the process to end and says how it did.
func (p *process) stop() error {
	const most = 6 * time.Second // the program gives itself five
	p.tell()
	select {
	case <-p.done:
		return p.err
	case <-time.After(most):
		p.kill()
		return errStubborn
	}
}

// killed reports whether a process ended by SIGKILL, which stop alone never answers: that was our strike.
func killed(err error) bool { return err != nil && err.Error() == "signal: killed" }

// command is the program's command line, with the three secrets for an environment.
func (n *night) command(log *os.File, config string) *exec.Cmd {
	cmd := exec.Command(binary, "serve", "--config", filepath.Join(n.dir, config))
	cmd.Dir = n.dir
	cmd.Env = []string{
		"NIGHTLATCH_SLACK_APP_TOKEN=" + n.slack.Config().AppToken,
		"NIGHTLATCH_SLACK_BOT_TOKEN=" + n.slack.Config().BotToken,
		"NIGHTLATCH_PAGERDUTY_KEY=" + n.pager.Config().Key,
	}
	cmd.Stdout, cmd.Stderr = log, log
	return cmd
}

// healthy reports whether the program answers on its listener.
func (n *night) healthy() bool {
	answer, err := n.client.Get(n.door + "/healthz")
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}
