package send_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"nightlatch/bot/send"
	"nightlatch/grants"
)

// turned is a Slack whose clock differs from ours.
type turned struct{ by time.Duration }

func (t turned) RoundTrip(r *http.Request) (*http.Response, error) {
	date := time.Now().Add(t.by).UTC().Format(http.TimeFormat)
	return &http.Response{StatusCode: http.StatusInternalServerError, Header: http.Header{"Date": {date}}, Body: http.NoBody, Request: r}, nil
}

func TestSlacksClockIsRead(t *testing.T) {
	for _, by := range []time.Duration{0, -90 * time.Second, time.Hour} {
		t.Run(fmt.Sprint(by), func(t *testing.T) {
			s, err := send.New(send.Config{BotToken: grants.NewSecret("xoxb-1"), Transport: turned{by}})
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Ahead(); got != 0 {
				t.Errorf("before Slack answered we are %s ahead", got)
			}
			if _, err = s.Identify(t.Context()); err == nil {
				t.Error("no error though Slack answered 500")
			}
			if got := s.Ahead(); (got + by).Abs() > 5*time.Second {
				t.Errorf("we are %s ahead of a clock that is %s ahead of ours", got, by)
			}
		})
	}
}
