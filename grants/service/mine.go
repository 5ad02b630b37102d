package service

import (
	"context"
	"fmt"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// Mine lists a person's requests and grants that are not over, oldest first. It touches no
// wire, so the notices have no plan.
func (s *Service) Mine(ctx context.Context, p grants.PersonKey) ([]Notice, error) {
	person, err := s.identify(p)
	if err != nil {
		return nil, err
	}
	if person.Standing != grants.Member {
		return nil, &Refusal{Reasons: []grants.Reason{{Code: grants.BadStanding, Detail: string(person.Standing)}}}
	}
	var mine []Notice
	err = s.Ledger.View(ctx, func(v *ledger.View) (err error) {
		mine, err = s.mine(v, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the grants of %s: %w", p, err)
	}
	return mine, nil
}

func (s *Service) mine(v *ledger.View, p grants.PersonKey) (mine []Notice, err error) {
	v.ScanIndexAt(indexActive, string(p), func(id string) bool {
		var n Notice
		if n, err = s.notice(v, id); err == nil {
			mine = append(mine, n)
		}
		return err == nil
	})
	return mine, err
}

// notice is a grant as it is to be shown, but for what only its issuer can say.
func (s *Service) notice(v *ledger.View, id string) (Notice, error) {
	g, d, err := load(v, id)
	if err != nil {
		return Notice{}, err
	}
	n := Notice{Grant: g, Failing: d.Call, Who: s.Who, Does: s.does(g)}
	if n.Reason, err = typedAt(v, g.AskedSeq); err == nil && g.Explained > 0 {
		n.Why, err = typedAt(v, g.Explained)
	}
	return n, err
}
