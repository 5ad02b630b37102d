// Package config reads the one file that says who may have what, and refuses it unless
// every line is understood.
//
// [Load] reads the file and the secrets beside it, and returns either a configuration
// that can be served or a [Problems] with everything that is wrong with it. Nothing is looked up on a wire.
//
// Caveats: secrets come from the environment or from files that it names, never from the
// YAML. Relative paths are relative to the working directory.
package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"time"

	"nightlatch/grants"
)

// Playground is the environment in which plain http and other base URLs than the
// vendors' are accepted, on loopback.
const Playground = "playground"

// Config is the whole configuration. The json tags are the keys in YAML, and the
// normalised form whose digest stands in events.
type Config struct {
	Environment   string        `json:"environment"` // written into the ledger at its birth
	Ledger        Ledger        `json:"ledger"`
	Slack         Slack         `json:"slack"`
	PagerDuty     PagerDuty     `json:"pagerduty"`
	Settle        time.Duration `json:"settle"` // how long a shift must have been known to be believed
	Poll          time.Duration `json:"poll"`   // how often PagerDuty is asked who is on call now
	Reread        time.Duration `json:"reread"` // how often the people and the next 25 hours are read
	Limits        Limits        `json:"limits"`
	Security      Security      `json:"security"`
	Pager         Pager         `json:"pager"`
	Operator      Operator      `json:"operator"`
	HTTP          HTTP          `json:"http"`
	Token         Token         `json:"token"`
	Introspection []Caller      `json:"introspection"`
	Postgres      []Postgres    `json:"postgres"`
	Log           Log           `json:"log"`
	Roles         []grants.Role `json:"roles"`
}

// Ledger is where everything that happened is recorded.
type Ledger struct {
	Path string `json:"path"`
}

// Slack is the workspace and where it is reached.
type Slack struct {
	URL  string `json:"api_url"`
	Team string `json:"team"` // its ID; with it a start needs no answer of Slack
}

// PagerDuty is where PagerDuty is reached.
type PagerDuty struct {
	URL string `json:"api_url"`
}

// Limits are the caps on grants that are not closed.
type Limits struct {
	PerPerson  int           `json:"per_person"`
	InAll      int           `json:"in_all"`
	Reveals    int           `json:"reveals"`
	Extensions int           `json:"extensions"`
	Together   time.Duration `json:"together"`
}

// Security is who looks after the directory.
type Security struct {
	Channel string   `json:"channel"` // where changes are told; empty: in the log
	People  []string `json:"people"`  // Slack user IDs: they approve and freeze
}

// Operator is the unix socket on which the running bot hears commands of this machine.
type Operator struct {
	Socket string    `json:"socket"` // empty: operator.sock beside the ledger
	Group  string    `json:"group"`  // who may open it, a name or a number; empty: the bot's own group
	People []Account `json:"people"` // who may do more than read
}

// Account says who a user of this machine is.
type Account struct {
	UID  *int64 `json:"uid"`  // nil: left out, which must not mean root
	User string `json:"user"` // Slack user ID
}

// Persons says by uid who is whom of a workspace.
func (o Operator) Persons(team string) map[uint32]grants.PersonKey {
	who := make(map[uint32]grants.PersonKey, len(o.People))
	for _, a := range o.People {
		who[uint32(*a.UID)] = grants.KeyOf(team, a.User) // check has seen that there is one, and that it fits
	}
	return who
}

// Pager is who wakes a human. What opens it is among the secrets.
type Pager struct {
	EventsURL string        `json:"events_url"` // of PagerDuty's Events API v2
	Heartbeat time.Duration `json:"heartbeat"`  // how often the heartbeat's URL is asked for
}

// HTTP is the listener that services ask about tokens.
type HTTP struct {
	Listen string `json:"listen"`
	URL    string `json:"url"` // as others reach it; the tokens' iss
	TLS    TLS    `json:"tls"`

	Metrics Readers `json:"metrics"` // who may read /statusz and /metrics
}

// Readers says who may read how the program is.
type Readers string

// The readers.
const (
	Loopback  Readers = "loopback" // processes on this machine
	Callers   Readers = "callers"  // those, and whoever may introspect
	Everybody Readers = "open"     // who reaches the listener
)

// TLS names the files of a listener that is not plain.
type TLS struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
	ClientCA    string `json:"client_ca"`
}

// Any reports whether TLS is configured at all.
func (t TLS) Any() bool { return t != TLS{} }

// Token is how our own tokens are made.
type Token struct {
	KeyFile         string        `json:"key_file"` // made on first start
	NextKeyFile     string        `json:"next_key_file"`
	PreviousKeyFile string        `json:"previous_key_file"`
	ClientID        string        `json:"client_id"`
	Skew            time.Duration `json:"skew"`
}

// Caller is a service that may ask about tokens of its own audiences.
type Caller struct {
	Name      string   `json:"name"`
	SHA256    string   `json:"sha256"` // of its secret, in hex
	Cert      string   `json:"cert"`   // or what its client certificate says
	Audiences []string `json:"audiences"`
}

// Log is how the program speaks to its operator.
type Log struct {
	Level  slog.Level `json:"level"`
	Format string     `json:"format"` // text or json
}

// Secrets are what opens other people's systems. Who is paged and what waits for the heartbeat may
// be left out.
type Secrets struct {
	SlackApp  grants.Secret // of Socket Mode
	SlackBot  grants.Secret
	PagerDuty grants.Secret

	PagerKey     grants.Secret // the routing key of an Events API v2 integration
	PagerWebhook grants.Secret // a URL: the second way to page
	Heartbeat    grants.Secret // a URL

	Postgres map[string]grants.Secret // the issuers' passwords, by the names of their targets
}

// The vendors' own addresses.
const (
	slackURL     = "https://slack.com/api/"
	pagerDutyURL = "https://api.pagerduty.com"
	eventsURL    = "https://events.pagerduty.com"
)

// issuerToken is the issuer of a role that names none: our own tokens.
const issuerToken = "token"

// defaults is the configuration that an empty file would be.
func defaults() Config {
	return Config{
		Environment: "production",
		Slack:       Slack{URL: slackURL},
		PagerDuty:   PagerDuty{URL: pagerDutyURL},
		Pager:       Pager{EventsURL: eventsURL, Heartbeat: time.Minute},
		Settle:      15 * time.Minute,
		Poll:        30 * time.Second,
		Reread:      time.Hour,
		Limits:      Limits{PerPerson: 5, InAll: 500, Reveals: 10, Extensions: 10, Together: 10 * time.Second},
		HTTP:        HTTP{Listen: "127.0.0.1:8321", Metrics: Loopback},
		Token:       Token{ClientID: "nightlatch", Skew: time.Minute},
		Log:         Log{Level: slog.LevelInfo, Format: "text"},
	}
}

// beside is where the operators' socket is unless the configuration says so.
func beside(ledger string) string { return filepath.Join(filepath.Dir(ledger), "operator.sock") }

// complete fills in what a role left out.
func complete(r grants.Role) grants.Role {
	if r.Automatic == "" {
		r.Automatic = grants.Never
	}
	if r.Issuer == "" {
		r.Issuer = issuerToken
	}
	if r.Verify == "" {
		r.Verify = grants.Introspect
	}
	if r.Default == 0 {
		r.Default = min(time.Hour, r.Max)
	}
	if r.PendingFor == 0 {
		r.PendingFor = 15 * time.Minute
	}
	return r
}

// DiffersIn names the keys in which another configuration differs, but for the roles.
func (c Config) DiffersIn(other Config) []string {
	a, b := reflect.ValueOf(c), reflect.ValueOf(other)
	var keys []string
	for field := range a.Type().Fields() {
		if field.Name != "Roles" && !reflect.DeepEqual(a.FieldByIndex(field.Index).Interface(), b.FieldByIndex(field.Index).Interface()) {
			keys = append(keys, field.Tag.Get("json"))
		}
	}
	return keys
}

// Digest names this configuration in events: the SHA-256 of its normalised form, in hex.
// Secrets are not part of it; everything that decides who may have what is.
func (c Config) Digest() (string, error) {
	normal, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("normalising the configuration: %w", err)
	}
	sum := sha256.Sum256(normal)
	return hex.EncodeToString(sum[:]), nil
}
