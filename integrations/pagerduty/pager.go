package pagerduty

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	pd "github.com/PagerDuty/go-pagerduty"

	"nightlatch/grants"
)

// PagerConfig says which service of PagerDuty wakes somebody. Only RoutingKey has no default.
type PagerConfig struct {
	RoutingKey grants.Secret     // of an Events API v2 integration of the service
	BaseURL    string            // without trailing slash; default "https://events.pagerduty.com"
	Source     string            // what the alarm is about, as PagerDuty shows it; default "nightlatch"
	Transport  http.RoundTripper // default: a transport of its own, set up like http.DefaultTransport
	Timeout    time.Duration     // of one event; default 10 s
}

// Pager wakes whoever is on call for a service, by the Events API v2. It has no goroutines and may
// be used by many at once. It tries once: its caller knows when to try again, or another way.
type Pager struct{ config PagerConfig }

// NewPager returns a pager. It sends nothing yet.
func NewPager(config PagerConfig) *Pager {
	if config.Transport == nil {
		config.Transport = ownTransport()
	}
	config.BaseURL = cmp.Or(strings.TrimSuffix(config.BaseURL, "/"), "https://events.pagerduty.com")
	config.Source = cmp.Or(config.Source, "nightlatch")
	config.Timeout = cmp.Or(config.Timeout, 10*time.Second)
	return &Pager{config}
}

// Page triggers an event, or resolves it when the alarm is over. Its key is the event's dedup_key,
// so that an alarm told twice is one incident. The routing key is in no error.
func (p *Pager) Page(ctx context.Context, a grants.Alarm) error {
	event := &pd.V2Event{RoutingKey: p.config.RoutingKey.Expose(), Action: "resolve", DedupKey: a.Key, Client: "Nightlatch"}
	if a.Over.IsZero() {
		event.Action = "trigger"
		event.Payload = &pd.V2Payload{
			Summary: a.Summary, Source: p.config.Source, Severity: "critical", Component: "nightlatch",
			Timestamp: a.Since.UTC().Format(time.RFC3339),
		}
	}
	x := &exchange{
		http: &http.Client{
			Transport:     p.config.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		timeout: p.config.Timeout, whole: accepted,
	}
	api := pd.NewClient("", pd.WithV2EventsAPIEndpoint(p.config.BaseURL))
	api.HTTPClient = x
	if _, err := api.ManageEventWithContext(ctx, event); err != nil {
		return fmt.Errorf("paging: %w", judge(ctx, x, p.config.RoutingKey, err))
	}
	return nil
}

// accepted refuses an answer that is not the Events API's: a proxy's page, for instance.
func accepted(body []byte) error {
	if !strings.Contains(string(body), `"success"`) {
		return errors.New("an answer that does not say that the event was taken")
	}
	return nil
}
