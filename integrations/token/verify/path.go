package verify

import (
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// replacing are headers by which some frameworks take another method or path than the request line's.
var replacing = []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL"}

// plainPath returns the decoded path of a request, if there is only one way to read it.
func plainPath(r *http.Request) (string, error) {
	for _, name := range replacing {
		if len(r.Header.Values(name)) > 0 {
			return "", errHeader
		}
	}
	u := r.URL
	if u.Scheme != "" || u.Opaque != "" || u.User != nil || u.Host != "" || u.Fragment != "" {
		return "", errPath // a handler that passes the request on might send it there
	}
	raw := u.EscapedPath()
	if u.RawPath != "" && u.RawPath != raw { // something that had to be escaped was not, or the two are about different paths
		return "", errPath
	}
	rest, rooted := strings.CutPrefix(u.Path, "/")
	if !rooted || escapeProblem(raw) {
		return "", errPath
	}
	segments := strings.Split(rest, "/")
	for i, s := range segments {
		if s == "" && i < len(segments)-1 || segmentProblem(s) {
			return "", errPath
		}
	}
	return u.Path, nil
}

// escapeProblem reports whether an escape stands for something that divides or ends a path somewhere, or
// that nobody needs to escape (RFC 3986, section 2.3): then it is there to look different.
func escapeProblem(raw string) bool {
	for {
		_, after, found := strings.Cut(raw, "%")
		if !found {
			return false
		}
		if len(after) < 2 {
			return true
		}
		text, err := url.PathUnescape("%" + after[:2])
		if err != nil {
			return true
		}
		c := rune(text[0])
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if letter || strings.ContainsRune(`-._~/\;%?#`, c) {
			return true
		}
		raw = after[2:]
	}
}

// segmentProblem reports whether somebody could read a decoded segment otherwise. That of dots and
// spaces only is a dot segment to some file systems.
func segmentProblem(s string) bool {
	return !utf8.ValidString(s) ||
		s != "" && strings.Trim(s, ". ") == "" ||
		strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune(`\;%?#`, r) })
}
