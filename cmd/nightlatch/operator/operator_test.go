// Package operator_test asks a server over a real unix socket, behind which a small directory
// and desk stand for the service.
package operator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nightlatch/cmd/nightlatch/operator"
	"nightlatch/grants"
	"nightlatch/grants/service"
)

const (
	ada   = grants.PersonKey("T0NIGHT.U0ADA") // of security
	ben   = grants.PersonKey("T0NIGHT.U0BEN")
	cat   = grants.PersonKey("T0NIGHT.U0CAT")
	dog   = grants.PersonKey("T0NIGHT.U0DOG") // has cat's address, too
	grant = "06rkz1v8xw0000000000000000"
)

// back is what a server asks: it remembers what reached it.
type back struct {
	mu     sync.Mutex
	done   []string // the verbs that changed something
	turned []string // the refusals that it was told to record
	err    error    // of every verb that changes something
	empty  bool     // the directory was not read
	deaf   error    // of recording a refusal
	slow   chan struct{}
}

func (b *back) Everybody() ([]grants.Person, error) {
	if b.empty {
		return nil, service.ErrDirectory
	}
	return []grants.Person{
		{Key: ada, Name: "ada", Email: "ada@example.com", PagerDuty: "P0ADA", Standing: grants.Member},
		{Key: ben, Name: "ben", Email: "ben@example.com", Standing: grants.Member},
		{Key: cat, Name: "cat", Email: "cat@example.com", Standing: grants.Member},
		{Key: dog, Name: "dog", Email: "cat@example.com", Standing: grants.Guest},
	}, nil
}

func (b *back) change(o service.Origin, what string) error {
	if b.slow != nil {
		<-b.slow
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.done = append(b.done, fmt.Sprintf("%s %s by %s", o.Part, what, o.Person.Slack()))
	}
	return b.err
}

func (b *back) Thaw(_ context.Context, o service.Origin, whom grants.PersonKey) (grants.Person, error) {
	return grants.Person{Key: whom}, b.change(o, "approve "+whom.Slack())
}

func (b *back) Freeze(_ context.Context, o service.Origin, whom grants.PersonKey, why string) (grants.Person, error) {
	return grants.Person{Key: whom, Frozen: why}, b.change(o, "freeze "+whom.Slack()+" "+why)
}

func (b *back) TurnAway(_ context.Context, o service.Origin, detail string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turned = append(b.turned, strings.TrimSpace(o.Person.Slack()+" "+detail))
	return b.deaf
}

func (b *back) Underway(ctx context.Context) ([]service.Notice, error) {
	n, _ := b.Look(ctx, grant)
	return []service.Notice{n}, nil
}

func (b *back) Look(_ context.Context, id string) (service.Notice, error) {
	if id != grant {
		return service.Notice{}, service.ErrNoSuchGrant
	}
	return service.Notice{
		Grant: grants.Grant{ID: id, State: grants.Open, Person: ben}, Reason: "checkout is down",
		Who: func(string) (grants.Person, bool) { return grants.Person{Name: "ben"}, true },
	}, nil
}

func (b *back) Revoke(_ context.Context, p service.Press) (grants.Grant, error) {
	return grants.Grant{ID: p.Grant}, b.change(p.Origin, "revoke "+p.Grant)
}

// open serves on a socket in a directory of its own. Whoever runs the test is a person, unless
// that is left empty.
func (b *back) open(t *testing.T, me grants.PersonKey) operator.Client {
	t.Helper()
	people := map[uint32]grants.PersonKey{uint32(os.Getuid()) + 1: ada}
	if me != "" {
		people[uint32(os.Getuid())] = me
	}
	return b.serve(t, people, socketPath(t), io.Discard)
}

func (b *back) serve(t *testing.T, people map[uint32]grants.PersonKey, path string, log io.Writer) operator.Client {
	t.Helper()
	l, err := operator.Listen(t.Context(), operator.Socket{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	s := operator.New(operator.Config{Directory: b, Desk: b, People: people, Log: slog.New(slog.NewTextHandler(log, nil))})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return operator.Client{Socket: path}
}

// socketPath is a path that is short enough, whatever the test is called.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "op")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "operator.sock")
}

// told checks that an error says something to a person, with a hint, both one line without a full stop.
func told(t *testing.T, err error, text, hint string) {
	t.Helper()
	e, ok := errors.AsType[*operator.Error](err)
	if !ok || !strings.Contains(e.Text, text) || !strings.Contains(e.Hint, hint) {
		t.Errorf("the error is %#v, and not %q with %q", err, text, hint)
		return
	}
	for _, s := range []string{e.Text, e.Hint} {
		if s == "" || strings.Contains(s, "\n") || strings.HasSuffix(s, ".") {
			t.Errorf("%q is no line without a full stop", s)
		}
	}
}

func TestEverybodyMayRead(t *testing.T) {
	var b back
	c := b.open(t, "")
	people, err := c.People(t.Context())
	if err != nil || len(people) != 4 || people[0].Key != ada || people[0].PagerDuty != "P0ADA" {
		t.Errorf("people %+v, %v", people, err)
	}
	all, err := c.Grants(t.Context())
	if err != nil || len(all) != 1 || all[0].Grant.ID != grant || all[0].Name != "ben" {
		t.Errorf("grants %+v, %v", all, err)
	}
	one, err := c.Grant(t.Context(), grant)
	if err != nil || one.Reason != "checkout is down" {
		t.Errorf("grant %+v, %v", one, err)
	}
	_, err = c.Grant(t.Context(), "nope")
	told(t, err, "there is no such request or grant", "nightlatch grants")
	if len(b.turned)+len(b.done) > 0 {
		t.Errorf("reading left %q, %q", b.turned, b.done)
	}
}

// TestNobodyInParticularOnlyReads: a user whom the configuration does not name changes nothing,
// root included, and each try is recorded.
func TestNobodyInParticularOnlyReads(t *testing.T) {
	var b back
	c := b.open(t, "")
	me := fmt.Sprintf("uid %d", os.Getuid())
	_, err := c.Approve(t.Context(), "U0ADA")
	told(t, err, "may only read", "operator.people")
	_, err = c.Freeze(t.Context(), "xoxb-pasted-here-by-mistake", "because")
	told(t, err, me, "")
	_, err = c.Revoke(t.Context(), grant)
	told(t, err, me, "")
	if len(b.done) > 0 {
		t.Errorf("it was done: %q", b.done)
	}
	if len(b.turned) != 3 || !strings.HasPrefix(b.turned[0], me) || !strings.HasSuffix(b.turned[0], "whom operator.people does not name, wanted to approve T0NIGHT.U0ADA") ||
		!strings.HasSuffix(b.turned[1], "wanted to freeze somebody whom the directory does not have") || !strings.HasSuffix(b.turned[2], "wanted to revoke grant "+grant) {
		t.Errorf("recorded %q", b.turned)
	}
}

// TestARefusalThatCannotBeRecordedIsAFailure: the operator is not told a reason of which nobody
// will find a trace.
func TestARefusalThatCannotBeRecordedIsAFailure(t *testing.T) {
	b := back{deaf: errors.New("the disk is full of xoxb-secrets")}
	_, err := b.open(t, "").Approve(t.Context(), "U0ADA")
	told(t, err, "it failed", "log")
	if strings.Contains(fmt.Sprintf("%+v", err), "xoxb") {
		t.Errorf("an inner error went to the operator: %+v", err)
	}
}

func TestAPersonIsWhoTheConfigurationSays(t *testing.T) {
	var b back
	c := b.open(t, ada)
	for _, whom := range []string{"U0BEN", string(ben), "Ben@Example.com "} {
		if p, err := c.Approve(t.Context(), whom); err != nil || p.Key != ben {
			t.Errorf("approving %s: %+v, %v", whom, p, err)
		}
	}
	if p, err := c.Freeze(t.Context(), "U0BEN", "lost a laptop"); err != nil || p.Frozen != "lost a laptop" {
		t.Errorf("freezing: %+v, %v", p, err)
	}
	if h, err := c.Revoke(t.Context(), grant); err != nil || h.Grant.ID != grant {
		t.Errorf("revoking: %+v, %v", h, err)
	}
	want := "operator approve U0BEN by U0ADA, operator approve U0BEN by U0ADA, operator approve U0BEN by U0ADA, " +
		"operator freeze U0BEN lost a laptop by U0ADA, operator revoke " + grant + " by U0ADA"
	if got := strings.Join(b.done, ", "); got != want {
		t.Errorf("done: %s", got)
	}
	if len(b.turned) > 0 {
		t.Errorf("turned away: %q", b.turned)
	}
}

// TestWhatIsRefused: each refusal says why and what to do, and those that the service did not see
// are recorded here, without what was typed.
func TestWhatIsRefused(t *testing.T) {
	refusal := func(code grants.Code) error {
		return &service.Refusal{Reasons: []grants.Reason{{Code: code, Detail: "a\nguest"}}}
	}
	open := grants.Grant{ID: grant, State: grants.Closed}
	for _, c := range []struct {
		name, whom string
		err        error
		text, hint string
		turned     string
	}{
		{"nobody", "U0NOPE", nil, "the directory does not have this person", "nightlatch people list", "U0ADA wanted to approve somebody whom the directory does not have"},
		{"nothing", "", nil, "the directory does not have this person", "", "U0ADA wanted to approve somebody whom the directory does not have"},
		{"an address of two", "cat@example.com", nil, "several people have this address", "Slack user ID", "U0ADA wanted to approve somebody whose address several people have"},
		{"not frozen", "U0BEN", service.ErrNotFrozen, "this person is not frozen", "nothing to approve", "U0ADA wanted to approve T0NIGHT.U0BEN, who is not frozen"},
		{"not of security", "U0BEN", refusal(grants.NotForYou), "you are not among security.people", "ask one of them", ""},
		{"a guest", "U0BEN", refusal(grants.BadStanding), "you count as a guest in Slack", "operator.people", ""},
		{"frozen", "U0BEN", refusal(grants.FrozenPerson), "you are frozen: a guest", "another person", ""},
		{"oneself", "U0BEN", refusal(grants.OwnRequest), "nobody approves themselves", "another person", ""},
		{"without why", "U0BEN", refusal(grants.ReasonMissing), "it needs a reason", "nightlatch people freeze", ""},
		{"a secret", "U0BEN", refusal(grants.LooksLikeASecret), "looks like a secret", "change the secret", ""},
		{"no voter", "U0BEN", refusal(grants.NotAVoter), "not among those who may revoke", "its role", ""},
		{"too new", "U0BEN", refusal(grants.NotSettled), "too short a time", "settle", ""},
		{"PagerDuty away", "U0BEN", refusal(grants.CannotAsk), "PagerDuty did not say", "by user or group", ""},
		{"another code", "U0BEN", refusal("new_code"), "it was refused (new_code)", "log", ""},
		{"without a code", "U0BEN", &service.Refusal{}, "it was refused ()", "log", ""},
		{"over", "U0BEN", &service.Refusal{Grant: &open}, "it is closed", "nightlatch grants show " + grant, ""},
		{"not read yet", "U0BEN", service.ErrDirectory, "were not read yet", "try again", ""},
		{"anything", "U0BEN", errors.New("xoxb-inner"), "it failed", "log", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := back{err: c.err}
			_, err := b.open(t, ada).Approve(t.Context(), c.whom)
			told(t, err, c.text, c.hint)
			if got := strings.Join(b.turned, ", "); got != c.turned {
				t.Errorf("recorded %q, not %q", got, c.turned)
			}
		})
	}
}

func TestADirectoryThatWasNotRead(t *testing.T) {
	b := back{empty: true}
	c := b.open(t, ada)
	_, err := c.People(t.Context())
	told(t, err, "were not read yet", "try again")
	_, err = c.Freeze(t.Context(), "U0BEN", "because")
	told(t, err, "were not read yet", "try again")
}

// raw sends bytes as they are, and reads until the server hangs up.
func raw(t *testing.T, c operator.Client, text string) (said map[string]any) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "unix", c.Socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, text) // the server may have hung up before the end of it
	_ = conn.(*net.UnixConn).CloseWrite()
	_ = json.NewDecoder(conn).Decode(&said) // what is no answer stays empty
	return said
}

// TestQuestionsThatAreNone: whatever is sent, nothing is done, and the next one is heard.
func TestQuestionsThatAreNone(t *testing.T) {
	var b back
	c := b.open(t, ada)
	for name, text := range map[string]string{
		"another program": "GET / HTTP/1.1\r\n\r\n",
		"half of one":     `{"verb":"approve","person":"U0BEN`,
		"one too large":   `{"verb":"approve","person":"` + strings.Repeat("U", 64<<10) + `"}`,
		"a new key":       `{"verb":"approve","person":"U0BEN","yes":true}`,
		"a new verb":      `{"verb":"open","person":"U0BEN"}`,
		"no verb":         `{}`,
		"a list":          `["approve"]`,
	} {
		said, _ := raw(t, c, text)["error"].(map[string]any)
		if said["text"] == nil || said["hint"] == nil || strings.Contains(fmt.Sprint(said), "U0BEN") {
			t.Errorf("%s is answered %v", name, said)
		}
	}
	if said := raw(t, c, ""); said != nil {
		t.Errorf("silence is answered %v", said)
	}
	if len(b.done)+len(b.turned) > 0 {
		t.Errorf("something was done: %q, %q", b.done, b.turned)
	}
	if _, err := c.People(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestASilentPeerHoldsUpNobody: neither the next operator nor the stop waits for whoever opened
// the socket and says nothing.
func TestASilentPeerHoldsUpNobody(t *testing.T) {
	var b back
	path := socketPath(t)
	l, err := operator.Listen(t.Context(), operator.Socket{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	s := operator.New(operator.Config{Directory: &b, Desk: &b, Log: slog.New(slog.DiscardHandler)})
	go func() { ended <- s.Run(ctx, l) }()
	for range 5 {
		silent, err := (&net.Dialer{}).DialContext(t.Context(), "unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
	}
	c := operator.Client{Socket: path}
	if _, err := c.People(t.Context()); err != nil {
		t.Error(err)
	}
	told := time.Now()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(told); took > 2*time.Second {
		t.Errorf("stopping took %s", took)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

// TestAStopFinishesWhatWasAsked: whoever asked before the stop gets their answer.
func TestAStopFinishesWhatWasAsked(t *testing.T) {
	b := back{slow: make(chan struct{})}
	path := socketPath(t)
	l, err := operator.Listen(t.Context(), operator.Socket{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	s := operator.New(operator.Config{
		Directory: &b, Desk: &b, People: map[uint32]grants.PersonKey{uint32(os.Getuid()): ada}, Log: slog.New(slog.DiscardHandler),
	})
	ctx, stop := context.WithCancel(context.Background())
	ended, answered := make(chan error, 1), make(chan error, 1)
	go func() { ended <- s.Run(ctx, l) }()
	go func() {
		_, err := operator.Client{Socket: path}.Approve(context.Background(), "U0BEN")
		answered <- err
	}()
	b.slow <- struct{}{} // it is being done
	stop()
	close(b.slow)
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestAServerWithoutItsListenerSaysSo: it does not pretend to hear anybody.
func TestAServerWithoutItsListenerSaysSo(t *testing.T) {
	l, err := operator.Listen(t.Context(), operator.Socket{Path: socketPath(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s := operator.New(operator.Config{Log: slog.New(slog.DiscardHandler)})
	if err := s.Run(t.Context(), l); err == nil || !strings.HasPrefix(err.Error(), "listening for operators: ") {
		t.Errorf("error %v", err)
	}
}
