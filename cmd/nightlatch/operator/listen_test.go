package operator_test

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"nightlatch/cmd/nightlatch/operator"
)

// TestSocketIsForItsGroup: whatever the umask, others than the owner and the group stay out.
func TestSocketIsForItsGroup(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	path := socketPath(t)
	l, err := operator.Listen(t.Context(), operator.Socket{Path: path, Group: strconv.Itoa(os.Getgid())})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != fs.ModeSocket|0o660 || int(info.Sys().(*syscall.Stat_t).Gid) != os.Getgid() {
		t.Errorf("the socket has mode %v and group %d", info.Mode(), info.Sys().(*syscall.Stat_t).Gid)
	}
}

func TestAGroupThatThereIsNot(t *testing.T) {
	path := socketPath(t)
	_, err := operator.Listen(t.Context(), operator.Socket{Path: path, Group: "no-such-group"})
	told(t, err, `there is no group "no-such-group"`, "operator.group")
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a socket was made all the same: %v", err)
	}
}

// TestASocketOfTheDeadIsReplaced: a process that was killed leaves its file behind.
func TestASocketOfTheDeadIsReplaced(t *testing.T) {
	path := socketPath(t)
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = operator.Client{Socket: path}.People(t.Context())
	told(t, err, "nothing listens at "+path, "nightlatch serve")
	var b back
	if _, err := b.serve(t, nil, path, io.Discard).People(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestASocketOfTheLivingStays: neither it nor what is no socket is taken away.
func TestASocketOfTheLivingStays(t *testing.T) {
	var b back
	c := b.open(t, "")
	_, err := operator.Listen(t.Context(), operator.Socket{Path: c.Socket})
	told(t, err, "another process listens at "+c.Socket, "operator.socket")
	if _, err := c.People(t.Context()); err != nil {
		t.Errorf("the living one is not heard any more: %v", err)
	}

	file := filepath.Join(filepath.Dir(c.Socket), "ledger.db")
	link := filepath.Join(filepath.Dir(c.Socket), "link")
	if err := errors.Join(os.WriteFile(file, []byte("precious"), 0o600), os.Symlink(c.Socket, link)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, link, filepath.Dir(c.Socket)} {
		_, err := operator.Listen(t.Context(), operator.Socket{Path: path})
		told(t, err, path+" is there, and is no socket", "operator.socket")
	}
	if data, err := os.ReadFile(file); err != nil || string(data) != "precious" {
		t.Errorf("the file is %q, %v", data, err)
	}
}

func TestASocketWhereNothingCanBe(t *testing.T) {
	path := filepath.Join(filepath.Dir(socketPath(t)), "missing", "operator.sock")
	if _, err := operator.Listen(t.Context(), operator.Socket{Path: path}); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "listening for operators: ") {
		t.Errorf("error %v", err)
	}
	_, err := operator.Client{Socket: path}.Grants(t.Context())
	told(t, err, "nothing listens at "+path, "--socket")
}

// TestABotThatHangsUp: without an answer nobody knows whether it was done.
func TestABotThatHangsUp(t *testing.T) {
	path := socketPath(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, c := range []struct{ says, text string }{
		{"", "the bot hung up without an answer"},
		{"{}", "the bot's answer is none to this question"},
	} {
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return // the test is over
			}
			defer conn.Close()
			_, _ = conn.Read(make([]byte, 1<<10))
			_, _ = io.WriteString(conn, c.says)
		}()
		_, err = operator.Client{Socket: path}.Approve(t.Context(), "U0BEN")
		if err == nil || err.Error() != c.text {
			t.Errorf("%q is taken for %v", c.says, err)
		}
	}
}
