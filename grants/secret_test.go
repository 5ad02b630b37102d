package grants_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"nightlatch/grants"
)

func TestASecretNeverPrints(t *testing.T) {
	const value = "hunter2-hunter2"
	s := grants.NewSecret(value)
	holder := struct{ S grants.Secret }{s}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb, s, holder, &holder)
	}
	b, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "s", s, "h", holder)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "s", s, "h", holder)
	if text := out.String(); strings.Contains(text, value) || strings.Contains(text, fmt.Sprintf("%x", value)) {
		t.Errorf("printed: %s", text)
	}
	if s.Expose() != value {
		t.Error("the secret itself is lost")
	}
}

func TestLooksSecret(t *testing.T) {
	secret := []string{
		"use eyJhbGciOiJFUzI1NiIsImtpZCI6Im4.eyJzdWIiOiJ4In0.c2ln", "xoxb-1234567890-abc", "AKIAIOSFODNN7EXAMPLE",
		"ghp_abcdefghijklmnopqrstuvwxyz0123456789", "password=correcthorse", "api-key: 123456789", "postgres://ada:pw@db/orders",
		"-----BEGIN EC PRIVATE KEY-----", strings.Repeat("0af1", 16),
	}
	plain := []string{
		"orders are stuck, see https://runbooks.example/orders#stuck", "INC-4711: 500s since 02:10", "revert 0123456789abcdef0123456789abcdef01234567",
		"the token endpoint is down", "password reset mails do not arrive", "",
	}
	for _, s := range secret {
		if !grants.LooksSecret(s) {
			t.Errorf("%q passes", s)
		}
	}
	for _, s := range plain {
		if grants.LooksSecret(s) {
			t.Errorf("%q is taken for a secret", s)
		}
	}
}
