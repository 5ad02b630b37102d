package service

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// known is what the service holds in memory of what it last read: it is a copy of the
// ledger's documents, but for the poll's answer, which is asked for again after a restart.
type known struct {
	mu      sync.RWMutex
	people  map[grants.PersonKey]grants.Person
	byPager map[string]grants.PersonKey
	groups  []grants.Groups   // newest last
	history []grants.Snapshot // of the hours ahead, newest last
	live    grants.Snapshot   // the poll's
	seen    map[string]bool   // seenKey of whoever was ever on call for a policy or schedule
	ahead   grants.Snapshot   // of the hours ahead, the newest: the poll's or the history's
}

// all are the people, in no order.
func (k *known) all() []grants.Person {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return slices.Collect(maps.Values(k.people))
}

// person finds one by their key.
func (k *known) person(key grants.PersonKey) (p grants.Person, ok bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	p, ok = k.people[key]
	return p, ok
}

// setPerson replaces one who is known.
func (k *known) setPerson(p grants.Person) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if old := k.people[p.Key]; k.byPager[old.PagerDuty] == p.Key {
		delete(k.byPager, old.PagerDuty)
	}
	k.put(p)
}

func (k *known) setPeople(people []grants.Person) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.people = make(map[grants.PersonKey]grants.Person, len(people))
	k.byPager = make(map[string]grants.PersonKey, len(people))
	for _, p := range people {
		k.put(p)
	}
}

// put is called with the lock held.
func (k *known) put(p grants.Person) {
	k.people[p.Key] = p
	if p.PagerDuty != "" && p.Standing == grants.Member {
		k.byPager[p.PagerDuty] = p.Key
	}
}

// foresee keeps a reading of the hours ahead, and what has just ended of the one before:
// a reading in the gap of a hand-over would not know it.
func (k *known) foresee(ahead grants.Snapshot) {
	k.mu.Lock()
	defer k.mu.Unlock()
	ahead.Entries = slices.Clone(ahead.Entries)
	for _, e := range k.ahead.Entries {
		if !e.End.IsZero() && !e.End.After(ahead.Read) && ahead.Read.Sub(e.End) <= 2*grants.MergeGap {
			ahead.Entries = append(ahead.Entries, e)
		}
	}
	k.ahead = ahead
}

// members returns who was in a user group when it was last read.
func (k *known) members(group string) []string {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if len(k.groups) == 0 {
		return nil
	}
	return slices.Clone(k.groups[len(k.groups)-1].Members[group])
}

// seenKey names a PagerDuty user in a policy or schedule, whatever the level.
func seenKey(of, user string) string { return of + "/" + user }

// appeared reports whether a PagerDuty user was ever seen on call for one of the sources,
// or will be in the hours that are known.
func (k *known) appeared(user string, sources []grants.Source) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return user != "" && slices.ContainsFunc(sources, func(s grants.Source) bool {
		return k.seen[seenKey(cmp.Or(s.Schedule, s.Policy), user)]
	})
}

// newcomers are the keys of whoever in the entries was never seen before.
func (k *known) newcomers(entries []grants.Entry) []string {
	k.mu.RLock()
	defer k.mu.RUnlock()
	var keys []string
	for _, e := range entries {
		for _, of := range []string{e.Policy, e.Schedule} {
			if key := seenKey(of, e.User); of != "" && !k.seen[key] {
				keys = append(keys, key)
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// remember keeps who was on call for what: a refusal explains itself to them for ever, and
// to nobody whom the role never concerned.
func (s *Service) remember(ctx context.Context, entries []grants.Entry) error {
	keys := s.known.newcomers(entries)
	if len(keys) == 0 {
		return nil
	}
	err := s.commit(ctx, func(*ledger.View) (ledger.Change, error) {
		var change ledger.Change
		for _, key := range keys {
			change.Docs = append(change.Docs, ledger.Doc{Kind: docSeen, Key: key, Value: []byte("{}")})
		}
		return change, nil
	})
	if err != nil {
		s.fatal(err)
		return fmt.Errorf("keeping who is on call for what: %w", err)
	}
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	for _, key := range keys {
		s.known.seen[key] = true
	}
	return nil
}

// past returns what was said before, for settling. Where everything is believed at once,
// the answer itself counts too.
func (s *Service) past(answer grants.Snapshot) []grants.Snapshot {
	s.known.mu.RLock()
	defer s.known.mu.RUnlock()
	if s.Settle == 0 {
		answer.First = true // whatever our clock says of when it was read: ours has milliseconds
		return append(slices.Clone(s.known.history), answer)
	}
	return s.known.history
}

// liveFor is how old the poll's answer may be to give somebody the right to say yes.
const liveFor = 2 * time.Minute

// electorate is what a right to vote is read from. For what takes access away, the last
// known answer will do, however old and new at once.
func (s *Service) electorate(now time.Time, takingAway bool) grants.Electorate {
	s.known.mu.RLock()
	live := s.known.live
	groups := s.known.groups
	s.known.mu.RUnlock()
	e := grants.Electorate{Groups: groups, Live: live, History: s.past(live), Settle: s.Settle, Now: now}
	if takingAway {
		live.First = true
		e.Settle, e.History = 0, []grants.Snapshot{live}
	} else if now.Sub(live.Read) > liveFor {
		e.Stale = true
	}
	return e
}

// identify finds who acts in the directory. Somebody it doesn't have is Unknown.
func (s *Service) identify(key grants.PersonKey) (grants.Person, error) {
	s.known.mu.RLock()
	defer s.known.mu.RUnlock()
	if len(s.known.people) == 0 {
		return grants.Person{}, ErrDirectory
	}
	p, ok := s.known.people[key]
	if !ok {
		p = grants.Person{Key: key, Standing: grants.Unknown}
	}
	return p, nil
}

// Who finds a person by their key or their PagerDuty user ID.
func (s *Service) Who(id string) (grants.Person, bool) {
	s.known.mu.RLock()
	defer s.known.mu.RUnlock()
	if key, ok := s.known.byPager[id]; ok {
		id = string(key)
	}
	p, ok := s.known.people[grants.PersonKey(id)]
	return p, ok
}

// loadKnown reads what earlier runs kept.
func (s *Service) loadKnown(v *ledger.View) error {
	var people []grants.Person
	s.known.seen = map[string]bool{}
	v.Scan(docSeen, "", func(key string, _ []byte) bool { s.known.seen[key] = true; return true })
	for _, load := range []struct {
		kind string
		add  func([]byte) error
	}{
		{docPerson, func(b []byte) error { return decodeInto(b, &people) }},
		{docSnapshot, func(b []byte) error { return decodeInto(b, &s.known.history) }},
		{docGroups, func(b []byte) error { return decodeInto(b, &s.known.groups) }},
	} {
		var err error
		v.Scan(load.kind, "", func(key string, b []byte) bool {
			if err = load.add(b); err != nil {
				err = fmt.Errorf("reading %s %s: %w", load.kind, key, err)
			}
			return err == nil
		})
		if err != nil {
			return err
		}
	}
	s.known.setPeople(people)
	return nil
}

func decodeInto[T any](b []byte, list *[]T) error {
	var one T
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*list = append(*list, one)
	return nil
}
