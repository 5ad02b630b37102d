package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// The bounds of telling.
const (
	tellers      = 4                     // surfaces of one kind that are shown at once
	tellPatience = 10 * time.Second      // of one Show
	tellRetry    = time.Second           // after a failure, doubled each time …
	tellRetryMax = time.Minute           // … up to this
	tellLeast    = 50 * time.Millisecond // whatever a Wait says
	tellInVain   = 24 * time.Hour        // after its end, a grant that cannot be shown is given up
)

// attempts is what a teller remembers of rows that could not be shown. A restart forgets
// it and tries at once.
type attempts struct {
	failed int
	next   time.Time
}

// keepTelling makes one kind of surface show what is true. Each kind has a teller of its
// own, so that a channel that answers slowly never delays a verdict.
func (s *Service) keepTelling(ctx context.Context, surface Surface) {
	rows := map[string]attempts{}
	for ctx.Err() == nil {
		todo, next, err := s.untold(ctx, surface, rows)
		if err != nil && ctx.Err() == nil {
			s.fatal(err)
			s.Log.Error("looking for what is to be told", "error", err)
		}
		var g errgroup.Group
		g.SetLimit(tellers)
		results := make([]error, len(todo))
		for i, row := range todo {
			g.Go(func() error { results[i] = s.tell(ctx, row); return nil })
		}
		_ = g.Wait() // results has the errors
		for i, row := range todo {
			next = min(next, s.postpone(rows, row, results[i]))
		}
		if len(todo) == page {
			continue // there may be more
		}
		select {
		case <-ctx.Done():
		case <-s.tellKick[surface]:
		case <-time.After(next):
		}
	}
}

// postpone keeps when a row may be tried again, and says how long that is; one that was shown is
// looked at when it changes.
func (s *Service) postpone(rows map[string]attempts, row outbox, err error) time.Duration {
	if err == nil || errors.Is(err, context.Canceled) {
		delete(rows, row.key())
		return idle
	}
	a := rows[row.key()]
	a.failed++
	pause := min(tellRetry<<min(a.failed-1, 10), tellRetryMax)
	if w, ok := errors.AsType[*Wait](err); ok {
		pause = max(w.For, tellLeast)
	} else {
		s.Log.Warn("showing a grant, trying again", "grant", row.Grant, "person", string(row.Person), "surface", string(row.Surface), "error", err)
	}
	a.next = time.Now().Add(pause)
	rows[row.key()] = a
	return pause
}

// untold lists rows that don't show what is true, oldest first, but for those that wait for
// another attempt, and says how long until the first of these.
func (s *Service) untold(ctx context.Context, surface Surface, waiting map[string]attempts) (rows []outbox, next time.Duration, err error) {
	now := time.Now()
	next = idle
	err = s.Ledger.View(ctx, func(v *ledger.View) error {
		var bad error
		v.ScanIndex(indexUntold+string(surface), "", ledger.End, func(_, key string) bool {
			if left := waiting[key].next.Sub(now); left > 0 {
				next = min(next, left)
				return true
			}
			b, _ := v.Get(docOf(surface), key)
			var row outbox
			if bad = json.Unmarshal(b, &row); bad != nil {
				bad = fmt.Errorf("reading outbox row %s: %w", key, bad)
				return false
			}
			rows = append(rows, row)
			return len(rows) < page
		})
		return bad
	})
	return rows, next, err
}

// tell makes what a row stands for show what is true.
func (s *Service) tell(ctx context.Context, row outbox) error {
	if row.Surface == Home {
		return s.publish(ctx, row)
	}
	return s.show(ctx, row)
}

// show makes one surface show the grant as it is now and records that it does. A crash in between shows
// it again.
func (s *Service) show(ctx context.Context, row outbox) error {
	var n Notice
	err := s.Ledger.View(ctx, func(v *ledger.View) (err error) {
		if b, ok := v.Get(docOutbox, row.key()); ok { // as it is now: what was listed may be old
			if err := json.Unmarshal(b, &row); err != nil {
				return err
			}
		}
		if n, err = s.notice(v, row.Grant); err != nil {
			return err
		}
		if x, ok := n.Grant.Extension(row.Extension); ok {
			n.Because, err = typedAt(v, x.AskedSeq)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("reading grant %s: %w", row.Grant, err)
	}
	g := n.Grant
	n.Surface, n.Ref, n.Unasked = row.Surface, row.Ref, row.Unasked
	if row.Surface == Alert {
		n.Credential, n.Used = row.Credential, row.Since
	}
	if x, ok := g.Extension(row.Extension); ok {
		n.Extension = x
		if x.State == grants.Pending {
			g.Ends = x.Wants(g, s.now()) // what would be given
		}
	}
	if issuer, ok := s.Issuers[g.Role.Issuer]; ok && (g.State == grants.Pending || g.State == grants.Open) {
		n.Plan = s.sentence(ctx, issuer, g)
	}
	showCtx, cancel := context.WithTimeout(ctx, tellPatience)
	defer cancel()
	ref, err := s.Notifier.Show(showCtx, n)
	vain := s.now().Add(-tellInVain)
	if err != nil && g.State == grants.Closed && g.Closed.Before(vain) && row.Since.Before(vain) {
		s.Log.Error("giving up to show a grant that is over", "grant", g.ID, "surface", string(row.Surface), "error", err)
		ref, err = row.Ref, nil
	}
	if err != nil {
		return s.notAsked(ctx, row, g, err)
	}
	return s.commit(ctx, func(v *ledger.View) (ledger.Change, error) {
		change, err := shown(v, row, n, ref)
		if err != nil || row.Ref != "" || g.State == grants.Closed {
			return change, err
		}
		asked, err := unasked(v, row, false)
		change.Docs = append(change.Docs, asked.Docs...)
		return change, err
	})
}

// shown is the change that records that a row's surface shows a notice, and where.
func shown(v *ledger.View, row outbox, n Notice, ref string) (ledger.Change, error) {
	b, ok := v.Get(docOutbox, row.key())
	if !ok {
		return ledger.Change{}, nil
	}
	var cur outbox
	if err := json.Unmarshal(b, &cur); err != nil {
		return ledger.Change{}, fmt.Errorf("reading outbox row %s: %w", row.key(), err)
	}
	if cur.Surface == Alert { // told once
		return ledger.Change{Docs: []ledger.Doc{{Kind: docOutbox, Key: cur.key()}}}, nil
	}
	g := n.Grant
	cur.Ref, cur.Shown, cur.Said = ref, max(cur.Shown, row.Want), row.Unasked
	over := g.State == grants.Closed || n.Extension.State == grants.Closed
	if over && cur.Shown >= cur.Want { // nothing will ever change here again
		change := ledger.Change{Docs: []ledger.Doc{{Kind: docOutbox, Key: cur.key()}}}
		if row.Extension > 0 || g.Outcome != grants.Denied || g.Explained > 0 {
			return change, nil
		}
		told, err := toldDoc(cur, g.Ended.Add(grants.ExplainFor))
		change.Docs = append(change.Docs, told)
		return change, err
	}
	doc, err := rowDoc(cur)
	return ledger.Change{Docs: []ledger.Doc{doc}}, err
}

// typedAt is what a person typed beside an event; empty if it was erased.
func typedAt(v *ledger.View, seq int64) (string, error) {
	b, ok := v.Text(seq)
	if !ok {
		return "", nil
	}
	var typed grants.Typed
	if err := json.Unmarshal(b, &typed); err != nil {
		return "", fmt.Errorf("reading what was typed beside event %d: %w", seq, err)
	}
	return typed.Text, nil
}

// toldDoc keeps where a denied grant was shown for as long as its no may be explained.
func toldDoc(row outbox, until time.Time) (ledger.Doc, error) {
	b, err := grants.Encode(row)
	if err != nil {
		return ledger.Doc{}, fmt.Errorf("encoding where %s was shown: %w", row.key(), err)
	}
	return ledger.Doc{
		Kind: docTold, Key: row.key(), Value: b, Index: []ledger.Key{{Index: indexTold, Key: ledger.TimeKey(until)}},
	}, nil
}

// sentence is what the issuer would make of the grant, in its own words.
func (s *Service) sentence(ctx context.Context, issuer Issuer, g grants.Grant) string {
	person, err := s.identify(g.Person)
	if err != nil {
		person = grants.Person{Key: g.Person}
	}
	now := s.now()
	if g.Ends.IsZero() {
		g.Ends = now.Add(g.Duration)
	}
	plan, err := issuer.Plan(ctx, orderOf(g, person, now))
	if err != nil {
		s.Log.Warn("planning what a grant gives", "grant", g.ID, "issuer", g.Role.Issuer, "error", err)
	}
	return plan.Sentence
}
