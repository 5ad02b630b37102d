package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// answered is what a demo API said to a call.
type answered struct {
	Status int             `json:"status"`
	Text   string          `json:"text"` // of the status
	Body   json.RawMessage `json:"body"`
	Millis int64           `json:"millis"`
}

// serviceOf finds the demo API that has a call.
func (p *Page) serviceOf(call string) (Service, bool) {
	i := slices.IndexFunc(p.cfg.Services, func(s Service) bool { return slices.Contains(s.Calls, call) })
	if i < 0 {
		return Service{}, false
	}
	return p.cfg.Services[i], true
}

// try calls a demo API with a token, as an engineer with curl does.
func (p *Page) try(ctx context.Context, in struct{ Token, Call string }) (any, error) {
	service, ok := p.serviceOf(in.Call)
	if !ok {
		return nil, fmt.Errorf("the page does not try %q", in.Call)
	}
	method, path, _ := strings.Cut(in.Call, " ")
	r, err := http.NewRequestWithContext(ctx, method, service.URL+path, nil)
	if err != nil {
		return nil, fmt.Errorf("making the call: %w", err)
	}
	token := strings.TrimSpace(in.Token)
	if strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return nil, errors.New("a token has neither spaces nor line ends in it; copy it once more")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	began := time.Now()
	got, err := p.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("calling the %s: %w", service.Name, err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(io.LimitReader(got.Body, longest))
	if err != nil {
		return nil, fmt.Errorf("reading the answer of the %s: %w", service.Name, err)
	}
	if got.StatusCode == http.StatusOK {
		p.steps.used()
	}
	if !json.Valid(body) {
		body, err = json.Marshal(string(body))
		if err != nil {
			return nil, err
		}
	}
	return answered{got.StatusCode, http.StatusText(got.StatusCode), body, time.Since(began).Milliseconds()}, nil
}
