package grants

import (
	"slices"
	"time"
)

// Entry is one line of PagerDuty's answer: a user on call for a policy and level (and
// perhaps by a schedule) from Start to End. A zero Start is permanent, a zero End has no end.
type Entry struct {
	User     string    `json:"user"` // PagerDuty user ID
	Policy   string    `json:"policy,omitempty"`
	Level    int       `json:"level,omitempty"`
	Schedule string    `json:"schedule,omitempty"`
	Start    time.Time `json:"start,omitzero"`
	End      time.Time `json:"end,omitzero"`
}

// Snapshot is an answer of PagerDuty and when it was read. From and Until are the window
// that was asked for; both zero: only who is on call at Read.
type Snapshot struct {
	Read    time.Time `json:"read"`
	From    time.Time `json:"from,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	First   bool      `json:"first,omitempty"` // the first of a new ledger, which counts as settled
	Entries []Entry   `json:"entries"`
}

// Shift is a merged, contiguous interval in which a person is on call for a role. A zero
// Until has no known end.
type Shift struct {
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// MergeGap is how far apart two entries may be and still be one shift: hand-offs of one
// person to themselves are written with a gap of up to a minute.
const MergeGap = time.Minute

// ShiftAt merges the entries of one PagerDuty user for the sources into the shift that
// covers the time at; ok is false when none does.
func ShiftAt(user string, sources []Source, entries []Entry, at time.Time) (shift Shift, ok bool) {
	for _, s := range shiftsOf(user, sources, entries) {
		if !s.From.After(at) && (s.Until.IsZero() || s.Until.After(at)) {
			return s, true
		}
	}
	return Shift{}, false
}

// shiftsOf merges a user's entries for the sources, in order.
func shiftsOf(user string, sources []Source, entries []Entry) []Shift {
	if user == "" {
		return nil
	}
	var mine []Entry
	for _, e := range entries {
		if e.User == user && covered(sources, e) {
			mine = append(mine, e)
		}
	}
	slices.SortFunc(mine, func(a, b Entry) int { return a.Start.Compare(b.Start) }) // zero: since ever, comes first
	var shifts []Shift
	for _, e := range mine {
		if !e.End.IsZero() && !e.End.After(e.Start) {
			continue
		}
		last := len(shifts) - 1
		switch {
		case last >= 0 && shifts[last].Until.IsZero():
			// Already without an end: nothing can add to it.
		case last >= 0 && !e.Start.After(shifts[last].Until.Add(MergeGap)):
			if e.End.IsZero() || e.End.After(shifts[last].Until) {
				shifts[last].Until = e.End
			}
		default:
			shifts = append(shifts, Shift{From: e.Start, Until: e.End})
		}
	}
	return shifts
}

func covered(sources []Source, e Entry) bool {
	return slices.ContainsFunc(sources, func(s Source) bool { return s.Covers(e) })
}

// SettledShift is the shift of a user at a time as it was known for long enough to be
// believed: the newest snapshot that is at least settle old already said so. The first
// snapshot of a new ledger counts, however young it is. ok is false when nobody knew.
func SettledShift(history []Snapshot, settle time.Duration, user string, sources []Source, at time.Time) (shift Shift, ok bool) {
	var newest *Snapshot
	for i := range history {
		s := &history[i]
		old := s.First || !s.Read.After(at.Add(-settle))
		if old && (newest == nil || s.Read.After(newest.Read)) {
			newest = s
		}
	}
	if newest == nil {
		return Shift{}, false
	}
	return ShiftAt(user, sources, newest.Entries, at)
}
