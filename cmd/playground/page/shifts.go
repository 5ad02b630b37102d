package page

import (
	"slices"
	"time"

	"nightlatch/integrations/emulators/pagerdutyemu"
)

// bar is a shift as it is drawn.
type bar struct {
	User  string    `json:"user"` // of PagerDuty
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// row is a schedule with its shifts.
type row struct {
	Line
	Level int   `json:"level"` // of the escalation policy
	Bars  []bar `json:"bars"`
}

// What is drawn of the night, and how fine. A shorter shift that nobody has now may be missed.
const (
	behind = 2 * time.Hour
	before = 14 * time.Hour
	fine   = 5 * time.Minute
)

// shifts asks PagerDuty's emulator who is on call when, as anybody can: moment by moment.
func (p *Page) shifts(now time.Time) []row {
	rows := make([]row, len(p.cfg.Lines))
	for i, line := range p.cfg.Lines {
		rows[i] = row{Line: line, Bars: []bar{}}
	}
	note := func(o pagerdutyemu.OnCall) {
		i := slices.IndexFunc(rows, func(r row) bool { return r.Schedule == o.Schedule })
		b := bar{o.User, o.Start, o.End}
		if i >= 0 && !slices.Contains(rows[i].Bars, b) {
			rows[i].Level = o.Level
			rows[i].Bars = append(rows[i].Bars, b)
		}
	}
	from := now.Truncate(fine).Add(-behind)
	for at := from; at.Before(from.Add(behind + before)); at = at.Add(fine) {
		for _, o := range p.cfg.PagerDuty.OnCall(at) {
			note(o)
		}
	}
	for _, o := range p.cfg.PagerDuty.OnCall(now) {
		note(o)
	}
	for _, r := range rows {
		slices.SortFunc(r.Bars, func(a, b bar) int { return a.Start.Compare(b.Start) })
	}
	return rows
}
