package service

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// This file is what operators on the machine may see, and the record of those who may do no more.

// Everybody lists the whole directory, in the order of keys.
func (s *Service) Everybody() ([]grants.Person, error) {
	people := s.known.all()
	if len(people) == 0 {
		return nil, ErrDirectory
	}
	slices.SortFunc(people, func(a, b grants.Person) int { return cmp.Compare(a.Key, b.Key) })
	return people, nil
}

// Underway lists the requests and grants of everybody that are not over, oldest first. It touches
// no wire, so the notices have no plan.
func (s *Service) Underway(ctx context.Context) ([]Notice, error) {
	var all []Notice
	err := s.Ledger.View(ctx, func(v *ledger.View) (err error) {
		all = nil
		v.ScanIndex(indexActive, "", ledger.End, func(_, id string) bool {
			var n Notice
			if n, err = s.notice(v, id); err == nil {
				all = append(all, n)
			}
			return err == nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing what is not over: %w", err)
	}
	slices.SortFunc(all, func(a, b Notice) int { return cmp.Compare(a.Grant.ID, b.Grant.ID) })
	return all, nil
}

// Look shows one request or grant, over or not.
func (s *Service) Look(ctx context.Context, id string) (n Notice, err error) {
	err = s.Ledger.View(ctx, func(v *ledger.View) (err error) {
		if _, ok := v.Get(docGrant, id); !ok {
			return ErrNoSuchGrant
		}
		n, err = s.notice(v, id)
		return err
	})
	return n, err
}

// TurnAway records that something was refused before any verb could be asked, within the quota of
// whoever wanted it; those who are nobody of the directory share one.
func (s *Service) TurnAway(ctx context.Context, o Origin, detail string) error {
	now := s.now()
	missed, kept := s.refused.check(o.Person, now)
	_, err := s.take(ctx, o, "", now, func(*ledger.View, grants.Grant) (step, error) {
		st := rejected(o, "", nil, now)
		st.events[0].Detail = detail
		return st.within(missed, kept), nil
	})
	if err != nil {
		return err
	}
	s.refused.count(o.Person, kept, now)
	return nil
}
