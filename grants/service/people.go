package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	ahead   grants.Snapshot   // of the hours ahead, the newest: the poll's or the history's
}

func (k *known) setPeople(people []grants.Person) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.people = make(map[grants.PersonKey]grants.Person, len(people))
	k.byPager = make(map[string]grants.PersonKey, len(people))
	for _, p := range people {
		k.people[p.Key] = p
		if p.PagerDuty != "" && p.Standing == grants.Member {
			k.byPager[p.PagerDuty] = p.Key
		}
	}
}

// appears reports whether a PagerDuty user stands anywhere in what is known of the sources.
func (k *known) appears(user string, sources []grants.Source) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	in := func(s grants.Snapshot) bool {
		return slices.ContainsFunc(s.Entries, func(e grants.Entry) bool {
			return e.User == user && slices.ContainsFunc(sources, func(src grants.Source) bool { return src.Covers(e) })
		})
	}
	return user != "" && (in(k.live) || slices.ContainsFunc(k.history, in))
}

// past returns what was said before, for settling. Where everything is believed at once,
// the answer itself counts too.
func (s *Service) past(answer grants.Snapshot) []grants.Snapshot {
	s.known.mu.RLock()
	defer s.known.mu.RUnlock()
	if s.Settle == 0 {
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

// reread reads the directory, the user groups and who is on call in the next hours, and
// keeps all three in one transaction.
func (s *Service) reread(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, rereadPatience)
	defer cancel()
	slack, err := s.Directory.Users(ctx)
	if err != nil {
		return fmt.Errorf("reading Slack's users: %w", err)
	}
	pager, err := s.OnCall.Users(ctx)
	if err != nil {
		return fmt.Errorf("reading PagerDuty's users: %w", err)
	}
	groups := grants.Groups{Members: map[string][]string{}}
	for _, id := range groupsOf(s.Roles) {
		members, err := s.Directory.Members(ctx, id)
		if err != nil {
			return fmt.Errorf("reading the members of user group %s: %w", id, err)
		}
		slices.Sort(members)
		groups.Members[id] = members
	}
	ahead, err := s.OnCall.Entries(ctx, s.sources, s.now(), s.now().Add(horizon))
	if err != nil {
		return fmt.Errorf("reading who is on call in the next hours: %w", err)
	}
	return s.keep(ctx, slack, pager, groups, ahead)
}

// The bounds of a reading.
const (
	horizon        = 25 * time.Hour // how far ahead shifts are read
	rereadPatience = 2 * time.Minute
)

// keep pairs the people and stores the reading.
func (s *Service) keep(ctx context.Context, slack []grants.SlackUser, pager []grants.PagerUser, groups grants.Groups, ahead grants.Snapshot) error {
	now := s.now()
	s.known.mu.RLock()
	before := make([]grants.Person, 0, len(s.known.people))
	for _, p := range s.known.people {
		before = append(before, p)
	}
	history, readings := slices.Clone(s.known.history), slices.Clone(s.known.groups)
	s.known.mu.RUnlock()

	first := len(before) == 0
	pinned := now
	if first {
		pinned = time.Time{}
	}
	people := grants.Pair(s.Team, slack, pager, before, pinned)
	groups.Read, groups.First, ahead.First = now, first, first
	settled := now.Add(-s.Settle)
	history, oldSnapshots := stillUseful(append(history, ahead), func(s grants.Snapshot) time.Time { return s.Read }, settled)
	readings, oldGroups := stillUseful(append(readings, groups), func(g grants.Groups) time.Time { return g.Read }, settled)

	docs, changed, err := personDocs(people, before)
	if err != nil {
		return err
	}
	readingDocs, err := readingsDocs(groups, ahead, oldGroups, oldSnapshots)
	if err != nil {
		return err
	}
	docs = append(docs, readingDocs...)
	_, err = s.update(ctx, "", func(*ledger.View, grants.Grant, due) (step, error) {
		st := step{docs: docs}
		if len(changed) > 0 || first {
			e := bySystem(grants.KindDirectory, "directory", now)
			e.Count, e.Detail = len(changed), strings.Join(changed[:min(len(changed), 200)], ", ")
			if first {
				e.Detail = fmt.Sprintf("first reading of this ledger, which counts as settled: %d people", len(people))
			}
			st.events = []grants.Event{e}
		}
		return st, nil
	})
	if err != nil {
		return fmt.Errorf("keeping the directory: %w", err)
	}
	s.known.setPeople(people)
	s.known.mu.Lock()
	s.known.history, s.known.groups, s.known.ahead = history, readings, ahead
	s.known.mu.Unlock()
	return s.endOfTheGone(ctx)
}

// stillUseful splits off the readings that nothing will ask for again: all that are older
// than the newest one that is settled.
func stillUseful[T any](list []T, read func(T) time.Time, settled time.Time) (kept, old []T) {
	from := 0
	for i, r := range list {
		if !read(r).After(settled) {
			from = i
		}
	}
	return slices.Clone(list[from:]), list[:from]
}

// personDocs are the documents of those who changed, and who they are.
func personDocs(people, before []grants.Person) (docs []ledger.Doc, changed []string, err error) {
	was := make(map[grants.PersonKey]grants.Person, len(before))
	for _, p := range before {
		was[p.Key] = p
	}
	for _, p := range people {
		if old, ok := was[p.Key]; ok && old == p {
			continue
		}
		b, err := grants.Encode(p)
		if err != nil {
			return nil, nil, fmt.Errorf("encoding person %s: %w", p.Key, err)
		}
		docs = append(docs, ledger.Doc{Kind: docPerson, Key: string(p.Key), Value: b})
		changed = append(changed, string(p.Key))
	}
	return docs, changed, nil
}

func readingsDocs(groups grants.Groups, ahead grants.Snapshot, oldGroups []grants.Groups, oldSnapshots []grants.Snapshot) ([]ledger.Doc, error) {
	g, err1 := grants.Encode(groups)
	a, err2 := grants.Encode(ahead)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("encoding a reading: %w", err)
	}
	docs := []ledger.Doc{
		{Kind: docGroups, Key: ledger.TimeKey(groups.Read), Value: g},
		{Kind: docSnapshot, Key: ledger.TimeKey(ahead.Read), Value: a},
	}
	for _, o := range oldGroups {
		docs = append(docs, ledger.Doc{Kind: docGroups, Key: ledger.TimeKey(o.Read)})
	}
	for _, o := range oldSnapshots {
		docs = append(docs, ledger.Doc{Kind: docSnapshot, Key: ledger.TimeKey(o.Read)})
	}
	return docs, nil
}

// endOfTheGone ends the grants of people who are no longer members.
func (s *Service) endOfTheGone(ctx context.Context) error {
	var ids []string
	err := s.Ledger.View(ctx, func(v *ledger.View) error {
		v.ScanIndex(indexActive, "", ledger.End, func(person, id string) bool {
			if p, err := s.identify(grants.PersonKey(person)); err == nil && p.Standing != grants.Member {
				ids = append(ids, id)
			}
			return true
		})
		return nil
	})
	for _, id := range ids {
		now := s.now()
		_, err2 := s.update(ctx, id, func(_ *ledger.View, g grants.Grant, _ due) (step, error) {
			switch g.State {
			case grants.Asked, grants.Pending:
				g, err := g.LosePerson(now)
				e := bySystem(grants.KindGonePerson, "directory", now)
				e.Outcome = grants.PersonGone
				return step{moves: []move{{g, e}}}, err
			case grants.Open:
				moves, err := end(g, grants.PersonGone, grants.Actor{System: "directory"}, nil, now)
				return step{moves: moves}, err
			}
			return step{}, errNothing
		})
		err = errors.Join(err, err2)
	}
	return err
}

// groupsOf lists the user groups that roles name.
func groupsOf(roles []grants.Role) []string {
	var ids []string
	for _, r := range roles {
		for _, v := range []grants.Voters{r.Voters, r.OffCall} {
			if v.Usergroup != "" {
				ids = append(ids, v.Usergroup)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// sourcesOf lists everything that PagerDuty is asked about, once.
func sourcesOf(roles []grants.Role) []grants.Source {
	var all []grants.Source
	add := func(s grants.Source) {
		s.Levels = nil // all levels are read; grants picks
		if !slices.ContainsFunc(all, func(o grants.Source) bool { return o.Policy == s.Policy && o.Schedule == s.Schedule }) {
			all = append(all, s)
		}
	}
	for _, r := range roles {
		for _, src := range r.OnCall {
			add(src)
		}
		for _, v := range []grants.Voters{r.Voters, r.OffCall} {
			if src, ok := v.Source(); ok {
				add(src)
			}
		}
	}
	return all
}
