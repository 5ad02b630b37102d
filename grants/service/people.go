package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// reading is what one round of reading brought. A part that failed is nil, and what was
// known of it stays.
type reading struct {
	slack  []grants.SlackUser
	pager  []grants.PagerUser
	groups *grants.Groups
	ahead  *grants.Snapshot
}

// The bounds of a reading.
const (
	horizon        = 25 * time.Hour // how far ahead shifts are read
	rereadPatience = 2 * time.Minute
)

// reread reads the directory, the user groups and who is on call in the next hours. Each
// part that was read is kept, whatever became of the others: PagerDuty's silence must not
// keep alive what Slack has deactivated.
func (s *Service) reread(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, rereadPatience)
	defer cancel()
	s.changes.begin()
	var r reading
	var errs [4]error
	if r.slack, errs[0] = s.Directory.Users(ctx); errs[0] != nil {
		errs[0] = fmt.Errorf("reading Slack's users: %w", errs[0])
	}
	if r.pager, errs[1] = s.OnCall.Users(ctx); errs[1] != nil {
		errs[1] = fmt.Errorf("reading PagerDuty's users: %w", errs[1])
	}
	r.groups, errs[2] = s.readGroups(ctx)
	ahead, err := s.OnCall.Entries(ctx, s.offer.Load().sources, s.now(), s.now().Add(horizon))
	if err != nil {
		errs[3] = fmt.Errorf("reading who is on call in the next hours: %w", err)
	} else {
		r.ahead = &ahead
	}
	return errors.Join(append(errs[:], s.keep(ctx, r), s.endOfTheGone(ctx))...)
}

// readGroups reads the members of every user group that a role names. One that cannot be
// read keeps the members that it had.
func (s *Service) readGroups(ctx context.Context) (*grants.Groups, error) {
	groups := grants.Groups{Members: map[string][]string{}}
	var errs []error
	for _, id := range groupsOf(s.offer.Load().roles) {
		members, err := s.Directory.Members(ctx, id)
		if err != nil {
			errs = append(errs, fmt.Errorf("reading the members of user group %s: %w", id, err))
			members = s.known.members(id)
		}
		slices.Sort(members)
		groups.Members[id] = members
	}
	return &groups, errors.Join(errs...)
}

// keep pairs the people and stores the reading in one transaction.
func (s *Service) keep(ctx context.Context, r reading) error {
	s.changes.mu.Lock()
	defer s.changes.mu.Unlock()
	s.changes.correct(r.slack)
	now := s.now()
	before := s.known.all()
	s.known.mu.RLock()
	history, readings := slices.Clone(s.known.history), slices.Clone(s.known.groups)
	s.known.mu.RUnlock()

	first := len(before) == 0
	people := s.paired(r, before, now)
	docs, changed, err := personDocs(people, before)
	if err != nil {
		return err
	}
	told, err := newsOf(people, before, now)
	if err != nil {
		return err
	}
	docs = append(docs, told...)
	settled := now.Add(-s.Settle)
	if r.groups != nil {
		r.groups.Read, r.groups.First = now, len(readings) == 0
		var old []grants.Groups
		readings, old = stillUseful(append(readings, *r.groups), readGroupsAt, settled)
		docs, err = withReading(docs, docGroups, *r.groups, old, readGroupsAt)
	}
	if r.ahead != nil && err == nil {
		r.ahead.First = len(history) == 0
		var old []grants.Snapshot
		history, old = stillUseful(append(history, *r.ahead), readSnapshotAt, settled)
		docs, err = withReading(docs, docSnapshot, *r.ahead, old, readSnapshotAt)
	}
	if err != nil {
		return err
	}
	if err := s.keepPeople(ctx, docs, changed, first && len(people) > 0, len(people), now); err != nil {
		return fmt.Errorf("keeping the directory: %w", err)
	}
	s.known.setPeople(people)
	s.known.mu.Lock()
	s.known.history, s.known.groups = history, readings
	s.known.mu.Unlock()
	if r.ahead != nil {
		s.known.foresee(*r.ahead)
		return s.remember(ctx, r.ahead.Entries)
	}
	return nil
}

// paired is the directory after a reading. New people and new pairs need both sides.
func (s *Service) paired(r reading, before []grants.Person, now time.Time) []grants.Person {
	switch {
	case r.slack == nil:
		return before
	case r.pager == nil:
		return grants.Recheck(s.Team, r.slack, before)
	case len(before) == 0:
		now = time.Time{} // the first reading counts as settled
	}
	return grants.Pair(s.Team, r.slack, r.pager, before, now)
}

// keepPeople stores a reading, with an event when people changed.
func (s *Service) keepPeople(ctx context.Context, docs []ledger.Doc, changed []string, first bool, all int, now time.Time) error {
	_, err := s.update(ctx, "", func(*ledger.View, grants.Grant, due) (step, error) {
		st := step{docs: docs}
		if len(changed) > 0 {
			e := bySystem(grants.KindDirectory, "directory", now)
			e.Count, e.Detail = len(changed), strings.Join(changed[:min(len(changed), 200)], ", ")
			if first {
				e.Detail = fmt.Sprintf("first reading of this ledger, which counts as settled: %d people", all)
			}
			st.events = []grants.Event{e}
		}
		return st, nil
	})
	kick(s.newsKick)
	return err
}

func readGroupsAt(g grants.Groups) time.Time     { return g.Read }
func readSnapshotAt(s grants.Snapshot) time.Time { return s.Read }

// withReading adds the document of a reading, and the deletion of those that nothing asks for any more.
func withReading[T any](docs []ledger.Doc, kind string, r T, old []T, at func(T) time.Time) ([]ledger.Doc, error) {
	b, err := grants.Encode(r)
	if err != nil {
		return docs, fmt.Errorf("encoding a reading (%s): %w", kind, err)
	}
	docs = append(docs, ledger.Doc{Kind: kind, Key: ledger.TimeKey(at(r)), Value: b})
	for _, o := range old {
		docs = append(docs, ledger.Doc{Kind: kind, Key: ledger.TimeKey(at(o))})
	}
	return docs, nil
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

// endOfTheGone ends the grants of people who are no longer members, and of those who are frozen
// the ones that opened by themselves.
func (s *Service) endOfTheGone(ctx context.Context) error {
	lost := map[string]grants.Reason{} // grant → why
	err := s.Ledger.View(ctx, func(v *ledger.View) error {
		v.ScanIndex(indexActive, "", ledger.End, func(person, id string) bool {
			switch p, err := s.identify(grants.PersonKey(person)); {
			case err != nil: // nobody is known to be gone
			case p.Standing != grants.Member:
				lost[id] = grants.Reason{Code: grants.BadStanding, Detail: string(p.Standing)}
			case p.Frozen != "":
				lost[id] = grants.Reason{Code: grants.FrozenPerson, Detail: p.Frozen}
			}
			return true
		})
		return nil
	})
	for _, id := range slices.Sorted(maps.Keys(lost)) {
		now, why := s.now(), lost[id]
		_, err2 := s.update(ctx, id, func(_ *ledger.View, g grants.Grant, _ due) (step, error) {
			if why.Code == grants.FrozenPerson && g.Basis != grants.ByOnCall {
				return step{}, errNothing // people said yes, or will decide with this in mind
			}
			switch g.State {
			case grants.Asked, grants.Pending:
				g, err := g.LosePerson(now)
				e := bySystem(grants.KindGonePerson, "directory", now)
				e.Outcome = grants.PersonGone
				return step{moves: []move{{g, e}}}, err
			case grants.Open:
				moves, err := end(g, grants.PersonGone, grants.Actor{System: "directory"}, []grants.Reason{why}, now)
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
