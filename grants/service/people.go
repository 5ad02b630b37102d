package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

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
	return errors.Join(s.remember(ctx, ahead.Entries), s.endOfTheGone(ctx))
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
