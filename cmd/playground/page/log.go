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

// ofLog reads a line of a log in slog's text form. What is below information is left out, and so is what is none.
func ofLog(name, line string) (entry, bool) {
	e, rest, said := entry{From: name}, []string{}, map[string]string{}
	for _, m := range attribute.FindAllStringSubmatch(bearer.ReplaceAllString(line, "eyJ…"), -1) {
		key, value := m[1], m[2]
		if plain, err := strconv.Unquote(value); err == nil {
			value = plain
		}
		if _, user, ok := strings.Cut(value, "."); ok && key == "person" {
			value = user // without the workspace, of which there is one
		}
		said[key] = value
		if value != "" && !slices.Contains([]string{"time", "level", "msg", "method", "path", "credential", "grant", "role"}, key) {
			rest = append(rest, key+" "+value)
		}
	}
	e.At, _ = time.Parse(time.RFC3339, said["time"])
	if said["msg"] == "recorded" { // what was committed to the ledger
		e.From, e.What = "ledger", strings.ReplaceAll(said["kind"], "_", " ")
		e.Call = "event " + said["seq"] + " · " + strings.Trim(said["person"]+said["part"]+" · "+said["outcome"]+" "+said["evidence"], " ·")
		return e, !e.At.IsZero()
	}
	e.What, e.Call = strings.TrimSpace(said["msg"]+" "+said["method"]+" "+said["path"]), strings.Join(rest, " · ")
	e.Bad = said["level"] == "WARN" || said["level"] == "ERROR"
	return e, said["msg"] != "" && said["level"] != "DEBUG" && !e.At.IsZero()
}
