package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// The kinds of documents. What changes without events (due, outbox) lies apart from the grant.
const (
	docGrant    = "grant"
	docDue      = "due"
	docOutbox   = "outbox"
	docHome     = "home" // the outbox of those who ever opened their home
	docEnvelope = "envelope"
	docPerson   = "person"
	docSnapshot = "snapshot"
	docGroups   = "groups"
	docSeen     = "seen"
	docDeadUse  = "dead_use"
	docNotice   = "notice" // news that the security channel was not told yet
	docAlarm    = "alarm"  // what a human is paged about, by its cause
	docTold     = "told"   // where a denied grant was shown, while its no may still be explained
)

// The indexes.
const (
	indexActive   = "active"   // person → their grants that are not closed
	indexHeld     = "held"     // person → their requests and open grants, which are capped
	indexOpen     = "open"     // end → open grants
	indexDecide   = "decide"   // when → requests that wait for a decision; PagerDuty is asked
	indexDeadline = "deadline" // when → grants to which time alone brings something; nobody is asked
	indexCall     = "call/"    // + issuer: when → grants with a credential to revoke
	indexUntold   = "untold/"  // + surface: since → surfaces that don't show what is true
	indexEnvelope = "envelope" // when → envelope
	indexTold     = "told"     // when it may be forgotten → where a denied grant was shown
)

// due is what is known of attempts on a grant; it lies beside it, because it changes
// without events.
type due struct {
	Decide grants.Retry `json:"decide,omitzero"`
	Call   grants.Retry `json:"call,omitzero"`
}

// move is one event and the grant that it leaves.
type move struct {
	grant grants.Grant
	event grants.Event
}

// step is what one transaction does to a grant.
type step struct {
	moves  []move
	due    *due           // nil: as it was
	typed  *grants.Typed  // beside the first event
	docs   []ledger.Doc   // further documents
	events []grants.Event // events that leave every grant as it is
}

// errNothing makes a transaction write nothing without being a failure.
var errNothing = errors.New("nothing to do")

// update runs a pure function as one transaction and stores its step. The function sees
// the grant as it is; a grant that does not exist has an empty ID.
func (s *Service) update(ctx context.Context, id string, f func(v *ledger.View, g grants.Grant, d due) (step, error)) (grants.Grant, error) {
	var after grants.Grant
	var told bool
	var events []ledger.Event
	err := s.commit(ctx, func(v *ledger.View) (ledger.Change, error) {
		after, told, events = grants.Grant{}, false, nil
		g, d, err := load(v, id)
		if err != nil {
			return ledger.Change{}, err
		}
		st, err := f(v, g, d)
		if err != nil {
			after = g // as it is, for whoever found nothing to do
			return ledger.Change{}, err
		}
		change, now, err := s.write(v, g, d, st)
		after, told, events = now, len(st.moves) > 0, change.Events
		return change, err
	})
	switch {
	case errors.Is(err, errNothing):
		return after, nil
	case err != nil:
		s.fatal(err)
		return grants.Grant{}, err
	}
	s.recorded(ctx, events)
	if told {
		s.wake()
	}
	return after, nil
}

// recorded counts what was committed and says it in the log: one line for each event, without what it holds.
func (s *Service) recorded(ctx context.Context, events []ledger.Event) {
	logged := s.Log.Enabled(ctx, slog.LevelInfo)
	for _, stored := range events {
		e, err := grants.DecodeEvent(stored.Leaf)
		if err != nil {
			continue // it was encoded a moment ago
		}
		s.counts.event(e)
		if !logged {
			continue
		}
		role := ""
		if e.Input != nil { // a decision's
			role = e.Input.Role.Name
		}
		attrs := []slog.Attr{slog.Int64("seq", e.Seq), slog.String("kind", string(e.Kind))}
		for _, a := range []struct{ key, value string }{
			{"grant", e.Grant}, {"role", role}, {"person", string(e.Actor.Person)}, {"part", e.Actor.System}, {"outcome", string(e.Outcome)}, {"evidence", string(e.Evidence)},
		} {
			if a.value != "" {
				attrs = append(attrs, slog.String(a.key, a.value))
			}
		}
		s.Log.LogAttrs(ctx, slog.LevelInfo, "recorded", attrs...)
	}
}

// load reads a grant and what is known of attempts on it.
func load(v *ledger.View, id string) (g grants.Grant, d due, err error) {
	b, ok := v.Get(docGrant, id)
	if !ok {
		return g, d, nil
	}
	if g, err = grants.DecodeGrant(b); err != nil {
		return g, d, fmt.Errorf("reading grant %s: %w", id, err)
	}
	if b, ok := v.Get(docDue, id); ok {
		if err := json.Unmarshal(b, &d); err != nil {
			return g, d, fmt.Errorf("reading what is due for grant %s: %w", id, err)
		}
	}
	return g, d, nil
}

// write turns a step into the documents and events of one transaction. Each event takes
// the next sequence number and the hash of the document that it leaves.
func (s *Service) write(v *ledger.View, g grants.Grant, d due, st step) (ledger.Change, grants.Grant, error) {
	return s.writeAt(v, g, d, st, v.Size())
}

// writeAt is write for a step that begins at a sequence number, behind other steps of the same transaction.
func (s *Service) writeAt(v *ledger.View, g grants.Grant, d due, st step, seq int64) (ledger.Change, grants.Grant, error) {
	was := g
	change := ledger.Change{Docs: st.docs}
	for i, m := range st.moves {
		g = m.grant
		g.V, g.Seq = grants.Version, seq
		if m.event.Kind == grants.KindAsked {
			g.AskedSeq = seq
		}
		if m.event.Kind == grants.KindExplained {
			g.Explained = seq
		}
		if m.event.Kind == grants.KindExtensionAsked {
			g, m.event.Extension = askedAt(g, seq)
		}
		if i+1 < len(st.moves) {
			st.moves[i+1].grant.AskedSeq = g.AskedSeq
		}
		doc, err := grants.Encode(g)
		if err != nil {
			return change, g, fmt.Errorf("encoding grant %s: %w", g.ID, err)
		}
		m.event.Grant, m.event.Doc = g.ID, grants.Digest(doc)
		var typed *grants.Typed
		if i == 0 {
			typed = st.typed
		}
		if err := appendEvent(&change, m.event, seq, typed); err != nil {
			return change, g, err
		}
		seq++
		if i == len(st.moves)-1 {
			change.Docs = append(change.Docs, ledger.Doc{Kind: docGrant, Key: g.ID, Value: doc, Index: grantIndex(g)})
		}
	}
	for i, e := range st.events {
		var typed *grants.Typed
		if i == 0 && len(st.moves) == 0 {
			typed = st.typed
		}
		if err := appendEvent(&change, e, seq, typed); err != nil {
			return change, g, err
		}
		seq++
	}
	if len(st.moves) == 0 && st.due == nil {
		return change, g, nil
	}
	if st.due != nil {
		d = *st.due
	} else if slices.ContainsFunc(st.moves, retires) {
		d.Call.NotBefore = time.Time{} // what is to be revoked now does not wait for what would not die
	} else if slices.ContainsFunc(st.moves, func(m move) bool { return m.event.Kind == grants.KindExtensionAsked }) {
		d.Decide = grants.Retry{} // it does not wait for what PagerDuty did not answer about an earlier one
	}
	dueDoc, err := dueOf(g, d)
	if err != nil {
		return change, g, err
	}
	change.Docs = append(change.Docs, dueDoc)
	if last, ok := news(st); ok {
		rows, err := tell(v, was, g, seq-1, last.At)
		if err != nil {
			return change, g, err
		}
		change.Docs = append(change.Docs, rows...)
	}
	return change, g, nil
}

// retires reports whether a move intends to revoke something.
func retires(m move) bool {
	k := m.event.Kind
	return k == grants.KindClosing || k == grants.KindRetiring || k == grants.KindUndelivered
}

func appendEvent(change *ledger.Change, e grants.Event, seq int64, typed *grants.Typed) error {
	e.V, e.Seq = grants.Version, seq
	var text []byte
	if typed != nil {
		e.Text = typed.Hash()
		b, err := grants.Encode(typed)
		if err != nil {
			return fmt.Errorf("encoding what was typed: %w", err)
		}
		text = b
	}
	leaf, err := grants.Encode(e)
	if err != nil {
		return fmt.Errorf("encoding event %d: %w", seq, err)
	}
	change.Events = append(change.Events, ledger.Event{Leaf: leaf, Text: text})
	return nil
}

func grantIndex(g grants.Grant) []ledger.Key {
	var keys []ledger.Key
	if g.Active() {
		keys = append(keys, ledger.Key{Index: indexActive, Key: string(g.Person)})
	}
	if g.Active() && g.State != grants.Closing { // a target that will not let go locks nobody out
		keys = append(keys, ledger.Key{Index: indexHeld, Key: string(g.Person)})
	}
	if g.State == grants.Open {
		keys = append(keys, ledger.Key{Index: indexOpen, Key: ledger.TimeKey(g.Ends)})
	}
	return keys
}

// dueOf is the document that says when a grant is due next; it is gone when it never is.
func dueOf(g grants.Grant, d due) (ledger.Doc, error) {
	doc := ledger.Doc{Kind: docDue, Key: g.ID}
	next := g.NextAt(d.Decide, d.Call)
	for _, at := range []struct {
		index string
		due   time.Time
	}{{indexDecide, next.Decide}, {indexDeadline, next.Deadline}, {indexCall + g.Role.Issuer, next.Call}} {
		if !at.due.IsZero() {
			doc.Index = append(doc.Index, ledger.Key{Index: at.index, Key: ledger.TimeKey(at.due)})
		}
	}
	if doc.Index == nil {
		return doc, nil
	}
	b, err := grants.Encode(d)
	if err != nil {
		return doc, fmt.Errorf("encoding what is due for grant %s: %w", g.ID, err)
	}
	doc.Value = b
	return doc, nil
}

// get reads one grant.
func (s *Service) get(ctx context.Context, id string) (g grants.Grant, d due, err error) {
	err = s.Ledger.View(ctx, func(v *ledger.View) error {
		g, d, err = load(v, id)
		return err
	})
	if err == nil && g.ID == "" {
		err = ErrNoSuchGrant
	}
	return g, d, err
}
