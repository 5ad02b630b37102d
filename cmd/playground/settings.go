package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
)

// settings is what the program's configuration is made of.
type settings struct {
	SlackURL, PagerDutyURL string
	Listen                 string // the token endpoints
	Ledger, Key            string // files
	Together               string // within this time, a secret is not shown once more
	Level                  string // of the log
	Roles                  string
	CallerHash             string // of the secret with which the orders API asks about tokens
	callerSecret           string
	OwnHash                string // of the secret with which a service of whoever plays asks
	ownSecret              string
	path                   string // of the configuration itself
	appToken, botToken     string
	pagerDutyKey           string
}

// newSettings are those of the story. What shall stay is in the directory data, if there is one.
func newSettings(dir, data string) (settings, error) {
	if data == "" {
		data = dir
	}
	data, err := filepath.Abs(data)
	if err != nil {
		return settings{}, fmt.Errorf("finding the directory of the ledger: %w", err)
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return settings{}, fmt.Errorf("making the directory of the ledger: %w", err)
	}
	secret, own := rand.Text(), rand.Text()
	return settings{
		Ledger: filepath.Join(data, "ledger.db"), Key: filepath.Join(data, "token.pem"),
		Together: "1m", Level: "debug", Roles: storyRoles,
		CallerHash: hashOf(secret), callerSecret: secret,
		OwnHash: hashOf(own), ownSecret: own,
		path: filepath.Join(dir, "nightlatch.yaml"),
	}, nil
}

// hashOf is what the configuration has of a caller's secret.
func hashOf(secret string) string {
	hash := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(hash[:])
}

// configuration is the program's, complete. The story's log has everything, because secrets are looked for in it. In the
// story a second look at a secret is refused for a minute rather than ten seconds, so that a slow machine sees it too.
const configuration = `environment: playground
ledger: {path: {{printf "%q" .Ledger}}}
slack: {api_url: "{{.SlackURL}}"}
pagerduty: {api_url: "{{.PagerDutyURL}}"}
settle: 0s
poll: 1s
limits: {together: {{.Together}}}
http:
  listen: "{{.Listen}}"
  url: "http://{{.Listen}}"
token: {key_file: {{printf "%q" .Key}}}
introspection:
  - {name: orders-api, sha256: "{{.CallerHash}}", audiences: ["https://orders.example"]}
  - {name: my-service, sha256: "{{.OwnHash}}", audiences: ["https://orders.example"]}
log: {level: {{.Level}}, format: text}
roles:
{{.Roles}}`

// storyRoles are those of the night that is told.
const storyRoles = `  - name: orders-read
    description: Read orders
    runbook: https://runbooks.example/orders
    on_call: [{policy: PORDERS, levels: [1]}]
    automatic: on_call
    max: 8h
    default: 1h
    audience: https://orders.example
    scopes: ["GET /v1/orders/*"]
  - name: orders-write
    description: Read, correct and release orders
    runbook: https://runbooks.example/orders
    on_call: [{policy: PORDERS, levels: [1]}]
    automatic: never
    voters: {policy: PORDERS, levels: [2], count: 1}
    channel: C0ORDERS
    max: 8h
    default: 1h
    audience: https://orders.example
    scopes: ["GET /v1/orders/*", "POST /v1/orders/*/release"]
`

// pageRoles are those of the night that is lived through. Security may say yes as the next level does, and alone lets in
// whoever is off call. The archive cannot be told that a token is over.
const pageRoles = `  - name: orders-read
    description: Read orders
    runbook: https://runbooks.example/orders
    on_call: [{policy: PORDERS, levels: [1]}]
    automatic: on_call
    max: 8h
    default: 1h
    audience: https://orders.example
    scopes: ["GET /v1/orders", "GET /v1/orders/*"]
  - name: orders-write
    description: Read, correct and release orders
    runbook: https://runbooks.example/orders
    on_call: [{policy: PORDERS, levels: [1]}]
    automatic: never
    voters: {policy: PORDERS, levels: [2], users: [U0OTTO], count: 1}
    off_call: {users: [U0OTTO], count: 1}
    channel: C0ORDERS
    max: 8h
    default: 1h
    audience: https://orders.example
    scopes: ["GET /v1/orders", "GET /v1/orders/*", "POST /v1/orders/*/release"]
  - name: archive-read
    description: Read old orders, in a service that asks nobody about tokens
    runbook: https://runbooks.example/archive
    on_call: [{policy: PORDERS, levels: [1]}]
    automatic: on_call
    max: 8h
    default: 30m
    verify: offline
    audience: https://archive.example
    scopes: ["GET /v1/archive/*"]
`

// write puts the configuration into its file.
func (s settings) write() error {
	var b bytes.Buffer
	if err := template.Must(template.New("").Parse(configuration)).Execute(&b, s); err != nil {
		return fmt.Errorf("making the configuration: %w", err)
	}
	if err := os.WriteFile(s.path, b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	return nil
}

// environment is all that the program is given of an environment: its three secrets.
func (s settings) environment() []string {
	return []string{
		"NIGHTLATCH_SLACK_APP_TOKEN=" + s.appToken,
		"NIGHTLATCH_SLACK_BOT_TOKEN=" + s.botToken,
		"NIGHTLATCH_PAGERDUTY_KEY=" + s.pagerDutyKey,
	}
}
