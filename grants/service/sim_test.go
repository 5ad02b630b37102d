package service_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger/kvtest"
	"nightlatch/grants/service"
)

// TestSimulation lets people, shifts, targets and PagerDuty do what they like, and processes die
// at commits that nobody chose, and holds every promise after every step.
//
// It runs for NIGHTLATCH_SIM seconds in rounds of a seed each; if that is not set, for 30 in CI
// without the race detector and for 5 elsewhere.
// NIGHTLATCH_SEED replays one round: what everybody does, not how goroutines are scheduled.
func TestSimulation(t *testing.T) {
	budget := 5 * time.Second
	if os.Getenv("CI") != "" && !raceDetector {
		budget = 30 * time.Second
	}
	if s := os.Getenv("NIGHTLATCH_SIM"); s != "" {
		seconds, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("NIGHTLATCH_SIM is not a number of seconds: %v", err)
		}
		budget = time.Duration(seconds) * time.Second
	}
	if s := os.Getenv("NIGHTLATCH_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("NIGHTLATCH_SEED is not a seed: %v", err)
		}
		simulate(t, seed)
		return
	}
	seed, start := rand.Uint64(), time.Now()
	var did tally
	for round := uint64(0); round == 0 || time.Since(start) < budget; round++ {
		did.add(simulate(t, seed+round))
		if t.Failed() {
			t.Fatalf("replay with NIGHTLATCH_SEED=%d", seed+round)
		}
	}
	t.Logf("seed %d: %d rounds, %d steps, %d deaths, %d grants, %d extended, %d reveals, %d events, %d repeated envelopes",
		seed, did.rounds, did.steps, did.deaths, did.grants, did.extended, did.reveals, did.events, did.repeated)
}

// tally says how much happened.
type tally struct{ rounds, steps, deaths, grants, extended, reveals, events, repeated int }

func (a *tally) add(b tally) {
	a.rounds++
	a.steps += b.steps
	a.deaths += b.deaths
	a.grants += b.grants
	a.extended += b.extended
	a.reveals += b.reveals
	a.events += b.events
	a.repeated += b.repeated
}

// simulate plays one round in a bubble of its own.
func simulate(t *testing.T, seed uint64) (did tally) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), strconv.FormatUint(seed, 10))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir)
		defer w.leave()
		w.roles, w.reread, w.target.expires = hasty(w.roles), 2*time.Minute, seed%2 == 0
		w.target.class = []grants.Class{grants.Instant, grants.Seconds}[seed/4%2]
		w.settle = []time.Duration{0, 3 * time.Minute}[seed/2%2]
		for i := range w.roles {
			w.roles[i].PendingFor = time.Minute
			if seed/4%2 == 0 && w.roles[i].Name != orders {
				w.roles[i].Verify = grants.Offline
			}
		}
		w.limits = service.Limits{PerPerson: 4, InAll: 12}
		s := &simulation{world: w, r: rand.New(rand.NewPCG(seed, 0)), did: &did}
		s.live()
		for range 150 {
			did.steps++
			s.step()
			s.live()
			if w.keeps(); t.Failed() {
				t.Logf("seed %d, step %d", seed, did.steps)
				return
			}
		}
		s.heals()
		w.settles()
		did.grants, did.events = len(w.stored()), len(w.events())
		for _, e := range w.events() {
			if e.Kind == grants.KindExtended {
				did.extended++
			}
		}
		if did.grants > w.asked {
			t.Errorf("%d grants came of %d requests", did.grants, w.asked)
		}
	})
	if !t.Failed() {
		_ = os.RemoveAll(dir)
	}
	return did
}

// simulation is a world in which things happen by chance.
type simulation struct {
	*world
	r    *rand.Rand
	late []func() // presses that Slack delivers later, in any order
	did  *tally
}

// live lets time pass, and starts the process again when it is dead, however often it dies over it.
func (s *simulation) live() {
	pause := time.Duration(s.r.IntN(2000)) * time.Millisecond
	if s.r.IntN(10) == 0 {
		pause *= 20
	}
	if s.engine != nil {
		s.lasts(pause)
		synctest.Wait()
	}
	for s.engine == nil || s.dying.Dead() {
		if s.engine != nil {
			s.did.deaths++
			s.ends()
		}
		time.Sleep(outages[s.r.IntN(len(outages))])
		n := 0
		if s.r.IntN(10) > 0 {
			n = 1 + s.r.IntN(50)
		}
		if s.starts(n, s.r.IntN(2) == 0) != nil {
			s.did.deaths++
			continue
		}
		s.pressAgain()
		synctest.Wait()
	}
}

// heals makes everything work again, under a process that does not die.
func (s *simulation) heals() {
	for _, deliver := range s.late {
		deliver()
	}
	s.pager.breaks(faults{})
	s.pager.lies(0)
	s.board.breaks(faults{})
	s.target.with(func(t *target) { t.issuing, t.revoking, t.checking = faults{}, faults{}, faults{} })
	s.restarts()
	s.pressAgain()
}

// step is one thing that happens: mostly a press, now and then something worse.
func (s *simulation) step() {
	switch n := s.r.IntN(100); {
	case n < 60:
		s.soonOrLater(s.chosen())
	case n < 66:
		s.repeat()
	case n < 76:
		s.moveShifts()
	case n < 92:
		s.breakSomething()
	case n < 96:
		s.changePeople()
	default:
		s.ends()
	}
}

func (s *simulation) anyone() string {
	return []string{anna, anna, anna, anna, anna, ben, cleo, dora, fay, gus}[s.r.IntN(10)]
}

// pick is a grant in one of the states, if there is one: most presses are of a button that is shown.
func (s *simulation) pick(in ...grants.State) grants.Grant {
	all := s.stored()
	if s.r.IntN(8) > 0 {
		all = slices.DeleteFunc(all, func(g grants.Grant) bool { return !slices.Contains(in, g.State) })
	}
	if len(all) == 0 {
		return grants.Grant{ID: "nothing"}
	}
	return all[s.r.IntN(len(all))]
}

func (s *simulation) active() []grants.Grant {
	return slices.DeleteFunc(s.stored(), func(g grants.Grant) bool { return !g.Active() })
}

// chosen is what somebody wants to do now.
func (s *simulation) chosen() func() {
	user := s.anyone()
	mine := func(g grants.Grant) string {
		if s.r.IntN(10) == 0 || g.Person == "" {
			return user
		}
		return g.Person.Slack()
	}
	n := s.r.IntN(28)
	if len(s.active()) < 3 {
		n = 0
	}
	switch {
	case n < 3:
		role := []string{orders, ledgers, quiet}[s.r.IntN(3)]
		length := time.Duration(1+s.r.IntN(300)) * time.Second
		return func() { _, _ = s.asks(user, role, length) }
	case n < 8:
		g, yes := s.pick(grants.Pending), s.r.IntN(5) > 0
		voter := []string{cleo, dan, ben, ben, user}[s.r.IntN(5)]
		return func() { _, _ = s.votes(voter, g.ID, yes) }
	case n < 17:
		g := s.pick(grants.Open)
		who := mine(g)
		return func() { s.meanwhile(func() { s.reveal(who, g.ID, s.reveals) }) }
	case n < 18:
		g := s.pick(grants.Asked, grants.Pending)
		who := mine(g)
		return func() { _, _ = s.withdraws(who, g.ID) }
	case n < 19:
		g := s.pick(grants.Open)
		who := mine(g)
		return func() { _, _ = s.returns(who, g.ID) }
	}
	return s.chosenLess(user, mine, n)
}

// chosenLess is what people want less often.
func (s *simulation) chosenLess(user string, mine func(grants.Grant) string, n int) func() {
	switch n {
	case 19:
		g := s.pick(grants.Open)
		return func() { _, _ = s.revokes(ben, g.ID) }
	case 20:
		g := s.pick(grants.Closed)
		who := user
		if g.Outcome == grants.Denied {
			who = g.EndedBy.Slack()
		}
		return func() { _, _ = s.explains(who, g.ID, "not now") }
	case 21:
		return func() { _ = s.svc.OpenHome(s.ctx, person(user)) }
	case 27:
		if s.r.IntN(4) == 0 {
			return func() { s.freezes(user) }
		}
		return func() { s.thaws(user) }
	case 23, 24:
		g, by := s.pick(grants.Open), time.Duration(1+s.r.IntN(300))*time.Second
		who := mine(g)
		return func() { _, _ = s.extends(who, g.ID, by) }
	case 25, 26:
		g, yes := s.pickExtending(), s.r.IntN(5) > 0
		voter, n := []string{cleo, dan, ben, ben, user}[s.r.IntN(5)], max(1, len(g.Extensions)) // 0 would be the request
		if s.r.IntN(6) == 0 {
			return func() { _, _ = s.withdrawsMore(g.Person.Slack(), g.ID, n) }
		}
		return func() { _, _ = s.votesMore(voter, g.ID, n, yes) }
	}
	g := s.pick(grants.Open)
	who := mine(g)
	return func() { s.meanwhile(func() { s.reveal(who, g.ID, s.supersedes) }) }
}

// reveal reveals, and once in a while the secret does not arrive.
func (s *simulation) reveal(user, id string, press func(user, grant string) (service.Revealed, error)) {
	r, err := press(user, id)
	if two, ok := errors.AsType[*service.TwoLiveError](err); ok {
		r, err = s.replaces(user, id, two.Oldest.Ordinal)
	}
	if err != nil {
		return
	}
	s.mu.Lock()
	s.did.reveals++
	lost, found := s.did.reveals%7 == 0, s.did.reveals%5 == 0
	s.mu.Unlock()
	if got, want := r.Secret.Expose(), "secret-of-"+r.Grant.Credentials[r.Ordinal-1].Name; got != want {
		s.t.Errorf("revealed %q, want %q", got, want)
	}
	switch name := r.Grant.Credentials[r.Ordinal-1].Name; {
	case found:
		_ = s.svc.ReturnByToken(s.ctx, name)
		_ = s.svc.DeadUse(s.ctx, name, "orders-api")
	case lost:
		_ = s.svc.Undelivered(s.ctx, id, r.Ordinal, "Slack did not take it")
	}
}

// soonOrLater delivers a press now, or keeps it and delivers another one.
func (s *simulation) soonOrLater(press func()) {
	if s.r.IntN(4) == 0 {
		s.late = append(s.late, press)
	} else {
		press()
	}
	if n := len(s.late); n > 0 && s.r.IntN(3) == 0 {
		i := s.r.IntN(n)
		press := s.late[i]
		s.late = append(s.late[:i], s.late[i+1:]...)
		press()
	}
}

// repeat sends an envelope again.
func (s *simulation) repeat() {
	s.mu.Lock()
	n := len(s.sent)
	var e envelope
	if n > 0 {
		e = s.sent[s.r.IntN(n)]
	}
	s.mu.Unlock()
	if !e.taken {
		return
	}
	s.did.repeated++
	err := e.again()
	if !errors.Is(err, service.ErrDuplicate) && !errors.Is(err, kvtest.ErrDead) && s.ctx.Err() == nil {
		s.t.Errorf("an envelope that was taken before is answered %v", err)
	}
}

// moveShifts makes somebody else be on call, or the same person longer or shorter.
func (s *simulation) moveShifts() {
	user := []string{anna, anna, dora, ben}[s.r.IntN(4)]
	until := s.at(time.Duration(s.r.IntN(900)) * time.Second)
	switch s.r.IntN(4) {
	case 0:
		s.pager.ends(seat(user), policy, until)
	case 1:
		s.pager.puts(seat(user), policy, 1+s.r.IntN(2), s.at(0), until)
	default:
		s.pager.puts(seat(anna), policy, 1, s.at(-time.Minute), s.at(time.Hour))
	}
}

// breakSomething breaks or slows what is around the service, or repairs it.
func (s *simulation) breakSomething() {
	f := faults{Calls: s.r.IntN(6), Delay: time.Duration(s.r.IntN(12)) * time.Second}
	if s.r.IntN(2) == 0 {
		f.Err = fmt.Errorf("chance: %w", errUnreachable)
	}
	switch s.r.IntN(7) {
	case 0:
		s.pager.breaks(f)
	case 1:
		s.pager.lies(s.r.IntN(3))
	case 2:
		s.board.breaks(f)
	case 3:
		s.target.with(func(t *target) { t.issuing, t.madeAnyway = f, s.r.IntN(2) == 0 })
	case 4:
		s.target.with(func(t *target) { t.revoking = f })
	case 5:
		s.target.with(func(t *target) { t.checking = f })
	default:
		effect := time.Duration(s.r.IntN(20)) * time.Second
		s.target.with(func(t *target) { t.effect = effect })
	}
}

// changePeople makes somebody leave, come back or change their address.
func (s *simulation) changePeople() {
	n := s.r.IntN(3)
	s.slack.changes([]string{anna, cleo, dora, fay}[s.r.IntN(4)], func(u *grants.SlackUser) {
		u.Deleted = n == 0
		u.Email = u.ID + "@example.com"
		if n == 1 {
			u.Email = "new-" + u.Email
		}
	})
}
