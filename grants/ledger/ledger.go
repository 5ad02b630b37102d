package ledger

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
)

// schema is the version of everything that this package stores. A newer file is refused, never guessed at.
const schema = 1

// The spaces of the ledger. Sequence numbers and hash indexes are keys of 8 bytes, big-endian.
const (
	spaceHead   = "head"   // "birth": JSON of birth; "size": the number of events, 8 bytes
	spaceDocs   = "docs"   // kind NUL key → stored
	spaceIndex  = "index"  // index NUL index key NUL kind NUL key → nothing
	spaceLeaves = "leaves" // sequence number → leaf
	spaceHashes = "hashes" // index of tlog.StoredHashIndex → hash
	spaceTexts  = "texts"  // sequence number → text
)

// Spaces returns the spaces that an engine must have to carry a ledger.
func Spaces() []Space {
	return []Space{
		{Name: spaceHead},
		{Name: spaceDocs},
		{Name: spaceIndex},
		{Name: spaceLeaves, AppendOnly: true},
		{Name: spaceHashes, AppendOnly: true},
		{Name: spaceTexts},
	}
}

// birth is the first record of a ledger, written once.
type birth struct {
	Version     int    `json:"v"`
	Instance    string `json:"instance"`
	Environment string `json:"environment"`
}

// NewerError refuses a ledger that a later version of this program has written.
type NewerError struct {
	Found, Known int // schema versions
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("ledger has schema version %d, this program knows up to %d", e.Found, e.Known)
}

// MismatchError refuses a ledger that was born as something else than what the configuration asks for.
type MismatchError struct {
	Field         string // "environment" or "instance"
	Found, Wanted string
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("ledger was made for %s %q, not %q", e.Field, e.Found, e.Wanted)
}

// Config says which ledger is wanted.
type Config struct {
	// Engine that was opened with Spaces. The ledger does not close it.
	Engine Engine

	// Environment is written at birth and compared afterwards. Empty means the real one.
	Environment string

	// Instance is the ID that names at targets begin with: 8 characters of a-z and 2-7. It is written at birth and
	// compared afterwards; empty makes one at birth and accepts any later.
	Instance string
}

// Ledger is the durable record on one engine. Its methods may be called at the same time.
type Ledger struct {
	engine  Engine
	birth   birth
	commits atomic.Uint64
}

// Open makes a ledger of an engine: of an empty one by writing its birth, of any other by reading it. It answers
// [*NewerError], [*MismatchError], or [*CorruptError] if the end of the log does not fit together; [Ledger.Verify] looks at
// all of it.
func Open(ctx context.Context, c Config) (*Ledger, error) {
	born := birth{Version: schema, Instance: c.Instance, Environment: c.Environment}
	if born.Instance == "" {
		born.Instance = strings.ToLower(rand.Text()[:8])
	}
	if !validInstance(born.Instance) {
		return nil, fmt.Errorf("opening ledger: instance %q is not 8 characters of a-z and 2-7", born.Instance)
	}
	l := &Ledger{engine: c.Engine}
	err := c.Engine.Update(ctx, func(r Reader) (Changes, error) {
		l.birth = birth{}
		record := r.Get(spaceHead, []byte("birth"))
		if record == nil {
			l.birth = born
			return bear(r, born)
		}
		var err error
		l.birth, err = readBirth(record)
		if err != nil {
			return nil, fmt.Errorf("reading the record of birth: %w", err)
		}
		return nil, l.birth.accept(c)
	})
	if err != nil {
		return nil, fmt.Errorf("opening ledger: %w", err)
	}
	if err := l.View(ctx, (*View).checkTail); err != nil {
		return nil, fmt.Errorf("checking the end of the log: %w", err)
	}
	return l, nil
}

// Instance returns the ID of this installation, made at birth.
func (l *Ledger) Instance() string { return l.birth.Instance }

// Environment returns the environment for which the ledger was made; empty is the real one.
func (l *Ledger) Environment() string { return l.birth.Environment }

// View gives f one consistent state and returns what f returns. The view ends with f; what it handed out stays valid.
func (l *Ledger) View(ctx context.Context, f func(*View) error) error {
	return l.engine.View(ctx, func(r Reader) error {
		v := &View{r: r}
		err := f(v)
		return cmp.Or(v.damage, err)
	})
}

// Update gives f the state after all changes before and writes the change that f returns, or nothing if f returns an
// error. f is pure but for assigning results, and may run twice. ctx counts until f first runs; afterwards the true
// outcome is returned.
func (l *Ledger) Update(ctx context.Context, f func(*View) (Change, error)) error {
	err := l.engine.Update(ctx, func(r Reader) (Changes, error) {
		v := &View{r: r}
		change, err := f(v)
		if err != nil || v.damage != nil {
			return nil, cmp.Or(v.damage, err)
		}
		return change.writes(v)
	})
	if err == nil {
		l.commits.Add(1)
	}
	return err
}

// Commits is how many updates were written since the ledger was opened.
func (l *Ledger) Commits() uint64 { return l.commits.Load() }

// bear refuses an engine that has no birth and yet is not empty: its record was lost.
func bear(r Reader, born birth) (Changes, error) {
	for _, s := range Spaces() {
		if key, _ := r.Last(s.Name); key != nil {
			return nil, &CorruptError{Reason: "record of birth is missing"}
		}
	}
	record, err := json.Marshal(born)
	if err != nil {
		return nil, fmt.Errorf("encoding the record of birth: %w", err)
	}
	return Changes{
		{Space: spaceHead, Key: []byte("birth"), Value: record},
		{Space: spaceHead, Key: []byte("size"), Value: number(0)},
	}, nil
}

// readBirth looks at the version alone before it looks at anything that a newer one may mean otherwise.
func readBirth(record []byte) (birth, error) {
	var version struct {
		Version int `json:"v"`
	}
	if err := json.Unmarshal(record, &version); err != nil {
		return birth{}, err
	}
	if version.Version > schema {
		return birth{}, &NewerError{Found: version.Version, Known: schema}
	}
	var b birth
	if err := json.Unmarshal(record, &b); err != nil {
		return birth{}, err
	}
	if b.Version < 1 || !validInstance(b.Instance) {
		return birth{}, &CorruptError{Reason: "record of birth is not one of ours"}
	}
	return b, nil
}

// accept refuses a ledger that is not the one that the configuration means.
func (b birth) accept(c Config) error {
	if b.Environment != c.Environment {
		return &MismatchError{Field: "environment", Found: b.Environment, Wanted: c.Environment}
	}
	if c.Instance != "" && b.Instance != c.Instance {
		return &MismatchError{Field: "instance", Found: b.Instance, Wanted: c.Instance}
	}
	return nil
}

func validInstance(s string) bool {
	return len(s) == 8 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}
