package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// build makes the program from this module, wherever in it we are.
func build(ctx context.Context, to string) error {
	tool, err := exec.LookPath("go")
	if err != nil {
		return hinted{
			fmt.Errorf("looking for the go command: %w", err),
			"install Go and put it on the PATH, or name a program that is built already with -bin",
		}
	}
	cmd := exec.CommandContext(ctx, tool, "build", "-o", to, "nightlatch/cmd/nightlatch")
	out, err := cmd.CombinedOutput()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return hinted{
			fmt.Errorf("building the nightlatch program: %w\n%s", err, bytes.TrimSpace(out)),
			"run it from a directory of the nightlatch module, after go mod download",
		}
	}
	return nil
}

// program is the running nightlatch.
type program struct {
	cmd    *exec.Cmd
	health string // URL
	log    *logbook
	done   chan struct{} // closed when it has ended
	err    error         // how it ended; read after done
}

// startProgram starts it in a process group of its own, so that an interrupt at the terminal reaches us alone and the
// program is stopped in order. Should we be killed, so is the program, where the system can do that.
func startProgram(binary string, s settings, tee io.Writer) (*program, error) {
	p := &program{health: "http://" + s.Listen + "/healthz", log: &logbook{tee: tee}, done: make(chan struct{})}
	p.cmd = exec.Command(binary, "serve", "--config", s.path)
	p.cmd.Env = s.environment()
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = attributes()
	p.cmd.WaitDelay = time.Second
	started := make(chan error, 1)
	go func() {
		// Linux takes the thread that started a program for its parent: when the thread ends, the program is killed. So this
		// one belongs to the program until that has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
		}
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting the nightlatch program: %w", err)
	}
	return p, nil
}

// ready waits until the program answers on its listener and has its connection to Slack.
func (p *program) ready(ctx context.Context, slack control) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	client := newClient()
	for {
		select {
		case <-p.done:
			return p.died()
		case <-ctx.Done():
			return p.differs("the program answers on "+p.health+" and connects to Slack", "it does neither or one of them", ctx.Err())
		case <-time.After(pause):
		}
		if n, err := slack.connections(ctx); err == nil && n > 0 && healthy(ctx, client, p.health) {
			return nil
		}
	}
}

func healthy(ctx context.Context, client *http.Client, url string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	answer, err := client.Do(r)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// died is the error of a program that ended although nobody told it to.
func (p *program) died() *difference {
	return p.differs("the program runs until it is told to stop", "it ended: "+p.ending(), nil)
}

// ending says how the program ended. It has.
func (p *program) ending() string {
	if p.err != nil {
		return p.err.Error()
	}
	return "exit status 0"
}

func (p *program) differs(expected, seen string, cause error) *difference {
	return &difference{expected: expected, seen: seen, log: p.log.tail(), cause: cause}
}

// stop tells the program to end, waits, and reports how long that took and whether it ended well.
func (p *program) stop() (took time.Duration, err error) {
	const most = 5 * time.Second
	started := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, fmt.Errorf("telling the program to stop: %w", err)
	}
	select {
	case <-p.done:
	case <-time.After(most):
		return most, p.differs("the program ends within "+most.String()+" of SIGTERM", "it still runs", nil)
	}
	if p.err != nil {
		return time.Since(started), p.differs("the program ends with exit status 0", p.ending(), p.err)
	}
	return time.Since(started), nil
}

// end makes sure that the program is gone. It may be already.
func (p *program) end() error {
	select {
	case <-p.done:
		return nil
	default:
	}
	if _, err := p.stop(); err == nil {
		return nil
	}
	select {
	case <-p.done: // it ended, though not well: whoever closes the stage has nothing more to do
		return nil
	default:
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("killing the program: %w", err)
	}
	<-p.done
	return nil
}

// logbook keeps everything that the program wrote.
type logbook struct {
	tee io.Writer
	mu  sync.Mutex
	all bytes.Buffer
}

// Write keeps a piece of log.
func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.tee.Write(b) // a closed terminal must not end the program
	return l.all.Write(b)
}

// bytes returns a copy of what was written so far.
func (l *logbook) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.all.Bytes())
}

// from returns a copy of what was written from an offset on.
func (l *logbook) from(offset int) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.all.Bytes()[min(offset, l.all.Len()):])
}

func (l *logbook) contains(text string) bool { return bytes.Contains(l.bytes(), []byte(text)) }

// tail is the end of the log, for whoever looks for a cause. Should there be a secret in it, it is not printed again.
func (l *logbook) tail() string {
	const most = 25
	lines := strings.Split(strings.TrimSpace(tokens.ReplaceAllString(string(l.bytes()), "$1…")), "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}
