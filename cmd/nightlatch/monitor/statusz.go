package monitor

import (
	"encoding/json"
	"net/http"
	"time"
)

// status is the page for people, as JSON. Ages and lags are in seconds.
type status struct {
	Version     string    `json:"version,omitempty"`
	Environment string    `json:"environment"`
	Instance    string    `json:"instance"`
	Began       time.Time `json:"began"`
	Now         time.Time `json:"now"`

	Slack     slackStatus     `json:"slack"`
	PagerDuty pagerDutyStatus `json:"pagerduty"`
	Ledger    ledgerStatus    `json:"ledger"`
	Sweep     sweepStatus     `json:"sweep"`
	Grants    grantsStatus    `json:"grants"`
	Targets   map[string]wait `json:"targets"`
	Outbox    map[string]wait `json:"outbox"`
	Door      doorStatus      `json:"door"`
	Alarms    int             `json:"alarms"`
}

// slackStatus is bot.Counts, and doorStatus token.Counts, as the page names them.
type slackStatus struct {
	Hellos    int64 `json:"hellos"`
	Swallowed int64 `json:"swallowed"`
	Foreign   int64 `json:"foreign"`
	Malformed int64 `json:"malformed"`
	Surplus   int64 `json:"surplus"`
	Connected int64 `json:"connected"`
}

type doorStatus struct {
	Active          uint64 `json:"active"`
	Dead            uint64 `json:"dead"`
	Unknown         uint64 `json:"unknown"`
	Foreign         uint64 `json:"foreign"`
	Unauthenticated uint64 `json:"unauthenticated"`
	Limited         uint64 `json:"limited"`
	Malformed       uint64 `json:"malformed"`
	Unanswered      uint64 `json:"unanswered"`
	Returned        uint64 `json:"returned"`
}

type pagerDutyStatus struct {
	Answered *float64 `json:"answered_seconds_ago"` // null: not since the start
	Ahead    *float64 `json:"shifts_ahead_read_seconds_ago"`
}

type ledgerStatus struct {
	Answers bool   `json:"answers"`
	Full    bool   `json:"disk_full"`
	Events  int64  `json:"events"`
	Commits uint64 `json:"commits"`
}

type sweepStatus struct {
	Ago *float64 `json:"got_on_seconds_ago"`
}

type grantsStatus struct {
	Pending int `json:"pending"`
	Open    int `json:"open"`
	Closing int `json:"closing"`
}

// wait is what waits for something, how much of it fails, and since when the oldest does.
type wait struct {
	Waiting int      `json:"waiting"`
	Failing *int     `json:"failing,omitempty"`
	Oldest  *float64 `json:"oldest_seconds,omitempty"`
}

// statusz writes the page for people.
func statusz(w http.ResponseWriter, c Config, s snapshot) {
	v := s.service
	page := status{
		Version: c.Version, Environment: c.Environment, Instance: c.Instance, Began: v.Began, Now: v.At,
		Slack:     slackStatus(s.slack),
		PagerDuty: pagerDutyStatus{Answered: ago(v.At, v.Answered), Ahead: ago(v.At, v.Read)},
		Ledger:    ledgerStatus{Answers: s.ledger == nil, Full: v.Scarce, Events: v.Events, Commits: v.Commits},
		Sweep:     sweepStatus{Ago: swept(s)},
		Grants:    grantsStatus{Pending: v.Pending, Open: v.Open, Closing: v.Closing},
		Targets:   map[string]wait{}, Outbox: map[string]wait{}, Door: doorStatus(s.door), Alarms: v.Alarms,
	}
	for issuer, t := range v.Targets {
		page.Targets[issuer] = wait{Waiting: t.Waiting, Failing: &t.Failing, Oldest: ago(v.At, t.Since)}
	}
	for surface, b := range v.Untold {
		page.Outbox[string(surface)] = wait{Waiting: b.Count, Oldest: ago(v.At, b.Since)}
	}
	body, err := json.MarshalIndent(page, "", "  ")
	if err != nil {
		http.Error(w, "the status cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n'))
}

// ago is how long before now something was, or nil if it never was. What is a little ahead of the
// clock of decisions was just now.
func ago(now, at time.Time) *float64 {
	if at.IsZero() {
		return nil
	}
	return new(max(now.Sub(at).Seconds(), 0))
}

// swept is how long ago the sweep got on. It is measured by the monotonic clock.
func swept(s snapshot) *float64 { return ago(s.at, s.service.Swept) }
