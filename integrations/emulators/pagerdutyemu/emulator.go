package pagerdutyemu

import (
	"cmp"
	"crypto/subtle"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config says what the emulated account is like. Its zero value is a working one without a control API.
type Config struct {
	Key              string // the REST API key; default "u+emulated"
	ReadOnly         bool   // the key may only read: whatever changes something is refused with 403
	ControlToken     string // what X-Control-Token must hold; empty: the control API refuses everything
	TimeZone         string // of the account, in which times are written; default "UTC"
	PerMinute        int    // requests a minute for each method; default 960
	OnCallsPerMinute int    // of /oncalls alone; default PerMinute. PagerDuty's own is lower and unpublished
	EventsPerMinute  int    // events a minute for each service; default 120
}

// Emulator is one PagerDuty account. Its methods may be called from any goroutine.
type Emulator struct {
	config  Config
	control http.Handler
	routes  []route
	done    chan struct{}
	closing sync.Once

	mu         sync.Mutex
	world      world
	faults     []*Fault
	holds      []*Held
	heldByID   map[int]*Held
	minutes    map[string]*minute
	events     map[string]*minute // by service
	requests   []Request
	violations []Violation
}

// Request is one request to the emulated API as it was answered. Status is 0 where the connection was cut.
type Request struct {
	Method string    `json:"method"` // as in the package comment, or the unknown path
	Query  string    `json:"query"`
	At     time.Time `json:"at"`
	Status int       `json:"status"`
}

// Violation is something that PagerDuty would not have understood, or that this emulator does not play.
type Violation struct {
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	Rule   string    `json:"rule"`
	Detail string    `json:"detail"`
}

// kept bounds the lists of requests and violations, which would otherwise grow for as long as a playground runs.
const kept = 10_000

// New makes an account without users, policies and schedules.
func New(config Config) *Emulator {
	config.Key = cmp.Or(config.Key, "u+emulated")
	config.TimeZone = cmp.Or(config.TimeZone, "UTC")
	config.PerMinute = cmp.Or(config.PerMinute, 960)
	config.EventsPerMinute = cmp.Or(config.EventsPerMinute, 120)
	config.OnCallsPerMinute = cmp.Or(config.OnCallsPerMinute, config.PerMinute)
	e := &Emulator{
		config:   config,
		done:     make(chan struct{}),
		world:    newWorld(),
		heldByID: map[int]*Held{},
		minutes:  map[string]*minute{},
		events:   map[string]*minute{},
	}
	e.routes = e.newRoutes()
	for _, rt := range e.routes {
		if rt.method == enqueueMethod {
			continue // counts by service
		}
		e.minutes[rt.method] = &minute{limit: config.PerMinute}
	}
	e.minutes[onCallsMethod].limit = config.OnCallsPerMinute
	e.control = e.newControl()
	return e
}

// Config returns the configuration with its defaults filled in.
func (e *Emulator) Config() Config { return e.config }

// Close lets go of every request that a hold or a delay keeps waiting; their connections are cut.
func (e *Emulator) Close() { e.closing.Do(func() { close(e.done) }) }

// Requests returns what the API was asked, oldest first. Queries hold no credentials.
func (e *Emulator) Requests() []Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.requests)
}

// Violations returns what was asked wrongly, oldest first.
func (e *Emulator) Violations() []Violation {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.violations)
}

// ServeHTTP answers the API and, under /control/, the control API.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/control/") {
		e.control.ServeHTTP(w, r)
		return
	}
	asked, known := e.routeOf(r)
	method := asked.method
	reply, deliver := e.disturb(r, method, func() answer {
		if !known {
			e.violate(method, "unknown path", r.Method+" "+r.URL.Path)
			return notFound()
		}
		return e.answer(r, asked)
	})
	e.record(Request{Method: method, Query: r.URL.RawQuery, At: time.Now().UTC()}, reply.status, deliver)
	if !deliver {
		// The way net/http offers to cut the connection without an answer.
		panic(http.ErrAbortHandler)
	}
	e.mu.Lock()
	maps.Copy(w.Header(), e.minutes[method].headers(time.Now(), reply.reset))
	e.mu.Unlock()
	reply.write(w)
}

// answer checks what comes before any method, and asks the method.
func (e *Emulator) answer(r *http.Request, asked route) answer {
	if asked.method == enqueueMethod {
		return asked.answer(r)
	}
	if !e.authorized(r) {
		return refusal(http.StatusUnauthorized, 2006, "Authentication failed")
	}
	if !strings.Contains(r.Header.Get("Accept"), "version=2") {
		e.violate(asked.method, "accept", r.Header.Get("Accept"))
		return refusal(http.StatusNotAcceptable, 2001, "Invalid Input Provided", "Accept must name version 2")
	}
	e.mu.Lock()
	used := !e.minutes[asked.method].take(time.Now())
	e.mu.Unlock()
	if used {
		return refusal(http.StatusTooManyRequests, 2020, "Rate Limit Exceeded")
	}
	if e.config.ReadOnly && asked.verb != http.MethodGet {
		return refusal(http.StatusForbidden, 2010, "Access Denied")
	}
	return asked.answer(r)
}

func (e *Emulator) authorized(r *http.Request) bool {
	want := "Token token=" + e.config.Key
	return subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(want)) == 1
}

func (e *Emulator) record(q Request, status int, answered bool) {
	if answered {
		q.Status = status
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.requests = last(append(e.requests, q))
}

func (e *Emulator) violate(method, rule, detail string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.violations = last(append(e.violations, Violation{At: time.Now().UTC(), Method: method, Rule: rule, Detail: detail}))
}

// last drops the older half of a list that has grown to twice what is kept.
func last[T any](list []T) []T {
	if len(list) < 2*kept {
		return list
	}
	return slices.Clone(list[len(list)-kept:])
}
