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

// auditPage is how many events one View reads: a longer one would hold up the writer.
const auditPage = 2000

// Audit reads the whole ledger and holds the promises against it.
func (s *Service) Audit(ctx context.Context) ([]grants.Violation, error) {
	var state []grants.Stored
	var size int64
	err := s.Ledger.View(ctx, func(v *ledger.View) (err error) {
		size = v.Size() // the documents are those that these events lead to
		state, err = storedGrants(v)
		return err
	})
	if err != nil {
		return nil, err
	}
	events := make([]grants.Event, 0, size)
	for int64(len(events)) < size {
		had := len(events)
		err := s.Ledger.View(ctx, func(v *ledger.View) (bad error) {
			v.Events(int64(len(events)), func(seq int64, leaf []byte) bool {
				var e grants.Event
				if e, bad = grants.DecodeEvent(leaf); bad != nil {
					bad = fmt.Errorf("reading event %d: %w", seq, bad)
					return false
				}
				events = append(events, e)
				return len(events)%auditPage != 0 && int64(len(events)) < size
			})
			return bad
		})
		if err != nil {
			return nil, err
		}
		if len(events) == had {
			return nil, fmt.Errorf("reading event %d of %d: it is not there", had, size)
		}
	}
	return grants.Check(state, events, s.now()), nil
}

func storedGrants(v *ledger.View) (state []grants.Stored, err error) {
	v.Scan(docGrant, "", func(id string, doc []byte) bool {
		var g grants.Grant
		if g, err = grants.DecodeGrant(doc); err != nil {
			err = fmt.Errorf("reading grant %s: %w", id, err)
			return false
		}
		state = append(state, grants.Stored{Grant: g, Digest: grants.Digest(doc)})
		return true
	})
	return state, err
}

// keepAuditing pages when the ledger does not keep the promises.
func (s *Service) keepAuditing(ctx context.Context) {
	for wait(ctx, auditEvery) == nil {
		s.audit(ctx)
	}
}

func (s *Service) audit(ctx context.Context) {
	err := s.Ledger.Verify(ctx)
	if err != nil && ctx.Err() == nil {
		s.Log.Error("the ledger does not prove itself", "error", err)
	}
	found, auditErr := s.Audit(ctx)
	if auditErr != nil && ctx.Err() == nil {
		s.Log.Error("auditing the ledger", "error", auditErr)
	}
	for _, v := range found {
		s.Log.Error("the ledger does not keep a promise", "grant", v.Grant, "rule", v.Rule, "event", v.Seq, "detail", v.Detail)
	}
	switch {
	case ctx.Err() != nil:
	case auditErr != nil && err == nil: // it could not be read, which says nothing of what is in it
		s.raise(ctx, alarm{Cause: causeLedger, Since: s.now(), Summary: "The ledger could not be read through to hold it against its promises. Look at the disk, and at the log of the last minutes."})
	case err == nil && len(found) == 0:
		s.calm(ctx, causeLedger)
	default:
		s.raise(ctx, alarm{Cause: causeLedger, Since: s.now(), Summary: fmt.Sprintf(
			"The ledger does not prove itself, or does not keep %d of its promises. Somebody changed it, the disk lies, or this is a bug: keep the file, and read the log of the last minutes.", len(found))})
	}
}
