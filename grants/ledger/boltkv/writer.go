package boltkv

import (
	"context"
	"errors"
	"fmt"
	"math"
	"syscall"

	"nightlatch/grants/ledger"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// maxBatch bounds how many Updates share one commit, and so how long the first of them waits for the others.
const maxBatch = 256

var (
	// errNoReturn stands for the answer of a function that panicked or ended its goroutine.
	errNoReturn = errors.New("function did not return")

	// errNothing rolls a transaction back in which nobody wrote: it costs no fdatasync.
	errNothing = errors.New("nothing to write")

	// errGivenUp marks a transaction that was rolled back before its commit was tried.
	errGivenUp = errors.New("giving the transaction up")
)

// request is one Update on its way through the writer. Its function runs in the goroutine of its caller, while the writer
// waits: so a panic, or a test that ends itself, takes down whom it belongs to and never the writer.
type request struct {
	turn    chan *reader  // the writer hands over the transaction; unbuffered, so either the turn is taken or the caller left
	left    chan struct{} // closed by a caller who does not wait any longer
	answer  chan answer   // what the function returned
	outcome chan error    // the end of it, buffered: nobody may be there to take it
}

type answer struct {
	changes ledger.Changes
	err     error
}

// Update queues f for the writer, runs it when its turn comes and returns what became of its changes.
func (e *Engine) Update(ctx context.Context, f func(ledger.Reader) (ledger.Changes, error)) error {
	if err := e.refusal(ctx); err != nil {
		return err
	}
	r := &request{
		turn:    make(chan *reader),
		left:    make(chan struct{}),
		answer:  make(chan answer),
		outcome: make(chan error, 1),
	}
	select {
	case e.queue <- r:
	default:
		select {
		case e.queue <- r:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ledger.ErrBusy, ctx.Err())
		case <-e.closing:
			return ledger.ErrClosed
		}
	}
	select {
	case tx := <-r.turn:
		r.run(f, tx)
		return <-r.outcome
	case err := <-r.outcome:
		return err
	case <-ctx.Done():
		close(r.left)
		return fmt.Errorf("waiting for the ledger's writer: %w", ctx.Err())
	case <-e.stopped:
		// Queued in the moment in which the writer left.
		return ledger.ErrClosed
	}
}

// run lets f answer, and the writer go on even if f does not return.
func (r *request) run(f func(ledger.Reader) (ledger.Changes, error), tx *reader) {
	a := answer{err: errNoReturn}
	defer func() { r.answer <- a }()
	changes, err := f(tx)
	a = answer{changes: changes, err: err}
}

// write is the goroutine that alone writes. When the engine is closing it finishes what is queued.
func (e *Engine) write() {
	defer close(e.stopped)
	for {
		select {
		case r := <-e.queue:
			e.commit(r)
		case <-e.closing:
			for {
				select {
				case r := <-e.queue:
					e.commit(r)
				default:
					return
				}
			}
		}
	}
}

// batch is what shares one transaction.
type batch struct {
	requests []*request
	errs     []error // what each function answered, or why its changes were refused
	wrote    bool
	txid     int
}

// commit makes one transaction of the first request and of all that are queued by the time their turn comes.
func (e *Engine) commit(first *request) {
	if err := e.failed.Load(); err != nil {
		first.outcome <- *err
		return
	}
	b := &batch{}
	err := e.db.Update(func(tx *bolt.Tx) error { return e.fill(b, tx, first) })
	if errors.Is(err, errNothing) {
		err = nil
	} else if err != nil {
		err = e.judge(b, err)
	}
	if len(b.requests) == 0 {
		first.outcome <- err
	}
	for i, r := range b.requests {
		if err != nil {
			// What the functions saw of each other did not become true: their own answers don't count either.
			b.errs[i] = err
		}
		r.outcome <- b.errs[i]
	}
}

// fill runs the functions one after another, each on the state that the ones before it left. A function's error costs only
// its own changes, because they are applied once they were returned and checked.
func (e *Engine) fill(b *batch, tx *bolt.Tx, r *request) error {
	b.txid = tx.ID()
	rd := &reader{engine: e, tx: tx}
	defer func() { rd.tx = nil }()
	for r != nil {
		changes, err := r.serve(rd)
		b.requests, b.errs = append(b.requests, r), append(b.errs, err)
		if err == nil && len(changes) > 0 {
			b.wrote = true
			if err := rd.apply(changes); err != nil {
				return fmt.Errorf("%w: %w", errGivenUp, err)
			}
		}
		r = nil
		if len(b.requests) < maxBatch {
			select {
			case r = <-e.queue:
			default:
			}
		}
	}
	if !b.wrote {
		return errNothing
	}
	return nil
}

// serve gives the caller its turn, unless the caller has left, and checks what comes back.
func (r *request) serve(rd *reader) (ledger.Changes, error) {
	select {
	case r.turn <- rd:
	case <-r.left:
		return nil, nil
	}
	a := <-r.answer
	if a.err != nil {
		return nil, a.err
	}
	return a.changes, rd.check(a.changes)
}

// judge says what an error of the transaction means, and remembers it if nobody can know. A commit whose last step failed
// may be found done after a restart. It surely did not happen if the space ran out and the file's head, as
// this process sees it through the map, is still the one before: what is not in the page cache cannot reach the disk.
func (e *Engine) judge(b *batch, err error) error {
	if errors.Is(err, errGivenUp) || b.txid == 0 {
		return err // rolled back before the commit, or never begun
	}
	full := errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, berrors.ErrMaxSizeReached)
	if full && e.head() < b.txid {
		return fmt.Errorf("%w: %w", ledger.ErrFull, err)
	}
	err = fmt.Errorf("%w: %w", ledger.ErrUnknownOutcome, err)
	e.failed.Store(&err)
	return err
}

// head returns the number of the last transaction that the file shows, or the greatest number if it shows none.
func (e *Engine) head() int {
	id := math.MaxInt
	_ = e.db.View(func(tx *bolt.Tx) error {
		id = tx.ID()
		return nil
	})
	return id
}
