package main_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// arrow says what the packages under a path may import besides the standard library, and
// why nothing else. "…" at the end stands for everything below. The longest path wins.
type arrow struct {
	from string
	may  []string
	why  string
}

var arrows = []arrow{
	{
		"nightlatch/grants", nil,
		"what is true must be computable from values alone, by tests, verifiers and other languages",
	},
	{
		"nightlatch/grants/service",
		[]string{"nightlatch/grants", "nightlatch/grants/ledger", "golang.org/x/sync/errgroup"},
		"it declares the interfaces that it needs; who fills them is the wiring's business",
	},
	{
		"nightlatch/grants/ledger",
		[]string{"golang.org/x/mod/sumdb/tlog"},
		"it keeps bytes and proves them, and knows neither a grant nor an engine",
	},
	{
		"nightlatch/grants/ledger/boltkv",
		[]string{"nightlatch/grants/ledger", "go.etcd.io/bbolt…"},
		"bbolt stays in its engine, so that another engine adds no rules",
	},
	{
		"nightlatch/grants/ledger/kvtest",
		[]string{"nightlatch/grants/ledger", "github.com/google/go-cmp…"},
		"the suite is for every engine, so it knows none",
	},
	{
		"nightlatch/bot…",
		[]string{
			"nightlatch/grants", "nightlatch/grants/service", "nightlatch/bot…",
			"github.com/slack-go/slack…", "github.com/gorilla/websocket",
			"golang.org/x/sync/errgroup", "golang.org/x/time/rate",
		},
		"the bot translates; it stores nothing and calls no target. slack-go breaks often, so it stays here",
	},
	{
		"nightlatch/integrations/pagerduty",
		[]string{"nightlatch/grants", "github.com/PagerDuty/go-pagerduty…", "golang.org/x/time/rate"},
		"integrations return data and know neither each other nor the service; go-pagerduty stays here",
	},
	{
		"nightlatch/integrations/webhook",
		[]string{"nightlatch/grants"},
		"integrations know neither each other nor the service",
	},
	{
		"nightlatch/integrations/token",
		[]string{"nightlatch/grants", "github.com/golang-jwt/jwt/v5", "golang.org/x/time/rate"},
		"an issuer remembers nothing of its own and knows neither the service nor the ledger",
	},
	{
		"nightlatch/integrations/token/verify",
		[]string{"github.com/golang-jwt/jwt/v5"},
		"other people's services import it, so it brings nothing along",
	},
	{
		"nightlatch/integrations/postgres",
		[]string{"nightlatch/grants", "github.com/jackc/pgx/v5…"},
		"an issuer remembers nothing of its own and knows neither the service nor another one; pgx stays here",
	},
	{
		"nightlatch/integrations/postgres/pgtest", nil,
		"it starts a server for tests; what it tests must not be what it is made of",
	},
	{
		"nightlatch/integrations/issuertest",
		[]string{"nightlatch/grants", "nightlatch/grants/service"},
		"the suite is for every issuer, so it knows none",
	},
	{
		"nightlatch/integrations/emulators/…",
		[]string{"github.com/gorilla/websocket"},
		"a fake that shares code with its caller is wrong in the same places",
	},
	{
		"nightlatch/cmd/nightlatch",
		[]string{"nightlatch/cmd/nightlatch/…", "nightlatch/bot/send", "nightlatch/grants…", "github.com/spf13/cobra"},
		"it is the command line; cobra stays here",
	},
	{
		"nightlatch/cmd/nightlatch/wiring",
		[]string{
			"nightlatch/cmd/nightlatch/…", "nightlatch/bot", "nightlatch/bot/send", "nightlatch/grants…",
			"nightlatch/integrations/pagerduty", "nightlatch/integrations/token", "nightlatch/integrations/postgres", "nightlatch/integrations/webhook", "github.com/gorilla/websocket",
		},
		"it wires everything that is real, and nothing that is emulated",
	},
	{
		"nightlatch/cmd/nightlatch/config",
		[]string{
			"nightlatch/grants", "nightlatch/integrations/token", "nightlatch/integrations/postgres",
			"github.com/spf13/viper", "github.com/go-viper/mapstructure/v2", "go.yaml.in/yaml/v3",
		},
		"it reads a file; viper stays here",
	},
	{
		"nightlatch/cmd/nightlatch/inspect",
		[]string{
			"nightlatch/cmd/nightlatch/config", "nightlatch/bot/send", "nightlatch/grants", "nightlatch/grants/service",
			"nightlatch/integrations/pagerduty", "nightlatch/integrations/token",
		},
		"it asks by the clients that the program uses, and decides nothing",
	},
	{
		"nightlatch/cmd/nightlatch/life",
		[]string{"golang.org/x/sync/errgroup"},
		"it starts and stops what it knows nothing about",
	},
	{
		"nightlatch/cmd/nightlatch/monitor",
		[]string{"nightlatch/cmd/nightlatch/config", "nightlatch/bot", "nightlatch/grants", "nightlatch/grants/service", "nightlatch/integrations/token"},
		"it shows numbers that others count",
	},
	{
		"nightlatch/cmd/nightlatch/operator",
		[]string{"nightlatch/grants", "nightlatch/grants/service"},
		"it asks the verbs that there are, and has none of its own",
	},
	{
		"nightlatch/cmd/nightlatch/sdnotify", nil,
		"it writes three words to a socket: a library for that is more to trust than the words",
	},
	{
		"nightlatch/cmd/nightlatch/deaths", nil,
		"it kills the program from outside; its tests read what is left",
	},
	{
		"nightlatch/cmd/playground…",
		[]string{
			"nightlatch/cmd/playground/…", "nightlatch/integrations/emulators/…", "nightlatch/integrations/token/verify",
		},
		"it plays against the real binary, so it must not have its code",
	},
	{
		"nightlatch/deploy", nil,
		"it holds files, and the tests of them",
	},
}

// impure is what a package of pure functions has no use for.
var impure = []string{"context", "sync…", "os…", "net…", "io/fs", "syscall", "log…", "math/rand…", "crypto/rand"}

// pkg is what go list says of a package.
type pkg struct {
	ImportPath  string
	Imports     []string
	TestGoFiles []string
	Standard    bool
}

func TestArrows(t *testing.T) {
	for _, v := range violations(golist(t, "nightlatch/...")) {
		t.Error(v)
	}
}

// TestArrowsAreSeen: the check above is worth something only if it notices.
func TestArrowsAreSeen(t *testing.T) {
	for _, c := range []struct {
		name string
		p    pkg
		want string
	}{
		{"impure", pkg{ImportPath: "nightlatch/grants", Imports: []string{"time", "os/exec"}}, "nightlatch/grants imports os/exec"},
		{"pure", pkg{ImportPath: "nightlatch/grants", Imports: []string{"time", "slices"}}, ""},
		{"slack-go", pkg{ImportPath: "nightlatch/grants/service", Imports: []string{"context", "github.com/slack-go/slack"}}, "nightlatch/grants/service imports github.com/slack-go/slack"},
		{"each other", pkg{ImportPath: "nightlatch/integrations/token", Imports: []string{"nightlatch/integrations/pagerduty"}}, "imports nightlatch/integrations/pagerduty"},
		{"emulator", pkg{ImportPath: "nightlatch/cmd/nightlatch", Imports: []string{"nightlatch/integrations/emulators/memnet"}}, "imports nightlatch/integrations/emulators/memnet"},
		{"no row", pkg{ImportPath: "nightlatch/common"}, "nightlatch/common has no row"},
		{"inner test", pkg{ImportPath: "nightlatch/bot", TestGoFiles: []string{"bot_test.go"}}, "bot_test.go is no x_test package"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(violations([]pkg{c.p}), "\n")
			if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestBinaryHoldsNoTest: what only tests need is not in what runs in production.
func TestBinaryHoldsNoTest(t *testing.T) {
	for _, p := range golist(t, "-deps", "nightlatch/cmd/nightlatch") {
		last := p.ImportPath[strings.LastIndex(p.ImportPath, "/")+1:]
		switch {
		case strings.HasPrefix(p.ImportPath, "nightlatch/integrations/emulators"):
			t.Errorf("the binary holds %s: an emulator accepts what production must refuse", p.ImportPath)
		case strings.HasPrefix(p.ImportPath, "testing"), !p.Standard && strings.HasSuffix(last, "test"), last == "httptest":
			t.Errorf("the binary holds %s: tests' packages bring flags and back doors", p.ImportPath)
		}
	}
}

// violations holds packages against the table.
func violations(pkgs []pkg) []string {
	var found []string
	for _, p := range pkgs {
		a, ok := arrowOf(p.ImportPath)
		if !ok {
			found = append(found, p.ImportPath+" has no row in the table of arrows: say what it may import, and why nothing else")
			continue
		}
		for _, imported := range p.Imports {
			if standard(imported) {
				if p.ImportPath == "nightlatch/grants" && slices.ContainsFunc(impure, func(i string) bool { return covers(i, imported) }) {
					found = append(found, fmt.Sprintf("%s imports %s: %s", p.ImportPath, imported, a.why))
				}
				continue
			}
			if !slices.ContainsFunc(a.may, func(m string) bool { return covers(m, imported) }) {
				found = append(found, fmt.Sprintf("%s imports %s: %s", p.ImportPath, imported, a.why))
			}
		}
		for _, file := range p.TestGoFiles {
			found = append(found, fmt.Sprintf("%s: %s is no x_test package: tests see what callers see", p.ImportPath, file))
		}
	}
	return found
}

func arrowOf(path string) (arrow, bool) {
	var best arrow
	for _, a := range arrows {
		if covers(a.from, path) && len(a.from) > len(best.from) {
			best = a
		}
	}
	return best, best.from != ""
}

// covers matches a path with a pattern: "a/…" is what is below a, "a…" is a too.
func covers(pattern, path string) bool {
	base, below := strings.CutSuffix(pattern, "…")
	if !below || strings.HasSuffix(base, "/") {
		return path == base || (below && strings.HasPrefix(path, base))
	}
	return path == base || strings.HasPrefix(path, base+"/")
}

// standard reports whether a package is of the standard library: their paths begin without a dot.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return first != "nightlatch" && !strings.Contains(first, ".")
}

func golist(t *testing.T, args ...string) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Imports,TestGoFiles,Standard"}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("listing packages: %v", err)
	}
	var pkgs []pkg
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var p pkg
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	return pkgs
}
