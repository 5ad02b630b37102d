package deploy_test

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nightlatch/cmd/nightlatch/config"
)

// program is where the unit expects the program.
const program = "/usr/local/bin/nightlatch"

func unit(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("nightlatch.service")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// analyze runs systemd-analyze on a unit, in which something that is there stands for the program.
func analyze(t *testing.T, text string, args ...string) (string, error) {
	t.Helper()
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		missing(t, "systemd-analyze is not there: apt-get install systemd")
	}
	file := filepath.Join(t.TempDir(), "nightlatch.service")
	write(t, file, []byte(strings.ReplaceAll(text, program, tool)), 0o644)
	out, err := exec.CommandContext(t.Context(), tool, append(args, file)...).CombinedOutput()
	return string(out), err
}

func TestUnitIsUnderstood(t *testing.T) {
	if out, err := analyze(t, unit(t), "verify"); err != nil || out != "" {
		t.Errorf("%v: %s", err, out)
	}
	broken := strings.Replace(unit(t), "WatchdogSec=", "WatchDogSec=", 1)
	if out, _ := analyze(t, broken, "verify"); !strings.Contains(out, "WatchDogSec") {
		t.Errorf("a misspelt key is not noticed, so nothing is checked: %s", out)
	}
}

// TestUnitTakesAway: systemd's own measure, of ten. What is left is the network.
func TestUnitTakesAway(t *testing.T) {
	if out, err := analyze(t, unit(t), "security", "--offline=true", "--no-pager", "--threshold=15"); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	open := strings.Replace(unit(t), "ProtectSystem=strict", "ProtectSystem=no", 1)
	open = strings.Replace(open, "DynamicUser=yes", "User=root", 1)
	if out, err := analyze(t, open, "security", "--offline=true", "--no-pager", "--threshold=15"); err == nil {
		t.Errorf("a unit that takes away less is as good: %s", out)
	}
}

// TestUnitLetsOperatorsIn: what docs/deploy.md adds to the unit is understood, takes little of
// the unit's protection back, and fits the example's socket.
func TestUnitLetsOperatorsIn(t *testing.T) {
	docs, err := os.ReadFile("../docs/deploy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(docs), "       [Service]\n")
	added, _, ended := strings.Cut(rest, "\n\n")
	if !found || !ended || !strings.Contains(added, "PrivateUsers=no") || !strings.Contains(added, "SupplementaryGroups=nightlatch-operators") {
		t.Fatalf("docs/deploy.md adds %q", added)
	}
	whole := strings.Replace(unit(t), "\n[Install]", "\n"+added+"\n\n[Install]", 1)
	if out, err := analyze(t, whole, "verify"); err != nil || out != "" {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := analyze(t, whole, "security", "--offline=true", "--no-pager", "--threshold=20"); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	example, err := os.ReadFile("../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"socket: /run/nightlatch/operator.sock", "group: nightlatch-operators"} {
		if !strings.Contains(string(example), line) || !strings.Contains(string(docs), line) {
			t.Errorf("the example and docs/deploy.md do not both say %s", line)
		}
	}
	if !strings.Contains(whole, "\nRuntimeDirectory=nightlatch\nRuntimeDirectoryMode=0755\n") {
		t.Error("nobody but the program finds /run/nightlatch")
	}
}

// TestUnitFitsTheProgram: what the unit says is what the program does.
func TestUnitFitsTheProgram(t *testing.T) {
	settings := map[string][]string{}
	for line := range strings.Lines(unit(t)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			settings[key] = append(settings[key], value)
		}
	}
	for key, want := range map[string]string{
		"Type": "notify", "Restart": "on-failure", "RestartForceExitStatus": "3", "StartLimitIntervalSec": "0",
		"ExecStart": program + " serve --config /etc/nightlatch/nightlatch.yaml", "StateDirectoryMode": "0700",
		"NoNewPrivileges": "yes", "ProtectSystem": "strict", "MemoryDenyWriteExecute": "yes", "DynamicUser": "yes", "LimitCORE": "0",
	} {
		if got := settings[key]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	stop, err := time.ParseDuration(strings.Join(settings["TimeoutStopSec"], " "))
	if err != nil || stop <= 5*time.Second || stop > 10*time.Second {
		t.Errorf("TimeoutStopSec is %s (%v), and the program takes 5 s", stop, err)
	}

	// Where the credentials are, as systemd puts them.
	dir := t.TempDir()
	for _, c := range settings["LoadCredential"] {
		name, from, _ := strings.Cut(c, ":")
		if !strings.HasPrefix(from, "/etc/nightlatch/secrets/") {
			t.Errorf("the credential %s comes from %s", name, from)
		}
		write(t, filepath.Join(dir, name), []byte(secrets[name]+"\n"), 0o400)
	}
	env := map[string]string{}
	for _, e := range settings["Environment"] {
		name, value, _ := strings.Cut(e, "=")
		env[name] = strings.ReplaceAll(value, "%d", dir)
	}
	loaded := loads(t, "../config.example.yaml", env)
	state := "/var/lib/" + strings.Join(settings["StateDirectory"], "")
	for _, file := range []string{loaded.Ledger.Path, loaded.Token.KeyFile} {
		if path.Dir(file) != state {
			t.Errorf("the example keeps %s outside of %s, where the program may write", file, state)
		}
	}
}

// loads reads a configuration and its secrets, as serve does.
func loads(t *testing.T, file string, env map[string]string) config.Config {
	t.Helper()
	loaded, err := config.Load(config.File{Path: file, Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
	if err != nil {
		t.Fatalf("%v: %+v", err, err)
	}
	return loaded.Config
}
