package pagerduty

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// most and burst are what we allow ourselves, whatever is left: PagerDuty's own limit is 960 a minute.
	most  = rate.Limit(10)
	burst = 20
	// unsaid is how long a refusal is believed that does not say how long it lasts.
	unsaid = 10 * time.Second
	// longest bounds what a header may make us wait; PagerDuty's windows are a minute.
	longest = 10 * time.Minute
)

// pacer spaces the requests to one of PagerDuty's limits: what is left of a window is spread over the rest of it, and
// nothing is sent while nothing is left.
type pacer struct {
	limiter *rate.Limiter

	mu     sync.Mutex
	opens  time.Time  // nothing may be sent before
	resets time.Time  // when what was learnt of this window is over
	full   rate.Limit // what a whole window allows
}

func newPacer() *pacer { return &pacer{limiter: rate.NewLimiter(most, burst), full: most} }

// wait returns when the next request may be sent, or at once with ErrRateLimited when that is too late for the context.
func (p *pacer) wait(ctx context.Context) error {
	// Everybody asks anew after a pause: what was learnt meanwhile counts for those who wait, too.
	for pause := p.next(time.Now()); pause > 0; pause = p.next(time.Now()) {
		if !fits(ctx, pause) {
			return ErrRateLimited
		}
		if err := sleep(ctx, pause, ErrRateLimited); err != nil {
			return err
		}
	}
	return nil
}

// next takes leave for one request, or says when to ask again.
func (p *pacer) next(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pause := p.opens.Sub(now); pause > 0 {
		return pause
	}
	if !p.resets.IsZero() && !now.Before(p.resets) {
		// The window is over, and its pace with it.
		p.resets = time.Time{}
		p.limiter.SetLimitAt(now, p.full)
		p.limiter.SetBurstAt(now, burst)
	}
	turn := p.limiter.ReserveN(now, 1)
	pause := turn.DelayFrom(now)
	if pause > 0 {
		turn.CancelAt(now)
	}
	return pause
}

// learn takes the pace from an answer's headers, and says how long a refused request should wait; 0: it was not refused.
func (p *pacer) learn(status int, header http.Header, now time.Time) time.Duration {
	refused := status == http.StatusTooManyRequests
	limit, hasLimit := number(header, "ratelimit-limit")
	remaining, hasRemaining := number(header, "ratelimit-remaining")
	seconds, hasReset := number(header, "ratelimit-reset")
	reset := min(time.Duration(min(seconds, int(longest/time.Second)))*time.Second, longest)
	if !hasReset {
		reset = unsaid
	}
	if refused {
		reset = max(reset, time.Second)
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	if hasLimit && limit > 0 {
		p.full = min(most, rate.Limit(float64(limit)/60))
	}
	if refused || hasRemaining && hasReset && remaining == 0 {
		if opens := now.Add(reset); opens.After(p.opens) {
			p.opens = opens
		}
	} else if hasRemaining && hasReset && reset > 0 {
		p.resets = now.Add(reset)
		p.limiter.SetLimitAt(now, min(most, rate.Limit(float64(remaining)/reset.Seconds())))
		p.limiter.SetBurstAt(now, min(remaining, burst))
	}
	if refused {
		return reset
	}
	return 0
}

// number reads a header that counts something; anything else is as if it was absent.
func number(header http.Header, name string) (int, bool) {
	n, err := strconv.Atoi(header.Get(name))
	return max(n, 0), err == nil && n >= 0
}
