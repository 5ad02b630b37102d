package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// This file asks Slack, with every poll, about the few people who hold something or wait for it. It runs beside the
// poll of PagerDuty: whatever Slack's pace is, nobody who is off call waits for it.

// The bounds of one question.
const (
	accountPatience = 10 * time.Second
	accountAsked    = 3 // times, when Slack wants pauses
)

// keepLooking asks about each holder once a round. Rounds begin a poll apart, or when the last one is over.
func (s *Service) keepLooking(ctx context.Context) {
	silent, unread := false, map[grants.PersonKey]grants.SlackUser{}
	for ctx.Err() == nil {
		began := time.Now()
		err := s.look(ctx, unread)
		switch {
		case ctx.Err() != nil:
		case err != nil && !silent:
			s.Log.Warn("asking Slack about those who hold something; nothing of theirs ends by that", "error", err)
		case err == nil && silent:
			s.Log.Info("Slack answers again about those who hold something")
		}
		silent = err != nil
		select {
		case <-ctx.Done():
		case <-time.After(max(s.Poll-time.Since(began), 0)):
		}
	}
}

// look is one round. An error ends no grant. The answers in unread have a reading under way already, which says the rest: what the
// list goes on to say otherwise than the account must not be read again with every poll.
func (s *Service) look(ctx context.Context, unread map[grants.PersonKey]grants.SlackUser) error {
	holders, err := s.holders(ctx)
	if err != nil {
		return err
	}
	maps.DeleteFunc(unread, func(key grants.PersonKey, _ grants.SlackUser) bool { return !slices.Contains(holders, key) })
	var errs []error
	for _, key := range holders {
		u, err := s.askAbout(ctx, key)
		differs := errors.Is(err, ErrNoSuchPerson)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case differs: // the list decides: whoever is missing there is gone
		case err != nil:
			errs = append(errs, err)
			continue
		default:
			differs, err = s.changeUser(ctx, key, u, false)
			errs = append(errs, err)
		}
		if last, asked := unread[key]; differs && (!asked || last != u) {
			s.DirectoryChanged()
			unread[key] = u
		} else if !differs {
			delete(unread, key)
		}
	}
	return errors.Join(append(errs, s.endOfTheGone(ctx))...)
}

// askAbout reads the account of a person, at the pace that Slack wants.
func (s *Service) askAbout(ctx context.Context, key grants.PersonKey) (u grants.SlackUser, err error) {
	for range accountAsked {
		asking, cancel := context.WithTimeout(ctx, accountPatience)
		u, err = s.Directory.User(asking, key.Slack())
		cancel()
		pause, isWait := errors.AsType[*Wait](err)
		if !isWait || wait(ctx, pause.For) != nil {
			break
		}
	}
	if err != nil {
		return u, fmt.Errorf("asking Slack about %s: %w", key, err)
	}
	return u, nil
}

// holders are the people with an open grant and those with a request that may become one, each once.
func (s *Service) holders(ctx context.Context) (keys []grants.PersonKey, err error) {
	err = s.Ledger.View(ctx, func(v *ledger.View) error {
		v.ScanIndex(indexHeld, "", ledger.End, func(person, _ string) bool {
			keys = append(keys, grants.PersonKey(person))
			return true
		})
		return nil
	})
	return slices.Compact(keys), err
}
