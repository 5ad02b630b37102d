// Command faults plants known faults into the source, one at a time, and demands that a
// named test turns red on each: that is how a test is seen failing.
//
//	go run ./.ci/faults           all of them
//	go run ./.ci/faults vote      those whose name contains "vote"
//
// Nothing is written into the source: a fault is an overlay of one file. Each test is
// first run without its fault, because a test that is always red notices nothing.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

// run plants the faults whose names contain one of the words; none means all.
func run(ctx context.Context, words []string) error {
	dir, err := os.MkdirTemp("", "faults")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	errs := make([]error, len(faults))
	planted := 0
	var all errgroup.Group
	all.SetLimit(runtime.NumCPU())
	for i, f := range faults {
		if !wanted(f.name, words) {
			continue
		}
		planted++
		all.Go(func() error {
			start := time.Now()
			dir := filepath.Join(dir, strconv.Itoa(i))
			if err := errors.Join(os.Mkdir(dir, 0o700), f.plant(ctx, dir)); err != nil {
				errs[i] = fmt.Errorf("%s: %w", f.name, err)
				fmt.Printf("NOT SEEN  %s\n", f.name)
				return nil // the others are told, too
			}
			fmt.Printf("seen      %s: %s turns red (%.1f s)\n", f.name, f.test, time.Since(start).Seconds())
			return nil
		})
	}
	_ = all.Wait() // errs has the errors
	if planted == 0 {
		return errors.New("no fault has such a name")
	}
	return errors.Join(errs...)
}

func wanted(name string, words []string) bool {
	for _, word := range words {
		if strings.Contains(name, word) {
			return true
		}
	}
	return len(words) == 0
}

// fault is a small wrong change, and the test that must notice it.
type fault struct {
	name  string
	file  string // from the root of the module
	edits []edit
	pkg   string
	test  string // subtests behind slashes
}

// edit replaces what stands exactly once in the file.
type edit struct{ old, with string }

// plant runs the fault's test without and with it.
func (f fault) plant(ctx context.Context, dir string) error {
	overlay, err := f.overlay(dir)
	if err != nil {
		return err
	}
	out, _ := f.goTest(ctx) // the test's own line counts: a subtest alone may leave its parent red
	if !strings.Contains(out, "--- PASS: "+f.test+" ") {
		return fmt.Errorf("%s is not green without the fault\n%s", f.test, tail(out))
	}
	out, err = f.goTest(ctx, "-overlay", overlay)
	switch {
	case err == nil:
		return fmt.Errorf("%s stays green", f.test)
	case strings.Contains(out, "[build failed]"):
		return fmt.Errorf("the fault does not compile\n%s", tail(out))
	case !strings.Contains(out, "--- FAIL: "+f.test+" "):
		return fmt.Errorf("the run fails, and not by %s\n%s", f.test, tail(out))
	}
	return nil
}

// overlay writes the faulty file and what tells the compiler of it.
func (f fault) overlay(dir string) (path string, err error) {
	source, err := os.ReadFile(f.file)
	if err != nil {
		return "", err
	}
	text := string(source)
	for _, e := range f.edits {
		if n := strings.Count(text, e.old); n != 1 {
			return "", fmt.Errorf("%q stands %d times in %s: bring the fault up to date", e.old, n, f.file)
		}
		text = strings.Replace(text, e.old, e.with, 1)
	}
	at, err := filepath.Abs(f.file)
	if err != nil {
		return "", err
	}
	faulty, path := filepath.Join(dir, "faulty.go"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {at: faulty}})
	if err != nil {
		return "", err
	}
	return path, errors.Join(
		os.WriteFile(faulty, []byte(text), 0o600),
		os.WriteFile(path, replace, 0o600))
}

// goTest runs the fault's test alone.
func (f fault) goTest(ctx context.Context, args ...string) (string, error) {
	pattern := "^" + strings.ReplaceAll(f.test, "/", "$/^") + "$"
	args = append([]string{"test", "-v", "-count=1", "-vet=off", "-timeout=2m", "-run", pattern}, append(args, "./"+f.pkg)...)
	out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	return string(out), err
}

// tail is the end of a test's output.
func tail(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return strings.Join(lines[max(len(lines)-20, 0):], "\n")
}
