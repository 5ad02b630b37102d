package pagerduty_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/pagerduty"
)

// FuzzAnswer has PagerDuty answer with anything. What is accepted must be whole: every entry has its user, policy and
// level, and an entry without an end comes from an answer that says null.
func FuzzAnswer(f *testing.F) {
	f.Add(onePage(""))
	f.Add(onePage(entry(`,"start":null,"end":null`)))
	f.Add(onePage(entry(`,"start":"2015-03-06T15:28:51-05:00","end":"2015-03-07T15:28:51-05:00"`)))
	f.Add(onePage(entry(`,"start":null,"end":""`)))
	f.Add(`{"oncalls":[{"end":"2015-03-07T15:28:51Z","End":null}],"limit":1,"offset":0,"more":false}`)
	f.Add(`{"oncalls":null}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, body string) {
		transport := sender(func(r *http.Request) (*http.Response, error) {
			content := io.NopCloser(strings.NewReader(body))
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: content, Request: r}, nil
		})
		client := pagerduty.New(pagerduty.Config{Key: grants.NewSecret(key), Transport: transport})
		snapshot, err := client.Entries(t.Context(), sources(policy("PONE")), time.Time{}, time.Time{})
		if err != nil {
			wantFailure(t, err, pagerduty.ErrBadAnswer)
			return
		}
		for _, e := range snapshot.Entries {
			if e.User == "" || e.Policy == "" || e.Level < 1 {
				t.Errorf("an entry with holes: %+v", e)
			}
			if e.End.IsZero() && !strings.Contains(body, "null") {
				t.Errorf("an entry for ever: %+v", e)
			}
		}
	})
}
