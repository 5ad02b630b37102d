package main_test

import "testing"

// TestCommandLine shows what somebody reads who asks for help, or writes what is not understood. Nothing is built for that.
func TestCommandLine(t *testing.T) {
	start := playground(t)
	for _, c := range []struct {
		args []string
		code int
		says []string
	}{
		{[]string{"-h"}, 0, []string{"usage: go run ./cmd/playground", "-door"}},
		{[]string{"foo"}, 2, []string{`it takes flags alone, and was given "foo"`, "usage:"}},
		{[]string{"-nope"}, 2, []string{"-nope", "usage:"}},
		{[]string{"-addr", "127.0.0.1:0", "-door", "10.0.0.1:8322"}, 1, []string{"it is not on loopback", "hint: without TLS", "-door 127.0.0.1:8322"}},
		{[]string{"-addr", "8080"}, 1, []string{`reading the address "8080"`, "hint: write it as -addr 127.0.0.1:8081"}},
	} {
		out, err := start(c.args...).CombinedOutput()
		if code := exitCode(err); code != c.code || !containsAll(string(out), c.says...) {
			t.Errorf("%q: exit code %d, want %d and %q:\n%s", c.args, code, c.code, c.says, out)
		}
	}
}
