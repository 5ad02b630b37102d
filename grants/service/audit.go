package service

import (
	"context"
	"fmt"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// auditEvery is how often a running service holds the promises against its own ledger.
const auditEvery = time.Hour

// Audit reads the whole ledger and holds the promises against it.
func (s *Service) Audit(ctx context.Context) ([]grants.Violation, error) {
	var state []grants.Stored
	var events []grants.Event
	// One View, so that documents and events are of one moment.
	err := s.Ledger.View(ctx, func(v *ledger.View) error {
		var bad error
		v.Scan(docGrant, "", func(id string, doc []byte) bool {
			var g grants.Grant
			if g, bad = grants.DecodeGrant(doc); bad != nil {
				bad = fmt.Errorf("reading grant %s: %w", id, bad)
				return false
			}
			state = append(state, grants.Stored{Grant: g, Digest: grants.Digest(doc)})
			return true
		})
		if bad != nil {
			return bad
		}
		v.Events(0, func(seq int64, leaf []byte) bool {
			var e grants.Event
			if e, bad = grants.DecodeEvent(leaf); bad != nil {
				bad = fmt.Errorf("reading event %d: %w", seq, bad)
				return false
			}
			events = append(events, e)
			return true
		})
		return bad
	})
	if err != nil {
		return nil, err
	}
	return grants.Check(state, events, s.now()), nil
}

// keepAuditing says loudly when the ledger does not keep the promises.
func (s *Service) keepAuditing(ctx context.Context) {
	for wait(ctx, auditEvery) == nil {
		found, err := s.Audit(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.Error("auditing the ledger", "error", err)
		}
		for _, v := range found {
			s.Log.Error("the ledger does not keep a promise", "grant", v.Grant, "rule", v.Rule, "event", v.Seq, "detail", v.Detail)
		}
	}
}
