package service

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// This file keeps homes. Only who opened theirs once has a row, so that nothing is published to
// people who never look. Whatever happens to their grants until it is shown is one publication.

// OpenHome has a person's home shown as it is now, and from now on whenever something of theirs
// changes. It is no event: nothing changed.
func (s *Service) OpenHome(ctx context.Context, p grants.PersonKey) error {
	person, err := s.identify(p)
	if err != nil {
		return err
	}
	if person.Standing != grants.Member {
		return nil
	}
	now := s.now()
	err = s.commit(ctx, func(v *ledger.View) (ledger.Change, error) {
		row, _, err := homeOf(v, p)
		if err != nil {
			return ledger.Change{}, err
		}
		row.wanted(v.Size(), now)
		row.Shown = min(row.Shown, row.Want-1) // again, though nothing changed: they see it empty
		doc, err := rowDoc(row)
		return ledger.Change{Docs: []ledger.Doc{doc}}, err
	})
	if err != nil {
		s.fatal(err)
		return fmt.Errorf("keeping that %s opened their home: %w", p, err)
	}
	kick(s.tellKick[Home])
	return nil
}

// homeOf reads the row of a person's home.
func homeOf(v *ledger.View, p grants.PersonKey) (row outbox, exists bool, err error) {
	row = outbox{Person: p, Surface: Home}
	b, exists := v.Get(docHome, row.key())
	if exists {
		if err = json.Unmarshal(b, &row); err != nil {
			err = fmt.Errorf("reading the home of %s: %w", p, err)
		}
	}
	return row, exists, err
}

// wanted makes a row want what an event left.
func (o *outbox) wanted(seq int64, at time.Time) {
	if o.Shown >= o.Want {
		o.Since = at
	}
	o.Want = seq
}

// tellHome adds the row of a person's home, if they ever opened it.
func tellHome(v *ledger.View, rows []ledger.Doc, p grants.PersonKey, seq int64, at time.Time) ([]ledger.Doc, error) {
	row, exists, err := homeOf(v, p)
	if err != nil || !exists {
		return rows, err
	}
	row.wanted(seq, at)
	doc, err := rowDoc(row)
	return append(rows, doc), err
}

// publish makes a home show what is true now and records that it does. The home of somebody who
// is gone, or that Slack does not take for a day, is forgotten.
func (s *Service) publish(ctx context.Context, row outbox) error {
	tab := Tab{Person: row.Person, Who: s.Who}
	err := s.Ledger.View(ctx, func(v *ledger.View) (err error) {
		if row, _, err = homeOf(v, row.Person); err == nil {
			tab.Mine, err = s.mine(v, row.Person)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("reading what the home of %s shows: %w", row.Person, err)
	}
	person, err := s.identify(row.Person)
	if err != nil {
		return err
	}
	forget := person.Standing != grants.Member
	if !forget {
		tab.Roles = s.RolesFor(row.Person)
		showCtx, cancel := context.WithTimeout(ctx, tellPatience)
		defer cancel()
		if err := s.Notifier.Publish(showCtx, tab); err != nil {
			if forget = s.now().Sub(row.Since) > tellInVain; !forget {
				return err
			}
			s.Log.Error("giving up to publish a home", "person", string(row.Person), "error", err)
		}
	}
	return s.commit(ctx, func(v *ledger.View) (ledger.Change, error) {
		cur, exists, err := homeOf(v, row.Person)
		if err != nil || !exists {
			return ledger.Change{}, err
		}
		if forget {
			return ledger.Change{Docs: []ledger.Doc{{Kind: docHome, Key: cur.key()}}}, nil
		}
		cur.Shown = max(cur.Shown, row.Want)
		doc, err := rowDoc(cur)
		return ledger.Change{Docs: []ledger.Doc{doc}}, err
	})
}
