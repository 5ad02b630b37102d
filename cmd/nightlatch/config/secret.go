package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"strings"

	"nightlatch/grants"
)

// variable is an environment variable that holds a secret.
type variable string

// The secrets' variables. Each has a twin that names a file.
const (
	slackAppToken variable = "NIGHTLATCH_SLACK_APP_TOKEN"
	slackBotToken variable = "NIGHTLATCH_SLACK_BOT_TOKEN"
	pagerDutyKey  variable = "NIGHTLATCH_PAGERDUTY_KEY"
	pagerKey      variable = "NIGHTLATCH_PAGER_KEY"
	pagerWebhook  variable = "NIGHTLATCH_PAGER_WEBHOOK"
	heartbeatURL  variable = "NIGHTLATCH_HEARTBEAT_URL"
)

// file is the variable that names a file with the secret.
func (v variable) file() string { return string(v) + "_FILE" }

// maxSecret bounds a secret's file: what is larger is another file by mistake.
const maxSecret = 4 << 10

func loadSecrets(f File, targets []Postgres) (Secrets, []Problem) {
	if f.WithoutSecrets {
		return Secrets{}, nil
	}
	var (
		secrets  Secrets
		problems []Problem
	)
	for _, want := range []struct {
		variable variable
		prefix   string
		what     string
		into     *grants.Secret
	}{
		{slackAppToken, "xapp-", "an app-level token", &secrets.SlackApp},
		{slackBotToken, "xoxb-", "a bot token", &secrets.SlackBot},
		{pagerDutyKey, "", "a REST API key", &secrets.PagerDuty},
	} {
		value, err := want.variable.load(f.Env)
		if err != nil {
			problems = append(problems, Problem{Key: string(want.variable), Text: err.Error()})
			continue
		}
		if !strings.HasPrefix(value, want.prefix) {
			problems = append(problems, Problem{Key: string(want.variable), Text: fmt.Sprintf("is not %s, which begins with %s", want.what, want.prefix)})
			continue
		}
		*want.into = grants.NewSecret(value)
	}
	problems = append(problems, loadOptional(f, &secrets)...)
	return secrets, append(problems, loadPostgres(f, targets, &secrets)...)
}

// loadOptional reads the secrets that may be missing.
func loadOptional(f File, secrets *Secrets) []Problem {
	var problems []Problem
	for _, want := range []struct {
		variable variable
		isURL    bool
		into     *grants.Secret
	}{
		{pagerKey, false, &secrets.PagerKey},
		{pagerWebhook, true, &secrets.PagerWebhook},
		{heartbeatURL, true, &secrets.Heartbeat},
	} {
		if !want.variable.set(f.Env) {
			continue
		}
		value, err := want.variable.load(f.Env)
		if err == nil && want.isURL {
			err = secretURL(value)
		}
		if err != nil {
			problems = append(problems, Problem{Key: string(want.variable), Text: err.Error()})
			continue
		}
		*want.into = grants.NewSecret(value)
	}
	return problems
}

// warnings are what has a price to leave out.
func (s Secrets) warnings() (warnings []Problem) {
	if s.PagerKey.Expose() == "" && s.PagerWebhook.Expose() == "" {
		warnings = append(warnings, Problem{Key: string(pagerKey), Text: fmt.Sprintf(
			"is not set, nor %s: only the log says it when a target does not revoke or the ledger does not prove itself", pagerWebhook)})
	}
	if s.Heartbeat.Expose() == "" {
		warnings = append(warnings, Problem{Key: string(heartbeatURL), Text: "is not set: nobody outside notices when the bot is dead"})
	}
	return warnings
}

// exposed warns of each secret's file that everybody on this machine can read.
func exposed(env func(string) (string, bool), targets []Postgres) (warnings []Problem) {
	if runtime.GOOS == "windows" { // where a mode says nothing
		return nil
	}
	all := []variable{slackAppToken, slackBotToken, pagerDutyKey, pagerKey, pagerWebhook, heartbeatURL}
	for _, p := range targets {
		all = append(all, p.password())
	}
	for _, v := range all {
		path, byFile := env(v.file())
		if !byFile {
			continue
		}
		info, err := os.Stat(path)
		if err == nil && info.Mode().Perm()&0o007 != 0 {
			warnings = append(warnings, Problem{Key: v.file(), Text: fmt.Sprintf(
				"names %s, which has mode %#o: everybody on this machine can use the secret; give it to nightlatch's user, chmod 0400", path, info.Mode().Perm())})
		}
	}
	return warnings
}

// secretURL checks a URL that is a secret. Its error does not hold it.
func secretURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return errors.New("is no https URL; plain http is for this machine only")
	}
	return nil
}

// set reports whether the variable or its twin is there at all.
func (v variable) set(env func(string) (string, bool)) bool {
	_, direct := env(string(v))
	_, byFile := env(v.file())
	return direct || byFile
}

// load reads the secret itself. Its errors never hold it.
func (v variable) load(env func(string) (string, bool)) (string, error) {
	value, direct := env(string(v))
	path, byFile := env(v.file())
	switch {
	case direct && byFile:
		return "", fmt.Errorf("is set, and %s too; unset one of them", v.file())
	case byFile:
		data, err := readFile(path, maxSecret)
		if err != nil {
			return "", fmt.Errorf("reading the file of %s: %w", v.file(), err)
		}
		value = strings.TrimSpace(string(data))
	case !direct:
		return "", fmt.Errorf("is not set; set it, or %s to the path of a file that holds it", v.file())
	}
	switch {
	case value == "":
		return "", errors.New("is empty")
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", errors.New("holds a space or a character that no secret has")
	}
	return value, nil
}
