package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
)

// maxFile bounds a configuration file: what is larger is another file by mistake.
const maxFile = 1 << 20

// File says where a configuration is.
type File struct {
	Path           string
	Env            func(key string) (string, bool) // os.LookupEnv
	WithoutSecrets bool                            // for a review where the secrets are not at hand
}

// Loaded is a configuration that can be served.
type Loaded struct {
	Config   Config
	Secrets  Secrets
	Warnings []Problem // what its operator should know

	lines map[string]int
}

// Line is where a key stands in the file, or the nearest key around it; 0 if nothing of it does.
func (l Loaded) Line(key string) int { return lineOf(key, l.lines) }

// Load reads a configuration and its secrets. The error is a [Problems], unless the file
// could not be read at all.
func Load(f File) (Loaded, error) {
	data, err := readFile(f.Path, maxFile)
	if err != nil {
		return Loaded{}, fmt.Errorf("reading the configuration: %w", err)
	}
	c, lines, warnings, problems := parse(data)
	secrets, missing := loadSecrets(f, c.Postgres)
	if problems = append(problems, missing...); len(problems) > 0 {
		return Loaded{}, Problems{List: problems}
	}
	if !f.WithoutSecrets {
		warnings = append(append(warnings, secrets.warnings()...), exposed(f.Env, c.Postgres)...)
	}
	return Loaded{Config: c, Secrets: secrets, Warnings: warnings, lines: lines}, nil
}

// Parse reads and checks a configuration without its secrets.
func Parse(data []byte) (c Config, warnings []Problem, err error) {
	c, _, warnings, problems := parse(data)
	if len(problems) > 0 {
		return Config{}, nil, Problems{List: problems}
	}
	return c, warnings, nil
}

// parse decodes what it can and checks that too, so that all problems are told at once.
func parse(data []byte) (c Config, lines map[string]int, warnings, problems []Problem) {
	file, err := read(data)
	if err != nil {
		return Config{}, nil, nil, []Problem{unreadable(data, err)}
	}
	lines, seen := survey(file)
	c, wrong := unmarshal(data)
	checked, warnings := c.check()
	if c.Environment != Playground {
		warnings = append(warnings, untouched(file)...)
	}
	for _, p := range slices.Concat(wrong, seen, checked) {
		if !known(problems, p.Key) { // one thing that is wrong is told once
			problems = append(problems, p)
		}
	}
	return c, lines, place(warnings, lines), place(problems, lines)
}

// unmarshal decodes the keys that it understands and reports the others.
func unmarshal(data []byte) (Config, []Problem) {
	c := defaults()
	// The delimiter is one that no key contains: "slack.api_url" in a file is an unknown key.
	v := viper.NewWithOptions(viper.KeyDelimiter("\x1f"))
	v.SetConfigType("yaml")
	if err := v.ReadConfig(bytes.NewReader(data)); err != nil {
		return c, []Problem{{Text: "is not a configuration: " + flat(err)}}
	}
	err := v.UnmarshalExact(&c, viper.DecodeHook(decode), func(d *mapstructure.DecoderConfig) {
		d.TagName = "json" // the role's keys are those of the stored role: one name for one idea
		d.WeaklyTypedInput = false
		d.MatchName = func(key, field string) bool { return key == field }
	})
	for i := range c.Roles {
		c.Roles[i] = complete(c.Roles[i])
	}
	for i := range c.Postgres {
		c.Postgres[i] = completePostgres(c.Postgres[i])
	}
	if c.Operator.Socket == "" {
		c.Operator.Socket = beside(c.Ledger.Path)
	}
	return c, decodeProblems(err)
}

// decode turns YAML's values into ours. A number without a unit is no duration, but for zero.
func decode(_, to reflect.Type, value any) (any, error) {
	switch to {
	case reflect.TypeFor[time.Duration]():
		if value == 0 {
			return time.Duration(0), nil
		}
		text, _ := value.(string)
		d, err := time.ParseDuration(text)
		if err != nil {
			return nil, errors.New("is not a duration; write a number and a unit, such as 30s, 15m or 8h")
		}
		return d, nil
	case reflect.TypeFor[slog.Level]():
		text, _ := value.(string)
		var level slog.Level
		if err := level.UnmarshalText([]byte(text)); err != nil || text != strings.ToLower(text) {
			return nil, errors.New("is not a level; write debug, info, warn or error")
		}
		return level, nil
	}
	return value, nil
}

// decodeProblems takes apart what mapstructure reports.
func decodeProblems(err error) []Problem {
	var problems []Problem
	for _, err := range flatten(err) {
		named, ok := errors.AsType[*mapstructure.DecodeError](err)
		if !ok {
			problems = append(problems, Problem{Text: flat(err)})
			continue
		}
		// Unknown keys are told in the text alone.
		if list, ok := strings.CutPrefix(named.Unwrap().Error(), "has invalid keys: "); ok {
			for key := range strings.SplitSeq(list, ", ") {
				problems = append(problems, unknown(join(named.Name(), key)))
			}
			continue
		}
		text := reworded(flat(named.Unwrap()))
		if kind, ok := errors.AsType[*mapstructure.UnconvertibleTypeError](err); ok {
			text = fmt.Sprintf("must be %s, and is %s", yamlKind(kind.Expected.Type()), yamlKind(reflect.TypeOf(kind.Value)))
			text += remedy(kind.Expected.Kind(), kind.Value)
		}
		problems = append(problems, Problem{Key: named.Name(), Text: text})
	}
	return problems
}

// reworded says in words of YAML what mapstructure has no type of error for.
func reworded(text string) string {
	switch {
	case strings.HasPrefix(text, "source data must be an array or slice"):
		return "must be a list"
	case strings.HasPrefix(text, "expected a map or struct"):
		return "must be a block of keys"
	}
	return text
}

// flatten takes joined errors apart.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err)
	if !ok {
		return []error{err}
	}
	var all []error
	for _, err := range joined.Unwrap() {
		all = append(all, flatten(err)...)
	}
	return all
}

// yamlKind says a type in words of YAML.
func yamlKind(t reflect.Type) string {
	if t == nil {
		return "nothing"
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a block of keys"
	}
	return "a number"
}

// remedy says how a value becomes one of the kind that is wanted.
func remedy(want reflect.Kind, value any) string {
	text, isText := value.(string)
	_, err := strconv.Atoi(text)
	switch {
	case want == reflect.String && reflect.TypeOf(value) != nil && reflect.TypeOf(value).Comparable():
		return "; put it in quotes"
	case want == reflect.Int && isText && err == nil:
		return "; take its quotes away"
	case want == reflect.Int && isText:
		return "; write it in digits, such as 1"
	}
	return ""
}

// flat is an error on one line.
func flat(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// readFile reads a regular file of at most so many bytes.
func readFile(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, most)
	}
	return data, nil
}
