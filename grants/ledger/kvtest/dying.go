package kvtest

import (
	"context"
	"errors"
	"sync"

	"nightlatch/grants/ledger"
)

// ErrDead is what a dead engine answers: no caller learns what became of its Update, as when the process was killed.
var ErrDead = errors.New("process is dead")

// Dying is an engine whose process "dies" at a chosen commit. A commit is an Update whose function returns at least one
// write and no error. Close still closes the engine beneath, so that a test can open the same directory again and see
// what recovery makes of it.
type Dying struct {
	ledger.Engine

	// At is the commit to die at, counted from 1. Zero never dies, and only counts.
	At int

	// After says to die when that commit is durable but before its caller hears of it; otherwise the commit does not happen.
	After bool

	// Kill, if not nil, is called once at death, from the goroutine of the commit, before its Update answers.
	// It usually cancels the context of everything that the process does.
	Kill func()

	mu      sync.Mutex
	commits int
	dead    bool
}

// Commits returns how many commits were begun, the deadly one included.
func (d *Dying) Commits() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.commits
}

// Dead says whether the engine has died.
func (d *Dying) Dead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dead
}

// View answers ErrDead after death.
func (d *Dying) View(ctx context.Context, f func(ledger.Reader) error) error {
	if d.Dead() {
		return ErrDead
	}
	return d.Engine.View(ctx, f)
}

// Update answers ErrDead at death and after it, whatever became of the changes.
func (d *Dying) Update(ctx context.Context, f func(ledger.Reader) (ledger.Changes, error)) error {
	if d.Dead() {
		return ErrDead
	}
	counted, deadly := false, false
	err := d.Engine.Update(ctx, func(r ledger.Reader) (ledger.Changes, error) {
		changes, err := f(r)
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.dead && !counted {
			return nil, ErrDead
		}
		if err != nil || len(changes) == 0 {
			return changes, err
		}
		if !counted { // an engine may run the function again
			counted = true
			d.commits++
			deadly = d.commits == d.At
		}
		if deadly {
			// Set already here, so that nobody commits behind a death.
			d.dead = true
			if !d.After {
				return nil, ErrDead
			}
		}
		return changes, nil
	})
	if deadly && d.Kill != nil {
		d.Kill()
	}
	if d.Dead() {
		return ErrDead
	}
	return err
}
