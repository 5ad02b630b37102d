package service_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// The fakes of everything around the service. All wait only with timers, so all work in a synctest bubble.

// faults make a fake slow or broken; the zero value works. Calls is how many to hit: 0 is none, -1 is every one.
type faults struct {
	Calls int
	Delay time.Duration
	Err   error
}

// hit waits out the fault of one call, if it has one. It is called without any lock held.
func (f faults) hit(ctx context.Context) error {
	if f.Delay > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(f.Delay):
		}
	}
	return f.Err
}

// take counts down and returns the fault of this call.
func (f *faults) take() faults {
	if f.Calls == 0 {
		return faults{}
	}
	if f.Calls > 0 {
		f.Calls--
	}
	return *f
}

var errUnreachable = errors.New("unreachable")

// pager is PagerDuty: entries over all time, and what it says of them.
type pager struct {
	mu      sync.Mutex
	entries []grants.Entry
	users   []grants.PagerUser
	faults  faults
	lie     []grants.Entry // answered instead of the truth …
	lying   int            // … this many times; -1: always
}

// Entries answers who is on call now, or in a window, as GET /oncalls does.
func (p *pager) Entries(ctx context.Context, sources []grants.Source, from, until time.Time) (grants.Snapshot, error) {
	p.mu.Lock()
	f, all := p.faults.take(), slices.Clone(p.entries)
	if p.lying != 0 {
		all = slices.Clone(p.lie)
	}
	if p.lying > 0 {
		p.lying--
	}
	p.mu.Unlock()
	now := time.Now().UTC() // a slow answer was true when it was asked for
	if err := f.hit(ctx); err != nil {
		return grants.Snapshot{}, err
	}
	s := grants.Snapshot{Read: now, From: from, Until: until}
	if from.IsZero() {
		from, until = now, now.Add(1)
	}
	for _, e := range all {
		covered := slices.ContainsFunc(sources, func(src grants.Source) bool { return src.Covers(e) })
		if covered && e.Start.Before(until) && (e.End.IsZero() || e.End.After(from)) {
			s.Entries = append(s.Entries, e)
		}
	}
	return s, nil
}

// Users lists everybody with a seat.
func (p *pager) Users(ctx context.Context) ([]grants.PagerUser, error) {
	p.mu.Lock()
	f, users := p.faults.take(), slices.Clone(p.users)
	p.mu.Unlock()
	return users, f.hit(ctx)
}

// puts makes a user on call, from a start until an end; both zero are for ever.
func (p *pager) puts(user, policy string, level int, start, end time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entries = append(p.entries, grants.Entry{User: user, Policy: policy, Level: level, Start: start, End: end})
}

// ends moves the end of a user's entries in a policy.
func (p *pager) ends(user, policy string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, e := range p.entries {
		if e.User == user && e.Policy == policy {
			p.entries[i].End = at
		}
	}
}

// breaks makes calls fail or wait: -1 is every call, 0 repairs it.
func (p *pager) breaks(f faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
}

// lies makes so many answers be these entries; -1 is every one.
func (p *pager) lies(times int, entries ...grants.Entry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lie, p.lying = entries, times
}

// slack is the workspace's directory.
type slack struct {
	mu     sync.Mutex
	users  []grants.SlackUser
	groups map[string][]string
	faults faults
	listed int // how often

	asking faults
	asked  []string // one by one
	hidden []string // known to the list only
}

// User answers about one, like users.info.
func (s *slack) User(ctx context.Context, id string) (grants.SlackUser, error) {
	s.mu.Lock()
	f, users, hidden := s.asking.take(), slices.Clone(s.users), slices.Contains(s.hidden, id)
	s.asked = append(s.asked, id)
	s.mu.Unlock()
	if err := f.hit(ctx); err != nil {
		return grants.SlackUser{}, err
	}
	i := slices.IndexFunc(users, func(u grants.SlackUser) bool { return u.ID == id })
	if i < 0 || hidden {
		return grants.SlackUser{}, fmt.Errorf("asking about %s: %w", id, service.ErrNoSuchPerson)
	}
	return users[i], nil
}

func (s *slack) Users(ctx context.Context) ([]grants.SlackUser, error) {
	s.mu.Lock()
	f, users := s.faults.take(), slices.Clone(s.users)
	s.listed++
	s.mu.Unlock()
	return users, f.hit(ctx)
}

func (s *slack) breaks(f faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

func (s *slack) Members(ctx context.Context, group string) ([]string, error) {
	s.mu.Lock()
	f, members := s.faults.take(), slices.Clone(s.groups[group])
	s.mu.Unlock()
	return members, f.hit(ctx)
}

// changes edits one user.
func (s *slack) changes(id string, edit func(*grants.SlackUser)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.users {
		if s.users[i].ID == id {
			edit(&s.users[i])
		}
	}
}

// board is where surfaces are shown. It keeps every notice.
type board struct {
	mu     sync.Mutex
	shown  map[string][]service.Notice // grant/surface → notices, oldest first
	tabs   map[grants.PersonKey][]service.Tab
	news   []service.Announcement
	faults faults
	refs   int
}

func (b *board) Publish(ctx context.Context, t service.Tab) error {
	b.mu.Lock()
	f := b.faults.take()
	b.mu.Unlock()
	if err := f.hit(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tabs == nil {
		b.tabs = map[grants.PersonKey][]service.Tab{}
	}
	b.tabs[t.Person] = append(b.tabs[t.Person], t)
	return nil
}

func (b *board) Announce(ctx context.Context, a service.Announcement) error {
	b.mu.Lock()
	f := b.faults.take()
	b.mu.Unlock()
	if err := f.hit(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.news = append(b.news, a)
	return nil
}

// homes are what the home of a user has shown, oldest first.
func (b *board) homes(user string) []service.Tab {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.tabs[person(user)])
}

func (b *board) Show(ctx context.Context, n service.Notice) (string, error) {
	b.mu.Lock()
	f := b.faults.take()
	b.mu.Unlock()
	if err := f.hit(ctx); err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shown == nil {
		b.shown = map[string][]service.Notice{}
	}
	key := n.Grant.ID + "/" + string(n.Surface)
	b.shown[key] = append(b.shown[key], n)
	b.refs++
	return cmp.Or(n.Ref, fmt.Sprintf("ref-%d", b.refs)), nil
}

func (b *board) breaks(f faults) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = f
}

// last is what a surface shows of a grant; ok is false when it shows nothing.
func (b *board) last(grant string, s service.Surface) (n service.Notice, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.shown[grant+"/"+string(s)]
	if len(all) == 0 {
		return n, false
	}
	return all[len(all)-1], true
}

func (b *board) all(grant string, s service.Surface) []service.Notice {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.shown[grant+"/"+string(s)])
}

// offlineFor is how long a credential lives that cannot be cut.
const offlineFor = 15 * time.Second

// target is what credentials open. It has a memory of its own, which no crash of the service
// touches: what was asked of it takes effect later, even if whoever asked is dead.
type target struct {
	t      testing.TB
	mu     sync.Mutex
	live   map[string]time.Time // name → its own expiry
	made   map[string]int       // name → how often
	log    []string
	effect time.Duration // from the call until the credential works
	answer time.Duration // from the effect until the caller hears of it
	cut    time.Duration // how long revoking takes; it acts in the middle

	issuing, revoking, checking faults
	hang                        func()          // called by Revoke, whatever its context says
	madeAnyway                  bool            // a failing Issue takes effect all the same
	expires                     bool            // it enforces the expiry that it was given
	calls, most                 int             // to Revoke, that run now and that ran at once
	undying                     bool            // it accepts everything, whatever its expiry
	offline                     map[string]bool // what was made for services that ask nobody
	deaf                        bool            // it does not notice that a caller has given up
	least                       time.Duration
	class                       grants.Class // default Instant
}

func newTarget(t testing.TB) *target {
	return &target{
		t: t, live: map[string]time.Time{}, offline: map[string]bool{}, made: map[string]int{},
		effect: 50 * time.Millisecond, answer: 50 * time.Millisecond, cut: 20 * time.Millisecond,
	}
}

func (t *target) Describe(v grants.Verify) grants.Description {
	if v == grants.Offline {
		return grants.Description{Least: t.least, Greatest: 12 * time.Hour, Class: grants.AtExpiry, Skew: grants.ExpirySkew}
	}
	return grants.Description{Least: t.least, Greatest: 12 * time.Hour, Class: cmp.Or(t.class, grants.Instant)}
}

func (t *target) Plan(_ context.Context, o grants.Order) (grants.Plan, error) {
	until := o.Until
	if last := o.Now.Add(offlineFor); o.Verify == grants.Offline && until.After(last) {
		until = last
	}
	return grants.Plan{Sentence: "a key to " + o.Audience, Until: until}, nil
}

func (t *target) Issue(ctx context.Context, o grants.Order) (grants.Secret, error) {
	t.mu.Lock()
	f, effect, answer, made := t.issuing.take(), t.effect, t.answer, t.madeAnyway
	if t.deaf {
		ctx = context.WithoutCancel(ctx)
	}
	t.note("issue", o.Name)
	if t.offline[o.Name] = o.Verify == grants.Offline; t.offline[o.Name] && o.Until.Sub(o.Now) > offlineFor {
		t.t.Errorf("%s cannot be cut and is made for %s", o.Name, o.Until.Sub(o.Now))
	}
	t.mu.Unlock()
	if f.Err == nil || made {
		time.AfterFunc(effect+f.Delay, func() { t.makes(o.Name, o.Until) })
	}
	if err := (faults{Delay: effect + f.Delay + answer, Err: f.Err}).hit(ctx); err != nil {
		return grants.Secret{}, err
	}
	return grants.NewSecret("secret-of-" + o.Name), nil
}

// makes is the effect of issuing; the second one of a name would be a bug of ours.
func (t *target) makes(name string, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.note("works", name)
	t.live[name] = until
	if t.made[name]++; t.made[name] > 1 {
		t.t.Errorf("%s was issued %d times", name, t.made[name])
	}
}

func (t *target) Renew(context.Context, string, time.Time) error { return grants.ErrNotRenewable }

func (t *target) Revoke(ctx context.Context, name string) error {
	t.mu.Lock()
	f, half, hang := t.revoking.take(), t.cut/2, t.hang
	t.calls++
	t.most = max(t.most, t.calls)
	t.mu.Unlock()
	defer t.with(func(t *target) { t.calls-- })
	if hang != nil {
		hang()
	}
	f.Delay += half
	if err := f.hit(ctx); err != nil {
		return err
	}
	t.mu.Lock()
	t.note("revoke", name)
	if !t.offline[name] {
		delete(t.live, name)
	}
	t.mu.Unlock()
	return faults{Delay: half}.hit(ctx)
}

func (t *target) Check(ctx context.Context, h grants.Handle, now time.Time) (grants.Finding, error) {
	t.mu.Lock()
	f, half := t.checking.take(), t.cut/2
	t.mu.Unlock()
	f.Delay += half
	if err := f.hit(ctx); err != nil {
		return "", err
	}
	t.mu.Lock()
	_, live := t.live[h.Name]
	live = live || h.Verify == grants.Offline // nobody can know better
	undying, own := t.undying, t.expires || h.Verify == grants.Offline
	t.note("check", h.Name)
	t.mu.Unlock()
	found := grants.AbsentFinding
	switch {
	case undying:
		found = grants.AliveFinding
	case live && own && !now.Before(h.Expires.Add(grants.ExpirySkew)):
		found = grants.ExpiredFinding
	case live:
		found = grants.AliveFinding
	}
	return found, faults{Delay: half}.hit(ctx)
}

// works lists what opens the target now, for a judge.
func (t *target) works() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var names []string
	for name, until := range t.live {
		if !t.expires && !t.offline[name] || time.Now().Before(until.Add(grants.ExpirySkew)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// with changes the target's behaviour.
func (t *target) with(edit func(*target)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	edit(t)
}

// asked counts the calls of a kind.
func (t *target) asked(what string) (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, line := range t.log {
		if strings.Contains(line, " "+what+" ") {
			n++
		}
	}
	return n
}

// note is called with the lock held.
func (t *target) note(what, name string) {
	t.log = append(t.log, fmt.Sprintf("%s %s %s", time.Now().UTC().Format("15:04:05.000"), what, name))
}
