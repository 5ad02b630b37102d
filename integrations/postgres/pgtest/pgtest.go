// Package pgtest starts a PostgreSQL of its own for the tests of one package: a new cluster in a temporary directory, with
// password logins on a socket and on loopback, which knows nothing of any other server on the machine.
//
// # Life cycle
//
// A package's TestMain calls [Main], which starts the server, runs the tests and stops it by its process ID. A test calls
// [Server.Need] before it uses the server. A single test calls [Start] instead. Where PostgreSQL is not installed, the
// test is skipped and says what to install; in CI it fails.
//
// # Caveats
//
// The server never runs as root, which PostgreSQL refuses: a root test runs it as postgres, or as nobody. It does not sync to
// disk and dies with the test process.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Superuser is the role that may everything; it needs no password on the socket.
const Superuser = "postgres"

// install is what makes the tests run.
const install = "On Debian: apt-get install --no-install-recommends postgresql"

// patience bounds a start.
const patience = 30 * time.Second

// Server is a running PostgreSQL.
type Server struct {
	Dir  string // of its socket, and of all its files
	Port int    // on 127.0.0.1, and in the name of its socket

	CA string // a file with the authority that signed its certificate, which is for localhost

	bin     string
	missing error
	process *exec.Cmd
	gone    chan error
	owner   *syscall.Credential // nil: whoever runs the test
}

// Main runs a package's tests with a server, and returns their exit code. at gets the server before the tests run.
func Main(m *testing.M, at func(*Server)) int {
	s := &Server{}
	at(s)
	// The server is told when the thread that started it dies: so this one must not.
	runtime.LockOSThread()
	if s.bin, s.missing = find(); s.missing == nil {
		err := s.start()
		defer s.stop()
		if err != nil {
			fmt.Fprintln(os.Stderr, "starting PostgreSQL:", err)
			return 1
		}
	}
	return m.Run()
}

// Start starts a server for one test, which stops it when it is over.
func Start(t *testing.T) *Server {
	t.Helper()
	s := &Server{}
	runtime.LockOSThread() // as in Main
	s.bin, s.missing = find()
	s.Need(t)
	t.Cleanup(s.stop)
	if err := s.start(); err != nil {
		t.Fatalf("starting PostgreSQL: %v", err)
	}
	return s
}

// Need skips the test where there is no PostgreSQL, or fails it in CI.
func (s *Server) Need(t testing.TB) {
	t.Helper()
	switch {
	case s.missing == nil:
	case os.Getenv("CI") != "":
		t.Fatalf("%v. %s", s.missing, install)
	default:
		t.Skipf("%v. %s", s.missing, install)
	}
}

// find looks for the server's programs: Debian keeps them out of the path.
func find() (string, error) {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.SortFunc(dirs, func(a, b string) int { return major(b) - major(a) }) // the newest
	for _, dir := range append(dirs, filepath.SplitList(os.Getenv("PATH"))...) {
		if path, err := filepath.EvalSymlinks(filepath.Join(dir, "initdb")); err == nil {
			return filepath.Dir(path), nil
		}
	}
	return "", errors.New("PostgreSQL is not installed")
}

func major(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	return n
}

// hba asks everybody for a password but the superuser on the socket.
const hba = `local all postgres trust
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
`

// start makes a cluster and starts it.
func (s *Server) start() error {
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		return err
	}
	s.Dir = dir
	if os.Geteuid() == 0 {
		if s.owner, err = somebody(); err != nil {
			return err
		}
	}
	data := filepath.Join(dir, "data")
	if err := s.give(dir); err != nil {
		return err
	}
	initdb := s.command("initdb", "-D", data, "-U", Superuser, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(hba), 0o600); err != nil {
		return err
	}
	if err := s.certify(); err != nil {
		return err
	}
	for range 3 { // a port that was free may be taken a moment later
		if err = s.launch(data); err == nil {
			return nil
		}
	}
	return err
}

// somebody is who the server runs as where the test is root.
func somebody() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		line, err := exec.Command("getent", "passwd", name).Output()
		if err != nil {
			continue
		}
		fields := strings.Split(string(line), ":")
		uid, err := strconv.ParseUint(fields[2], 10, 32)
		gid, err2 := strconv.ParseUint(fields[3], 10, 32)
		if err == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("there is neither postgres nor nobody to run it as")
}

// give makes a file the server's.
func (s *Server) give(path string) error {
	if s.owner == nil {
		return nil
	}
	return os.Chown(path, int(s.owner.Uid), int(s.owner.Gid))
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.Dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	cmd.SysProcAttr = attributes(s.owner)
	return cmd
}

// launch starts the server on a free port and waits until it answers.
func (s *Server) launch(data string) error {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.Port = free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		return err
	}
	args := []string{"-D", data, "-k", s.Dir, "-p", strconv.Itoa(s.Port)}
	for _, setting := range []string{
		"listen_addresses=127.0.0.1", "fsync=off", "max_prepared_transactions=10", "max_connections=60", "log_statement=all",
		"ssl=on", "ssl_cert_file=" + filepath.Join(s.Dir, "server.crt"), "ssl_key_file=" + filepath.Join(s.Dir, "server.key"),
	} {
		args = append(args, "-c", setting)
	}
	log, err := os.OpenFile(s.LogFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := s.command("postgres", args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	gone := make(chan error, 1)
	s.process, s.gone = cmd, gone
	go func() { gone <- cmd.Wait() }()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		if _, err := s.Psql("-c", "SELECT 1"); err == nil {
			tick.Stop()
			return nil
		}
		select {
		case err := <-gone:
			s.process = nil
			out, _ := os.ReadFile(s.LogFile())
			return fmt.Errorf("it ended at once: %w\n%s", err, out)
		case <-ctx.Done():
			return errors.New("it does not answer")
		case <-tick.C:
		}
	}
}

// LogFile is where the server logs every statement.
func (s *Server) LogFile() string { return filepath.Join(s.Dir, "server.log") }

// Psql runs the server's own client as the superuser and returns what it prints; more arguments follow. It stops at the first error.
func (s *Server) Psql(args ...string) (string, error) {
	cmd := s.command("psql", append([]string{
		"-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
		"-h", s.Dir, "-p", strconv.Itoa(s.Port), "-U", Superuser, "-d", "postgres",
	}, args...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("psql: %w\n%s", err, errs.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// Do runs statements as the superuser in a database and returns what they print.
func (s *Server) Do(t testing.TB, database string, statements ...string) string {
	t.Helper()
	args := []string{"-d", database}
	for _, statement := range statements {
		args = append(args, "-c", statement)
	}
	out, err := s.Psql(args...)
	if err != nil {
		t.Fatalf("in %s: %v", database, err)
	}
	return out
}

// stop ends the server by its process ID and removes its files.
func (s *Server) stop() {
	if s.process != nil {
		_ = s.process.Process.Signal(syscall.SIGINT) // fast: it ends every session
		select {
		case <-s.gone:
		case <-time.After(patience):
			_ = s.process.Process.Kill()
			<-s.gone
		}
	}
	_ = os.RemoveAll(s.Dir)
}
