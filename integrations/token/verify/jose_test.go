package verify_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"nightlatch/integrations/token"
)

// joseDir has a script and, once make npm ran, the library that it uses.
const joseDir = "testdata/jose"

// strictHere are tokens that the issuer's own key signed, in a form that the other library lets pass. This package
// refuses them, because the issuer never makes such a one.
var strictHere = []string{
	"no kid", "typ in capitals", "its own key set", "a key of its own", "unencoded", "two audiences", "too long", "padded", "trailing bits",
}

// jose asks another library about tokens, by name.
func (r *rig) jose(t *testing.T, tokens map[string]string) map[string]string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(filepath.Join(joseDir, "node_modules", "jose"))
	}
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the other library is missing, and CI must have it: make npm (%v)", err)
		}
		t.Skipf("skipped, because the other library is missing; install Node.js and run: make npm (%v)", err)
	}
	w, err := r.client.Get(r.url + "/.well-known/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }()
	keys, err := io.ReadAll(w.Body)
	if err != nil || w.StatusCode != http.StatusOK {
		t.Fatalf("the keys are answered with %d (%v)", w.StatusCode, err)
	}
	question, err := json.Marshal(map[string]any{"keys": json.RawMessage(keys), "issuer": r.url, "audience": audience, "tokens": tokens})
	if err != nil {
		t.Fatal(err)
	}
	script := exec.CommandContext(t.Context(), node, "check.mjs")
	script.Dir, script.Stdin = joseDir, bytes.NewReader(question)
	script.Stderr = t.Output()
	out, err := script.Output()
	if err != nil {
		t.Fatalf("running the other library: %v", err)
	}
	var verdicts map[string]string
	if err := json.Unmarshal(out, &verdicts); err != nil || len(verdicts) != len(tokens) {
		t.Fatalf("%d verdicts about %d tokens (%v)", len(verdicts), len(tokens), err)
	}
	return verdicts
}

func TestAnotherLibraryVerifiesOurTokens(t *testing.T) {
	r := newRig(t, nil)
	previous, next := newKey(t), newKey(t)
	r.site.become(r.newDoor(t, token.Keys{Current: r.key, Previous: previous, Next: next}))
	for name, verdict := range r.jose(t, map[string]string{
		"current": r.issue(t, order()), "previous": r.issueWith(t, previous, order()), "next": r.issueWith(t, next, order()),
	}) {
		if verdict != "accepted" {
			t.Errorf("a token of the %s key: %s", name, verdict)
		}
	}
}

func TestAnotherLibraryRefusesTheForgeries(t *testing.T) {
	r, f := newForger(t, nil)
	tokens := f.forgeries(t)
	tokens["genuine"] = f.with(t, nil)
	for name, verdict := range r.jose(t, tokens) {
		if want := name == "genuine" || slices.Contains(strictHere, name); want != (verdict == "accepted") {
			t.Errorf("%s: %s", name, verdict)
		}
	}
}
