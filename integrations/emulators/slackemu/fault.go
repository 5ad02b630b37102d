package slackemu

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// Fault is something that goes wrong with calls of one method. Method is a Web API method, "response_url", "socket" (the
// websocket's handshake) or "*" for all. The delay comes first, then at most one of the others, in the order of the
// fields. An injected Error is answered as it is, documented or not.
type Fault struct {
	Method     string
	Delay      time.Duration
	Drop       bool          // the connection closes without an answer
	RetryAfter time.Duration // 429 with this Retry-After
	Status     int           // this HTTP status, with a body that is no JSON
	Error      string        // {"ok": false, "error": …}
	After      bool          // the call takes effect first
	Times      int           // so many calls; 0: until ClearFaults
}

// Inject adds a fault. Of several that match a call, the one injected first strikes.
func (e *Emulator) Inject(f Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if f.Times == 0 {
		f.Times = -1
	}
	e.faults = append(e.faults, &f)
}

// ClearFaults removes every fault.
func (e *Emulator) ClearFaults() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = nil
}

// strike takes the fault that this call meets, if any.
func (e *Emulator) strike(method string, after bool) (Fault, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, f := range e.faults {
		if f.After != after || (f.Method != method && f.Method != "*") {
			continue
		}
		if f.Times > 0 {
			f.Times--
		}
		if f.Times == 0 {
			e.faults = slices.Delete(e.faults, i, i+1)
		}
		return *f, true
	}
	return Fault{}, false
}

// When is a moment in the life of a call.
type When string

// The moments at which a call can be held.
const (
	Before When = "before" // nothing has happened yet
	After  When = "after"  // it took effect, and the answer is not sent yet
)

// Hold says which call is to be stopped, and when in its life. Method is as for Fault.
type Hold struct {
	Method string
	When   When
}

// Held is a hold that was set. It catches the next matching call, and only that one.
type Held struct {
	hold    Hold
	arrived chan struct{}
	let     chan bool // true: go on; false: drop the connection
}

// Hold sets a hold. The call waits until Release, Drop or Close, or until its caller goes away.
func (e *Emulator) Hold(h Hold) *Held {
	held := &Held{hold: h, arrived: make(chan struct{}), let: make(chan bool, 1)}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.holds = append(e.holds, held)
	return held
}

// Arrived is closed when a call was caught.
func (h *Held) Arrived() <-chan struct{} { return h.arrived }

// Release lets the call go on. Released before a call arrived, the hold lets it pass.
func (h *Held) Release() { h.decide(true) }

// Drop closes the call's connection without an answer.
func (h *Held) Drop() { h.decide(false) }

func (h *Held) decide(on bool) {
	select {
	case h.let <- on:
	default: // only the first word counts
	}
}

// catch takes the hold that this call meets, if any.
func (e *Emulator) catch(method string, when When) *Held {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := slices.IndexFunc(e.holds, func(h *Held) bool {
		return h.hold.When == when && (h.hold.Method == method || h.hold.Method == "*")
	})
	if i < 0 {
		return nil
	}
	h := e.holds[i]
	e.holds = slices.Delete(e.holds, i, i+1)
	return h
}

// obstruct lets holds and faults act at one moment of a call. It reports whether the call goes on; if not, everything
// that the caller will see was written. Drop leaves by http.ErrAbortHandler.
func (e *Emulator) obstruct(w http.ResponseWriter, r *http.Request, method string, when When) (code string, on bool) {
	if h := e.catch(method, when); h != nil {
		close(h.arrived)
		select {
		case on := <-h.let:
			if !on {
				panic(http.ErrAbortHandler)
			}
		case <-e.done:
			panic(http.ErrAbortHandler)
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
	f, ok := e.strike(method, when == After)
	if !ok {
		return "", true
	}
	e.pause(r.Context(), f.Delay)
	switch {
	case f.Drop:
		panic(http.ErrAbortHandler)
	case f.RetryAfter > 0:
		e.write(w, http.StatusTooManyRequests, answer{err: "ratelimited", retryAfter: f.RetryAfter})
		return "ratelimited", false
	case f.Status != 0:
		http.Error(w, http.StatusText(f.Status), f.Status)
		return http.StatusText(f.Status), false
	case f.Error != "":
		e.write(w, http.StatusOK, answer{err: f.Error})
		return f.Error, false
	}
	return "", true
}

// pause waits as long as the caller and the emulator live.
func (e *Emulator) pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-e.done:
	}
}
