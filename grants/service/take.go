package service

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// This file is Take: each verb identifies who acts, validates, and records in one commit.
// Nothing here touches a wire.

// Request records that a person asks for a role. What the role decides comes later, by itself.
func (s *Service) Request(ctx context.Context, a Ask) (grants.Grant, error) {
	now := s.now()
	person, err := s.identify(a.Person)
	if err != nil {
		return grants.Grant{}, err
	}
	role, refusal := s.validate(person, a)
	if refusal == nil {
		refusal = s.tooScarce()
	}
	if refusal != nil {
		return grants.Grant{}, s.refuse(ctx, a.Origin, "", refusal, now)
	}
	duration := a.Duration
	if duration == 0 {
		duration = role.Default
	}
	var random [10]byte
	_, _ = rand.Read(random[:]) // never fails, see crypto/rand
	id := grants.NewID(now, random)
	typed := salted(a.Reason)
	var over *Refusal
	missed, kept := s.refused.check(a.Person, now)
	g, err := s.take(ctx, a.Origin, id, now, func(v *ledger.View, _ grants.Grant) (step, error) {
		if over = s.overCaps(v, role, person.Key); over != nil {
			return rejected(a.Origin, "", over.Reasons, now).within(missed, kept), nil
		}
		g := grants.New(id, person.Key, role, duration, a.Channel, now)
		return step{moves: []move{{g, byPerson(grants.KindAsked, person.Key, now)}}, typed: typed}, nil
	})
	if err == nil && over != nil {
		s.refused.count(a.Person, kept, now)
		return g, over
	}
	return g, err
}

// Vote records a person's yes or no. A no denies at once; enough yes are decided about by
// themselves, as soon as PagerDuty has been asked.
func (s *Service) Vote(ctx context.Context, b Ballot) (grants.Grant, error) {
	g, err := s.act(ctx, b.Origin, b.Grant, func(g grants.Grant, p grants.Person, now time.Time) ([]move, []grants.Reason, error) {
		if b.Extension > 0 {
			return s.voteMore(g, p, b, now)
		}
		if g.State != grants.Pending {
			return nil, nil, nil
		}
		vote, reason := s.vote(g.Question(), p, b.Yes, now)
		if reason != nil {
			return nil, []grants.Reason{*reason}, nil
		}
		g, err := g.Cast(vote)
		event := byPerson(grants.KindVoted, p.Key, now)
		if !b.Yes {
			event.Kind, event.Outcome = grants.KindDenied, grants.Denied
		}
		event.Vote = &vote
		return []move{{g, event}}, nil, err
	})
	return g, about(err, b.Extension)
}

// about makes a refusal say which extension it is about.
func about(err error, extension int) error {
	if r, ok := errors.AsType[*Refusal](err); ok {
		r.Extension = extension
	}
	return err
}

// vote makes a person's vote on a question, or says why they may not.
func (s *Service) vote(q grants.Question, p grants.Person, yes bool, now time.Time) (grants.Vote, *grants.Reason) {
	if v, again := q.VoteOf(p.Key); again {
		return grants.Vote{}, &grants.Reason{Code: grants.AlreadyVoted, Until: v.At}
	}
	if yes && q.Approved() { // decided, and only waiting for PagerDuty
		return grants.Vote{}, &grants.Reason{Code: grants.HasVotes, People: yesOf(q)}
	}
	claim, reason := s.electorate(now, !yes).RightOf(p, q)
	return grants.Vote{Person: p.Key, Yes: yes, At: now, Claim: claim}, reason
}

// Withdraw closes a request, or an extension, that its person no longer wants.
func (s *Service) Withdraw(ctx context.Context, p Press) (grants.Grant, error) {
	g, err := s.act(ctx, p.Origin, p.Grant, func(g grants.Grant, who grants.Person, now time.Time) ([]move, []grants.Reason, error) {
		switch {
		case g.Person != who.Key:
			return nil, []grants.Reason{{Code: grants.NotYours}}, nil
		case p.Extension > 0:
			return withdrawMore(g, p, now)
		case g.State != grants.Asked && g.State != grants.Pending:
			return nil, nil, nil
		}
		g, err := g.Withdraw(now)
		event := byPerson(grants.KindWithdrawn, who.Key, now)
		event.Outcome = grants.Withdrawn
		return []move{{g, event}}, nil, err
	})
	return g, about(err, p.Extension)
}

// Return gives access back: the person's own grant ends now.
func (s *Service) Return(ctx context.Context, p Press) (grants.Grant, error) {
	return s.act(ctx, p.Origin, p.Grant, func(g grants.Grant, who grants.Person, now time.Time) ([]move, []grants.Reason, error) {
		if g.Person != who.Key {
			return nil, []grants.Reason{{Code: grants.NotYours}}, nil
		}
		if g.State != grants.Open {
			return nil, nil, nil
		}
		moves, err := end(g, grants.Returned, grants.Actor{Person: who.Key}, nil, now)
		return moves, nil, err
	})
}

// Revoke takes an open grant back by somebody who may vote on it. What was known last is
// enough: taking access away never waits for PagerDuty.
func (s *Service) Revoke(ctx context.Context, p Press) (grants.Grant, error) {
	return s.act(ctx, p.Origin, p.Grant, func(g grants.Grant, who grants.Person, now time.Time) ([]move, []grants.Reason, error) {
		if _, reason := s.electorate(now, true).MayRevoke(who, g); reason != nil {
			return nil, []grants.Reason{*reason}, nil
		}
		if g.State != grants.Open {
			return nil, nil, nil
		}
		moves, err := end(g, grants.Revoked, p.actor(), nil, now)
		return moves, nil, err
	})
}

// Reject records a press or command that was refused before it could be understood.
func (s *Service) Reject(ctx context.Context, o Origin, detail string) error {
	now := s.now()
	_, err := s.take(ctx, o, "", now, func(*ledger.View, grants.Grant) (step, error) {
		st := rejected(o, "", nil, now)
		st.events[0].Detail = detail
		return st, nil
	})
	return err
}

// Swallowed records how many envelopes the limits refused since the last such event.
func (s *Service) Swallowed(ctx context.Context, count int) error {
	now := s.now()
	_, err := s.update(ctx, "", func(*ledger.View, grants.Grant, due) (step, error) {
		return step{events: []grants.Event{{At: now, Kind: grants.KindSwallowed, Actor: grants.Actor{System: "limits"}, Count: count}}}, nil
	})
	return err
}

// Overheard records that others listen to Slack with our app token: how many connections there
// are, and how many of them are ours; or, when all are, that nobody else does any more.
func (s *Service) Overheard(ctx context.Context, connections, ours int) error {
	now := s.now()
	s.others.Store(int64(connections - ours))
	kick(s.alarmKick)
	_, err := s.update(ctx, "", func(*ledger.View, grants.Grant, due) (step, error) {
		e := bySystem(grants.KindOverheard, "socket", now)
		e.Count, e.Detail = connections-ours, fmt.Sprintf("%d connections with our app token, %d of them ours", connections, ours)
		return step{events: []grants.Event{e}}, nil
	})
	return err
}

// verb is what a button of a grant does: it answers what to record, or why not; neither of
// both: the grant is past this, and the person is told how it stands.
type verb func(grants.Grant, grants.Person, time.Time) ([]move, []grants.Reason, error)

// act is Take for the buttons of a grant.
func (s *Service) act(ctx context.Context, o Origin, id string, do verb) (grants.Grant, error) {
	return s.actWith(ctx, o, id, nil, do)
}

// actWith is act for what a person typed, too; it lies beside the first event.
func (s *Service) actWith(ctx context.Context, o Origin, id string, typed *grants.Typed, do verb) (grants.Grant, error) {
	now := s.now()
	person, err := s.identify(o.Person)
	if err != nil {
		return grants.Grant{}, err
	}
	if person.Standing != grants.Member {
		return grants.Grant{}, s.refuse(ctx, o, "", &Refusal{Reasons: []grants.Reason{{Code: grants.BadStanding, Detail: string(person.Standing)}}}, now)
	}
	var refusal *Refusal
	missed, kept := s.refused.check(o.Person, now)
	g, err := s.take(ctx, o, id, now, func(_ *ledger.View, g grants.Grant) (step, error) {
		refusal = nil
		if g.ID == "" {
			return step{}, ErrNoSuchGrant
		}
		moves, reasons, err := do(g, person, now)
		if err != nil {
			return step{}, err
		}
		if len(moves) == 0 {
			refusal = &Refusal{Role: &g.Role, Grant: &g, Reasons: reasons}
			return rejected(o, g.ID, reasons, now).within(missed, kept), nil
		}
		return step{moves: moves, typed: typed}, nil
	})
	if err == nil && refusal != nil {
		s.refused.count(o.Person, kept, now)
		return g, refusal
	}
	return g, err
}

// take is one commit that remembers its envelope, so that a duplicate is seen.
func (s *Service) take(ctx context.Context, o Origin, id string, now time.Time, f func(*ledger.View, grants.Grant) (step, error)) (grants.Grant, error) {
	return s.update(ctx, id, func(v *ledger.View, g grants.Grant, _ due) (step, error) {
		if _, seen := v.Get(docEnvelope, o.Envelope); seen && o.Envelope != "" {
			return step{}, ErrDuplicate
		}
		st, err := f(v, g)
		if nothing := len(st.moves)+len(st.events) == 0; err != nil || nothing || o.Envelope == "" {
			return st, err
		}
		b, err := json.Marshal(now)
		if err != nil {
			return st, fmt.Errorf("encoding an envelope's time: %w", err)
		}
		st.docs = append(st.docs, ledger.Doc{
			Kind: docEnvelope, Key: o.Envelope, Value: b,
			Index: []ledger.Key{{Index: indexEnvelope, Key: ledger.TimeKey(now)}},
		})
		return st, nil
	})
}

// refuse records a refusal that touched no grant, and is its answer.
func (s *Service) refuse(ctx context.Context, o Origin, id string, r *Refusal, now time.Time) error {
	missed, kept := s.refused.check(o.Person, now)
	_, err := s.take(ctx, o, "", now, func(*ledger.View, grants.Grant) (step, error) {
		return rejected(o, id, r.Reasons, now).within(missed, kept), nil
	})
	if err != nil {
		return err
	}
	s.refused.count(o.Person, kept, now)
	return r
}

// within keeps a refusal's event within its person's quota: it says how many before it were
// not recorded, or is none itself.
func (st step) within(missed int, kept bool) step {
	if !kept {
		return step{}
	}
	st.events[0].Count = missed
	return st
}

func rejected(o Origin, grant string, reasons []grants.Reason, now time.Time) step {
	e := grants.Event{At: now, Kind: grants.KindRejected, Actor: o.actor(), Grant: grant, Reasons: slices.Clone(reasons)}
	for i, r := range e.Reasons {
		if r.Code == grants.RoleUnknown { // what was typed may be a secret, pasted into the wrong place
			e.Reasons[i].Detail = ""
		}
	}
	return step{events: []grants.Event{e}}
}

// validate finds the role and refuses what can be refused without asking anybody.
func (s *Service) validate(p grants.Person, a Ask) (grants.Role, *Refusal) {
	deny := func(role *grants.Role, r grants.Reason) (grants.Role, *Refusal) {
		return grants.Role{}, &Refusal{Role: role, Reasons: []grants.Reason{r}}
	}
	if p.Standing != grants.Member {
		return deny(nil, grants.Reason{Code: grants.BadStanding, Detail: string(p.Standing)})
	}
	roles := s.offer.Load().roles
	i := slices.IndexFunc(roles, func(r grants.Role) bool { return r.Name == a.Role })
	if i < 0 {
		return deny(nil, grants.Reason{Code: grants.RoleUnknown, Detail: a.Role})
	}
	role := roles[i]
	switch {
	case p.PagerDuty == "" && !s.concerns(role, p): // anybody else may be on call since a moment: PagerDuty is asked
		return deny(nil, grants.Reason{Code: grants.NotForYou, Detail: role.Name, People: role.Voters.Users})
	case strings.TrimSpace(a.Reason) == "":
		return deny(&role, grants.Reason{Code: grants.ReasonMissing})
	case grants.LooksSecret(a.Reason):
		return deny(&role, grants.Reason{Code: grants.LooksLikeASecret})
	}
	return role, nil
}

// concerns reports whether a role can ever be given to a person: they were or will be on
// call for it, they may vote on it, or it has voters for people off call.
func (s *Service) concerns(role grants.Role, p grants.Person) bool {
	return role.OffCall.Any() || s.known.appeared(p.PagerDuty, role.OnCall) ||
		slices.Contains(role.Voters.Users, p.Key.Slack()) || slices.Contains(role.OffCall.Users, p.Key.Slack())
}

// RolesFor lists the roles that can concern a person.
func (s *Service) RolesFor(p grants.PersonKey) []grants.Role {
	person, err := s.identify(p)
	if err != nil || person.Standing != grants.Member {
		return nil
	}
	var roles []grants.Role
	for _, r := range s.offer.Load().roles {
		if s.concerns(r, person) {
			roles = append(roles, r)
		}
	}
	return roles
}

// overCaps refuses a request that would be one too many, for one person or in all.
func (s *Service) overCaps(v *ledger.View, role grants.Role, p grants.PersonKey) *Refusal {
	mine, all := 0, 0
	v.ScanIndexAt(indexHeld, string(p), func(string) bool { mine++; return mine <= s.Limits.PerPerson })
	v.ScanIndex(indexHeld, "", ledger.End, func(string, string) bool { all++; return all <= s.Limits.InAll })
	switch {
	case mine >= s.Limits.PerPerson:
		return &Refusal{Role: &role, Reasons: []grants.Reason{{Code: grants.TooManyOpen, Count: mine, Detail: "person"}}}
	case all >= s.Limits.InAll:
		return &Refusal{Role: &role, Reasons: []grants.Reason{{Code: grants.TooManyOpen, Count: all, Detail: "all"}}}
	}
	return nil
}

// end makes the moves that end an open grant; one that has nothing to revoke is closed at once.
func end(g grants.Grant, outcome grants.Outcome, by grants.Actor, reasons []grants.Reason, now time.Time) ([]move, error) {
	g, kind, err := g.End(outcome, by.Person, now)
	if err != nil {
		return nil, err
	}
	e := grants.Event{At: now, Kind: kind, Actor: by, Outcome: outcome, Reasons: reasons}
	return []move{{g, e}}, nil
}

func byPerson(kind grants.Kind, p grants.PersonKey, now time.Time) grants.Event {
	return grants.Event{At: now, Kind: kind, Actor: grants.Actor{Person: p}}
}

func bySystem(kind grants.Kind, part string, now time.Time) grants.Event {
	return grants.Event{At: now, Kind: kind, Actor: grants.Actor{System: part}}
}

func yesOf(q grants.Question) []string {
	var who []string
	for _, v := range q.Votes {
		if v.Yes {
			who = append(who, string(v.Person))
		}
	}
	return who
}
