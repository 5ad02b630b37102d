package deaths_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// deaths is what the sweeps of a test add up to.
type deaths struct {
	mu     sync.Mutex
	at     []string // at what
	nights int
	sweeps int
}

// sweep plays nights that die at 1, 2, … until one ends by itself, some at once.
func (d *deaths) sweep(t *testing.T, s size, play func(t *testing.T, at int) (died []string)) {
	t.Helper()
	var group sync.WaitGroup
	d.mu.Lock()
	next, over, failed := 1+5*d.sweeps%s.every, false, 0 // a thinned sweep begins elsewhere than the one before
	d.sweeps++
	d.mu.Unlock()
	take := func() (int, bool) {
		d.mu.Lock()
		defer d.mu.Unlock()
		at := next
		next += s.every
		return at, !over && failed < 3
	}
	for range s.workers {
		group.Go(func() {
			for at, ok := take(); ok; at, ok = take() {
				t.Run(fmt.Sprint(at), func(t *testing.T) {
					var died []string
					defer func() {
						d.mu.Lock()
						defer d.mu.Unlock()
						if d.nights++; t.Failed() {
							failed++
						}
						d.at, over = append(d.at, died...), over || len(died) == 0 && !t.Failed()
					}()
					died = play(t, at)
				})
			}
		})
	}
	group.Wait()
}

// print says how often the program died, and at what.
func (d *deaths) print(t *testing.T, s size) {
	counts := map[string]int{}
	for _, at := range d.at {
		counts[at]++
	}
	var b strings.Builder
	for _, at := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&b, "\n%5d at %s", counts[at], at)
	}
	t.Logf("%d deaths in %d nights, every %s:%s", len(d.at), d.nights, ordinal(s.every), b.String())
}

// ordinal says which of the deaths were died.
func ordinal(every int) string {
	if every == 1 {
		return "one"
	}
	return fmt.Sprintf("%dth", every)
}
