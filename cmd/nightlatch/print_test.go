package main_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	nightlatch "nightlatch/cmd/nightlatch"
	"nightlatch/cmd/nightlatch/operator"
	"nightlatch/grants"
	"nightlatch/grants/service"
)

// shelf is a directory and a desk that hold what a test puts there.
type shelf struct {
	people  []grants.Person
	notices []service.Notice
}

func (s shelf) Everybody() ([]grants.Person, error) { return s.people, nil }

func (s shelf) Underway(context.Context) ([]service.Notice, error)                { return s.notices, nil }
func (s shelf) TurnAway(context.Context, service.Origin, string) error            { return nil }
func (s shelf) Look(context.Context, string) (service.Notice, error)              { return s.notices[0], nil }
func (s shelf) Revoke(context.Context, service.Press) (g grants.Grant, err error) { return g, err }

func (s shelf) Thaw(context.Context, service.Origin, grants.PersonKey) (p grants.Person, err error) {
	return p, err
}

func (s shelf) Freeze(context.Context, service.Origin, grants.PersonKey, string) (p grants.Person, err error) {
	return p, err
}

// prints runs a command against what is on the shelf, and returns what it prints.
func (s shelf) prints(t *testing.T, args ...string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "op") // short, whatever the test is called
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "s")
	l, err := operator.Listen(t.Context(), operator.Socket{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	server := operator.New(operator.Config{Directory: s, Desk: s, Log: slog.New(slog.DiscardHandler)})
	go func() { ended <- server.Run(ctx, l) }()
	var out, errs bytes.Buffer
	if code := nightlatch.Main(t.Context(), append(args, "--socket", path), &out, &errs); code != 0 {
		t.Errorf("nightlatch %v: %s", args, errs.String())
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Error(err)
	}
	return out.String()
}

// at is so many minutes into the night.
func at(minutes int) time.Time { return time.Date(2026, 1, 31, 3, minutes, 0, 0, time.UTC) }

// TestPeopleArePrinted: those who are frozen come first, and what others wrote is no command to a terminal.
func TestPeopleArePrinted(t *testing.T) {
	got := shelf{people: []grants.Person{
		{Key: "T0.U0ADA", Name: "ada", Email: "ada@example.com", PagerDuty: "P0ADA", Standing: grants.Member},
		{Key: "T0.U0BEN", Name: "ben", Email: "ben@example.com", Standing: grants.Member, Pinned: at(7)},
		{Key: "T0.U0EVE", Name: "eve\x1b[2J\u202eada\nU0ADA", Standing: grants.Guest},
		{
			Key: "T0.U0ZOE", Name: "zoe", Email: "zoe@example.com", PagerDuty: "P0ZOE", Found: "P0NEW", Standing: grants.Member,
			Frozen: "the PagerDuty user changed",
		},
	}}.prints(t, "people", "list")
	want := `SLACK  NAME               E-MAIL           PAGERDUTY          STANDING  SINCE              FROZEN
U0ZOE  zoe                zoe@example.com  P0ZOE (now P0NEW)  member    the beginning      the PagerDuty user changed
U0ADA  ada                ada@example.com  P0ADA              member    the beginning      no
U0BEN  ben                ben@example.com  none               member    2026-01-31 03:07Z  no
U0EVE  eve?[2J?ada?U0ADA  none             none               guest     the beginning      no
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestGrantsArePrinted: a line for each in the list, and all that is known of one.
func TestGrantsArePrinted(t *testing.T) {
	role := grants.Role{Name: "orders-write"}
	who := func(string) (grants.Person, bool) { return grants.Person{Name: "ada"}, true }
	s := shelf{notices: []service.Notice{
		{
			Grant: grants.Grant{
				ID: "06rkz1v8xw0000000000000000", State: grants.Closing, Outcome: grants.Revoked, Person: "T0.U0ADA", Role: role,
				Asked: at(0), Duration: time.Hour, Basis: grants.ByVotes, Opened: at(1), Ends: at(59), Ended: at(30), EndedBy: "T0.U0BEN",
				Votes:       []grants.Vote{{Person: "T0.U0BEN", Yes: true, At: at(1)}},
				Extensions:  []grants.Extension{{At: at(20), By: time.Hour, State: grants.Closed, Outcome: grants.Denied, Votes: []grants.Vote{{Person: "T0.U0CAT", At: at(21)}}}},
				Credentials: []grants.Credential{{Ordinal: 1, State: grants.Gone, Evidence: grants.AbsentFinding}, {Ordinal: 2, State: grants.Retiring}},
			},
			Reason: "checkout is down", Failing: grants.Retry{Attempts: 3, Failing: at(31), Error: "the target does not answer"}, Who: who,
		},
		{Grant: grants.Grant{ID: "06rkz1v8xw0000000000000001", State: grants.Asked, Person: "T0.U0CAT", Role: role}},
		{Grant: grants.Grant{ID: "06rkz1v8xw0000000000000002", State: grants.Pending, Person: "T0.U0CAT", Role: role, PendingUntil: at(44)}},
	}}
	want := `GRANT                       STATE    ROLE          PERSON     ENDS               FAILING
06rkz1v8xw0000000000000000  closing  orders-write  ada U0ADA  2026-01-31 03:59Z  since 2026-01-31 03:31Z, 3 attempts: the target does not answer
06rkz1v8xw0000000000000001  asked    orders-write  U0CAT      -                  no
06rkz1v8xw0000000000000002  pending  orders-write  U0CAT      2026-01-31 03:44Z  no
`
	if diff := cmp.Diff(want, s.prints(t, "grants")); diff != "" {
		t.Error(diff)
	}
	want = `grant       06rkz1v8xw0000000000000000
state       closing revoked
role        orders-write
person      ada U0ADA
reason      checkout is down
asked       2026-01-31 03:00Z for 1h0m0s
opened      2026-01-31 03:01Z votes
vote        2026-01-31 03:01Z yes of U0BEN
extension   2026-01-31 03:20Z by 1h0m0s, closed denied
vote        2026-01-31 03:21Z no of U0CAT
ends        2026-01-31 03:59Z
ended       2026-01-31 03:30Z by U0BEN
credential  1 gone absent
credential  2 retiring
failing     since 2026-01-31 03:31Z, 3 attempts: the target does not answer
`
	if diff := cmp.Diff(want, s.prints(t, "grants", "show", "06rkz1v8xw0000000000000000")); diff != "" {
		t.Error(diff)
	}
}
