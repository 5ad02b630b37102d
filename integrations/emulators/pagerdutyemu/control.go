package pagerdutyemu

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// ControlHandler serves the control API alone, for whoever wants it on another listener than the API.
func (e *Emulator) ControlHandler() http.Handler { return e.control }

// newControl is the control API behind its guard.
func (e *Emulator) newControl() http.Handler {
	mux := http.NewServeMux()
	e.controlWorld(mux)
	e.controlShifts(mux)
	e.controlIncidents(mux)
	e.controlWire(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := r.Header.Get("X-Control-Token")
		known := subtle.ConstantTimeCompare([]byte(token), []byte(e.config.ControlToken)) == 1
		if e.config.ControlToken == "" || !known || !loopback(r.Host) {
			http.Error(w, "forbidden", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// loopback keeps out web pages that had their own name resolve to this machine.
func loopback(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	if name == "localhost" {
		return true
	}
	ip := net.ParseIP(name)
	return ip != nil && ip.IsLoopback()
}

// controlWorld are the commands that change whom and what the account knows.
func (e *Emulator) controlWorld(mux *http.ServeMux) {
	post(mux, "user", func(u User) (any, error) {
		if u.ID == "" {
			return nil, errors.New("a user needs an id")
		}
		e.PutUser(u)
		return nil, nil
	})
	post(mux, "remove", func(c struct{ User, Policy string }) (any, error) {
		e.RemoveUser(c.User)
		e.RemovePolicy(c.Policy)
		return nil, nil
	})
	post(mux, "policy", func(p Policy) (any, error) {
		if p.ID == "" {
			return nil, errors.New("a policy needs an id")
		}
		e.PutPolicy(p)
		return nil, nil
	})
	post(mux, "schedule", func(s Schedule) (any, error) {
		if s.ID == "" {
			return nil, errors.New("a schedule needs an id")
		}
		e.PutSchedule(s)
		return nil, nil
	})
}

// controlShifts are the commands that change who is on call.
func (e *Emulator) controlShifts(mux *http.ServeMux) {
	post(mux, "shifts", func(c struct {
		Schedule string
		Shifts   []Shift
	},
	) (any, error) {
		e.SetShifts(c.Schedule, c.Shifts...)
		return nil, nil
	})
	post(mux, "end", func(c struct{ Schedule, User string }) (any, error) {
		return nil, e.EndShift(c.Schedule, c.User)
	})
	post(mux, "move", func(c struct {
		Schedule, User string
		End            time.Time
	},
	) (any, error) {
		return nil, e.MoveEnd(c.Schedule, c.User, c.End)
	})
	post(mux, "swap", func(c struct {
		Schedule string
		Users    [2]string
	},
	) (any, error) {
		e.Swap(c.Schedule, c.Users[0], c.Users[1])
		return nil, nil
	})
	post(mux, "override", func(c struct {
		Schedule   string
		User       string
		Start, End time.Time
	},
	) (any, error) {
		e.Override(c.Schedule, Shift{User: c.User, Start: c.Start, End: c.End})
		return nil, nil
	})
	mux.HandleFunc("GET /control/oncall", func(w http.ResponseWriter, r *http.Request) {
		at := time.Now()
		if text := r.URL.Query().Get("at"); text != "" {
			var err error
			if at, err = time.Parse(time.RFC3339, text); err != nil {
				tell(w, nil, err)
				return
			}
		}
		tell(w, listed(e.OnCall(at)), nil)
	})
}

// faultCommand is a Fault as a script writes it.
type faultCommand struct {
	Method       string
	Status       int
	Body         string
	Delay, Reset duration
	Drop         bool
	Skip, Times  int
}

// controlWire are the commands that disturb the API, and those that show what it was asked.
func (e *Emulator) controlWire(mux *http.ServeMux) {
	post(mux, "fault", func(c faultCommand) (any, error) {
		if !e.disturbable(c.Method) {
			return nil, fmt.Errorf("there is no method %q", c.Method)
		}
		e.Inject(Fault{
			Method: c.Method, Status: c.Status, Body: c.Body, Delay: time.Duration(c.Delay),
			Reset: time.Duration(c.Reset), Drop: c.Drop, Skip: c.Skip, Times: c.Times,
		})
		return nil, nil
	})
	post(mux, "clear", func(struct{}) (any, error) {
		e.ClearFaults()
		return nil, nil
	})
	post(mux, "hold", func(h Hold) (any, error) {
		if !e.disturbable(h.Method) {
			return nil, fmt.Errorf("there is no method %q", h.Method)
		}
		if h.When != Before && h.When != After {
			return nil, fmt.Errorf("when is %q, not before or after", h.When)
		}
		id, _ := e.place(h)
		return map[string]int{"hold": id}, nil
	})
	post(mux, "release", func(c struct {
		Hold int
		Drop bool
	},
	) (any, error) {
		held, err := e.held(c.Hold)
		if err != nil {
			return nil, err
		}
		held.end(!c.Drop)
		return nil, nil
	})
	mux.HandleFunc("GET /control/hold", func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.Atoi(r.URL.Query().Get("hold"))
		held, err := e.held(id)
		if err != nil {
			tell(w, nil, err)
			return
		}
		arrived := false
		select {
		case <-held.arrived:
			arrived = true
		default:
		}
		tell(w, map[string]bool{"arrived": arrived}, nil)
	})
	mux.HandleFunc("GET /control/requests", func(w http.ResponseWriter, _ *http.Request) { tell(w, listed(e.Requests()), nil) })
	mux.HandleFunc("GET /control/violations", func(w http.ResponseWriter, _ *http.Request) { tell(w, listed(e.Violations()), nil) })
}

func (e *Emulator) held(id int) (*Held, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	held, ok := e.heldByID[id]
	if !ok {
		return nil, fmt.Errorf("there is no hold %d", id)
	}
	return held, nil
}

// post makes a command: its body is decoded strictly, so that a script's misspelling is an error and not a default.
func post[T any](mux *http.ServeMux, name string, do func(T) (any, error)) {
	mux.HandleFunc("POST /control/"+name, func(w http.ResponseWriter, r *http.Request) {
		var command T
		decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&command); err != nil {
			tell(w, nil, fmt.Errorf("reading the command: %w", err))
			return
		}
		result, err := do(command)
		tell(w, result, err)
	})
}

// tell answers a command.
func tell(w http.ResponseWriter, result any, err error) {
	switch {
	case err != nil:
		answer{status: http.StatusBadRequest, body: map[string]string{"error": err.Error()}}.write(w)
	case result == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		answer{status: http.StatusOK, body: result}.write(w)
	}
}

// listed makes an empty list [] rather than null.
func listed[T any](list []T) []T { return append([]T{}, list...) }

// duration is written as "1m30s".
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = duration(parsed)
	return err
}
