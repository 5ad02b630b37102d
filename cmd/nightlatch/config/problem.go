package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"nightlatch/grants"
)

// Problem is one thing that is wrong with a configuration, or that its operator should know.
type Problem struct {
	Key  string // such as roles[2].max; empty: of the whole file
	Line int    // 0: unknown
	Text string
}

// InEnvironment reports whether the problem is one of a variable, and not of the file.
func (p Problem) InEnvironment() bool { return strings.HasPrefix(p.Key, "NIGHTLATCH_") }

func (p Problem) String() string {
	if p.Key == "" {
		return p.Text
	}
	return p.Key + ": " + p.Text
}

// Problems is everything that is wrong with a configuration.
type Problems struct{ List []Problem }

func (p Problems) Error() string {
	if len(p.List) == 1 {
		return "1 problem in the configuration"
	}
	return fmt.Sprintf("%d problems in the configuration", len(p.List))
}

// place gives each problem the line of its key, or of the nearest key around it, and sorts them.
func place(problems []Problem, lines map[string]int) []Problem {
	for i := range problems {
		problems[i].Line = lineOf(problems[i].Key, lines)
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), strings.Compare(a.Key, b.Key))
	})
	return problems
}

// lineOf is the line of a key, or of the nearest key around it.
func lineOf(key string, lines map[string]int) (line int) {
	for ; line == 0 && key != ""; key = parent(key) {
		line = lines[key]
	}
	return line
}

// parent is the key around a key.
func parent(key string) string { return key[:max(strings.LastIndexAny(key, ".["), 0)] }

func join(outer, key string) string {
	if outer == "" {
		return key
	}
	return outer + "." + key
}

func known(problems []Problem, key string) bool {
	return key != "" && slices.ContainsFunc(problems, func(p Problem) bool { return p.Key == key })
}

// misplaced are the secrets' places that people look for in the YAML first.
var misplaced = map[string]variable{
	"slack.app_token": slackAppToken,
	"slack.bot_token": slackBotToken,
	"slack.token":     slackBotToken,
	"pagerduty.key":   pagerDutyKey,
	"pagerduty.token": pagerDutyKey,
	"pager.key":       pagerKey,
	"pager.webhook":   pagerWebhook,
}

// read takes the text of a file apart, if it is one block of keys.
func read(data []byte) (*yaml.Node, error) {
	var file, more yaml.Node
	documents := yaml.NewDecoder(bytes.NewReader(data))
	if err := documents.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := documents.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is a second document behind a line ---, which nobody would read")
	}
	var whole map[string]any // which alone notices a key that stands twice
	return &file, yaml.Unmarshal(data, &whole)
}

// survey finds the line of every key, and what only the text of the file shows: keys that
// differ from ours in case, values that are comments, and secrets.
func survey(file *yaml.Node) (lines map[string]int, problems []Problem) {
	lines = map[string]int{}
	var walk func(node *yaml.Node, key string)
	walk = func(node *yaml.Node, key string) {
		if key != "" && lines[key] == 0 {
			lines[key] = node.Line
		}
		switch node.Kind {
		case yaml.DocumentNode:
			for _, inner := range node.Content {
				walk(inner, key)
			}
		case yaml.MappingNode:
			for i := 0; i+1 < len(node.Content); i += 2 {
				name := join(key, node.Content[i].Value)
				lines[name] = node.Content[i].Line
				if node.Content[i].Value != strings.ToLower(node.Content[i].Value) {
					problems = append(problems, Problem{Key: name, Text: "is unknown; keys are lower-case"})
				}
				if p, ok := commented(name, node.Content[i], node.Content[i+1]); ok {
					problems = append(problems, p)
				}
				walk(node.Content[i+1], name)
			}
		case yaml.SequenceNode:
			for i, inner := range node.Content {
				walk(inner, fmt.Sprintf("%s[%d]", key, i))
			}
		case yaml.ScalarNode:
			// A caller's SHA-256 looks like a key and opens nothing.
			if grants.LooksSecret(node.Value) && !strings.HasSuffix(key, ".sha256") {
				problems = append(problems, Problem{Key: key, Text: "looks like a secret, which does not belong into this file; " +
					"secrets come from the environment or from files, see config.example.yaml"})
			}
		}
	}
	walk(file, "")
	return lines, problems
}
