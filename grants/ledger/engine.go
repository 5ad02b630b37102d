package ledger

import (
	"context"
	"errors"
)

// What an engine answers besides the errors of the functions given to it and of their contexts.
var (
	// ErrFull says that the storage has no room and that the transaction surely did not happen. A smaller one may.
	ErrFull = errors.New("no room left in the ledger's storage")

	// ErrUnknownOutcome says that a commit was tried and nobody knows whether it happened. From then on the engine
	// answers every call with it: the process must stop and recover from what is on disk.
	ErrUnknownOutcome = errors.New("outcome of a ledger commit is unknown")

	// ErrClosed says that the engine was closed before the call was begun.
	ErrClosed = errors.New("ledger is closed")

	// ErrBusy says that the context ended while the queue of the writer was full. Nothing was done.
	ErrBusy = errors.New("ledger is busy")

	// ErrInUse says that another process holds the storage.
	ErrInUse = errors.New("ledger is in use by another process")

	// ErrAppendOnly refuses a write to an append-only space that is not a new last key.
	ErrAppendOnly = errors.New("space is append-only")

	// ErrTooLarge refuses a key, a leaf or a text that is longer than its limit.
	ErrTooLarge = errors.New("too large for the ledger")
)

// MaxKey is the length in bytes that every engine must accept for a key, and beyond which it refuses with ErrTooLarge.
const MaxKey = 1024

// Space is one ordered key space of an engine, declared when the engine is opened.
type Space struct {
	Name string

	// AppendOnly says that each new key sorts after all others, and that none is overwritten or deleted.
	AppendOnly bool
}

// Reader reads one consistent state. It ends with the function that it was given to; the slices it hands out are
// copies and outlive it. A space that was not declared is a mistake of the program, and panics.
type Reader interface {
	// Get returns the value of a key, or nil if there is none. An empty value is not nil.
	Get(space string, key []byte) []byte

	// Scan calls f for each key from (included) to (excluded), ascending by bytes, until f returns false.
	// A nil from is the beginning, a nil to is the end.
	Scan(space string, from, to []byte, f func(key, value []byte) bool)

	// Last returns the last key of a space and its value, or nil and nil if the space is empty.
	Last(space string) (key, value []byte)
}

// Write sets one key of a space, or deletes it if Value is nil. Deleting an absent key is no error.
type Write struct {
	Space      string
	Key, Value []byte
}

// Changes are the writes of one transaction, applied in order. They belong to the engine once they were returned.
type Changes []Write

// Engine keeps spaces of keys durably. The suite in kvtest holds every engine to what is said here.
type Engine interface {
	// View gives f one consistent state, in which each Update is either whole or absent. Views and Updates do not
	// wait for each other. It returns what f returns.
	View(ctx context.Context, f func(Reader) error) error

	// Update gives f the state after all Updates before it and applies the changes that f returns, all or none.
	// Updates run one after another. An error of f is returned and nothing is written. The state that f sees may
	// fail to become durable; then Update says so, whatever f answered.
	//
	// f is pure but for assigning results, may run twice, and must call neither View nor Update. ctx counts until f
	// first runs; afterwards Update waits for the outcome and returns the true one.
	Update(ctx context.Context, f func(Reader) (Changes, error)) error

	// Close lets the Updates that wait finish, and waits for the running Views. Later calls answer ErrClosed; a
	// second Close returns nil.
	Close() error
}
