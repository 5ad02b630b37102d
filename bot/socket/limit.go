package socket

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits are how much is let through before the ledger is asked. Refusing, returning,
// revoking and withdrawing are not limited.
type Limits struct {
	PerPerson   float64 // a second; default 1
	PersonBurst int     // default 10
	InAll       float64 // a second; default 50
	AllBurst    int     // default 200
}

func (l Limits) withDefaults() Limits {
	if l.PerPerson <= 0 {
		l.PerPerson = 1
	}
	if l.PersonBurst <= 0 {
		l.PersonBurst = 10
	}
	if l.InAll <= 0 {
		l.InAll = 50
	}
	if l.AllBurst <= 0 {
		l.AllBurst = 200
	}
	return l
}

// gate holds the limits. People of other workspaces share one limit, so that they cannot
// fill the memory with themselves.
type gate struct {
	limits Limits
	all    *rate.Limiter

	mu     sync.Mutex
	people map[string]*rate.Limiter
}

func newGate(l Limits) *gate {
	l = l.withDefaults()
	return &gate{
		limits: l, all: rate.NewLimiter(rate.Limit(l.InAll), l.AllBurst),
		people: map[string]*rate.Limiter{},
	}
}

// strangers is the key that everybody from elsewhere shares.
const strangers = "strangers"

// admits reports whether one more command of a person is let through now.
func (g *gate) admits(who string) bool {
	g.mu.Lock()
	l := g.people[who]
	if l == nil {
		l = rate.NewLimiter(rate.Limit(g.limits.PerPerson), g.limits.PersonBurst)
		g.people[who] = l
	}
	g.mu.Unlock()
	return l.Allow() && g.all.Allow()
}

// forget drops the limits of people who have been quiet.
func (g *gate) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	for who, l := range g.people {
		if l.TokensAt(now) >= float64(g.limits.PersonBurst) {
			delete(g.people, who)
		}
	}
}

// repeats are the envelopes of reveals and when they came. Every other press is remembered
// by the ledger; a reveal is not recorded before it is acknowledged, and a copy of it
// would find its trigger used up, or cover the secret in its modal.
type repeats map[string]time.Time

// again reports whether an envelope has come before.
func (r repeats) again(envelope string, now time.Time) bool {
	_, before := r[envelope]
	r[envelope] = now
	return before
}

// forget drops the envelopes that Slack will not send again.
func (r repeats) forget(now time.Time) {
	const life = 10 * time.Minute
	for envelope, came := range r {
		if now.Sub(came) > life {
			delete(r, envelope)
		}
	}
}
