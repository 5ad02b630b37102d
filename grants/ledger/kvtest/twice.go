package kvtest

import (
	"context"
	"reflect"
	"testing"

	"nightlatch/grants/ledger"
)

// Twice is an engine that runs each function of an Update two times on the same state and fails the test if the answers
// differ: so a function that is not pure is found by whatever test happens to use it.
type Twice struct {
	ledger.Engine
	T testing.TB
}

// Update runs f twice and goes on with what the second run answered.
func (w Twice) Update(ctx context.Context, f func(ledger.Reader) (ledger.Changes, error)) error {
	return w.Engine.Update(ctx, func(r ledger.Reader) (ledger.Changes, error) {
		first, firstErr := f(r)
		second, secondErr := f(r)
		if !sameChanges(first, second) || !sameError(firstErr, secondErr) {
			w.T.Errorf("function of an Update is not pure:\nfirst  %v, error %v\nsecond %v, error %v",
				first, firstErr, second, secondErr)
		}
		return second, secondErr
	})
}

func sameChanges(a, b ledger.Changes) bool {
	return len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b)
}

// sameError compares what errors say: each run makes its own.
func sameError(a, b error) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Error() == b.Error()
}
