package bot_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"nightlatch/bot/send"
	"nightlatch/grants"
	"nightlatch/grants/service"
)

// desk is a service of few words: it keeps grants in memory, believes everybody, and tells
// what it has done as the real one does.
type desk struct {
	sender *send.Sender

	mu        sync.Mutex
	grants    map[string]grants.Grant
	refs      map[string]string
	reasons   map[string]string
	whys      map[string]string // of those who denied
	issued    []string
	taken     []string // what was recorded: verb and person
	lost      []string // what was undelivered: grant/ordinal
	rejected  []string
	swallowed int
	overheard []int              // connections too many
	heard     []grants.SlackUser // accounts that changed …
	deaf      int                // … of which so many are not recorded
	rereads   int                // times that the directory is to be read again
	failing   int                // calls of Undelivered that fail

	automatic bool                                            // requests open at once
	slow      atomic.Int64                                    // of every Take, in nanoseconds
	refuse    func(verb string, p grants.PersonKey) error     // instead of taking
	reveal    func(service.Showing) (service.Revealed, error) // instead of making a secret
	roles     []grants.Role
	telling   sync.WaitGroup
	shows     []error // failures of Show that were no wait
}

func newDesk(s *send.Sender) *desk {
	return &desk{sender: s, grants: map[string]grants.Grant{}, refs: map[string]string{}, reasons: map[string]string{}, whys: map[string]string{}, roles: []grants.Role{ordersRead()}}
}

func ordersRead() grants.Role {
	return grants.Role{
		Name: "orders-read", Description: "Read orders and their payments.", Runbook: "https://runbooks.example.com/orders",
		OnCall: []grants.Source{{Policy: "PORDERS", Levels: []int{1}}}, Automatic: grants.WhenOnCall,
		Voters: grants.Voters{Users: []string{"UBEN"}, Count: 1}, Channel: channel,
		Max: 4 * time.Hour, Default: time.Hour, PendingFor: 15 * time.Minute, Issuer: "token", Audience: "orders",
	}
}

func (d *desk) note(verb string, o service.Origin) error {
	time.Sleep(time.Duration(d.slow.Load()))
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refuse != nil {
		if err := d.refuse(verb, o.Person); err != nil {
			return err
		}
	}
	d.taken = append(d.taken, verb+" "+o.Person.Slack())
	return nil
}

func (d *desk) Request(_ context.Context, a service.Ask) (grants.Grant, error) {
	if err := d.note("request", a.Origin); err != nil {
		return grants.Grant{}, err
	}
	d.mu.Lock()
	now := time.Now()
	id := grants.NewID(now, [10]byte{byte(len(d.grants))})
	g := grants.New(id, a.Person, ordersRead(), max(a.Duration, time.Minute), a.Channel, now)
	d.reasons[id] = a.Reason
	g.State, g.Voters, g.PendingUntil = grants.Pending, g.Role.Voters, now.Add(g.Role.PendingFor)
	g.Reasons = []grants.Reason{{Code: grants.NotSettled}}
	if d.automatic {
		g = opened(g, now)
	}
	d.grants[id] = g
	d.mu.Unlock()
	d.tell(id)
	return g, nil
}

func opened(g grants.Grant, now time.Time) grants.Grant {
	g.State, g.Opened, g.Ends = grants.Open, now, now.Add(g.Duration)
	g.Reasons = []grants.Reason{{Code: grants.OnCallNow, Until: now.Add(8 * time.Hour)}}
	return g
}

// change does one step of a grant and tells it.
func (d *desk) change(verb string, o service.Origin, id string, step func(*grants.Grant) error) (grants.Grant, error) {
	if err := d.note(verb, o); err != nil {
		return grants.Grant{}, err
	}
	d.mu.Lock()
	g, ok := d.grants[id]
	if !ok {
		d.mu.Unlock()
		return g, service.ErrNoSuchGrant
	}
	if err := step(&g); err != nil {
		d.mu.Unlock()
		return g, err
	}
	d.grants[id] = g
	d.mu.Unlock()
	d.tell(id)
	return g, nil
}

func (d *desk) Vote(_ context.Context, b service.Ballot) (grants.Grant, error) {
	return d.change("vote", b.Origin, b.Grant, func(g *grants.Grant) error {
		if g.State != grants.Pending {
			return &service.Refusal{Role: &g.Role, Grant: g}
		}
		g.Votes = append(g.Votes, grants.Vote{Person: b.Person, Yes: b.Yes, At: time.Now()})
		if b.Yes {
			*g = opened(*g, time.Now())
		} else {
			over(g, grants.Denied, b.Person)
		}
		return nil
	})
}

func (d *desk) Explain(_ context.Context, e service.Explanation) (grants.Grant, error) {
	return d.change("explain", e.Origin, e.Grant, func(*grants.Grant) error {
		if grants.LooksSecret(e.Text) {
			return &service.Refusal{Reasons: []grants.Reason{{Code: grants.LooksLikeASecret}}}
		}
		d.whys[e.Grant] = e.Text
		return nil
	})
}

func (d *desk) Extend(_ context.Context, l service.Longer) (grants.Grant, error) {
	return d.change("extend", l.Origin, l.Grant, func(g *grants.Grant) (err error) {
		*g, err = g.AskMore(l.By, time.Now())
		return err
	})
}

func over(g *grants.Grant, o grants.Outcome, by grants.PersonKey) {
	g.State, g.Outcome, g.Ended, g.EndedBy, g.Closed = grants.Closed, o, time.Now(), by, time.Now()
	for i := range g.Credentials {
		c := &g.Credentials[i]
		c.State, c.Evidence, c.Proven = grants.Gone, grants.RefusedFinding, time.Now()
	}
}

func (d *desk) end(verb string, o grants.Outcome, p service.Press) (grants.Grant, error) {
	return d.change(verb, p.Origin, p.Grant, func(g *grants.Grant) error {
		if g.State == grants.Closed {
			return service.ErrOver
		}
		over(g, o, p.Person)
		return nil
	})
}

func (d *desk) Withdraw(_ context.Context, p service.Press) (grants.Grant, error) {
	return d.end("withdraw", grants.Withdrawn, p)
}

func (d *desk) Return(_ context.Context, p service.Press) (grants.Grant, error) {
	return d.end("return", grants.Returned, p)
}

func (d *desk) Revoke(_ context.Context, p service.Press) (grants.Grant, error) {
	return d.end("revoke", grants.Revoked, p)
}

func (d *desk) Reveal(_ context.Context, s service.Showing) (service.Revealed, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.reveal != nil {
		return d.reveal(s)
	}
	g, ok := d.grants[s.Grant]
	if !ok || g.State != grants.Open {
		return service.Revealed{}, service.ErrOver
	}
	return d.make(g), nil
}

// make makes a secret that cannot be mistaken for anything else.
func (d *desk) make(g grants.Grant) service.Revealed {
	n := len(g.Credentials) + 1
	secret := fmt.Sprintf("eyJhbGciOiJFUzI1NiJ9.c2VjcmV0LW51bWJlci0%d.c2lnbmF0dXJl", n)
	d.issued = append(d.issued, secret)
	g.Credentials = append(g.Credentials, grants.Credential{Ordinal: n, State: grants.Live, Issued: time.Now(), Expires: g.Ends})
	d.grants[g.ID] = g
	return service.Revealed{Grant: g, Ordinal: n, Expires: g.Ends, Secret: grants.NewSecret(secret)}
}

func (d *desk) Undelivered(_ context.Context, grant string, ordinal int, _ string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failing > 0 {
		d.failing--
		return service.ErrBusy
	}
	d.lost = append(d.lost, fmt.Sprintf("%s/%d", grant, ordinal))
	return nil
}

func (d *desk) Swallowed(_ context.Context, count int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.swallowed += count
	return nil
}

func (d *desk) Reject(_ context.Context, o service.Origin, detail string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rejected = append(d.rejected, o.Person.Slack()+": "+detail)
	return nil
}

func (d *desk) UserChanged(_ context.Context, u grants.SlackUser) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.heard = append(d.heard, u)
	if d.deaf > 0 {
		d.deaf--
		return errors.New("not recorded")
	}
	return nil
}

func (d *desk) DirectoryChanged() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rereads++
}

func (d *desk) Roster(context.Context, service.Origin) (service.Roster, error) {
	return service.Roster{}, nil
}

func (d *desk) Thaw(_ context.Context, o service.Origin, whom grants.PersonKey) (grants.Person, error) {
	return grants.Person{Key: whom}, d.note("thaw", o)
}

func (d *desk) Freeze(_ context.Context, o service.Origin, whom grants.PersonKey, _ string) (grants.Person, error) {
	return grants.Person{Key: whom}, d.note("freeze", o)
}

func (d *desk) Overheard(_ context.Context, connections, ours int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.overheard = append(d.overheard, connections-ours)
	return nil
}

func (d *desk) Who(id string) (grants.Person, bool) {
	for _, p := range []grants.Person{
		{Key: grants.KeyOf(team, "UADA"), Name: "Ada", PagerDuty: "PADA"},
		{Key: grants.KeyOf(team, "UBEN"), Name: "Ben", PagerDuty: "PBEN"},
	} {
		if id == string(p.Key) || id == p.PagerDuty {
			return p, true
		}
	}
	return grants.Person{}, false
}

func (d *desk) RolesFor(grants.PersonKey) []grants.Role { return d.roles }

func (d *desk) Mine(_ context.Context, p grants.PersonKey) ([]service.Notice, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var mine []service.Notice
	for _, id := range slices.Sorted(maps.Keys(d.grants)) {
		if g := d.grants[id]; g.Person == p && g.Active() {
			mine = append(mine, service.Notice{Grant: g, Reason: d.reasons[id], Who: d.Who})
		}
	}
	return mine, nil
}

func (d *desk) OpenHome(ctx context.Context, p grants.PersonKey) error {
	if err := d.note("home", service.Origin{Person: p}); err != nil {
		return err
	}
	mine, err := d.Mine(ctx, p)
	if err != nil {
		return err
	}
	d.telling.Go(func() {
		if err := d.sender.Publish(context.Background(), service.Tab{Person: p, Mine: mine, Roles: d.roles, Who: d.Who}); err != nil {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.shows = append(d.shows, err)
		}
	})
	return nil
}

// tell shows both surfaces as the grant is now, as often as it takes.
func (d *desk) tell(id string) {
	d.telling.Go(func() {
		for _, surface := range []service.Surface{service.Verdict, service.Card} {
			d.show(surface, id)
		}
	})
}

func (d *desk) show(surface service.Surface, id string) {
	for range 60 {
		d.mu.Lock()
		key := string(surface) + id
		n := service.Notice{
			Surface: surface, Ref: d.refs[key], Grant: d.grants[id], Reason: d.reasons[id], Why: d.whys[id], Who: d.Who,
			Plan: "A token for orders: GET /v1/orders/*.", Does: grants.Description{Class: grants.Instant},
		}
		d.mu.Unlock()
		ref, err := d.sender.Show(context.Background(), n)
		if err == nil {
			d.mu.Lock()
			d.refs[key] = ref
			d.mu.Unlock()
			return
		}
		pause := time.Second
		if wait, ok := errors.AsType[*service.Wait](err); ok {
			pause = wait.For
		} else {
			d.mu.Lock()
			d.shows = append(d.shows, err)
			d.mu.Unlock()
		}
		time.Sleep(pause)
	}
}

func (d *desk) wait() { d.telling.Wait() }

func (d *desk) secrets() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.issued...)
}

// only returns the one grant there is.
func (d *desk) only() grants.Grant {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, g := range d.grants {
		return g
	}
	return grants.Grant{}
}

// finish ends a grant as the sweep would.
func (d *desk) finish(id string, o grants.Outcome) {
	d.mu.Lock()
	g := d.grants[id]
	over(&g, o, "")
	d.grants[id] = g
	d.mu.Unlock()
	d.tell(id)
}
