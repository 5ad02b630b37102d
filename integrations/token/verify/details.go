package verify

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// detailType is the one kind of authorization_details (RFC 9396) that is understood.
const detailType = "http_api"

// detail gives the paths that may be called at the locations, and how.
type detail struct {
	Type      string   `json:"type"`
	Locations []string `json:"locations"`
	Actions   []string `json:"actions"`
	Paths     []string `json:"paths"`
}

// allow reports whether the token opens a plain path of this service to a method. One
// detail that is not understood makes the whole token useless: it may be there to narrow the others.
func (c claims) allow(here, method, path string) error {
	details, err := parseDetails(c.Details)
	if err != nil {
		return err
	}
	for _, d := range details {
		if slices.Contains(d.Locations, here) && slices.Contains(d.Actions, method) &&
			slices.ContainsFunc(d.Paths, func(pattern string) bool { return match(pattern, path) }) {
			return nil
		}
	}
	return errScope
}

func parseDetails(raw json.RawMessage) ([]detail, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields() // a member that is not understood may narrow the others, too
	var details []detail
	if err := decoder.Decode(&details); err != nil {
		return nil, errForeign
	}
	for _, d := range details {
		if d.Type != detailType || slices.ContainsFunc(d.Paths, func(p string) bool { return !wellFormed(p) }) {
			return nil, errForeign
		}
	}
	return details, nil
}

// wellFormed reports whether a pattern has one reading: rooted, its wildcards whole segments, ** at the end. Other
// letters that are not plain do no harm, because no plain path has them.
func wellFormed(pattern string) bool {
	rest, rooted := strings.CutPrefix(pattern, "/")
	segments := strings.Split(rest, "/")
	for i, s := range segments {
		last := i == len(segments)-1
		wild := s == "*" || s == "**" && last
		if s == "" && !last || !wild && strings.Contains(s, "*") {
			return false
		}
	}
	return rooted
}

// match compares a plain path with a well-formed pattern: * is one segment that is not empty, ** the rest, which may
// be empty. A slash at the end is a last, empty segment, which only itself and ** match.
func match(pattern, path string) bool {
	patterns, segments := strings.Split(pattern, "/"), strings.Split(path, "/")
	for i, p := range patterns {
		switch {
		case i >= len(segments):
			return false
		case p == "**":
			return true
		case p == "*" && segments[i] == "", p != "*" && p != segments[i]:
			return false
		}
	}
	return len(patterns) == len(segments)
}
