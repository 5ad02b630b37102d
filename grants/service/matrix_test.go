package service_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/grants"
)

// The grid: every scenario is played with its press at each step around its deadline.
const (
	around = 200 * time.Millisecond
	every  = 25 * time.Millisecond
)

// grid is the shifts that are played. Under the race detector, which costs a factor of ten, only the
// one at which everything happens at once, and every fourth death of it, and the last ones.
func grid() (shifts []time.Duration, full bool) {
	if raceDetector && os.Getenv("NIGHTLATCH_FULL") == "" {
		return []time.Duration{0}, false
	}
	for at := -around; at <= around; at += every {
		shifts = append(shifts, at)
	}
	return shifts, true
}

// outages are how long the process stays away after a death, one after the other.
var outages = []time.Duration{20 * time.Millisecond, 400 * time.Millisecond, 1200 * time.Millisecond, 11 * time.Second, 33 * time.Second}

// TestCrashMatrix kills the process before and after each commit of every scenario, with the
// decisive press at every step around the scenario's deadline, and then asks the target and
// the ledger whether every promise was kept.
func TestCrashMatrix(t *testing.T) {
	shifts, full := grid()
	t.Logf("%d shifts within ±%s around each deadline; race detector: %t", len(shifts), around, raceDetector)
	var mu sync.Mutex
	deaths := map[string]int{}
	t.Run("scenarios", func(t *testing.T) {
		for _, sc := range scenarios() {
			t.Run(sc.name, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				n := 0
				for i, at := range shifts {
					if !t.Failed() {
						n += sc.dies(t, dir, at, i, full)
					}
				}
				mu.Lock()
				deaths[sc.name] += n
				mu.Unlock()
			})
		}
	})
	total := 0
	for _, name := range slices.Sorted(maps.Keys(deaths)) {
		t.Logf("%5d deaths: %s", deaths[name], name)
		if total += deaths[name]; deaths[name] == 0 {
			t.Errorf("nobody died in %s", name)
		}
	}
	t.Logf("%5d deaths in all", total)
	if want := 3000; total < want && full && len(deaths) == len(scenarios()) && !t.Failed() {
		t.Errorf("%d deaths, want at least %d", total, want)
	}
}

// scenario is a story with a deadline in it, around which one press moves.
type scenario struct {
	name  string
	world func(w *world)                   // prepares it
	first func(w *world, at time.Duration) // a life before the one that dies, nil: none
	play  func(w *world, at time.Duration) // the life that dies, nil: nothing is pressed in it
}

// dies plays the scenario once to the end, to count its commits, and then once for each death.
// What is the same for every shift is died at the first one; of the others, every second commit in turn, but
// all where everything happens at once.
func (sc scenario) dies(t *testing.T, dir string, at time.Duration, turn int, full bool) (deaths int) {
	same, all := 0, 0
	sc.life(t, dir, at, 0, false, func(w *world) { same, all = w.same, w.dying.Commits() })
	if turn == 0 {
		same = 0
	}
	for n := same + 1; n <= all && !t.Failed(); n++ {
		if turn > 0 && at != 0 && (n+turn)%2 == 0 || !full && n%4 != 0 && n < all-1 {
			continue // its neighbours die there
		}
		for _, after := range []bool{false, true} {
			if sc.life(t, dir, at, n, after, nil) {
				deaths++
			}
		}
	}
	return deaths
}

// life plays a scenario in a fresh world, with a death at commit n, and what comes after it.
func (sc scenario) life(t *testing.T, dir string, at time.Duration, n int, after bool, count func(*world)) (died bool) {
	t.Helper()
	path := filepath.Join(dir, fmt.Sprintf("%s-%d-%t", at, n, after))
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, path)
		defer w.leave()
		w.roles, w.patience = hasty(w.roles), 10*time.Minute
		if sc.world != nil {
			sc.world(w)
		}
		if sc.first != nil {
			w.opens()
			sc.first(w, at)
			w.ends()
		}
		if err := w.starts(n, after); err == nil {
			if sc.play != nil {
				sc.play(w, at)
			}
			w.beside.Wait()
			for !w.dying.Dead() && !w.quiet() {
				w.lasts(time.Second)
			}
		}
		if count != nil {
			count(w)
		}
		died = w.dying.Dead() // two things that happen at once may need a commit less than the last time
		w.ends()
		time.Sleep(outages[n%len(outages)])
		w.opens()
		w.keeps()
		w.pressAgain()
		w.settles()
		if asked := w.asked; len(w.stored()) > asked {
			t.Errorf("%d grants came of %d requests", len(w.stored()), asked)
		}
		if t.Failed() {
			t.Logf("%s with its press at %s, dead at commit %d (after it: %t)", sc.name, at, n, after)
		}
	})
	if !t.Failed() {
		_ = os.RemoveAll(path) // a disk full of worlds helps nobody
	}
	return died
}

// hasty makes roles whose times are short, so that a life is.
func hasty(roles []grants.Role) []grants.Role {
	roles = slices.Clone(roles)
	for i := range roles {
		roles[i].PendingFor, roles[i].Default = 10*time.Second, 20*time.Second
	}
	return roles
}
