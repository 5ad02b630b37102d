package token_test

import (
	"strings"
	"testing"

	"nightlatch/integrations/token"
)

func TestListenRule(t *testing.T) {
	for _, test := range []struct {
		addr        string
		encrypted   bool
		environment string
		want        string // empty: accepted
	}{
		{"127.0.0.1:8321", false, "production", ""},
		{"127.8.9.1:8321", false, "production", ""},
		{"[::1]:8321", false, "production", ""},
		{"localhost:0", false, "production", ""},
		{"127.0.0.1:8321", true, "production", ""},
		{"0.0.0.0:8321", true, "production", ""},
		{":8321", true, "production", ""},
		{":8321", false, "production", "there is no TLS"},
		{"0.0.0.0:8321", false, "production", "there is no TLS"},
		{"[::]:8321", false, "production", "there is no TLS"},
		{"10.0.0.1:8321", false, "production", "there is no TLS"},
		{"localhost.example.com:8321", false, "production", "there is no TLS"},
		{"127.0.0.1.example.com:8321", false, "production", "there is no TLS"},
		{"127.0.0.1:8321", false, "playground", ""},
		{"0.0.0.0:8321", true, "playground", "the playground listens nowhere else"},
		{"10.0.0.1:8321", false, "playground", "the playground listens nowhere else"},
		{"127.0.0.1", false, "production", "missing port"},
		{"", false, "production", "missing port"},
	} {
		check(t, test.addr+" "+test.environment, token.ListenRule(test.addr, test.encrypted, test.environment), test.want)
	}
}

func TestURLRule(t *testing.T) {
	for _, test := range []struct{ url, want string }{
		{"https://nightlatch.example.com", ""},
		{"https://nightlatch.example.com:8321", ""},
		{"https://127.0.0.1:8321", ""},
		{"http://127.0.0.1:8321", ""},
		{"http://[::1]:8321", ""},
		{"http://localhost:8321", ""},
		{"http://10.0.0.1:8321", "is not https"},
		{"http://127.0.0.1.example.com", "is not https"},
		{"http://nightlatch.example.com", "is not https"},
		{"https://nightlatch.example.com/", "not just https://"},
		{"https://nightlatch.example.com/path", "not just https://"},
		{"https://nightlatch.example.com?x", "not just https://"},
		{"https://nightlatch.example.com#x", "not just https://"},
		{"https://user:hunter2@nightlatch.example.com", "not just https://"},
		{"https://user:hunter2@night latch", "not just https://"},
		{"HTTPS://nightlatch.example.com", "not just https://"},
		{"nightlatch.example.com", "not just https://"},
		{"ftp://nightlatch.example.com", "not just https://"},
		{"https://", "not just https://"},
		{"", "not just https://"},
		{"https://a b", "not just https://"},
	} {
		err := token.URLRule(test.url)
		check(t, test.url, err, test.want)
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func TestCallerRules(t *testing.T) {
	good := token.Caller{Name: "orders-api", SecretSHA256: hash(secret), Audiences: []string{"orders"}}
	with := func(change func(*token.Caller)) []token.Caller {
		c := good
		change(&c)
		return []token.Caller{c}
	}
	twin := good
	twin.SecretSHA256, twin.Certificate = "", "dns:orders"
	other := twin
	other.Name = "other"
	for name, test := range map[string]struct {
		callers []token.Caller
		want    string
	}{
		"none":                      {nil, ""},
		"a secret":                  {[]token.Caller{good}, ""},
		"a certificate":             {[]token.Caller{twin}, ""},
		"no name":                   {with(func(c *token.Caller) { c.Name = "" }), "a name has letters"},
		"a colon in the name":       {with(func(c *token.Caller) { c.Name = "a:b" }), "a name has letters"},
		"no proof":                  {with(func(c *token.Caller) { c.SecretSHA256 = "" }), "either the SHA-256"},
		"two proofs":                {with(func(c *token.Caller) { c.Certificate = "dns:x" }), "either the SHA-256"},
		"the secret itself":         {with(func(c *token.Caller) { c.SecretSHA256 = secret }), "not 64 hex digits"},
		"a short hash":              {with(func(c *token.Caller) { c.SecretSHA256 = hash(secret)[:62] }), "not 64 hex digits"},
		"a name without its kind":   {with(func(c *token.Caller) { c.SecretSHA256, c.Certificate = "", "orders" }), "does not begin with one of dns: uri: email: subject:"},
		"a kind without a name":     {with(func(c *token.Caller) { c.SecretSHA256, c.Certificate = "", "dns:" }), "does not begin with one of"},
		"no audience":               {with(func(c *token.Caller) { c.Audiences = nil }), "names no audience"},
		"an empty audience":         {with(func(c *token.Caller) { c.Audiences = []string{""} }), "the audience is empty"},
		"a name twice":              {[]token.Caller{good, twin}, `the name "orders-api" stands twice`},
		"a certificate twice":       {[]token.Caller{twin, other}, `the certificate "dns:orders" is that of "orders-api"`},
		"the second is the culprit": {[]token.Caller{good, {Name: "other"}}, `caller 2, "other": it needs either`},
	} {
		err := token.ValidateCallers(test.callers)
		check(t, name, err, test.want)
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error shows the secret: %v", name, err)
		}
	}
}

// check compares an error with a part of its text; empty: there must be none.
func check(t *testing.T, name string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", name, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%s: error %v, want one with %q", name, err, want)
	}
}
