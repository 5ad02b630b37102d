package token

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nightlatch/grants"
)

// detailType names our kind of authorization_details (RFC 9396).
const detailType = "http_api"

// methods may stand in a role's scope lines.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// detail is one element of authorization_details: the paths that may be called
// at the locations, and how. In a path * is one segment and ** is the rest.
type detail struct {
	Type      string   `json:"type"`
	Locations []string `json:"locations"`
	Actions   []string `json:"actions"`
	Paths     []string `json:"paths"`
}

// access is what a role's scope lines say.
type access struct {
	words   []string // scope tokens by RFC 6749
	details []detail
}

// ValidateScopes checks the scope lines of a role, all of them at once. A line
// is either methods and a path, "GET,HEAD /v1/orders/*", where * is one segment
// and ** at the end is the rest, or one scope token by RFC 6749, "orders.read".
func ValidateScopes(scopes []string) error {
	_, err := parseScopes("", scopes)
	return err
}

// ValidateRole checks a role's audience and scopes, and that its tokens will
// fit into one block of a Slack view.
func ValidateRole(audience string, scopes []string) error {
	given, err := parseScopes(audience, scopes)
	if err = errors.Join(validateAudience(audience), err); err != nil {
		return err
	}
	// As long as these can be; a longer name or URL is noticed by Plan.
	wide := strings.Repeat("x", 64)
	o := grants.Order{Name: wide, Grant: wide[:26], Role: wide, Person: grants.Person{Key: grants.PersonKey(wide[:32])}, Audience: audience}
	return given.claims(signer{url: wide, clientID: wide[:16]}, o, time.Unix(1e10, 0)).checkLength()
}

func validateAudience(audience string) error {
	switch {
	case audience == "":
		return errors.New("the audience is empty; name the one service that the token is for")
	case len(audience) > 255:
		return fmt.Errorf("the audience has %d bytes, and 255 are enough", len(audience))
	case strings.ContainsFunc(audience, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fmt.Errorf("the audience %q has a character that is not printable ASCII, or a space", audience)
	}
	return nil
}

// parseScopes reads scope lines for an audience.
func parseScopes(audience string, scopes []string) (access, error) {
	var (
		given access
		errs  []error
	)
	for i, line := range scopes {
		var err error
		switch {
		case line == "":
			err = errors.New("it is empty; remove it")
		case line != strings.TrimSpace(line):
			err = errors.New("it has spaces around it; remove them")
		case slices.Contains(scopes[:i], line):
			err = errors.New("it stands twice; remove one")
		case strings.Contains(line, " ") || strings.HasPrefix(line, "/"):
			var d detail
			d, err = parseDetail(audience, line)
			given.details = append(given.details, d)
		default:
			err = checkWord(line)
			given.words = append(given.words, line)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("scope %d, %q: %w", i+1, line, err))
		}
	}
	return given, errors.Join(errs...)
}

// parseDetail reads "METHOD[,METHOD…] /path".
func parseDetail(audience, line string) (detail, error) {
	if strings.HasPrefix(line, "/") {
		return detail{}, errors.New("a path needs its methods first, such as: GET " + line)
	}
	list, path, _ := strings.Cut(line, " ")
	actions := strings.Split(list, ",")
	for i, method := range actions {
		if !slices.Contains(methods, method) {
			return detail{}, fmt.Errorf("%q is no method; write one or more of %s, with commas and without spaces, then a space and a path; "+
				"a scope without a path is one word", method, strings.Join(methods, ","))
		}
		if slices.Contains(actions[:i], method) {
			return detail{}, fmt.Errorf("the method %s stands twice", method)
		}
	}
	if err := checkPath(path); err != nil {
		return detail{}, err
	}
	return detail{Type: detailType, Locations: []string{audience}, Actions: actions, Paths: []string{path}}, nil
}

// checkPath refuses whatever two readers could understand differently.
func checkPath(path string) error {
	rest, rooted := strings.CutPrefix(path, "/")
	if !rooted {
		return fmt.Errorf("the path %q does not begin with /", path)
	}
	segments := strings.Split(rest, "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch {
		case s == "" && !last:
			return errors.New("the path has an empty segment (//)")
		case s == "." || s == "..":
			return fmt.Errorf("the path has the segment %q; write the path that is meant", s)
		case s == "**" && !last:
			return errors.New("** is the rest of the path and stands only at its end; * is one segment")
		case s != "*" && s != "**" && strings.Contains(s, "*"):
			return fmt.Errorf("in %q the * is only a part of a segment; * is a whole segment, ** at the end is the rest", s)
		case strings.ContainsFunc(s, notInPath):
			return fmt.Errorf("the segment %q has a character that is not allowed; "+
				"allowed are letters, digits and -._~!$&'()+,=:@, without query, semicolons and %% escapes", s)
		}
	}
	return nil
}

func notInPath(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !letter && !strings.ContainsRune("-._~!$&'()*+,=:@", r)
}

// checkWord accepts a scope token of RFC 6749 that cannot be half of a methods-and-path line.
func checkWord(word string) error {
	notToken := func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }
	if strings.ContainsFunc(word, notToken) {
		return errors.New(`a scope is printable ASCII without " and \ (RFC 6749, section 3.3)`)
	}
	parts := strings.Split(word, ",")
	if !slices.ContainsFunc(parts, func(p string) bool { return !slices.Contains(methods, p) }) {
		return errors.New("methods need a path, such as: " + word + " /v1/orders/*")
	}
	return nil
}

// sentence lists what is given, for people: as the configuration wrote it.
func (a access) sentence() string {
	parts := make([]string, 0, len(a.details)+1)
	for _, d := range a.details {
		parts = append(parts, strings.Join(d.Actions, ",")+" "+strings.Join(d.Paths, " "))
	}
	switch len(a.words) {
	case 0:
	case 1:
		parts = append(parts, "scope "+a.words[0])
	default:
		parts = append(parts, "scopes "+strings.Join(a.words, " "))
	}
	if len(parts) == 0 {
		return "without scopes"
	}
	return strings.Join(parts, ", ")
}
