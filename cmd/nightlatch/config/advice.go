package config

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// sigil finds a value that begins with a character with which YAML lets none begin, where people write names.
var sigil = regexp.MustCompile("^[^#\"']*(?:[:,-] |\\[|\\{ ?)\\s*([@`%][^\\s,\\]}]*)")

// unreadable says why a text is no YAML. The parser's own words are about tokens, and its lines are often off by one.
func unreadable(data []byte, err error) Problem {
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		text := strings.TrimLeft(line, " ")
		found := sigil.FindStringSubmatch(line)
		switch {
		case strings.HasPrefix(text, "\t") && strings.TrimSpace(text) != "" && strings.Contains(err.Error(), "tab character"),
			strings.HasPrefix(text, "\t") && strings.Contains(err.Error(), "cannot start any token"):
			return Problem{Line: number, Text: "is indented with a tab; YAML wants spaces"}
		case found != nil && strings.Contains(err.Error(), "cannot start any token"):
			return Problem{Line: number, Text: fmt.Sprintf("a value cannot begin with %q; for a person or a group an ID is wanted, such as U0123ABCD, and no name; put any other text in quotes", found[1][:1])}
		}
	}
	return Problem{Text: "is not a configuration: " + flat(err)}
}

// commented is a key whose value begins with # and so is none; false: it is not that.
func commented(key string, name, value *yaml.Node) (Problem, bool) {
	if value.Tag != "!!null" || value.Value != "" || len(name.LineComment) < 2 || strings.ContainsAny(name.LineComment[1:2], " #:") {
		return Problem{}, false
	}
	return Problem{Key: key, Text: fmt.Sprintf("has no value, because %s begins with # and so is a comment; a channel is named by its ID, such as C0123ABCD", strings.Fields(name.LineComment)[0])}, true
}

// unknown is a key that means nothing.
func unknown(key string) Problem {
	if v, secret := misplaced[key]; secret {
		return Problem{Key: key, Text: fmt.Sprintf("a secret does not belong into this file; set %s, or %s to the path of a file that holds it", v, v.file())}
	}
	if strings.HasPrefix(key, "postgres[") && strings.HasSuffix(key, ".password") {
		return Problem{Key: key, Text: "a secret does not belong into this file; set NIGHTLATCH_POSTGRES_NAME_PASSWORD, with the target's name, or NIGHTLATCH_POSTGRES_NAME_PASSWORD_FILE to the path of a file that holds it"}
	}
	outer := parent(key)
	name := strings.TrimPrefix(key[len(outer):], ".")
	for _, known := range keysIn(outer) {
		if near(name, known) {
			return Problem{Key: key, Text: fmt.Sprintf("is unknown; did you mean %s?", known)}
		}
	}
	return Problem{Key: key, Text: "is unknown; see config.example.yaml for every key there is"}
}

// keysIn are the keys that a block may have, such as roles[2].on_call[0].
func keysIn(block string) []string {
	t := reflect.TypeFor[Config]()
	for name := range strings.FieldsFuncSeq(block, func(r rune) bool { return strings.ContainsRune(".[]", r) }) {
		if t.Kind() == reflect.Slice { // name is an index
			t = t.Elem()
			continue
		}
		field, ok := fieldOf(t, name)
		if !ok {
			return nil
		}
		t = field.Type
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var keys []string
	for field := range t.Fields() {
		keys = append(keys, keyOf(field))
	}
	return keys
}

func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	if t.Kind() == reflect.Struct {
		for field := range t.Fields() {
			if keyOf(field) == key {
				return field, true
			}
		}
	}
	return reflect.StructField{}, false
}

func keyOf(field reflect.StructField) string {
	key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return key
}

// near reports whether one word is the other with a letter missing, too many, another, or two of them swapped; in a
// word of more than five letters, two such slips.
func near(a, b string) bool {
	slips := 1
	if len(b) > 5 {
		slips = 2
	}
	if len(a) < 2 || len(a) > 2*len(b) {
		return false
	}
	before, last, now := []int(nil), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		now[0] = i + 1
		for j := range len(b) {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			now[j+1] = min(change, last[j+1]+1, now[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				now[j+1] = min(now[j+1], before[j-1]+1)
			}
		}
		before, last, now = last, now, make([]int, len(b)+1)
	}
	return last[len(b)] <= slips
}
