// Package boltkv keeps a ledger on one machine, in one bbolt file.
//
// # Life cycle
//
// [Open] takes the file for this process alone, makes it if it is not there, and starts the one goroutine that writes.
// [Engine.Update] queues for that goroutine, which drains its queue into one transaction: with one caller a commit costs one
// fdatasync, with many they share it. [Engine.Close] finishes what is queued and gives the file back.
//
// # Caveats
//
//   - A commit that returns an error may have happened. The engine then answers everything with
//     [ledger.ErrUnknownOutcome], but for one case: no space left, and the file shows that the commit was never begun.
//   - A View left open while the file outgrows its memory map holds up every writer. The map is made large at once, so
//     that this is rare; it reserves addresses, not memory.
//   - The file never shrinks, and deleted bytes stay in it until their page is used again.
//   - Truncating the file under a running process kills that process.
package boltkv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"nightlatch/grants/ledger"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// initialMap is the size of the memory map at opening: 16 GiB of addresses where there are plenty, 256 KiB otherwise.
const initialMap = 1 << (strconv.IntSize/2 + 2)

// Config says where the file lies and what it holds.
type Config struct {
	// Path of the file. Its directory must exist; the file is made with mode 0600.
	Path string

	// Spaces that the file holds. A space may be added at a later opening.
	Spaces []ledger.Space

	// LockTimeout is how long to wait for another process to let go of the file. Zero means one second.
	LockTimeout time.Duration

	// Queue is how many Updates may wait for the writer. Zero means 1024.
	Queue int

	// MaxSize bounds the file in bytes, so that a ledger never takes a whole disk. An Update that needs more answers
	// [ledger.ErrFull]. Zero means no bound; the file grows in steps of 16 MiB.
	MaxSize int
}

// Engine is a [ledger.Engine] on one bbolt file.
type Engine struct {
	db     *bolt.DB
	spaces map[string]ledger.Space
	queue  chan *request

	closing   chan struct{} // closed by the first Close: nothing more is queued
	stopped   chan struct{} // closed by the writer when it has left
	closeOnce sync.Once
	closeErr  error
	failed    atomic.Pointer[error] // the sticky ErrUnknownOutcome
}

var _ ledger.Engine = (*Engine)(nil)

// Open takes the file and starts the writer. It answers [ledger.ErrInUse] if another process holds the file.
func Open(c Config) (*Engine, error) {
	spaces := make(map[string]ledger.Space, len(c.Spaces))
	for _, s := range c.Spaces {
		if _, twice := spaces[s.Name]; twice || s.Name == "" {
			return nil, fmt.Errorf("opening ledger file: space %q is declared twice or has no name", s.Name)
		}
		spaces[s.Name] = s
	}
	dir := filepath.Dir(c.Path)
	if info, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("looking for the ledger's directory: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("looking for the ledger's directory: %q: %w", dir, fs.ErrInvalid)
	}

	db, err := bolt.Open(c.Path, 0o600, &bolt.Options{
		Timeout:         cmp.Or(c.LockTimeout, time.Second),
		PreLoadFreelist: true,
		FreelistType:    bolt.FreelistMapType,
		InitialMmapSize: initialMap,
		MaxSize:         c.MaxSize,
		NoStatistics:    true,
	})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("opening ledger file %q: %w", c.Path, ledger.ErrInUse)
	} else if err != nil {
		return nil, fmt.Errorf("opening ledger file %q: %w", c.Path, err)
	}
	err = makeBuckets(db, c.Spaces)
	if err == nil {
		err = syncDir(dir) // the file's name must last as long as what is in it
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("preparing ledger file %q: %w", c.Path, err), db.Close())
	}

	e := &Engine{
		db:      db,
		spaces:  spaces,
		queue:   make(chan *request, cmp.Or(c.Queue, 1024)),
		closing: make(chan struct{}),
		stopped: make(chan struct{}),
	}
	go e.write()
	return e, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// makeBuckets writes only when a space is missing, so that an ordinary opening commits nothing.
func makeBuckets(db *bolt.DB, spaces []ledger.Space) error {
	var missing []string
	err := db.View(func(tx *bolt.Tx) error {
		for _, s := range spaces {
			if tx.Bucket([]byte(s.Name)) == nil {
				missing = append(missing, s.Name)
			}
		}
		return nil
	})
	if err != nil || len(missing) == 0 {
		return err
	}
	return db.Update(func(tx *bolt.Tx) error {
		for _, name := range missing {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return fmt.Errorf("making space %q: %w", name, err)
			}
		}
		return nil
	})
}

// View gives f one consistent state. ctx counts until f runs.
func (e *Engine) View(ctx context.Context, f func(ledger.Reader) error) error {
	if err := e.refusal(ctx); err != nil {
		return err
	}
	tx, err := e.db.Begin(false)
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ledger.ErrClosed
	} else if err != nil {
		return fmt.Errorf("beginning a view: %w", err)
	}
	r := &reader{engine: e, tx: tx}
	defer func() {
		r.tx = nil
		_ = tx.Rollback() // the only error is that it is over already
	}()
	return f(r)
}

// Close finishes what is queued, waits for running Views and gives the file back.
func (e *Engine) Close() error {
	e.closeOnce.Do(func() {
		close(e.closing)
		<-e.stopped
		if err := e.db.Close(); err != nil {
			e.closeErr = fmt.Errorf("closing ledger file: %w", err)
		}
	})
	return e.closeErr
}

// refusal says why nothing can be begun, if so.
func (e *Engine) refusal(ctx context.Context) error {
	if err := e.failed.Load(); err != nil {
		return *err
	}
	select {
	case <-e.closing:
		return ledger.ErrClosed
	default:
		return ctx.Err()
	}
}
