package monitor

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// metrics writes the page for Prometheus, in its text format 0.0.4. docs/operate.md says what each
// name means; names and labels are kept.
func metrics(w http.ResponseWriter, c Config, s snapshot) {
	var p page
	v := s.service
	p.family("nightlatch_info", "gauge", "Always 1; the labels say which program this is.")
	p.sample("nightlatch_info", 1, "environment", c.Environment, "instance", c.Instance, "version", c.Version)
	p.gauge("nightlatch_started_seconds", "When the program began, in Unix time.", float64(v.Began.UnixMilli())/1000)
	p.gauge("nightlatch_ledger_up", "1 if the ledger can be read.", truth(s.ledger == nil))
	if s.ledger == nil {
		p.state(s)
	}
	p.happened(v)
	p.lag(v.Lag)
	p.slack(s)
	p.door(s)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write([]byte(p.text.String()))
}

// page is a page in the making.
type page struct{ text strings.Builder }

// state is how things are now.
func (p *page) state(s snapshot) {
	v := s.service
	p.gauge("nightlatch_disk_full", "1 if the ledger's disk is full, so that nothing opens.", truth(v.Scarce))
	p.gauge("nightlatch_ledger_events", "Events in the ledger.", float64(v.Events))
	p.gauge("nightlatch_alarms", "Causes about which a human is paged.", float64(v.Alarms))
	p.family("nightlatch_grants", "gauge", "Requests and grants that are not over.")
	for _, state := range []struct {
		name string
		n    int
	}{{"pending", v.Pending}, {"open", v.Open}, {"closing", v.Closing}} {
		p.sample("nightlatch_grants", float64(state.n), "state", state.name)
	}
	issuers := slices.Sorted(maps.Keys(v.Targets))
	p.family("nightlatch_target_waiting", "gauge", "Grants with a credential to revoke.")
	for _, issuer := range issuers {
		p.sample("nightlatch_target_waiting", float64(v.Targets[issuer].Waiting), "issuer", issuer)
	}
	p.family("nightlatch_target_failing", "gauge", "Grants with a credential that the target did not revoke when it was tried.")
	for _, issuer := range issuers {
		p.sample("nightlatch_target_failing", float64(v.Targets[issuer].Failing), "issuer", issuer)
	}
	p.family("nightlatch_target_failing_seconds", "gauge", "For how long the oldest of these has been failing; 0 if none is.")
	for _, issuer := range issuers {
		p.sample("nightlatch_target_failing_seconds", since(v.At, v.Targets[issuer].Since), "issuer", issuer)
	}
	surfaces := slices.Sorted(maps.Keys(v.Untold))
	p.family("nightlatch_outbox_untold", "gauge", "Messages that do not show yet what is true.")
	for _, surface := range surfaces {
		p.sample("nightlatch_outbox_untold", float64(v.Untold[surface].Count), "surface", string(surface))
	}
	p.family("nightlatch_outbox_oldest_seconds", "gauge", "For how long the oldest of these has waited; 0 if none does.")
	for _, surface := range surfaces {
		p.sample("nightlatch_outbox_oldest_seconds", since(v.At, v.Untold[surface].Since), "surface", string(surface))
	}
	p.gauge("nightlatch_sweep_age_seconds", "How long ago the part of the sweep that is furthest behind got on.", since(s.at, later(v.Swept, v.Began)))
	p.gauge("nightlatch_pagerduty_answer_age_seconds", "How old PagerDuty's last answer to a poll is, or how long the program has run without one.",
		since(v.At, later(v.Answered, v.Began)))
}

// happened is what was counted since the start.
func (p *page) happened(v service.Status) {
	p.counter("nightlatch_commits_total", "Transactions of the ledger.", v.Commits)
	p.counter("nightlatch_requests_total", "Requests that were recorded.", v.Recorded[grants.KindAsked])
	p.family("nightlatch_events_total", "counter", "Events by their kind.")
	for _, kind := range slices.Sorted(maps.Keys(v.Recorded)) {
		p.sample("nightlatch_events_total", float64(v.Recorded[kind]), "kind", string(kind))
	}
	p.family("nightlatch_verdicts_total", "counter", "Decisions, by the first of their reasons.")
	for _, c := range slices.SortedFunc(maps.Keys(v.Verdicts), func(a, b service.VerdictCount) int {
		return cmp.Or(cmp.Compare(a.Decision, b.Decision), cmp.Compare(a.Reason, b.Reason))
	}) {
		p.sample("nightlatch_verdicts_total", float64(v.Verdicts[c]), "decision", string(c.Decision), "reason", string(c.Reason))
	}
}

// lag is the histogram of revocations.
func (p *page) lag(h service.Histogram) {
	const name = "nightlatch_revocation_lag_seconds"
	p.family(name, "histogram", "From when the end of a credential was due to when its death was proven.")
	var all uint64
	for i, bound := range service.LagBounds() {
		if i < len(h.Counts) {
			all += h.Counts[i]
		}
		p.sample(name+"_bucket", float64(all), "le", number(bound.Seconds()))
	}
	if n := len(h.Counts); n > 0 {
		all += h.Counts[n-1]
	}
	p.sample(name+"_bucket", float64(all), "le", "+Inf")
	p.sample(name+"_sum", h.Sum.Seconds())
	p.sample(name+"_count", float64(all))
}

func (p *page) slack(s snapshot) {
	p.gauge("nightlatch_slack_connections", "Our connections to Slack; two are wanted.", float64(s.slack.Connected))
	for _, c := range []struct {
		name, help string
		n          int64
	}{
		{"hellos", "Connections that Slack greeted.", s.slack.Hellos},
		{"surplus", "Alarms that somebody else listens with our app token.", s.slack.Surplus},
		{"swallowed", "Commands that a limit or a full queue refused.", s.slack.Swallowed},
		{"foreign", "Commands from elsewhere.", s.slack.Foreign},
		{"malformed", "Envelopes that nobody could read.", s.slack.Malformed},
	} {
		p.counter("nightlatch_slack_"+c.name+"_total", c.help, uint64(max(c.n, 0)))
	}
}

func (p *page) door(s snapshot) {
	const name = "nightlatch_door_answers_total"
	p.family(name, "counter", "Answers to services that ask about tokens.")
	for _, c := range []struct {
		answer string
		n      uint64
	}{
		{"active", s.door.Active},
		{"dead", s.door.Dead},
		{"unknown", s.door.Unknown},
		{"foreign", s.door.Foreign},
		{"unauthenticated", s.door.Unauthenticated},
		{"limited", s.door.Limited},
		{"malformed", s.door.Malformed},
		{"unanswered", s.door.Unanswered},
		{"returned", s.door.Returned},
	} {
		p.sample(name, float64(c.n), "answer", c.answer)
	}
}

// family begins the samples of a name.
func (p *page) family(name, kind, help string) {
	fmt.Fprintf(&p.text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (p *page) gauge(name, help string, value float64) {
	p.family(name, "gauge", help)
	p.sample(name, value)
}

func (p *page) counter(name, help string, n uint64) {
	p.family(name, "counter", help)
	p.sample(name, float64(n))
}

// sample writes one line. Labels are names and values in turn.
func (p *page) sample(name string, value float64, labels ...string) {
	p.text.WriteString(name)
	for i := 0; i+1 < len(labels); i += 2 {
		p.text.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		p.text.WriteString(labels[i] + `="` + escaped.Replace(labels[i+1]) + `"`)
	}
	if len(labels) > 0 {
		p.text.WriteString("}")
	}
	p.text.WriteString(" " + number(value) + "\n")
}

// escaped is a label's value as the format wants it.
var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// since is the age of a time in seconds, and 0 of none.
func since(now, at time.Time) float64 {
	if age := ago(now, at); age != nil {
		return *age
	}
	return 0
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
