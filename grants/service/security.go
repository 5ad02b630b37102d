package service

import (
	"context"
	"errors"
	"slices"
	"strings"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// This file is what the people of security do to the directory: look, approve, freeze.

// The answers to security that are no refusal.
var (
	// ErrNoSuchPerson says that the directory does not have a person.
	ErrNoSuchPerson = errors.New("the directory does not have this person")
	// ErrNotFrozen says that there is nothing to approve.
	ErrNotFrozen = errors.New("the person is not frozen")
)

// Roster is who of the directory needs a look: the members who are frozen, and those whom no
// PagerDuty user pairs. Both are in the order of their keys.
type Roster struct{ Frozen, Unpaired []grants.Person }

// Roster lists who needs a look.
func (s *Service) Roster(ctx context.Context, o Origin) (Roster, error) {
	if err := s.security(ctx, o); err != nil {
		return Roster{}, err
	}
	people := s.known.all()
	slices.SortFunc(people, func(a, b grants.Person) int { return strings.Compare(string(a.Key), string(b.Key)) })
	var r Roster
	for _, p := range people {
		switch {
		case p.Standing != grants.Member:
		case p.Frozen != "":
			r.Frozen = append(r.Frozen, p)
		case p.PagerDuty == "":
			r.Unpaired = append(r.Unpaired, p)
		}
	}
	return r, nil
}

// Thaw records that somebody of security has looked at a frozen person: the pair that was found
// last is the one that holds. Nobody does it for themselves.
func (s *Service) Thaw(ctx context.Context, o Origin, whom grants.PersonKey) (grants.Person, error) {
	if err := s.security(ctx, o); err != nil {
		return grants.Person{}, err
	}
	if whom == o.Person {
		return grants.Person{}, s.refuse(ctx, o, "", because(grants.OwnRequest), s.now())
	}
	return s.judge(ctx, o, whom, "", func(old grants.Person) (grants.Person, string, error) {
		if old.Frozen == "" {
			return old, "", ErrNotFrozen
		}
		now := old.Thaw()
		detail := "approved " + string(whom)
		if now.PagerDuty != old.PagerDuty {
			detail += ", whose PagerDuty user is " + now.PagerDuty + " and was " + old.PagerDuty
		}
		return now, detail, nil
	})
}

// Freeze has nothing open by itself for a person until security approves, and ends what did. Why is told
// to the security channel.
func (s *Service) Freeze(ctx context.Context, o Origin, whom grants.PersonKey, why string) (grants.Person, error) {
	if err := s.security(ctx, o); err != nil {
		return grants.Person{}, err
	}
	switch {
	case strings.TrimSpace(why) == "":
		return grants.Person{}, s.refuse(ctx, o, "", because(grants.ReasonMissing), s.now())
	case grants.LooksSecret(why):
		return grants.Person{}, s.refuse(ctx, o, "", because(grants.LooksLikeASecret), s.now())
	}
	p, err := s.judge(ctx, o, whom, why, func(old grants.Person) (grants.Person, string, error) {
		return old.Freeze(o.Person), "froze " + string(whom), nil
	})
	if err != nil {
		return p, err
	}
	return p, s.endOfTheGone(ctx)
}

// security refuses, and records, whoever is not listed as security, or is frozen themselves.
func (s *Service) security(ctx context.Context, o Origin) error {
	p, err := s.identify(o.Person)
	var r grants.Reason
	switch {
	case err != nil:
		return err
	case p.Standing != grants.Member:
		r = grants.Reason{Code: grants.BadStanding, Detail: string(p.Standing)}
	case !slices.Contains(s.SecurityPeople, p.Key.Slack()):
		r = grants.Reason{Code: grants.NotForYou}
	case p.Frozen != "":
		r = grants.Reason{Code: grants.FrozenPerson, Detail: p.Frozen}
	default:
		return nil
	}
	return s.refuse(ctx, o, "", &Refusal{Reasons: []grants.Reason{r}}, s.now())
}

// judge is one commit that changes a person by hand, with its event, what was typed beside it and the news.
func (s *Service) judge(ctx context.Context, o Origin, whom grants.PersonKey, why string, change func(grants.Person) (grants.Person, string, error)) (grants.Person, error) {
	s.changes.mu.Lock()
	defer s.changes.mu.Unlock()
	old, ok := s.known.person(whom)
	if !ok {
		return grants.Person{}, ErrNoSuchPerson
	}
	person, detail, err := change(old)
	if err != nil {
		return old, err
	}
	now := s.now()
	docs, _, err := personDocs([]grants.Person{person}, []grants.Person{old})
	if err != nil {
		return old, err
	}
	st := step{docs: docs}
	if why != "" {
		st.typed = salted(why)
		news, err := Announcement{At: now, News: grants.FrozenNow, Person: whom, By: o.Person, Detail: why}.doc()
		if err != nil {
			return old, err
		}
		st.docs = append(st.docs, news)
	}
	e := grants.Event{At: now, Kind: grants.KindDirectory, Actor: o.actor(), Count: 1, Detail: detail}
	st.events = []grants.Event{e}
	_, err = s.take(ctx, o, "", now, func(*ledger.View, grants.Grant) (step, error) {
		again := st
		again.docs = slices.Clone(st.docs)
		return again, nil
	})
	if err != nil {
		return old, err
	}
	s.known.setPerson(person)
	kick(s.newsKick)
	return person, nil
}

func because(code grants.Code) *Refusal {
	return &Refusal{Reasons: []grants.Reason{{Code: code}}}
}
