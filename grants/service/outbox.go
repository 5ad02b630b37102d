package service

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// This file is the outbox: which surfaces should show what. tell.go makes them show it.

// outbox says which version of a grant a surface should show and which it shows; of a home, as
// of which event.
type outbox struct {
	Grant      string           `json:"grant,omitempty"`
	Person     grants.PersonKey `json:"person,omitempty"` // of a home
	Surface    Surface          `json:"surface"`
	Credential int              `json:"credential,omitempty"` // of an alert
	Extension  int              `json:"extension,omitempty"`  // of More and MoreCard
	Want       int64            `json:"want"`
	Shown      int64            `json:"shown"`
	Ref        string           `json:"ref,omitempty"`
	Unasked    bool             `json:"unasked,omitempty"` // of Verdict and More: the card could not be posted …
	Said       bool             `json:"said,omitempty"`    // … and what is shown says so
	Since      time.Time        `json:"since"`
}

// kind and key name the document of the row.
func (o outbox) kind() string { return docOf(o.Surface) }

func (o outbox) key() string {
	if o.Surface == Home {
		return string(o.Person)
	}
	key := o.Grant + "/" + string(o.Surface)
	switch o.Surface {
	case Alert:
		key += "/" + strconv.Itoa(o.Credential)
	case More, MoreCard:
		key += "/" + strconv.Itoa(o.Extension)
	}
	return key
}

// docOf is the kind of the rows of a surface.
func docOf(s Surface) string {
	if s == Home {
		return docHome
	}
	return docOutbox
}

// news is the last event of a step that people should see.
func news(st step) (last grants.Event, ok bool) {
	for _, m := range st.moves {
		if k := m.event.Kind; k != grants.KindAsked && k != grants.KindExtensionAsked && k != grants.KindIssuing && k != grants.KindRetiring {
			last, ok = m.event, true
		}
	}
	for _, e := range st.events {
		if e.Kind == grants.KindFailing || e.Kind == grants.KindRecovered {
			last, ok = e, true
		}
	}
	return last, ok
}

// tell makes the outbox rows that a change wants shown, as of an event. A card exists from
// the moment that others may have a say in the grant.
func tell(v *ledger.View, was, g grants.Grant, seq int64, at time.Time) ([]ledger.Doc, error) {
	surfaces := []outbox{{Grant: g.ID, Surface: Verdict}}
	if g.Role.Channel != "" {
		surfaces = append(surfaces, outbox{Grant: g.ID, Surface: Card})
	}
	var rows []ledger.Doc
	for _, row := range append(surfaces, moreRows(was, g)...) {
		b, exists := v.Get(docOutbox, row.key())
		if !exists {
			if b, exists = v.Get(docTold, row.key()); exists {
				rows = append(rows, ledger.Doc{Kind: docTold, Key: row.key()})
			}
		}
		if exists {
			if err := json.Unmarshal(b, &row); err != nil {
				return nil, fmt.Errorf("reading outbox row %s: %w", row.key(), err)
			}
		}
		if !exists && !begins(row, was, g) {
			continue
		}
		row.wanted(seq, at)
		doc, err := rowDoc(row)
		if err != nil {
			return nil, err
		}
		rows = append(rows, doc)
	}
	return tellHome(v, rows, g.Person, seq, at)
}

// begins reports whether a change is the first that a surface shows.
func begins(row outbox, was, g grants.Grant) bool {
	switch row.Surface {
	case Card:
		return g.State == grants.Pending || g.State == grants.Open
	case More, MoreCard:
		return moreBegins(row, was, g)
	}
	return true
}

func rowDoc(row outbox) (ledger.Doc, error) {
	b, err := grants.Encode(row)
	if err != nil {
		return ledger.Doc{}, fmt.Errorf("encoding outbox row %s: %w", row.key(), err)
	}
	doc := ledger.Doc{Kind: row.kind(), Key: row.key(), Value: b}
	if row.Shown < row.Want || row.Said != row.Unasked {
		doc.Index = []ledger.Key{{Index: indexUntold + string(row.Surface), Key: ledger.TimeKey(row.Since)}}
	}
	return doc, nil
}
