package service

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"nightlatch/grants"
)

// This file is what an extension adds to Take, Advance and telling: it is decided, voted on and
// told like a request, and hangs on its open grant.

// Extend records that a person asks for more time on their open grant. What the role decides
// comes later, by itself; until then, and if it is refused, the grant keeps its end.
func (s *Service) Extend(ctx context.Context, l Longer) (grants.Grant, error) {
	var typed *grants.Typed
	if strings.TrimSpace(l.Reason) != "" {
		typed = salted(l.Reason)
	}
	scarce := s.tooScarce()
	return s.actWith(ctx, l.Origin, l.Grant, typed, func(g grants.Grant, p grants.Person, now time.Time) ([]move, []grants.Reason, error) {
		switch x, waits := g.Extending(); {
		case g.Person != p.Key:
			return nil, []grants.Reason{{Code: grants.NotYours}}, nil
		case g.State != grants.Open || !g.Ends.After(now):
			return nil, nil, nil
		case scarce != nil:
			return nil, scarce.Reasons, nil
		case waits:
			return nil, []grants.Reason{{Code: grants.ExtensionWaits, Until: x.PendingUntil}}, nil
		case len(g.Extensions) >= s.Limits.Extensions:
			return nil, []grants.Reason{{Code: grants.TooManyMore, Count: len(g.Extensions)}}, nil
		case grants.LooksSecret(l.Reason):
			return nil, []grants.Reason{{Code: grants.LooksLikeASecret}}, nil
		}
		by := l.By
		if by == 0 {
			by = g.Role.Default
		}
		g, err := g.AskMore(by, now)
		return []move{moreMove(g, byPerson(grants.KindExtensionAsked, p.Key, now))}, nil, err
	})
}

// voteMore is Vote for an extension.
func (s *Service) voteMore(g grants.Grant, p grants.Person, b Ballot, now time.Time) ([]move, []grants.Reason, error) {
	x, waits := g.Extending()
	if !waits || x.Ordinal != b.Extension || x.State != grants.Pending || g.State != grants.Open {
		return nil, nil, nil
	}
	vote, reason := s.vote(x.Question(g), p, b.Yes, now)
	if reason != nil {
		return nil, []grants.Reason{*reason}, nil
	}
	g, err := g.CastMore(vote)
	e := byPerson(grants.KindExtensionVoted, p.Key, now)
	if !b.Yes {
		e.Kind, e.Outcome = grants.KindExtensionDenied, grants.Denied
	}
	e.Vote = &vote
	return []move{moreMove(g, e)}, nil, err
}

// withdrawMore is Withdraw for an extension.
func withdrawMore(g grants.Grant, p Press, now time.Time) ([]move, []grants.Reason, error) {
	if x, waits := g.Extending(); !waits || x.Ordinal != p.Extension || g.State != grants.Open {
		return nil, nil, nil
	}
	g, err := g.WithdrawMore(now)
	e := byPerson(grants.KindExtensionWithdrawn, g.Person, now)
	e.Outcome = grants.Withdrawn
	return []move{moreMove(g, e)}, nil, err
}

// moreMove is a move of a grant's last extension, whose event says how it leaves it.
func moreMove(g grants.Grant, e grants.Event) move {
	if x, ok := g.Extension(len(g.Extensions)); ok {
		e.Extension = &x
	}
	return move{g, e}
}

// askedAt keeps the event beside which lies what was typed with the last extension.
func askedAt(g grants.Grant, seq int64) (grants.Grant, *grants.Extension) {
	g.Extensions = slices.Clone(g.Extensions)
	x := &g.Extensions[len(g.Extensions)-1]
	x.AskedSeq = seq
	left := *x
	return g, &left
}

// lapsedMore reports whether an extension waited for too long.
func lapsedMore(g grants.Grant, now time.Time) bool {
	x, waits := g.Extending()
	return waits && !now.Before(x.PendingUntil)
}

// overdueMore makes the move that time alone brings to an extension. The grant goes on.
func overdueMore(g grants.Grant, now time.Time) (grants.Grant, []move, error) {
	if !lapsedMore(g, now) {
		return g, nil, nil
	}
	g, err := g.LapseMore(now)
	e := bySystem(grants.KindExtensionLapsed, "sweep", now)
	e.Outcome = grants.Lapsed
	return g, []move{moreMove(g, e)}, err
}

// appliedMore is the step that a verdict makes of an extension.
func appliedMore(g grants.Grant, d due, in grants.Input, v grants.Verdict) (step, error) {
	e := bySystem("", "decide", in.Now)
	e.Input, e.Verdict, e.Reasons, e.Config = &in, &v, v.Reasons, in.Config
	first := d.Decide.Attempts == 0
	retry := d.Decide.After(in.Answer.Why, in.Now)
	d.Decide = grants.Retry{} // what is known of revoking stays
	var err error
	switch v.Decision {
	case grants.Allow:
		e.Kind, e.Outcome = grants.KindExtended, grants.Extended
		g, err = g.Extend(v, in.Now)
	case grants.Refuse:
		e.Kind, e.Outcome = grants.KindExtensionRefused, grants.Refused
		g, err = g.RefuseMore(v, in.Now)
	case grants.Await:
		e.Kind = grants.KindExtensionPending
		g, err = g.AwaitMore(v, in.Now)
	case grants.Later:
		if d.Decide = retry; !first {
			return step{due: &d}, nil // told once; the retries are no events
		}
		e.Kind = grants.KindExtensionPending
		g, err = g.AwaitMore(v, in.Now)
	default:
		err = fmt.Errorf("unknown decision %q", v.Decision)
	}
	return step{moves: []move{moreMove(g, e)}, due: &d}, err
}

// moreRows are the surfaces of a grant's last extension.
func moreRows(was, g grants.Grant) []outbox {
	last := len(g.Extensions)
	if last == 0 || len(was.Extensions) == last && was.Extensions[last-1].State == grants.Closed {
		return nil // how it ended is told already, or on its way
	}
	rows := []outbox{{Grant: g.ID, Surface: More, Extension: last}}
	if g.Role.Channel != "" {
		rows = append(rows, outbox{Grant: g.ID, Surface: MoreCard, Extension: last})
	}
	return rows
}

// moreBegins reports whether a change of an extension is the first that a surface shows: its
// person is told what became of it, and a card exists if others may have a say.
func moreBegins(row outbox, was, g grants.Grant) bool {
	x, _ := g.Extension(row.Extension)
	if row.Surface == MoreCard {
		return x.State == grants.Pending
	}
	before, _ := was.Extension(row.Extension)
	return x.State != grants.Asked && before.State != x.State
}
