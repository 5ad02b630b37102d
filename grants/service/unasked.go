package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// This file tells a person when nobody could be asked: behind a card that its channel does not take
// they would wait for a yes that cannot come.

// ErrChannel says that a channel takes no message until people change that. A Notifier's error is one if it wraps this.
var ErrChannel = errors.New("the channel takes no message")

// askerOf is the row that tells the person whose question a card is; false: the row is no card.
func askerOf(row outbox) (asker outbox, ok bool) {
	asker = outbox{Grant: row.Grant, Extension: row.Extension}
	switch row.Surface {
	case Card:
		asker.Surface = Verdict
	case MoreCard:
		asker.Surface = More
	default:
		return outbox{}, false
	}
	return asker, true
}

// unasked is the change that lets a person be told whether a card asks anybody. It is empty if they were told so,
// or if there is nowhere to tell them.
func unasked(v *ledger.View, card outbox, is bool) (ledger.Change, error) {
	asker, ok := askerOf(card)
	if !ok {
		return ledger.Change{}, nil
	}
	b, ok := v.Get(docOutbox, asker.key())
	if !ok {
		return ledger.Change{}, nil
	}
	if err := json.Unmarshal(b, &asker); err != nil {
		return ledger.Change{}, fmt.Errorf("reading outbox row %s: %w", asker.key(), err)
	}
	if asker.Unasked == is {
		return ledger.Change{}, nil
	}
	asker.Unasked = is
	doc, err := rowDoc(asker)
	return ledger.Change{Docs: []ledger.Doc{doc}}, err
}

// notAsked records that a card could not be shown at all, and returns why.
func (s *Service) notAsked(ctx context.Context, row outbox, g grants.Grant, why error) error {
	asker, ok := askerOf(row)
	if !ok || row.Ref != "" || g.State == grants.Closed || !errors.Is(why, ErrChannel) {
		return why
	}
	err := s.commit(ctx, func(v *ledger.View) (ledger.Change, error) { return unasked(v, row, true) })
	if err != nil {
		return errors.Join(why, err)
	}
	kick(s.tellKick[asker.Surface])
	return why
}
