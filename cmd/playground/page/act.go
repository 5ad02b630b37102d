package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"nightlatch/integrations/emulators/slackemu"
)

// longest is more than any order of the page has.
const longest = 64 << 10

// acts are what the page can order, by path.
func (p *Page) acts() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"command": order(func(ctx context.Context, in struct{ User, Channel, Line string }) (any, error) {
			line := strings.TrimSpace(in.Line)
			if command, _, _ := strings.Cut(line, " "); command != "/access" {
				return nil, errors.New("only commands work here: /access, or /access help")
			}
			act, err := p.cfg.Slack.RunCommand(in.User, in.Channel, line)
			return follow(ctx, act, err)
		}),
		"press": order(func(ctx context.Context, in struct {
			User   string
			Button slackemu.Button
		},
		) (any, error) {
			act, err := p.cfg.Slack.PressAt(in.User, in.Button)
			return follow(ctx, act, err)
		}),
		"submit": order(func(ctx context.Context, in struct {
			User   string
			Inputs map[string]string
		},
		) (any, error) {
			act, err := p.cfg.Slack.Submit(in.User, in.Inputs)
			if errors.Is(err, slackemu.ErrInvalid) {
				return nil, nil // what is wrong stands under the inputs
			}
			return follow(ctx, act, err)
		}),
		"close": order(func(ctx context.Context, in struct{ User string }) (any, error) {
			act, err := p.cfg.Slack.CloseView(in.User)
			return follow(ctx, act, err)
		}),
		"home": order(func(ctx context.Context, in struct{ User string }) (any, error) {
			act, err := p.cfg.Slack.OpenHome(in.User)
			return follow(ctx, act, err)
		}),
		"reload": order(func(context.Context, struct{}) (any, error) { return nil, p.reload() }),
		"shift": order(func(ctx context.Context, in struct{ Change string }) (any, error) {
			do, ok := p.cfg.Changes[in.Change]
			if !ok {
				return nil, fmt.Errorf("there is no change %q", in.Change)
			}
			if in.Change == Again {
				return nil, p.again(ctx, do)
			}
			return nil, do()
		}),
		"incident": order(func(_ context.Context, in struct{ User, Change string }) (any, error) {
			return nil, p.changeIncident(in.User, in.Change)
		}),
		"try": order(p.try),
	}
}

// order serves something to be done, described by a JSON object.
func order[T any](do func(context.Context, T) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in T
		decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, longest))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&in); err != nil {
			fail(w, http.StatusBadRequest, "reading the order: "+err.Error())
			return
		}
		out, err := do(r.Context(), in)
		if err != nil {
			fail(w, http.StatusConflict, err.Error())
			return
		}
		if out == nil {
			out = map[string]string{}
		}
		answer(w, http.StatusOK, out)
	}
}

// follow waits for what becomes of an act, three seconds at most, and says what Slack would say of it.
func follow(ctx context.Context, act *slackemu.Act, err error) (any, error) {
	if err != nil || act == nil {
		return nil, err
	}
	outcome, err := act.Wait(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]string{"warning": outcome.Warning}, nil
}

func fail(w http.ResponseWriter, status int, why string) {
	answer(w, status, map[string]string{"error": why})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the browser may be gone; nobody else wants to know
}
