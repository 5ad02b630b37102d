package page

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	// attribute is one key=value of a line in slog's text form.
	attribute = regexp.MustCompile(`([\w.]+)=("(?:[^"\\]|\\.)*"|\S*)`)
	// bearer is a token, should there be one where none must be. It is not shown once more.
	bearer = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]+`)
)

// fields reads a line of a log in slog's text form. A token that is in it is cut.
func fields(line string) (said map[string]string, keys []string) {
	said = map[string]string{}
	for _, m := range attribute.FindAllStringSubmatch(bearer.ReplaceAllString(line, "eyJ…"), -1) {
		key, value := m[1], m[2]
		if plain, err := strconv.Unquote(value); err == nil {
			value = plain
		}
		if _, user, ok := strings.Cut(value, "."); ok && key == "person" {
			value = user // without the workspace, of which there is one
		}
		said[key], keys = value, append(keys, key)
	}
	return said, keys
}

// ofLog makes an entry of a line. What is below information is left out, and so is what is no line of a log.
func ofLog(name string, said map[string]string, keys []string) (entry, bool) {
	var rest []string
	for _, key := range keys {
		if said[key] != "" && !slices.Contains([]string{"time", "level", "msg", "method", "path", "credential", "grant", "role"}, key) {
			rest = append(rest, key+" "+said[key])
		}
	}
	e := entry{
		From: name, What: strings.TrimSpace(said["msg"] + " " + said["method"] + " " + said["path"]), Call: strings.Join(rest, " · "),
		Bad: said["level"] == "WARN" || said["level"] == "ERROR",
	}
	e.At, _ = time.Parse(time.RFC3339, said["time"])
	return e, said["msg"] != "" && said["level"] != "DEBUG" && !e.At.IsZero()
}
