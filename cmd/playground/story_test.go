package main_test

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the transcript into testdata/story.txt")

// playground builds the command as a user would, and runs it from a directory below the module's.
func playground(t *testing.T) func(args ...string) *exec.Cmd {
	t.Helper()
	dependsOnModule(t)
	path := filepath.Join(t.TempDir(), "playground")
	if out, err := exec.Command("go", "build", "-o", path, "nightlatch/cmd/playground").CombinedOutput(); err != nil {
		t.Fatalf("building the playground: %v\n%s", err, out)
	}
	temporary := t.TempDir()
	t.Cleanup(func() {
		if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
			t.Errorf("the playground left %v in the temporary directory (%v)", left, err)
		}
	})
	return func(args ...string) *exec.Cmd {
		cmd := exec.Command(path, args...)
		// Go's own build directories are not ours to count.
		cmd.Env = append(os.Environ(), "TMPDIR="+temporary, "GOTMPDIR="+t.TempDir())
		return cmd
	}
}

// dependsOnModule tells Go's test cache what these tests depend on, by looking at it: the programs are built by another
// process, so it can't know.
func dependsOnModule(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join("..", ".."), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == ".git" && d.IsDir() {
			return filepath.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestStory plays the night for real: emulators on loopback, the program in a process of its own. Whatever must happen
// in it is checked by the playground itself; here its exit code counts, and that the transcript has its known shape.
func TestStory(t *testing.T) {
	var stdout, stderr bytes.Buffer
	cmd := playground(t)("-story")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("playing the story: %v\n%s\n%s", err, &stderr, &stdout)
	}
	golden := filepath.Join("testdata", "story.txt")
	if *update {
		rewrite(t, golden, stdout.String())
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shape(string(want)), shape(stdout.String())); diff != "" {
		t.Errorf("the night is not that of %s (-want +got; if it should be, run the test with -update):\n%s", golden, diff)
	}
}

// rewrite puts a new transcript into the golden file and into the README.
func rewrite(t *testing.T, golden, transcript string) {
	t.Helper()
	if err := os.WriteFile(golden, []byte(transcript), 0o644); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(page), fence)
	_, after, _ := strings.Cut(rest, "```")
	if err := os.WriteFile(readme, []byte(before+fence+transcript+"```"+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Where the README shows the transcript.
const (
	readme = "../../README.md"
	fence  = "```text\n"
)

// TestReadme holds the README to the night that was played.
func TestReadme(t *testing.T) {
	page, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	night, err := os.ReadFile(filepath.Join("testdata", "story.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), fence+string(night)+"```") {
		t.Error("the README's transcript is not that of testdata/story.txt; run the test with -update")
	}
}

// shape is a transcript without its times, which no two nights share, and without the texts of the program's messages:
// those have tests of their own, and the story looks at what matters in them. Left are the steps, who does and sees what
// in which order, the buttons, and what was found out.
func shape(transcript string) []string {
	for _, r := range []struct{ pattern, by string }{
		{`(?m)^\d\d:\d\d:\d\d +\d+\.\d s`, "TIME"},
		{`\d+\.\d s`, "SECONDS"},
		{`(?m)^( +│) [^\[\n].*$`, "$1"},
		{`(?m)(^ +│\n)+`, "$1"},
	} {
		transcript = regexp.MustCompile(r.pattern).ReplaceAllString(transcript, r.by)
	}
	return strings.Split(transcript, "\n")
}

// TestInterrupt stops the night in its middle: nothing may stay behind, neither the directory nor the program, whose
// ledger would be locked as long as it runs.
func TestInterrupt(t *testing.T) {
	cmd := playground(t)("-story", "-v")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	for line := ""; err == nil && !strings.Contains(line, "presses [Reveal]"); {
		line, err = lines.ReadString('\n')
	}
	if err != nil {
		t.Fatalf("waiting for the first reveal: %v\n%s", err, &stderr)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, lines); err != nil {
		t.Error(err)
	}
	if got := exitCode(cmd.Wait()); got != 1 {
		t.Errorf("the exit code is %d, want 1\n%s", got, &stderr)
	}
	for _, want := range []string{"msg=stopped", "playground: interrupted"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("standard error lacks %q:\n%s", want, &stderr)
		}
	}
}

// TestNotAsItMustBe shows what somebody reads when there is nothing to play, or not what there must be.
func TestNotAsItMustBe(t *testing.T) {
	run := playground(t)
	for _, c := range []struct {
		name string
		args []string
		path string // of the environment; "": as it is
		code int
		says []string
	}{
		{"help", []string{"-h"}, "", 0, []string{"usage: go run ./cmd/playground", "-door"}},
		{"words", []string{"story"}, "", 2, []string{`it takes flags alone, and was given "story"`, "go run ./cmd/playground -story"}},
		{"a door for others", []string{"-addr", "127.0.0.1:0", "-door", "10.0.0.1:8322"}, "", 1, []string{"it is not on loopback", "-door 127.0.0.1:8322"}},
		{"an address of others", []string{"-addr", "0.0.0.0:8080"}, "", 1, []string{"it is not on loopback", "hint: "}},
		{"half an address", []string{"-addr", "8080"}, "", 1, []string{"reading the address", "hint: write it as -addr 127.0.0.1:8080"}},
		{"a program that ends", []string{"-story", "-bin", "/bin/false"}, "", 1, []string{"expected: the program runs", "seen:     it ended: exit status 1", "hint: "}},
		{"no program", []string{"-story", "-bin", "/nonexistent"}, "", 1, []string{"starting the nightlatch program", "hint: "}},
		{"no go command", []string{"-story"}, "/nonexistent", 1, []string{"looking for the go command", "hint: install Go"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stderr bytes.Buffer
			cmd := run(c.args...)
			cmd.Stderr = &stderr
			if c.path != "" {
				cmd.Env = append(cmd.Env, "PATH="+c.path)
			}
			if got := exitCode(cmd.Run()); got != c.code {
				t.Errorf("the exit code is %d, want %d", got, c.code)
			}
			for _, want := range c.says {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("standard error lacks %q:\n%s", want, &stderr)
				}
			}
		})
	}
}

// exitCode is that of a process that was waited for, or -1 if it did not run to its end.
func exitCode(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}
