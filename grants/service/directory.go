package service

import (
	"context"
	"sync"
	"time"

	"nightlatch/grants"
)

// This file keeps the directory current between two readings, by what Slack says of its people.

// readingsApart is how long readings that somebody asks for lie apart at least.
const readingsApart = 10 * time.Second

// changes serialises what changes the directory, and keeps what was heard while it is being
// read: the list may be older than that.
type changes struct {
	mu    sync.Mutex
	heard map[grants.PersonKey]grants.SlackUser // nil: nobody is reading
}

// begin says that a reading begins.
func (c *changes) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = map[grants.PersonKey]grants.SlackUser{}
}

// correct replaces what was read by what was heard meanwhile, and ends the reading.
func (c *changes) correct(list []grants.SlackUser) {
	for i, u := range list {
		if now, ok := c.heard[grants.KeyOf(u.Team, u.ID)]; ok {
			list[i] = now
		}
	}
	c.heard = nil
}

// DirectoryChanged says that people or user groups are no longer as they were read. They are
// read again soon, once for all that is said until then.
func (s *Service) DirectoryChanged() { kick(s.readKick) }

// UserChanged takes what Slack says of an account. What a person loses by it they lose at once, and their
// grants with it; what they gain is left to a reading, which follows.
func (s *Service) UserChanged(ctx context.Context, u grants.SlackUser) error {
	unread, err := s.changeUser(ctx, grants.KeyOf(u.Team, u.ID), u, true)
	if unread {
		s.DirectoryChanged()
	}
	return err
}

// changeUser stores what Slack says of the account with a key, and ends what its person loses by it. It reports
// whether only a reading can say the rest. What Slack told by itself is newer than any list that is being read; an
// answer counts as newer when it takes something away.
func (s *Service) changeUser(ctx context.Context, key grants.PersonKey, u grants.SlackUser, told bool) (unread bool, err error) {
	unread, changed, err := s.storeUser(ctx, key, u, told)
	if err != nil || !changed {
		return unread, err
	}
	return unread, s.endOfTheGone(ctx)
}

func (s *Service) storeUser(ctx context.Context, key grants.PersonKey, u grants.SlackUser, told bool) (unread, changed bool, err error) {
	s.changes.mu.Lock()
	defer s.changes.mu.Unlock()
	old, known := s.known.person(key)
	person := old.Update(s.Team, u)
	rises := person.Standing == grants.Member && old.Standing != grants.Member
	unsure := !told && person.Standing == grants.Unconfirmed // an answer that does not say so looks the same
	if s.changes.heard != nil && (told || person.Standing != grants.Member && !unsure) {
		s.changes.heard[key] = u
	}
	unread = rises || unsure || known && u.Email != "" && grants.Fold(u.Email) != old.Email
	if rises || unsure {
		person.Standing = old.Standing
	}
	if !known || person == old {
		return unread, false, nil
	}
	return unread, true, s.changePerson(ctx, person, old)
}

// changePerson stores one person and what is said of it. The caller holds changes.
func (s *Service) changePerson(ctx context.Context, person, old grants.Person) error {
	docs, changed, err := personDocs([]grants.Person{person}, []grants.Person{old})
	if err != nil {
		return err
	}
	told, err := newsOf([]grants.Person{person}, []grants.Person{old}, s.now())
	if err != nil {
		return err
	}
	docs = append(docs, told...)
	if err := s.keepPeople(ctx, docs, changed, false, 1, s.now()); err != nil {
		return err
	}
	s.known.setPerson(person)
	return nil
}
