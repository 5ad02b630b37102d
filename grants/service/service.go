// Package service runs the grants: it holds the clock of decisions and every goroutine
// that acts on a grant.
//
// There are two halves. Take ([Service.Request], [Service.Vote], [Service.Withdraw],
// [Service.Return], [Service.Revoke], [Service.Extend], [Service.Explain]) identifies, validates and records in one commit
// without touching a wire; when it returns nil, what was asked is on disk. Advance does a grant's next thing:
// it asks PagerDuty, decides, calls the issuer, records. The press, the sweep, the poll and
// the restart all go through Advance, so recovery is no second code path.
//
// Life cycle: [New] recovers what a crash left half-made, in one transaction; then
// commands may be taken; [Service.Run] sweeps, polls and tells until its context ends.
//
// Caveats: one Service per ledger. An error that wraps ledger.ErrUnknownOutcome means that
// the process must stop and start again from disk; Run returns it.
package service

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// OnCall says who is on call. Its answers are data; the rules are in grants.
type OnCall interface {
	// Entries reads who is on call for the sources: now when both times are zero, else in the window.
	Entries(ctx context.Context, sources []grants.Source, from, until time.Time) (grants.Snapshot, error)
	// Users lists everybody with a PagerDuty seat.
	Users(ctx context.Context) ([]grants.PagerUser, error)
}

// Directory lists the people of Slack.
type Directory interface {
	// Users lists everybody.
	Users(ctx context.Context) ([]grants.SlackUser, error)
	// User reads one account by its Slack user ID. An error that wraps ErrNoSuchPerson says that Slack knows
	// none, one that wraps a *Wait when it may be asked again.
	User(ctx context.Context, id string) (grants.SlackUser, error)
	// Members lists the Slack user IDs of a user group.
	Members(ctx context.Context, group string) ([]string, error)
}

// Issuer makes and ends credentials on one kind of target. Every verb is idempotent under
// a credential's name; revoking what is gone is success.
type Issuer interface {
	Describe(v grants.Verify) grants.Description
	Plan(ctx context.Context, o grants.Order) (grants.Plan, error)
	Issue(ctx context.Context, o grants.Order) (grants.Secret, error)
	Renew(ctx context.Context, name string, until time.Time) error
	Revoke(ctx context.Context, name string) error
	Check(ctx context.Context, h grants.Handle, now time.Time) (grants.Finding, error)
}

// Notifier shows grants to people.
type Notifier interface {
	// Show makes a surface of a grant show the notice. Notice.Ref is what an earlier Show of this surface
	// returned, empty the first time; the new one is kept. An error is retried; one that
	// wraps a *Wait not before its time.
	Show(ctx context.Context, n Notice) (ref string, err error)
	// Publish makes the home of a person show the tab. An error is retried like one of Show.
	Publish(ctx context.Context, t Tab) error
	// Announce tells the security channel what it should look at. An error is retried
	// like one of Show.
	Announce(ctx context.Context, a Announcement) error
}

// Surface is a place where a grant is shown.
type Surface string

// The surfaces.
const (
	Verdict Surface = "verdict" // to the person who asked
	Card    Surface = "card"    // to the approvers, in the role's channel
	Alert   Surface = "alert"   // to the person, once: a credential of theirs was used after its end
	Home    Surface = "home"    // to one person: all that is theirs and not over

	// Of each extension of a grant.
	More     Surface = "more"      // to the person who asked for it
	MoreCard Surface = "more_card" // to the approvers, where it needs them
)

// Notice is what a surface should show. The grant is as it is now, never a rendered message.
type Notice struct {
	Surface Surface
	Ref     string
	Grant   grants.Grant
	Reason  string             // what the person typed
	Why     string             // what whoever denied it typed, if they did
	Plan    string             // what will be given, in the issuer's sentence
	Does    grants.Description // how fast it can be cut
	Failing grants.Retry       // of revoking, while it fails
	Unasked bool               // nobody could be asked: the role's channel takes no card

	Extension grants.Extension // that More and MoreCard are about …
	Because   string           // … and what the person typed with it, if they did

	Credential int       // of an alert: the ordinal of the credential that was used after its end …
	Used       time.Time // … and when

	// Who names a person by their key or PagerDuty user ID, as the directory is now; nil: nobody is known.
	Who func(id string) (grants.Person, bool)
}

// Tab is what the home of a person should show: their requests and grants that are not over,
// and what they can ask for.
type Tab struct {
	Person grants.PersonKey
	Mine   []Notice
	Roles  []grants.Role
	Who    func(id string) (grants.Person, bool)
}

// Wait is an error that says when a Notifier may be called again.
type Wait struct {
	For time.Duration
	Err error
}

func (w *Wait) Error() string { return w.Err.Error() }

// Unwrap returns the cause.
func (w *Wait) Unwrap() error { return w.Err }

// Origin says which press or command this is, and who acts.
type Origin struct {
	Envelope string           // Slack's envelope ID: a duplicate is seen by it
	Person   grants.PersonKey // who acts
	Part     string           // of the program, by which it came; empty: Slack
}

// actor is who acts, as events say it.
func (o Origin) actor() grants.Actor { return grants.Actor{Person: o.Person, System: o.Part} }

// Ask is a request for a role.
type Ask struct {
	Origin
	Role     string
	Duration time.Duration // zero: the role's default
	Reason   string
	Channel  string // where it was typed
}

// Longer asks for an extension of an open grant.
type Longer struct {
	Origin
	Grant  string
	By     time.Duration // zero: the role's default
	Reason string        // may be empty: the grant has one
}

// Ballot is a yes or no to a pending grant, or to an extension of an open one.
type Ballot struct {
	Origin
	Grant     string
	Extension int // its ordinal; 0: the request
	Yes       bool
}

// Explanation is why a person denied a grant.
type Explanation struct {
	Origin
	Grant string
	Text  string
}

// Press is a button of a grant: withdraw, return, revoke.
type Press struct {
	Origin
	Grant     string
	Extension int // the one to withdraw; 0: the request
}

// Showing asks for the secret of an open grant.
type Showing struct {
	Origin
	Grant string
	Ends  int // the ordinal of the credential that this one replaces; 0: none

	// Replace ends every live credential first, because its secret was seen.
	Replace bool
}

// Revealed is a secret on its way to its one view.
type Revealed struct {
	Grant   grants.Grant
	Ordinal int
	Expires time.Time
	Secret  grants.Secret

	Replaced  int // how many credentials it replaced …
	Lingering int // … and how many of these may still work: their target is slow, and it is being tried
}

// Refusal says why a command was not done. It is the answer to a person, so it is complete:
// the reasons, and the grant as it is now when they may know it.
type Refusal struct {
	Role      *grants.Role // nil: they are not told
	Grant     *grants.Grant
	Extension int // of the grant, by its ordinal, that this is about; 0: the grant itself
	Reasons   []grants.Reason
}

func (r *Refusal) Error() string {
	if len(r.Reasons) == 0 {
		return "refused"
	}
	return "refused: " + string(r.Reasons[0].Code)
}

// The answers that are no refusal.
var (
	// ErrBusy says that a bound is reached; the person may press again.
	ErrBusy = errors.New("busy")
	// ErrDuplicate says that this envelope was already taken.
	ErrDuplicate = errors.New("this envelope was already taken")
	// ErrNoSuchGrant says that there is no grant of this ID that the person may know of.
	ErrNoSuchGrant = errors.New("no such grant")
	// ErrJustShown says that the secret was shown moments ago and that nothing was minted.
	ErrJustShown = errors.New("the secret was shown moments ago")
	// ErrOver says that the grant is no longer open.
	ErrOver = errors.New("the grant is over")
	// ErrDirectory says that the people of Slack and PagerDuty were not read yet.
	ErrDirectory = errors.New("the directory was not read yet")
	// ErrIssuer says that the target made no credential.
	ErrIssuer = errors.New("the target made no credential")
)

// TwoLiveError says that a third credential would be one too many; Oldest is the one it would end.
type TwoLiveError struct {
	Grant  grants.Grant
	Oldest grants.Credential
}

func (e *TwoLiveError) Error() string { return "two credentials of this grant are live" }

// Limits are the caps on grants that are not closed.
type Limits struct {
	PerPerson  int           // asked, pending, open or closing grants of one person; default 5
	InAll      int           // of everybody; default 500
	Reveals    int           // reveals of one grant; default 10
	Extensions int           // extensions of one grant; default 10
	Together   time.Duration // reveals closer than this mint nothing; default 10 s
}

// Config is what a Service is made of. Ledger, OnCall, Directory, Notifier, Roles and Issuers must be set.
type Config struct {
	Ledger    *ledger.Ledger
	OnCall    OnCall
	Directory Directory
	Notifier  Notifier
	Pagers    []Pager           // who wakes a human, in order: the next one when one does not answer; none: the log alone tells
	Issuers   map[string]Issuer // by the name that roles use
	Roles     []grants.Role     // at the start; see Reload
	Team      string            // Slack team ID of the workspace
	Digest    string            // of the configuration
	Settle    time.Duration     // how long a shift must have been known; 0 believes at once
	Poll      time.Duration     // default 30 s
	Reread    time.Duration     // how often the directory and the next 25 hours are read; default 1 h
	Limits    Limits
	Log       *slog.Logger

	// Reserve is room on the ledger's disk for when there is no other; nil: none.
	Reserve Reserve

	// Ahead is how far the clock of this machine is ahead of one that nobody here can turn; nil: nobody knows.
	Ahead func() time.Duration

	SecurityChannel string   // where it is told whom to look at; empty: in the log
	SecurityPeople  []string // the Slack user IDs of those who approve and freeze
}
