package sdnotify_test

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/cmd/nightlatch/sdnotify"
)

// listener is a service manager's end of the socket.
type listener struct {
	t    *testing.T
	conn *net.UnixConn
	path string
}

func listen(t *testing.T, name string) listener {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return listener{t, conn, name}
}

func (l listener) hears() string {
	l.t.Helper()
	if err := l.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		l.t.Fatal(err)
	}
	message := make([]byte, 1<<10)
	n, err := l.conn.Read(message)
	if err != nil {
		l.t.Fatal(err)
	}
	return string(message[:n])
}

func TestReadyAliveStopping(t *testing.T) {
	l := listen(t, filepath.Join(t.TempDir(), "notify"))
	ctx, stop := context.WithCancel(t.Context())
	var asked atomic.Int64
	hung := make(chan struct{}) // closed when nothing was told for two beats
	alive := func() time.Time {
		n := asked.Add(1)
		if n <= 3 {
			return time.Now()
		}
		if n == 6 {
			close(hung)
		}
		return time.Time{}
	}
	ended := make(chan error, 1)
	m := sdnotify.Manager{Socket: l.path, Within: 200 * time.Millisecond}
	var log strings.Builder
	go func() { ended <- m.Run(ctx, alive, slog.New(slog.NewTextHandler(&log, nil))) }()

	var got []string
	for range 4 {
		got = append(got, l.hears())
	}
	<-hung
	stop()
	got = append(got, l.hears())
	if err := <-ended; err != nil {
		t.Error(err)
	}
	// Had it told more while it hung, that would stand before the last.
	if diff := cmp.Diff([]string{"READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"}, got); diff != "" {
		t.Error(diff)
	}
	if n := strings.Count(log.String(), "no progress"); n != 1 {
		t.Errorf("the log says %d times that there is no progress:\n%s", n, log.String())
	}
}

// TestAbstractSocket: inside a container systemd listens under a name that is no file's.
func TestAbstractSocket(t *testing.T) {
	l := listen(t, "@"+filepath.Join(t.TempDir(), "notify"))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- sdnotify.Manager{Socket: l.path}.Run(ctx, nil, slog.New(slog.DiscardHandler)) }()
	if got := l.hears(); got != "READY=1" {
		t.Errorf("heard %q", got)
	}
	stop()
	if got := l.hears(); got != "STOPPING=1" {
		t.Errorf("heard %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestNobodyListens(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := (sdnotify.Manager{}).Run(ctx, nil, nil); err != nil {
		t.Error(err)
	}
	gone := sdnotify.Manager{Socket: filepath.Join(t.TempDir(), "gone")}
	if err := gone.Run(t.Context(), nil, nil); err == nil || !strings.Contains(err.Error(), "telling the service manager READY=1") {
		t.Errorf("got %v", err)
	}
}

func TestFromEnv(t *testing.T) {
	const pid = 42
	for _, c := range []struct {
		name string
		env  map[string]string
		want sdnotify.Manager
		err  string
	}{
		{"by hand", nil, sdnotify.Manager{}, ""},
		{"not watched", map[string]string{"NOTIFY_SOCKET": "/n"}, sdnotify.Manager{Socket: "/n"}, ""},
		{"watched", map[string]string{"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "42"}, sdnotify.Manager{Socket: "/n", Within: 2 * time.Minute}, ""},
		{"whoever it is", map[string]string{"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "1"}, sdnotify.Manager{Socket: "/n", Within: time.Microsecond}, ""},
		{"another is watched", map[string]string{"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "41"}, sdnotify.Manager{Socket: "/n"}, ""},
		{"nowhere to tell", map[string]string{"WATCHDOG_USEC": "1"}, sdnotify.Manager{}, ""},
		{"no number", map[string]string{"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "2min"}, sdnotify.Manager{Socket: "/n"}, "reading WATCHDOG_USEC"},
		{"too soon", map[string]string{"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "0"}, sdnotify.Manager{Socket: "/n"}, "0 is no time"},
		{"too late", map[string]string{"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "9223372036854775807"}, sdnotify.Manager{Socket: "/n"}, "is no time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := sdnotify.FromEnv(func(name string) (string, bool) { v, ok := c.env[name]; return v, ok }, pid)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if (c.err == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), c.err)) {
				t.Errorf("got %v, want %q", err, c.err)
			}
		})
	}
}
