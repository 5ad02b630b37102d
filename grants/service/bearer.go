package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// This file is what a credential itself brings: somebody has it, and gives it back or uses it
// after its end. Who that is, nobody knows.

// deadUseEvery is how long the uses of a credential that is over are one event.
const deadUseEvery = time.Hour

// deadUse is what is known of the use of a credential after its end.
type deadUse struct {
	Recorded time.Time `json:"recorded"`
}

// ReturnByToken retires the live credential of a name, because whoever has its secret gives it back. The grant goes on.
// A credential that is over, or that nobody knows, needs no end.
func (s *Service) ReturnByToken(ctx context.Context, name string) error {
	g, c, err := s.named(ctx, name)
	if err != nil || c.State != grants.Live {
		return err
	}
	now := s.now()
	_, err = s.update(ctx, g.ID, func(_ *ledger.View, g grants.Grant, _ due) (step, error) {
		if g.Credentials[c.Ordinal-1].State != grants.Live {
			return step{}, errNothing
		}
		g, err := g.Retire(c.Ordinal, false, now)
		return step{moves: []move{{g, credentialEvent(grants.KindRetiring, c, "token holder", now)}}}, err
	})
	return err
}

// DeadUse records that somebody used a credential after its end, and who got it and asked: once an hour for each, and
// the first time its person and security are told. The use of a name that nobody knows is nothing.
func (s *Service) DeadUse(ctx context.Context, name, caller string) error {
	g, c, err := s.named(ctx, name)
	if err != nil || c.Name == "" {
		return err
	}
	now := s.now()
	var last deadUse
	err = s.Ledger.View(ctx, func(v *ledger.View) (err error) { // whoever uses it all the time must not fill the writer's queue
		last, err = lastDeadUse(v, name)
		return err
	})
	if err != nil || now.Sub(last.Recorded) < deadUseEvery {
		return err
	}
	_, err = s.update(ctx, g.ID, func(v *ledger.View, _ grants.Grant, _ due) (step, error) {
		last, err := lastDeadUse(v, name)
		if err != nil {
			return step{}, err
		}
		if now.Sub(last.Recorded) < deadUseEvery {
			return step{}, errNothing
		}
		b, err := grants.Encode(deadUse{Recorded: now})
		if err != nil {
			return step{}, fmt.Errorf("encoding the use of %s: %w", name, err)
		}
		e := credentialEvent(grants.KindDeadUse, c, "door", now)
		e.Grant, e.Detail = g.ID, "asked by "+caller
		st := step{docs: []ledger.Doc{{Kind: docDeadUse, Key: name, Value: b}}, events: []grants.Event{e}}
		if !last.Recorded.IsZero() {
			return st, nil
		}
		row, err := rowDoc(outbox{Grant: g.ID, Surface: Alert, Credential: c.Ordinal, Want: v.Size(), Shown: -1, Since: now})
		if err != nil {
			return st, err
		}
		news, err := Announcement{At: now, News: grants.UsedDead, Person: g.Person, Of: g.ID, Credential: c.Ordinal, Caller: caller}.doc()
		news.Key += "/" + name // there may be several in one moment
		st.docs = append(st.docs, row, news)
		return st, err
	})
	if err == nil {
		kick(s.tellKick[Alert])
		kick(s.newsKick)
	}
	return err
}

// lastDeadUse is the use of a credential after its end that was recorded last, if one was.
func lastDeadUse(v *ledger.View, name string) (last deadUse, err error) {
	if b, ok := v.Get(docDeadUse, name); ok {
		if err := json.Unmarshal(b, &last); err != nil {
			return last, fmt.Errorf("reading the use of %s: %w", name, err)
		}
	}
	return last, nil
}

// named finds the credential of a name; an unknown one is empty.
func (s *Service) named(ctx context.Context, name string) (grants.Grant, grants.Credential, error) {
	id, ok := grants.GrantOf(s.Ledger.Instance(), name)
	if !ok {
		return grants.Grant{}, grants.Credential{}, nil
	}
	g, _, err := s.get(ctx, id)
	if err != nil && !errors.Is(err, ErrNoSuchGrant) {
		return g, grants.Credential{}, fmt.Errorf("reading grant %s: %w", id, err)
	}
	for _, c := range g.Credentials {
		if c.Name == name {
			return g, c, nil
		}
	}
	return g, grants.Credential{}, nil
}
