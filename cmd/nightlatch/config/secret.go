package config

import (
	"errors"
	"fmt"
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
)

// file is the variable that names a file with the secret.
func (v variable) file() string { return string(v) + "_FILE" }

// maxSecret bounds a secret's file: what is larger is another file by mistake.
const maxSecret = 4 << 10

func loadSecrets(f File) (Secrets, []Problem) {
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
	return secrets, problems
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
