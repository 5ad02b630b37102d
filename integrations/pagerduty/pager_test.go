package pagerduty_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/pagerduty"
)

// pager pages a service of an emulated account.
func pager(t *testing.T) (*pagerdutyemu.Emulator, *pagerduty.Pager) {
	t.Helper()
	emu, config := account(t, pagerdutyemu.Config{})
	emu.PutService(pagerdutyemu.Service{ID: "PLATCH", Name: "Nightlatch", Policy: "PONE", RoutingKey: "r-key-of-the-latch"})
	return emu, pagerduty.NewPager(pagerduty.PagerConfig{
		RoutingKey: grants.NewSecret("r-key-of-the-latch"), BaseURL: config.BaseURL, Transport: config.Transport,
	})
}

func TestAnAlarmToldTwiceIsOneIncident(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, p := pager(t)
		a := grants.Alarm{Key: "nightlatch/abcdefgh/target/vault/1", Summary: "The target vault does not revoke.", Since: time.Now()}
		for range 2 {
			if err := p.Page(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		open := emu.Incidents()
		if len(open) != 1 || open[0].Title != a.Summary || open[0].Status != pagerdutyemu.Triggered {
			t.Fatalf("two pages of one alarm made %+v", open)
		}
		a.Over = time.Now()
		if err := p.Page(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if open = emu.Incidents(); open[0].Status != pagerdutyemu.Resolved {
			t.Errorf("after its end the incident is %s", open[0].Status)
		}
	})
}

func TestAPageThatFailsNamesNoKey(t *testing.T) {
	for name, test := range map[string]struct {
		fault pagerdutyemu.Fault
		want  error
	}{
		"dropped":   {pagerdutyemu.Fault{Method: "*", Drop: true}, pagerduty.ErrUnreachable},
		"slow":      {pagerdutyemu.Fault{Method: "*", Delay: time.Minute}, pagerduty.ErrUnreachable},
		"500":       {pagerdutyemu.Fault{Method: "*", Status: 500}, pagerduty.ErrUnreachable},
		"429":       {pagerdutyemu.Fault{Method: "*", Status: 429}, pagerduty.ErrRateLimited},
		"400":       {pagerdutyemu.Fault{Method: "*", Status: 400, Body: `{"status":"invalid event","message":"no r-key-of-the-latch","errors":[]}`}, pagerduty.ErrBadAnswer},
		"a proxy's": {pagerdutyemu.Fault{Method: "*", Body: "<html>r-key-of-the-latch</html>"}, pagerduty.ErrBadAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				emu, p := pager(t)
				emu.Inject(test.fault)
				err := p.Page(t.Context(), grants.Alarm{Key: "k", Summary: "s", Since: time.Now()})
				if !errors.Is(err, test.want) {
					t.Errorf("%v, want %v", err, test.want)
				}
				if err != nil && strings.Contains(err.Error(), "r-key") {
					t.Errorf("the routing key is in %q", err)
				}
			})
		})
	}
}
