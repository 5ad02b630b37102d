package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestVerifyDocument does what docs/verify.md says: its commands, its program, its answers. The modules come from the
// cache that these tests were built from, so no network is needed.
func TestVerifyDocument(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "verify.md"))
	if err != nil {
		t.Fatal(err)
	}
	page, exports := startForOwn(t, playground(t)("-addr", "127.0.0.1:0", "-door", "127.0.0.1:0"))
	home := t.TempDir()
	d := document{env: append(moduleEnv(t), append(exports, "HOME="+home)...), text: string(text)}
	d.run(t, root, d.block(t, "sh", "go mod init"))
	service := filepath.Join(home, "orders")
	at := freeAddress(t)
	program := strings.Replace(d.block(t, "go", "package main"), "127.0.0.1:8090", at, 1)
	if err := os.WriteFile(filepath.Join(service, "main.go"), []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	tidy, ok := strings.CutSuffix(d.block(t, "sh", "go mod tidy"), "go run .\n")
	if !ok {
		t.Fatal("the document does not run the program")
	}
	d.run(t, service, tidy+"go build -o service .\n")
	d.serve(t, filepath.Join(service, "service"))

	token := page.reveal(t, "/access orders-read 1h checkout is failing")
	for _, c := range []struct {
		method, path, token string
		want                int
		says                string
	}{
		{"GET", "/v1/orders/4711", token, http.StatusOK, "U0MARA may GET /v1/orders/4711, under grant "},
		{"DELETE", "/v1/orders/4711", token, http.StatusForbidden, "does not open this"},
		{"GET", "/v1//orders", token, http.StatusBadRequest, "not plain"},
		{"GET", "/v1/orders/4711", "", http.StatusUnauthorized, "no bearer token"},
	} {
		if status, body := ask(t, c.method, "http://"+at+c.path, c.token); status != c.want || !strings.Contains(body, c.says) {
			t.Errorf("%s %s is answered %d %s, want %d and %q", c.method, c.path, status, body, c.want, c.says)
		}
	}
	page.order(t, "shift", map[string]string{"change": "end"})
	for over := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) { // a real program, so there is no bubble
		status, body := ask(t, "GET", "http://"+at+"/v1/orders/4711", token)
		if status == http.StatusUnauthorized && strings.Contains(body, "revoked or over") {
			return
		}
		if status != http.StatusOK || time.Now().After(over) {
			t.Fatalf("after the end of the shift the answer is %d %s", status, body)
		}
	}
}

// startForOwn runs a playground until the test ends, and returns its page and what it exports for a service.
func startForOwn(t *testing.T, cmd *exec.Cmd) (*pageClient, []string) {
	t.Helper()
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the playground was interrupted and ended with %v", err)
		}
		if t.Failed() {
			t.Logf("the playground wrote\n%s", &log)
		}
	})
	page := &pageClient{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, url, ok := strings.Cut(lines.Text(), "The playground is at "); ok {
			page.url = strings.TrimSuffix(url, "/")
		}
		if _, list, ok := strings.Cut(lines.Text(), "export "); ok {
			_, index := ask(t, "GET", page.url+"/", "")
			page.token = regexp.MustCompile(`name="page-token" content="([^"]+)"`).FindStringSubmatch(index)[1]
			return page, strings.Fields(list)
		}
	}
	t.Fatalf("the playground does not say how it is asked\n%s", &log)
	return nil, nil
}

// pageClient presses what a person presses on the page.
type pageClient struct{ url, token string }

func (p *pageClient) order(t *testing.T, act string, what any) {
	t.Helper()
	body, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/api/"+act, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Page-Token", p.token)
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	answer, err := io.ReadAll(w.Body)
	if err != nil || w.StatusCode != http.StatusOK {
		t.Fatalf("%s is answered %s: %s", act, w.Status, answer)
	}
}

// find waits until something stands in what the page is shown.
func (p *pageClient) find(t *testing.T, what *regexp.Regexp) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/api/stream?token="+p.token, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true // a stream has no end, so nothing else can come by its connection
	w, err := (&http.Client{Timeout: patience}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	lines := bufio.NewScanner(w.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if found := what.FindString(lines.Text()); found != "" {
			return found
		}
	}
	t.Fatalf("the page never shows %s: %v", what, lines.Err())
	return ""
}

// reveal asks as Mara, presses Reveal, and returns what the window shows.
func (p *pageClient) reveal(t *testing.T, line string) string {
	t.Helper()
	p.order(t, "command", map[string]string{"user": "U0MARA", "channel": "C0ORDERS", "line": line})
	button := p.find(t, regexp.MustCompile(`\{"text":"Reveal","action_id":"reveal"[^}]*\}`))
	p.order(t, "press", map[string]any{"user": "U0MARA", "button": json.RawMessage(button)})
	return p.find(t, regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`))
}

// document is a page of docs whose commands are run as they stand there.
type document struct {
	env  []string
	text string
}

// block is the one fenced block of a language that has a phrase, without its indent.
func (d document) block(t *testing.T, language, phrase string) string {
	t.Helper()
	fence := regexp.MustCompile("(?ms)^( *)```" + language + "\n(.*?)^ *```$")
	for _, found := range fence.FindAllStringSubmatch(d.text, -1) {
		if strings.Contains(found[2], phrase) {
			return regexp.MustCompile("(?m)^"+found[1]).ReplaceAllString(found[2], "")
		}
	}
	t.Fatalf("the document has no %s block with %q", language, phrase)
	return ""
}

func (d document) run(t *testing.T, dir, script string) {
	t.Helper()
	cmd := exec.Command("sh", "-e", "-c", script)
	cmd.Dir, cmd.Env = dir, append(d.env, "PWD="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s%v\n%s", script, err, out)
	}
}

// serve runs the service until the test ends.
func (d document) serve(t *testing.T, path string) {
	t.Helper()
	cmd := exec.Command(path)
	cmd.Env = d.env
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			t.Logf("the service wrote\n%s", &log)
		}
	})
}

// moduleEnv is an environment in which Go takes modules and builds from where it has them, and asks nobody.
func moduleEnv(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMODCACHE", "GOCACHE", "GOPATH").Output()
	if err != nil {
		t.Fatal(err)
	}
	dirs := strings.Fields(string(out))
	return append(os.Environ(), "GOMODCACHE="+dirs[0], "GOCACHE="+dirs[1], "GOPATH="+dirs[2],
		"GOPROXY=off", "GONOSUMDB=*", "GOFLAGS=-mod=mod", "GOTMPDIR="+t.TempDir())
}

// ask calls a URL, again while nobody listens there yet.
func ask(t *testing.T, method, url, token string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for over := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		w, err := http.DefaultClient.Do(r)
		if err != nil && time.Now().After(over) {
			t.Fatal(err)
		}
		if err != nil {
			continue
		}
		defer w.Body.Close()
		answer, err := io.ReadAll(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		return w.StatusCode, string(answer)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr())
}
