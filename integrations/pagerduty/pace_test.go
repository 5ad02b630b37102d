package pagerduty_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/pagerduty"
)

func TestARefusalIsWaitedFor(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{})
		emu.Inject(pagerdutyemu.Fault{Method: "oncalls", Status: 429, Reset: 45 * time.Second, Times: 1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		got, err := pagerduty.New(config).Entries(ctx, sources(policy("PONE")), time.Time{}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 45*time.Second {
			t.Errorf("asked again after %s", took)
		}
		if !got.Read.Equal(began.Add(45 * time.Second)) {
			t.Errorf("read %s after the start, which is when it was refused", got.Read.Sub(began))
		}
	})
}

func TestARefusalThatOutlastsTheDeadlineIsToldAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{})
		emu.Inject(pagerdutyemu.Fault{Method: "oncalls", Status: 429, Reset: 45 * time.Second, Times: 1})
		client := pagerduty.New(config)
		began := time.Now()
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			_, err := client.Entries(ctx, sources(policy("PONE")), time.Time{}, time.Time{})
			cancel()
			wantFailure(t, err, pagerduty.ErrRateLimited)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %s", took)
		}
		if n := len(emu.Requests()); n != 1 {
			t.Errorf("%d requests while limited", n)
		}
		if _, err := client.Users(t.Context()); err != nil {
			t.Errorf("the limit of on-calls holds up users: %v", err)
		}
		time.Sleep(45 * time.Second)
		now(t, client, policy("PONE"))
	})
}

func TestARefusalWithoutHeadersIsWaitedForToo(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_, config := account(t, pagerdutyemu.Config{})
		emulated, refused := config.Transport, 0
		config.Transport = bareRefusals{next: emulated, left: &refused}
		refused = 2
		began := time.Now()
		now(t, pagerduty.New(config), policy("PONE"))
		if took := time.Since(began); took < time.Second || took > time.Minute {
			t.Errorf("two refusals took %s", took)
		}
	})
}

func TestWhatIsUsedUpIsNotAskedFor(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{OnCallsPerMinute: 6})
		client := pagerduty.New(config)
		began, answered := time.Now(), 0
		for time.Since(began) < 6*time.Hour {
			now(t, client, policy("PONE"))
			answered++
			time.Sleep(2 * time.Second)
		}
		for _, r := range emu.Requests() {
			if r.Status == 429 {
				t.Fatalf("refused at %s after the start", r.At.Sub(began))
			}
		}
		if answered < 5*6*60 {
			t.Errorf("%d answers in six hours, of %d that the limit allows", answered, 6*6*60)
		}
	})
}

func TestManyAtOnceStayBelowTheLimit(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{OnCallsPerMinute: 30})
		client := pagerduty.New(config)
		now(t, client, policy("PONE"))
		var asking sync.WaitGroup
		for range 50 {
			asking.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				if _, err := client.Entries(ctx, sources(policy("PONE")), time.Time{}, time.Time{}); err != nil {
					t.Error(err)
				}
			})
		}
		asking.Wait()
		refused := 0
		for _, r := range emu.Requests() {
			if r.Status == 429 {
				refused++
			}
		}
		if refused > 0 {
			t.Errorf("%d of %d requests were refused", refused, len(emu.Requests()))
		}
	})
}

func TestWaitingForTheLimitCanBeCancelled(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		emu, config := account(t, pagerdutyemu.Config{})
		emu.Inject(pagerdutyemu.Fault{Method: "oncalls", Status: 429, Reset: time.Minute})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		began := time.Now()
		_, err := pagerduty.New(config).Entries(ctx, sources(policy("PONE")), time.Time{}, time.Time{})
		if !errors.Is(err, context.Canceled) || time.Since(began) != 10*time.Second {
			t.Errorf("error %v after %s", err, time.Since(began))
		}
	})
}
