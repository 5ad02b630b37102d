package service

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"time"

	"nightlatch/grants"
)

// Explain records why a person denied a grant. The no itself was recorded before and did not
// wait for this. It is taken once, from whoever said the no, for an hour.
func (s *Service) Explain(ctx context.Context, e Explanation) (grants.Grant, error) {
	var flaw grants.Code
	switch {
	case strings.TrimSpace(e.Text) == "":
		flaw = grants.ReasonMissing
	case grants.LooksSecret(e.Text):
		flaw = grants.LooksLikeASecret
	}
	return s.actWith(ctx, e.Origin, e.Grant, salted(e.Text), func(g grants.Grant, p grants.Person, now time.Time) ([]move, []grants.Reason, error) {
		switch {
		case g.EndedBy != p.Key:
			return nil, []grants.Reason{{Code: grants.NotYours}}, nil
		case g.Outcome != grants.Denied || g.Explained != 0 || now.After(g.Ended.Add(grants.ExplainFor)):
			return nil, nil, nil
		case flaw != "":
			return nil, []grants.Reason{{Code: flaw}}, nil
		}
		g, err := g.Explain(p.Key, now)
		return []move{{g, byPerson(grants.KindExplained, p.Key, now)}}, nil, err
	})
}

// salted is what a person typed, with a salt of its own, so that its hash tells nobody what it was.
func salted(text string) *grants.Typed {
	var salt [16]byte
	_, _ = rand.Read(salt[:]) // never fails, see crypto/rand
	return &grants.Typed{Salt: base64.RawStdEncoding.EncodeToString(salt[:]), Text: strings.TrimSpace(text)}
}
