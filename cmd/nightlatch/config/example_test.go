package config_test

import (
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"nightlatch/cmd/nightlatch/config"
)

// off is the mark of an option in the example that is off.
var off = regexp.MustCompile(`(?m)^( *)#: `)

func example(t *testing.T) (asIs, everything []byte) {
	t.Helper()
	asIs, err := os.ReadFile("../../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return asIs, off.ReplaceAll(asIs, []byte("$1"))
}

func TestExampleIsValid(t *testing.T) {
	asIs, everything := example(t)
	for name, data := range map[string][]byte{"as it is": asIs, "every option on": everything} {
		_, warnings, err := config.Parse(data)
		if problems, ok := err.(config.Problems); ok {
			t.Errorf("%s: %v", name, problems.List)
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, w := range warnings {
			if w.Line == 0 {
				t.Errorf("%s: the warning %q has no line", name, w)
			}
		}
	}
}

func TestExampleHasEveryKey(t *testing.T) {
	_, everything := example(t)
	var file any
	if err := yaml.Unmarshal(everything, &file); err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	collect(file, "", there)
	for _, key := range keysOf(reflect.TypeFor[config.Config](), "") {
		if !there[key] {
			t.Errorf("config.example.yaml does not show %s", key)
		}
	}
}

// TestExampleShowsTheDefaults: where the example sets what has a default, it is that one.
func TestExampleShowsTheDefaults(t *testing.T) {
	asIs, _ := example(t)
	shown, _, err := config.Parse(asIs)
	if err != nil {
		t.Fatal(err)
	}
	var lean []string
	for line := range strings.Lines(string(asIs)) {
		for _, word := range []string{"environment:", "settle:", "poll:", "reread:", "  per_person:", "  listen:", "  skew:", "  level:"} {
			if strings.HasPrefix(line, word) {
				line = ""
			}
		}
		lean = append(lean, line)
	}
	defaulted, _, err := config.Parse([]byte(strings.Join(lean, "")))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(shown, defaulted) {
		t.Errorf("the example and the defaults differ:\n%+v\n%+v", shown, defaulted)
	}
}

// keysOf lists the YAML keys of a type, with [] for the elements of lists.
func keysOf(t reflect.Type, prefix string) []string {
	if t == reflect.TypeFor[time.Time]() {
		return nil
	}
	switch t.Kind() {
	case reflect.Slice:
		return keysOf(t.Elem(), prefix+"[]")
	case reflect.Struct:
		var keys []string
		for field := range t.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name == "-" {
				continue
			}
			key := strings.TrimPrefix(prefix+"."+name, ".")
			keys = append(append(keys, key), keysOf(field.Type, key)...)
		}
		return keys
	}
	return nil
}

// collect lists the keys of a YAML value in the same way.
func collect(value any, prefix string, into map[string]bool) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			key := strings.TrimPrefix(prefix+"."+name, ".")
			into[key] = true
			collect(inner, key, into)
		}
	case []any:
		for _, inner := range value {
			collect(inner, prefix+"[]", into)
		}
	}
}

// TestTheExampleIsNobodys: whoever forgets to change one of its values reads which.
func TestTheExampleIsNobodys(t *testing.T) {
	_, everything := example(t)
	_, warnings, err := config.Parse(everything)
	if err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	for _, w := range warnings {
		if strings.HasSuffix(w.Text, "write what is yours") {
			told.WriteString(w.Text + "\n")
		}
	}
	made := regexp.MustCompile(`(?m)^[^#\n]*?("?https://[a-z]+\.example\.com|\b[CSTUP][0-9A-Z]{6,10}\b|0000)`)
	for _, found := range made.FindAllSubmatch(everything, -1) {
		if value := strings.Trim(string(found[1]), `"`); !strings.Contains(told.String(), value) {
			t.Errorf("nobody is told that %s is the example's:\n%s", value, &told)
		}
	}
}

// TestTheReadmesTrial does with the example what the README's fourth step does: the result keeps its files here, and is
// asked on this machine alone.
func TestTheReadmesTrial(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`sed -e [^>]*config\.example\.yaml`).Find(readme)
	if command == nil {
		t.Fatal("the README makes no configuration of the example")
	}
	cmd := exec.Command("sh", "-c", string(command))
	cmd.Dir = "../../.."
	data, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	c, _, err := config.Parse(data)
	if problems, ok := err.(config.Problems); ok {
		t.Fatal(problems.List)
	}
	if c.Ledger.Path != "state/ledger.db" || c.Token.KeyFile != "state/token.pem" || c.HTTP.URL != "http://"+c.HTTP.Listen {
		t.Errorf("the trial has %q, %q, %q at %q", c.Ledger.Path, c.Token.KeyFile, c.HTTP.URL, c.HTTP.Listen)
	}
}
