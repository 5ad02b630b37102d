package slackemu

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// ControlHandler serves the control API alone, for a listener of its own. Its paths are the same, under /control/.
func (e *Emulator) ControlHandler() http.Handler {
	mux := http.NewServeMux()
	e.controlPeople(mux)
	e.controlWorld(mux)
	e.controlFaults(mux)
	e.controlHolds(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(r.Host) {
			controlError(w, http.StatusForbidden, errors.New("the host is not loopback"))
			return
		}
		token := r.Header.Get("X-Control-Token")
		if e.cfg.ControlToken == "" || subtle.ConstantTimeCompare([]byte(token), []byte(e.cfg.ControlToken)) != 1 {
			controlError(w, http.StatusForbidden, errors.New("the control token is wrong"))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// loopback keeps pages of other hosts out, whose names may have been pointed at this machine.
func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

func controlError(w http.ResponseWriter, status int, err error) {
	controlAnswer(w, status, object{"error": err.Error()})
}

func controlAnswer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) // the caller may be gone; nobody else wants to know
}

// ask serves a question; the answer is encoded as JSON.
func ask(mux *http.ServeMux, path string, answer func(*http.Request) (any, error)) {
	mux.HandleFunc("GET /control/"+path, func(w http.ResponseWriter, r *http.Request) {
		out, err := answer(r)
		finish(w, out, err)
	})
}

// order serves something to be done, described by a JSON object without unknown fields; an empty body is {}.
func order[T any](mux *http.ServeMux, path string, do func(context.Context, T) (any, error)) {
	mux.HandleFunc("POST /control/"+path, func(w http.ResponseWriter, r *http.Request) {
		var in T
		if r.ContentLength != 0 {
			d := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyLimit))
			d.DisallowUnknownFields()
			if err := d.Decode(&in); err != nil {
				controlError(w, http.StatusBadRequest, fmt.Errorf("reading the order: %w", err))
				return
			}
		}
		out, err := do(r.Context(), in)
		finish(w, out, err)
	})
}

func finish(w http.ResponseWriter, out any, err error) {
	switch {
	case errors.Is(err, ErrUnseen):
		controlError(w, http.StatusNotFound, err)
	case err != nil:
		controlError(w, http.StatusBadRequest, err)
	case out == nil:
		controlAnswer(w, http.StatusOK, object{})
	default:
		controlAnswer(w, http.StatusOK, out)
	}
}

// told is an act and what became of it.
type told struct {
	*Act
	Outcome *Outcome `json:"outcome"` // null: not waited for
}

// follow waits for an act's outcome, which takes three seconds at most.
func follow(ctx context.Context, act *Act, err error, hurry bool) (any, error) {
	if err != nil || act == nil {
		return nil, err
	}
	if hurry {
		return told{Act: act}, nil
	}
	outcome, err := act.Wait(ctx)
	if err != nil {
		return nil, err
	}
	return told{Act: act, Outcome: &outcome}, nil
}

func (e *Emulator) controlPeople(mux *http.ServeMux) {
	ask(mux, "screen", func(r *http.Request) (any, error) { return e.SeenBy(r.URL.Query().Get("user")), nil })
	order(mux, "command", func(ctx context.Context, in struct {
		User, Channel, Line string
		NoWait              bool `json:"no_wait"`
	},
	) (any, error) {
		act, err := e.RunCommand(in.User, in.Channel, in.Line)
		return follow(ctx, act, err, in.NoWait)
	})
	order(mux, "press", func(ctx context.Context, in struct {
		User string
		Find
		NoWait bool `json:"no_wait"`
	},
	) (any, error) {
		act, err := e.Press(in.User, in.Find)
		return follow(ctx, act, err, in.NoWait)
	})
	order(mux, "press_at", func(ctx context.Context, in struct {
		User   string
		Button Button
		NoWait bool `json:"no_wait"`
	},
	) (any, error) {
		act, err := e.PressAt(in.User, in.Button)
		return follow(ctx, act, err, in.NoWait)
	})
	type form struct {
		User   string
		Inputs map[string]string
		NoWait bool `json:"no_wait"`
	}
	order(mux, "fill", func(_ context.Context, in form) (any, error) { return nil, e.Fill(in.User, in.Inputs) })
	order(mux, "submit", func(ctx context.Context, in form) (any, error) {
		act, err := e.Submit(in.User, in.Inputs)
		return follow(ctx, act, err, in.NoWait)
	})
	order(mux, "close", func(ctx context.Context, in form) (any, error) {
		act, err := e.CloseView(in.User)
		return follow(ctx, act, err, in.NoWait)
	})
	type person struct{ User string }
	order(mux, "home", func(ctx context.Context, in person) (any, error) {
		act, err := e.OpenHome(in.User)
		return follow(ctx, act, err, true)
	})
	order(mux, "messages", func(ctx context.Context, in person) (any, error) {
		act, err := e.OpenMessages(in.User)
		return follow(ctx, act, err, true)
	})
	order(mux, "device", func(_ context.Context, in struct{ User, Device string }) (any, error) {
		return nil, e.UseDevice(in.User, in.Device)
	})
	order(mux, "reload", func(_ context.Context, in person) (any, error) { return nil, e.Reload(in.User) })
}

func (e *Emulator) controlWorld(mux *http.ServeMux) {
	type named struct{ ID string }
	order(mux, "user", func(_ context.Context, in User) (any, error) { e.PutUser(in); return nil, nil })
	order(mux, "user/change", func(ctx context.Context, in User) (any, error) {
		return follow(ctx, e.ChangeUser(in), nil, true)
	})
	order(mux, "user/remove", func(_ context.Context, in named) (any, error) { e.RemoveUser(in.ID); return nil, nil })
	order(mux, "group", func(_ context.Context, in UserGroup) (any, error) { e.PutUserGroup(in); return nil, nil })
	order(mux, "group/change", func(_ context.Context, in UserGroup) (any, error) {
		return object{"acts": e.ChangeUserGroup(in)}, nil
	})
	order(mux, "group/remove", func(_ context.Context, in named) (any, error) { e.RemoveUserGroup(in.ID); return nil, nil })
	order(mux, "channel", func(_ context.Context, in Channel) (any, error) { e.PutChannel(in); return nil, nil })
	order(mux, "channel/remove", func(_ context.Context, in named) (any, error) { e.RemoveChannel(in.ID); return nil, nil })
	order(mux, "event", func(ctx context.Context, in object) (any, error) {
		act, err := e.SendEvent(in)
		return follow(ctx, act, err, true)
	})
	order(mux, "event/user_change", func(ctx context.Context, in named) (any, error) {
		act, err := e.SendUserChange(in.ID)
		return follow(ctx, act, err, true)
	})
	order(mux, "event/team_join", func(ctx context.Context, in named) (any, error) {
		act, err := e.SendTeamJoin(in.ID)
		return follow(ctx, act, err, true)
	})
	order(mux, "skew", func(_ context.Context, in struct{ By duration }) (any, error) {
		e.SetDateSkew(time.Duration(in.By))
		return nil, nil
	})
	ask(mux, "received", func(*http.Request) (any, error) { return e.Received(), nil })
	ask(mux, "violations", func(*http.Request) (any, error) { return e.Violations(), nil })
	ask(mux, "connections", func(*http.Request) (any, error) { return object{"connections": e.Connections()}, nil })
	ask(mux, "undelivered", func(*http.Request) (any, error) { return e.Undelivered(), nil })
}

func (e *Emulator) controlFaults(mux *http.ServeMux) {
	order(mux, "fault", func(_ context.Context, in struct {
		Method, Error string
		Status, Times int
		Delay         duration
		RetryAfter    duration `json:"retry_after"`
		Drop, After   bool
	},
	) (any, error) {
		e.Inject(Fault{
			Method: in.Method, Error: in.Error, Status: in.Status, Times: in.Times, Drop: in.Drop, After: in.After,
			Delay: time.Duration(in.Delay), RetryAfter: time.Duration(in.RetryAfter),
		})
		return nil, nil
	})
	order(mux, "fault/clear", func(context.Context, struct{}) (any, error) { e.ClearFaults(); return nil, nil })
	order(mux, "sockets/cut", func(context.Context, struct{}) (any, error) { e.CutSockets(); return nil, nil })
	order(mux, "sockets/disconnect", func(_ context.Context, in struct{ Reason string }) (any, error) {
		e.Disconnect(in.Reason)
		return nil, nil
	})
	order(mux, "delivery", func(_ context.Context, in Delivery) (any, error) { e.SetDelivery(in); return nil, nil })
	order(mux, "deliver", func(_ context.Context, in struct {
		EnvelopeID string `json:"envelope_id"`
	},
	) (any, error) {
		return nil, e.Deliver(in.EnvelopeID)
	})
}

func (e *Emulator) controlHolds(mux *http.ServeMux) {
	type handle struct{ ID string }
	order(mux, "hold", func(_ context.Context, in Hold) (any, error) {
		if in.When != Before && in.When != After {
			return nil, fmt.Errorf("holding %s: when is %q or %q", in.Method, Before, After)
		}
		held := e.Hold(in)
		e.mu.Lock()
		defer e.mu.Unlock()
		id := e.random(4)
		e.handles[id] = held
		return object{"id": id}, nil
	})
	order(mux, "hold/wait", func(ctx context.Context, in handle) (any, error) {
		held, err := e.handle(in.ID)
		if err != nil {
			return nil, err
		}
		select {
		case <-held.Arrived():
			return nil, nil
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for a call: %w", ctx.Err())
		case <-e.done:
			return nil, errors.New("the emulator closes")
		}
	})
	letGo := func(do func(*Held)) func(context.Context, handle) (any, error) {
		return func(_ context.Context, in handle) (any, error) {
			held, err := e.handle(in.ID)
			if err == nil {
				do(held)
			}
			return nil, err
		}
	}
	order(mux, "hold/release", letGo((*Held).Release))
	order(mux, "hold/drop", letGo((*Held).Drop))
}

func (e *Emulator) handle(id string) (*Held, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if h := e.handles[id]; h != nil {
		return h, nil
	}
	return nil, fmt.Errorf("there is no hold %q", id)
}

// duration is written as "10s" in JSON.
type duration time.Duration

// UnmarshalText reads Go's notation of durations.
func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("reading a duration: %w", err)
	}
	*d = duration(parsed)
	return nil
}
