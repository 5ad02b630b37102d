package kvtest

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"nightlatch/grants/ledger"
)

const (
	modelGoroutines = 8
	modelRounds     = 12
	modelUpdates    = 25 // of each goroutine in each round
)

// step is one Update that a goroutine has drawn: it lengthens, shortens or deletes the value of a key, depending on the value
// that it finds, and appends its own record under the next number.
type step struct {
	key   string
	drawn int
	fails bool
}

// model is what the engine should hold. The numbers in the append-only space say in which order the steps became true.
type model struct {
	mu    sync.Mutex
	done  map[int]step // acknowledged since the last comparison, by number
	size  int          // of the append-only space, as compared
	plain map[string]string
}

// testModel lets goroutines write at once and, whenever all of them rest, compares every byte with the model.
func testModel(t *testing.T, e ledger.Engine) {
	seed := modelSeed(t)
	t.Logf("NIGHTLATCH_SEED=%d", seed)
	m := &model{done: map[int]step{}, plain: map[string]string{}}
	for round := range modelRounds {
		var all sync.WaitGroup
		for g := range modelGoroutines {
			rnd := rand.New(rand.NewPCG(seed, uint64(round*modelGoroutines+g)))
			all.Go(func() {
				for range modelUpdates {
					m.do(t, e, step{
						key:   fmt.Sprint("k", rnd.IntN(20)),
						drawn: rnd.IntN(10),
						fails: rnd.IntN(8) == 0,
					})
				}
			})
		}
		all.Wait()
		m.compare(t, e)
		if t.Failed() {
			t.Fatalf("seed %d, round %d", seed, round)
		}
	}
}

func modelSeed(t *testing.T) uint64 {
	text := os.Getenv("NIGHTLATCH_SEED")
	if text == "" {
		return rand.Uint64()
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("reading NIGHTLATCH_SEED: %v", err)
	}
	return seed
}

var errModel = errors.New("drawn by the model")

// do makes one Update of a step and remembers its number if it was acknowledged.
func (m *model) do(t *testing.T, e ledger.Engine, s step) {
	number := 0
	err := Twice{e, t}.Update(t.Context(), func(r ledger.Reader) (ledger.Changes, error) {
		number = 1
		if last, _ := r.Last(appended); last != nil {
			n, err := strconv.Atoi(string(last))
			if err != nil {
				return nil, err
			}
			number = n + 1
		}
		changes := ledger.Changes{set(appended, fmt.Sprintf("%08d", number), s.key)}
		if value, keep := s.next(string(r.Get(plain, []byte(s.key)))); keep {
			changes = append(changes, set(plain, s.key, value))
		} else {
			changes = append(changes, del(plain, s.key))
		}
		if s.fails {
			return changes, errModel
		}
		return changes, nil
	})
	switch {
	case s.fails && !errors.Is(err, errModel):
		t.Errorf("an update that errs answers %v", err)
	case !s.fails && err != nil:
		t.Errorf("an update answers %v", err)
	case !s.fails:
		m.mu.Lock()
		defer m.mu.Unlock()
		if _, twice := m.done[number]; twice {
			t.Errorf("number %d was given twice", number)
		}
		m.done[number] = s
	}
}

// next is the rule of a step: what becomes of a value, and whether anything does.
func (s step) next(value string) (string, bool) {
	switch {
	case s.drawn < 2:
		return "", false
	case len(value) > 200:
		return value[:s.drawn], true
	default:
		return value + strings.Repeat(strconv.Itoa(s.drawn), s.drawn), true
	}
}

// compare replays the acknowledged steps in the order of their numbers and expects the engine to hold just that.
func (m *model) compare(t *testing.T, e ledger.Engine) {
	t.Helper()
	for range len(m.done) {
		m.size++
		s, ok := m.done[m.size]
		if !ok {
			t.Fatalf("number %d is missing among the acknowledged updates", m.size)
		}
		if value, keep := s.next(m.plain[s.key]); keep {
			m.plain[s.key] = value
		} else {
			delete(m.plain, s.key)
		}
	}
	clear(m.done)

	var want []string
	for _, key := range slices.Sorted(maps.Keys(m.plain)) {
		want = append(want, key+"="+m.plain[key])
	}
	wantLines(t, dump(t, e, plain), want...)
	if got := len(dump(t, e, appended)); got != m.size {
		t.Errorf("append-only space holds %d keys after %d acknowledged updates", got, m.size)
	}
}
