package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"nightlatch/integrations/token"
)

// checker collects everything that is wrong, so that nobody has to start ten times.
type checker struct{ problems, warnings []Problem }

func (c *checker) problem(key, format string, args ...any) {
	c.problems = append(c.problems, Problem{Key: key, Text: fmt.Sprintf(format, args...)})
}

func (c *checker) warn(key, format string, args ...any) {
	c.warnings = append(c.warnings, Problem{Key: key, Text: fmt.Sprintf(format, args...)})
}

// among reports each part of a joined error under a key.
func (c *checker) among(key string, err error) {
	for _, err := range flatten(err) {
		c.problem(key, "%s", flat(err))
	}
}

// within checks a duration.
func (c *checker) within(key string, d, least, most time.Duration) {
	if d < least || d > most {
		c.problem(key, "is %s, and must be at least %s and at most %s", short(d), short(least), short(most))
	}
}

var (
	word          = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	slackTeam     = regexp.MustCompile(`^[TE][A-Z0-9]{2,20}$`)
	slackUser     = regexp.MustCompile(`^[UW][A-Z0-9]{2,20}$`)
	slackGroup    = regexp.MustCompile(`^S[A-Z0-9]{2,20}$`)
	slackChannel  = regexp.MustCompile(`^[CG][A-Z0-9]{2,20}$`)
	pagerDutyID   = regexp.MustCompile(`^[A-Z0-9]{3,20}$`)
	slackURLs     = []string{slackURL, "https://slack-gov.com/api/"}
	pagerDutyURLs = []string{pagerDutyURL, "https://api.eu.pagerduty.com"}
	eventsURLs    = []string{eventsURL, "https://events.eu.pagerduty.com"}
)

// check holds a decoded configuration against every rule.
func (c Config) check() (problems, warnings []Problem) {
	var k checker
	if !word.MatchString(c.Environment) {
		k.problem("environment", "must be one lower-case word of at most 40 letters, digits and dashes")
	}
	if c.Security.Channel != "" && !slackChannel.MatchString(c.Security.Channel) {
		k.problem("security.channel", "%q is no channel ID, which begins with C or G", c.Security.Channel)
	}
	for i, u := range c.Security.People {
		if !slackUser.MatchString(u) {
			k.problem(fmt.Sprintf("security.people[%d]", i), "%q is no Slack user ID, which begins with U or W", u)
		}
	}
	if c.Ledger.Path == "" {
		k.problem("ledger.path", "is missing; name the file that records everything")
	}
	k.vendor("slack.api_url", c.Slack.URL, slackURLs, c.Environment)
	if !strings.HasSuffix(c.Slack.URL, "/") {
		k.problem("slack.api_url", "must end with a slash")
	}
	if c.Slack.Team != "" && !slackTeam.MatchString(c.Slack.Team) {
		k.problem("slack.team", "%q is no workspace ID, which begins with T or E", c.Slack.Team)
	}
	if c.Slack.Team == "" && c.Environment != Playground {
		k.warn("slack.team", "is missing: while Slack does not answer the program cannot start, and what is over is not revoked; "+
			"it is the T… in the workspace's address, https://app.slack.com/client/T…")
	}
	k.vendor("pagerduty.api_url", c.PagerDuty.URL, pagerDutyURLs, c.Environment)
	if strings.HasSuffix(c.PagerDuty.URL, "/") {
		k.problem("pagerduty.api_url", "must not end with a slash")
	}
	c.checkOperator(&k)
	k.vendor("pager.events_url", c.Pager.EventsURL, eventsURLs, c.Environment)
	if strings.HasSuffix(c.Pager.EventsURL, "/") {
		k.problem("pager.events_url", "must not end with a slash")
	}
	k.within("pager.heartbeat", c.Pager.Heartbeat, 10*time.Second, time.Hour)
	c.checkClock(&k)
	c.checkDoor(&k)
	if c.Log.Format != "text" && c.Log.Format != "json" {
		k.problem("log.format", "is %q, and must be text or json", c.Log.Format)
	}
	c.checkPostgres(&k)
	c.checkRoles(&k)
	return k.problems, k.warnings
}

// maxSocket is how long a socket's path may be: 103 bytes on some systems, 107 on Linux.
const maxSocket = 103

// The uids that are nobody in particular.
const (
	uidRoot     = 0
	uidHidden   = 65534     // everybody whom a user namespace hides
	uidsPastEnd = 1<<32 - 1 // "no uid"
)

// checkOperator checks the operators' socket and who is who behind it.
func (c Config) checkOperator(k *checker) {
	switch path := c.Operator.Socket; {
	case strings.HasPrefix(path, "@"):
		k.problem("operator.socket", "begins with @: that is no file, and every user of this machine could open it; write a path")
	case len(path) > maxSocket:
		k.problem("operator.socket", "is %d bytes long (%q), and a socket's path has %d at most; name a shorter one", len(path), path, maxSocket)
	}
	uids := map[int64]bool{}
	for i, a := range c.Operator.People {
		key := fmt.Sprintf("operator.people[%d]", i)
		if !slackUser.MatchString(a.User) {
			k.problem(key+".user", "%q is no Slack user ID, which begins with U or W", a.User)
		}
		switch {
		case a.UID == nil:
			k.problem(key+".uid", "is missing; id -u prints it")
			continue
		case *a.UID < 0 || *a.UID >= uidsPastEnd:
			k.problem(key+".uid", "is %d, which is no user ID", *a.UID)
		case *a.UID == uidHidden:
			k.problem(key+".uid", "is %d, which is everybody whom a user namespace hides; leave it out", *a.UID)
		case *a.UID == uidRoot:
			k.warn(key+".uid", "is root: whoever becomes root on this machine acts as %s", a.User)
		}
		if uids[*a.UID] {
			k.problem(key+".uid", "%d stands twice: one user of this machine is one person", *a.UID)
		}
		uids[*a.UID] = true
	}
}

// checkClock checks how long and how often.
func (c Config) checkClock(k *checker) {
	k.within("settle", c.Settle, 0, 24*time.Hour)
	if c.Settle == 0 {
		k.warn("settle", "is 0: whoever can edit a schedule in PagerDuty can put themselves on call and get access at once")
	}
	k.within("poll", c.Poll, time.Second, 10*time.Minute)
	if c.Poll < 5*time.Second && c.Environment != Playground {
		k.problem("poll", "is %s; below 5s is for environment: playground, because PagerDuty limits requests", short(c.Poll))
	}
	k.within("reread", c.Reread, time.Second, 24*time.Hour)
	if c.Reread < time.Minute && c.Environment != Playground {
		k.problem("reread", "is %s; below 1m is for environment: playground, because Slack and PagerDuty limit requests", short(c.Reread))
	}
	for _, limit := range []struct {
		key   string
		value int
	}{
		{"limits.per_person", c.Limits.PerPerson},
		{"limits.in_all", c.Limits.InAll},
		{"limits.reveals", c.Limits.Reveals},
		{"limits.extensions", c.Limits.Extensions},
	} {
		if limit.value < 1 {
			k.problem(limit.key, "is %d, and must be at least 1", limit.value)
		}
	}
	if c.Limits.InAll < c.Limits.PerPerson {
		k.problem("limits.in_all", "is %d, less than limits.per_person", c.Limits.InAll)
	}
	k.within("limits.together", c.Limits.Together, time.Second, 10*time.Minute)
}

// checkDoor checks the listener, the tokens and who may ask about them.
func (c Config) checkDoor(k *checker) {
	k.among("http.listen", token.ListenRule(c.HTTP.Listen, c.HTTP.TLS.Any(), c.Environment))
	if c.HTTP.URL == "" {
		k.problem("http.url", "is missing; say how services reach the listener, it is the issuer in every token")
	} else {
		k.among("http.url", token.URLRule(c.HTTP.URL))
	}
	switch {
	case !c.HTTP.TLS.Any() && strings.HasPrefix(c.HTTP.URL, "http://"):
		k.warn("http.url", "is plain: only services on this machine can check tokens, which is enough for a trial; others need TLS here, or a proxy with TLS in front")
	case !c.HTTP.TLS.Any():
		k.warn("http", "is plain: only processes on this machine can ask about tokens; put TLS here, or a proxy with TLS in front")
	case c.HTTP.TLS.Certificate == "":
		k.problem("http.tls.certificate", "is missing")
	case c.HTTP.TLS.Key == "":
		k.problem("http.tls.key", "is missing")
	}
	switch c.HTTP.Metrics {
	case Loopback, Callers:
	case Everybody:
		k.warn("http.metrics", "is open: whoever reaches the listener reads how many grants there are and how the parts are, though of nobody and no secret")
	default:
		k.problem("http.metrics", "is %q, and must be loopback, callers or open", c.HTTP.Metrics)
	}
	if c.Token.KeyFile == "" {
		k.problem("token.key_file", "is missing; name the file of the signing key, which is made on first start")
	}
	if files := []string{c.Token.KeyFile, c.Token.NextKeyFile, c.Token.PreviousKeyFile}; twice(files) {
		k.problem("token", "key_file, next_key_file and previous_key_file must be different files")
	}
	k.within("token.skew", c.Token.Skew, 0, 5*time.Minute)
	callers := make([]token.Caller, 0, len(c.Introspection))
	for i, caller := range c.Introspection {
		callers = append(callers, caller.Door())
		key := fmt.Sprintf("introspection[%d]", i)
		if caller.Cert != "" && c.HTTP.TLS.ClientCA == "" {
			k.problem(key+".cert", "needs http.tls.client_ca: without it nobody shows a certificate")
		}
		for j, audience := range caller.Audiences {
			if !slices.Contains(c.audiences(), audience) {
				k.warn(fmt.Sprintf("%s.audiences[%d]", key, j), "%q is no role's audience", audience)
			}
		}
	}
	k.among("introspection", token.ValidateCallers(callers))
	if len(callers) == 0 {
		k.warn("introspection", "is empty: no service can ask whether a token is still good, so a revoked one works until it expires")
	}
}

// Door is the caller as the door knows it.
func (c Caller) Door() token.Caller {
	return token.Caller{Name: c.Name, SecretSHA256: c.SHA256, Certificate: c.Cert, Audiences: c.Audiences}
}

func (c Config) audiences() []string {
	var all []string
	for _, r := range c.Roles {
		all = append(all, r.Audience)
	}
	return all
}

// vendor keeps the rule for base URLs: a secret goes to its vendor over https, or in the
// playground to this machine.
func (c *checker) vendor(key, raw string, vendors []string, environment string) {
	if slices.Contains(vendors, raw) {
		return
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		c.problem(key, "is no base URL; leave it out, or write one of %s", strings.Join(vendors, ", "))
	case !loopback(u.Hostname()) || environment != Playground:
		c.problem(key, "is not the vendor's; another address must be on loopback, with environment: playground. The vendor's: %s",
			strings.Join(vendors, ", "))
	}
}

// loopback reports whether a host is this machine, without asking a resolver.
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && addr.IsLoopback())
}

// link checks that people can open a URL.
func link(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || strings.ContainsAny(raw, " \t\n<>|") {
		return errors.New("is no link; write an http or https URL")
	}
	return nil
}

// twice reports whether one of the names that are not empty stands twice.
func twice(names []string) bool {
	seen := map[string]bool{"": false}
	for _, name := range names {
		if seen[name] {
			return true
		}
		seen[name] = name != ""
	}
	return false
}

// short is a duration as people write it.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
