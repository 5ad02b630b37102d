package grants

import "regexp"

// secretLike are the shapes of credentials that people paste where they should not.
var secretLike = []*regexp.Regexp{
	regexp.MustCompile(`-----BEGIN [A-Z ]+-----`),
	regexp.MustCompile(`\bey[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}`),                                   // JWT
	regexp.MustCompile(`\bx(ox[a-z]|app)-[A-Za-z0-9-]{8,}`),                                          // Slack
	regexp.MustCompile(`\b(AKIA|ASIA)[0-9A-Z]{16}\b`),                                                // AWS
	regexp.MustCompile(`\b(gh[a-z]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[\w-]{16,})`), // GitHub, GitLab
	regexp.MustCompile(`\b(sk|rk|pk)_(live|test)_[A-Za-z0-9]{10,}`),                                  // Stripe
	regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@`),                              // a URL with a password
	regexp.MustCompile(`(?i)\b(password|passwd|secret|token|api[_-]?key)\s*[=:]\s*\S{6,}`),
	regexp.MustCompile(`\b[A-Fa-f0-9]{48,}\b`),
}

// LooksSecret reports whether a text seems to hold a credential. Such a text is refused
// before it is stored.
func LooksSecret(text string) bool {
	for _, re := range secretLike {
		if re.MatchString(text) {
			return true
		}
	}
	return false
}
