package deploy_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// instruction is one of a Dockerfile.
type instruction struct {
	name  string            // in capitals
	flags map[string]string // --name=value, without the dashes
	args  []string
	exec  bool // the arguments are a list in JSON: no shell reads them
}

// stage is what stands between one FROM and the next.
type stage []instruction

func (s stage) all(name string) []instruction {
	return slices.DeleteFunc(slices.Clone(s), func(i instruction) bool { return i.name != name })
}

// last is the arguments of the last instruction of a name, the one that counts.
func (s stage) last(name string) []string {
	if all := s.all(name); len(all) > 0 {
		return all[len(all)-1].args
	}
	return nil
}

func stages(t *testing.T) []stage {
	t.Helper()
	data, err := os.ReadFile("../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	var found []stage
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasSuffix(line, `\`) {
			t.Fatalf("a line goes on in the next one, which this test does not read: %s", line)
		}
		i := parse(line)
		if i.name == "FROM" {
			found = append(found, nil)
		}
		if len(found) == 0 {
			t.Fatalf("%s stands before the first FROM", i.name)
		}
		found[len(found)-1] = append(found[len(found)-1], i)
	}
	return found
}

func parse(line string) instruction {
	name, rest, _ := strings.Cut(line, " ")
	i := instruction{name: strings.ToUpper(name), flags: map[string]string{}}
	for {
		flag, more, ok := strings.Cut(rest, " ")
		if !ok || !strings.HasPrefix(flag, "--") {
			break
		}
		key, value, _ := strings.Cut(flag[2:], "=")
		i.flags[key], rest = value, more
	}
	i.exec = json.Unmarshal([]byte(rest), &i.args) == nil
	if !i.exec {
		i.args = strings.Fields(rest)
	}
	return i
}

func TestImageHoldsAProgramAndNoShell(t *testing.T) {
	all := stages(t)
	if len(all) != 2 {
		t.Fatalf("%d stages, want one that builds and one that is shipped", len(all))
	}
	build, final := all[0], all[1]
	if from := final.last("FROM"); !slices.Equal(from, []string{"scratch"}) {
		t.Errorf("the shipped stage begins with %q", from)
	}
	if from := build.last("FROM"); !strings.HasPrefix(from[0], "golang:"+goVersion(t)+"-") {
		t.Errorf("it is built by %s, and go.mod says Go %s", from[0], goVersion(t))
	}
	for _, i := range slices.Concat(build, final) {
		switch i.name {
		case "RUN", "ENTRYPOINT", "CMD", "VOLUME":
			if !i.exec {
				t.Errorf("%s %q is read by a shell", i.name, i.args)
			}
		case "ADD", "ARG", "SHELL", "ONBUILD":
			t.Errorf("%s: fetches, secrets in the history and shells have no place here", i.name)
		}
	}
	for _, i := range final {
		if i.name == "RUN" || (i.name == "COPY" && i.flags["from"] != "build") {
			t.Errorf("the shipped stage has %s %q: it takes only what was built", i.name, i.args)
		}
	}
	uid, gid, ok := strings.Cut(strings.Join(final.last("USER"), " "), ":")
	for _, id := range []string{uid, gid} {
		if n, err := strconv.Atoi(id); !ok || err != nil || n <= 0 {
			t.Errorf("USER %q is not a number above zero and its group", final.last("USER"))
		}
	}
	if got := slices.Concat(final.last("ENTRYPOINT"), final.last("CMD")); !slices.Equal(got, []string{"/usr/local/bin/nightlatch", "serve", "--config", "/etc/nightlatch/nightlatch.yaml"}) {
		t.Errorf("it runs %q", got)
	}
}

// TestContextIsClosed: what is not asked for by name does not get into the build.
func TestContextIsClosed(t *testing.T) {
	rules := ignoreRules(t)
	for name, want := range map[string]bool{
		"go.mod": false, "cmd/nightlatch/main.go": false, "bot/bot.go": false,
		".git/config": true, "nightlatch.yaml": true, "token.pem": true, "ledger.db": true, "secrets/slack-bot": true, ".env": true,
		"cmd/nightlatch/main_test.go": true, "cmd/nightlatch/testdata/x": true, "deploy/kubernetes.yaml": true,
	} {
		if got := ignored(rules, name); got != want {
			t.Errorf("%s: ignored is %t, want %t", name, got, want)
		}
	}
}

// goVersion is go.mod's, as an image is tagged: 1.26.
func goVersion(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "go "); ok {
			return strings.Join(strings.SplitN(v, ".", 3)[:2], ".")
		}
	}
	t.Fatal("go.mod has no go line")
	return ""
}

func ignoreRules(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile("../.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Fields(stripComments(string(data))), func(s string) bool { return s == "" })
}

func stripComments(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// ignored follows .dockerignore as far as ours goes: the last rule that matches a file or a
// directory above it wins.
func ignored(rules []string, name string) bool {
	out := false
	for _, rule := range rules {
		pattern, keep := strings.CutPrefix(rule, "!")
		base, anywhere := strings.CutPrefix(pattern, "**/")
		parts := strings.Split(name, "/")
		for n := range parts {
			of := strings.Join(parts[:n+1], "/")
			if anywhere {
				of = parts[n]
			}
			if match, err := path.Match(base, of); err == nil && match {
				out = !keep
			}
		}
	}
	return out
}

// image is what the Dockerfile makes, as a directory.
type image struct {
	root     string
	dir      string // in it
	uid, gid int
}

// buildImage does what a builder would do, instruction by instruction: this machine stands
// for the first stage's image. The test fails or is skipped where it can't.
func buildImage(t *testing.T) image {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "only root can look at an image from the inside (chroot)")
	}
	all := stages(t)
	build, final := all[0], all[1]
	workdir := build.last("WORKDIR")[0]
	src := t.TempDir()
	env := os.Environ()
	rules := ignoreRules(t)
	for _, i := range build {
		switch i.name {
		case "ENV":
			env = append(env, i.args...)
		case "COPY":
			for _, from := range i.args[:len(i.args)-1] {
				copyTree(t, "..", from, src, rules)
			}
		case "RUN":
			cmd := exec.CommandContext(t.Context(), i.args[0], i.args[1:]...)
			cmd.Dir, cmd.Env = src, env
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("RUN %q: %v\n%s", i.args, err, out)
			}
		}
	}
	img := image{root: t.TempDir(), dir: final.last("WORKDIR")[0]}
	img.uid, img.gid = owner(t, final.last("USER")[0])
	if err := os.Chmod(img.root, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, i := range final.all("COPY") {
		from := i.args[0]
		if below, ok := strings.CutPrefix(from, workdir+"/"); ok {
			from = filepath.Join(src, below)
		}
		img.take(t, from, i)
	}
	return img
}

// take copies a file or a directory's content into the image.
func (img image) take(t *testing.T, from string, i instruction) {
	t.Helper()
	to := filepath.Join(img.root, i.args[1])
	info, err := os.Stat(from)
	if err != nil {
		missing(t, "this machine lacks what the image takes from the build stage: "+err.Error())
	}
	if !info.IsDir() {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		write(t, to, data, info.Mode().Perm())
		return
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	chown, ok := i.flags["chown"]
	if !ok {
		return
	}
	uid, gid := owner(t, chown)
	err = fs.WalkDir(os.DirFS(from), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if err := os.Chmod(filepath.Join(to, name), info.Mode().Perm()); err != nil {
			return err
		}
		return os.Lchown(filepath.Join(to, name), uid, gid)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// command runs the program in the image, as its user, with nothing else around.
func (img image) command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/usr/local/bin/nightlatch", args...)
	cmd.Dir, cmd.Env = img.dir, append([]string{"PATH="}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Chroot:     img.root,
		Credential: &syscall.Credential{Uid: uint32(img.uid), Gid: uint32(img.gid)},
	}
	return cmd
}

// run runs a command that ends by itself.
func (img image) run(t *testing.T, env []string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := img.command(t, env, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// copyTree copies a file or directory of the context, without what is ignored.
func copyTree(t *testing.T, context, name, to string, rules []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(context, name), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		of, err := filepath.Rel(context, p)
		if err != nil || ignored(rules, filepath.ToSlash(of)) {
			return err
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		write(t, filepath.Join(to, of), data, 0o644)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, name string, data []byte, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}

// owner reads UID:GID.
func owner(t *testing.T, s string) (uid, gid int) {
	t.Helper()
	u, g, _ := strings.Cut(s, ":")
	uid, err := strconv.Atoi(u)
	if err != nil {
		t.Fatal(err)
	}
	if gid, err = strconv.Atoi(g); err != nil {
		t.Fatal(err)
	}
	return uid, gid
}

// missing skips a test that this machine can't do; in CI it fails.
func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s: in CI nothing is skipped", why)
	}
	t.Skip(why)
}
