package pagerdutyemu

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

// Fault makes requests fail or wait. The first fault that fits a request is the one that acts.
type Fault struct {
	Method string        // as in the package comment, or "*"
	Status int           // answered in place of the method; 0: the method answers, or Body does with 200
	Body   string        // sent as it stands, as JSON; empty: PagerDuty's error for the status
	Delay  time.Duration // waited before anything else
	Reset  time.Duration // ratelimit-reset of the answer, with nothing remaining; 429 without it says one minute
	Drop   bool          // the connection is cut without an answer
	Skip   int           // so many requests pass before the fault begins
	Times  int           // so many requests are met; 0: every one until ClearFaults
}

// When says at which side of a request's effect a hold waits.
type When string

// The two sides: before the world was read, and after, when only the answer is missing.
const (
	Before When = "before"
	After  When = "after"
)

// Hold catches the next request to a method and keeps it.
type Hold struct {
	Method string // as in the package comment, or "*"
	When   When
}

// Held is a hold that was placed. Whoever placed it ends it with Release or Drop.
type Held struct {
	hold    Hold
	arrived chan struct{}
	ended   chan bool // holds one value: whether the request goes on
}

// Inject begins a fault.
func (e *Emulator) Inject(f Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = append(e.faults, &f)
}

// ClearFaults ends every fault; requests that one keeps waiting go on waiting.
func (e *Emulator) ClearFaults() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = nil
}

// Hold waits for one request.
func (e *Emulator) Hold(h Hold) *Held {
	_, held := e.place(h)
	return held
}

func (e *Emulator) place(h Hold) (int, *Held) {
	held := &Held{hold: h, arrived: make(chan struct{}), ended: make(chan bool, 1)}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.holds = append(e.holds, held)
	id := len(e.heldByID) + 1
	e.heldByID[id] = held
	return id, held
}

// Arrived is closed when the hold has caught its request.
func (h *Held) Arrived() <-chan struct{} { return h.arrived }

// Release lets the request go on.
func (h *Held) Release() { h.end(true) }

// Drop cuts the request's connection.
func (h *Held) Drop() { h.end(false) }

func (h *Held) end(goOn bool) {
	select {
	case h.ended <- goOn:
	default: // ended before
	}
}

// disturb gets the answer to a request between the faults and holds that are meant for it; it is false when nothing may
// be answered at all. A fault's own answer comes in place of the effect.
func (e *Emulator) disturb(r *http.Request, method string, effect func() answer) (answer, bool) {
	fault := e.faultFor(method)
	if fault.Delay > 0 && !e.wait(r, fault.Delay) || fault.Drop || !e.keep(r, method, Before) {
		return answer{}, false
	}
	var reply answer
	if fault.Status != 0 || fault.Body != "" {
		reply = fault.answer()
	} else {
		reply = effect()
		reply.reset = fault.Reset
	}
	return reply, e.keep(r, method, After)
}

// faultFor finds the fault that meets this request, and counts it; the zero fault does nothing.
func (e *Emulator) faultFor(method string) Fault {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, f := range e.faults {
		if f.Method != method && f.Method != "*" {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		met := *f
		if f.Times == 1 {
			e.faults = slices.Delete(e.faults, i, i+1)
		}
		f.Times--
		return met
	}
	return Fault{}
}

func (f Fault) answer() answer {
	reset := f.Reset
	if f.Status == http.StatusTooManyRequests {
		reset = cmp.Or(reset, time.Minute)
	}
	if f.Body != "" {
		return answer{status: cmp.Or(f.Status, http.StatusOK), raw: []byte(f.Body), reset: reset}
	}
	code, message := 2000, "Internal Error"
	if f.Status == http.StatusTooManyRequests {
		code, message = 2020, "Rate Limit Exceeded"
	} else if text := http.StatusText(f.Status); text != "" {
		message = text
	}
	a := refusal(f.Status, code, message)
	a.reset = reset
	return a
}

// keep lets a hold that waits for this side of the request have it.
func (e *Emulator) keep(r *http.Request, method string, when When) bool {
	held := e.holdFor(method, when)
	if held == nil {
		return true
	}
	close(held.arrived)
	select {
	case goOn := <-held.ended:
		return goOn
	case <-r.Context().Done():
	case <-e.done:
	}
	return false
}

func (e *Emulator) holdFor(method string, when When) *Held {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := slices.IndexFunc(e.holds, func(h *Held) bool {
		return h.hold.When == when && (h.hold.Method == method || h.hold.Method == "*")
	})
	if i < 0 {
		return nil
	}
	held := e.holds[i]
	e.holds = slices.Delete(e.holds, i, i+1)
	return held
}

// wait is false when the client went away or the emulator was closed first.
func (e *Emulator) wait(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-e.done:
	}
	return false
}
