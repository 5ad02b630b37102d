package monitor_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"nightlatch/cmd/nightlatch/config"
	"nightlatch/grants/service"
)

// The lines of Prometheus's text format 0.0.4.
var (
	helpLine   = regexp.MustCompile(`^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) ([^\\]|\\\\|\\n)+$`)
	typeLine   = regexp.MustCompile(`^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$`)
	sampleLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_]\w*="([^"\\]|\\["\\n])*"(,[a-zA-Z_]\w*="([^"\\]|\\["\\n])*")*\})? (\S+)$`)
)

// scrape reads a page more strictly than Prometheus does: a family has its help and type first, in that order,
// and once; its samples follow at once, each once; a counter ends with _total; a histogram's buckets only grow.
func scrape(t *testing.T, page string) map[string]float64 {
	t.Helper()
	samples, seen := map[string]float64{}, map[string]bool{}
	family, kind, before := "", "", -1.0
	if !strings.HasSuffix(page, "\n") {
		t.Error("the page does not end with a line's end")
	}
	lines := strings.Split(strings.TrimSuffix(page, "\n"), "\n")
	for i, line := range lines {
		if m := helpLine.FindStringSubmatch(line); m != nil {
			if seen[m[1]] || i+1 == len(lines) || !strings.HasPrefix(lines[i+1], "# TYPE "+m[1]+" ") {
				t.Errorf("line %d: %s stands twice or has no type", i+1, line)
			}
			seen[m[1]] = true
			continue
		}
		if m := typeLine.FindStringSubmatch(line); m != nil {
			family, kind, before = m[1], m[2], -1
			if !seen[family] || (kind == "counter") != strings.HasSuffix(family, "_total") {
				t.Errorf("line %d: %s", i+1, line)
			}
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("line %d is none of the format's: %q", i+1, line)
		}
		name, value := m[1], number(t, m[6])
		if _, twice := samples[m[1]+m[2]]; twice {
			t.Errorf("line %d: %s stands twice", i+1, line)
		}
		samples[m[1]+m[2]] = value
		switch {
		case kind == "histogram" && name == family+"_bucket":
			if value < before {
				t.Errorf("line %d: %s is less than the bucket before", i+1, line)
			}
			before = value
		case kind == "histogram" && (name == family+"_sum" || name == family+"_count"):
		case name != family:
			t.Errorf("line %d: %s stands under %s", i+1, line, family)
		}
		if kind != "gauge" && (value < 0 || math.IsNaN(value)) {
			t.Errorf("line %d: %s counts nothing", i+1, line)
		}
	}
	return samples
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Errorf("%q is no number", text)
	}
	return v
}

func TestTheMetricsPage(t *testing.T) {
	h := pages(t, config.Loopback, func() (service.Status, error) { return busy(), nil })
	w := from(t, h, "/metrics", "127.0.0.1:1", nil)
	if got := w.Header().Get("Content-Type"); got != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("it is a %s", got)
	}
	got := scrape(t, w.Body.String())
	for sample, want := range map[string]float64{
		`nightlatch_info{environment="production",instance="abcdefgh",version="v1.2.3"}`: 1,
		`nightlatch_ledger_up`:                                              1,
		`nightlatch_requests_total`:                                         6,
		`nightlatch_commits_total`:                                          97,
		`nightlatch_ledger_events`:                                          41,
		`nightlatch_events_total{kind="opened"}`:                            5,
		`nightlatch_verdicts_total{decision="refuse",reason="not_on_call"}`: 1,
		`nightlatch_grants{state="open"}`:                                   2,
		`nightlatch_grants{state="closing"}`:                                3,
		`nightlatch_target_failing{issuer="token"}`:                         2,
		`nightlatch_target_failing_seconds{issuer="token"}`:                 600,
		`nightlatch_target_failing_seconds{issuer="a \"b\\\n"}`:             0,
		`nightlatch_outbox_untold{surface="verdict"}`:                       4,
		`nightlatch_outbox_oldest_seconds{surface="verdict"}`:               60,
		`nightlatch_outbox_oldest_seconds{surface="card"}`:                  0,
		`nightlatch_pagerduty_answer_age_seconds`:                           30,
		`nightlatch_slack_connections`:                                      2,
		`nightlatch_slack_surplus_total`:                                    1,
		`nightlatch_revocation_lag_seconds_bucket{le="0.05"}`:               0,
		`nightlatch_revocation_lag_seconds_bucket{le="0.1"}`:                1,
		`nightlatch_revocation_lag_seconds_bucket{le="2"}`:                  1,
		`nightlatch_revocation_lag_seconds_bucket{le="5"}`:                  2,
		`nightlatch_revocation_lag_seconds_bucket{le="3600"}`:               2,
		`nightlatch_revocation_lag_seconds_bucket{le="+Inf"}`:               3,
		`nightlatch_revocation_lag_seconds_count`:                           3,
		`nightlatch_revocation_lag_seconds_sum`:                             7203.1,
		`nightlatch_alarms`:                                                 1,
	} {
		if v, ok := got[sample]; !ok || math.Abs(v-want) > 1e-6 {
			t.Errorf("%s is %v (there: %t), want %v", sample, v, ok, want)
		}
	}
	if age := got["nightlatch_sweep_age_seconds"]; age < 1 || age > 10 {
		t.Errorf("the sweep got on %v s ago", age)
	}
	if t.Failed() {
		t.Log(w.Body)
	}
}

// TestTheDocumentNamesEveryMetric, so that nobody has to guess.
func TestTheDocumentNamesEveryMetric(t *testing.T) {
	document, err := os.ReadFile("../../../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	h := pages(t, config.Loopback, func() (service.Status, error) { return busy(), nil })
	page := from(t, h, "/metrics", "127.0.0.1:1", nil).Body.String()
	told := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+) `).FindAllStringSubmatch(page, -1) {
		told[m[1]] = true
		if !strings.Contains(string(document), "`"+m[1]+"`") {
			t.Errorf("docs/operate.md does not name %s", m[1])
		}
	}
	for _, name := range regexp.MustCompile("nightlatch_[a-z_]+").FindAllString(string(document), -1) {
		if name = strings.TrimSuffix(name, "_bucket"); !told[name] {
			t.Errorf("docs/operate.md names %s, which there is not", name)
		}
	}
}

// TestAgesOfWhatNeverWasCountFromTheStart: an alert on an age fires also when nothing ever came.
func TestAgesOfWhatNeverWasCountFromTheStart(t *testing.T) {
	h := pages(t, config.Loopback, func() (service.Status, error) {
		st := busy()
		st.Answered = st.Answered.AddDate(-2000, 0, 0)
		return st, nil
	})
	got := scrape(t, from(t, h, "/metrics", "127.0.0.1:1", nil).Body.String())
	if age := got["nightlatch_pagerduty_answer_age_seconds"]; age < 3590 || age > 3610 {
		t.Errorf("PagerDuty never answered, and that is %v s old", age)
	}
}
