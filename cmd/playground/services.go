package main

import (
	"io"
	"log/slog"
	"net/http"

	"nightlatch/cmd/playground/orders"
	"nightlatch/cmd/playground/page"
	"nightlatch/integrations/token/verify"
)

// openServices serves the demo APIs, each behind the check of tokens that any service can have: the orders ask Nightlatch
// about each token, the archive goes by its signature and asks nobody.
func (s *stage) openServices() (_ []page.Service, calls *logbook, err error) {
	calls = &logbook{tee: io.Discard}
	open := func(c verify.Config, api http.Handler) (url string, err error) {
		c.Issuer, c.Client, c.Log = "http://"+s.settings.Listen, newClient(), slog.New(slog.NewTextHandler(calls, nil))
		checked, err := verify.New(c)
		if err != nil {
			return "", err
		}
		listener, err := listen()
		if err != nil {
			return "", err
		}
		s.serve(listener, checked.Wrap(api))
		return "http://" + listener.Addr().String(), nil
	}
	asks := page.Service{
		Name: "orders API", Audience: "https://orders.example",
		Calls: []string{"GET /v1/orders/4711", "GET /v1/orders", "POST /v1/orders/4711/release"},
	}
	if asks.URL, err = open(verify.Config{
		Audience: asks.Audience, Caller: "orders-api", Secret: verify.Secret(s.settings.callerSecret),
	}, orders.New()); err != nil {
		return nil, nil, err
	}
	offline := page.Service{
		Name: "archive", Audience: "https://archive.example", Offline: true, Calls: []string{"GET /v1/archive/4702"},
	}
	if offline.URL, err = open(verify.Config{Audience: offline.Audience, Offline: true}, orders.Archive()); err != nil {
		return nil, nil, err
	}
	return []page.Service{asks, offline}, calls, nil
}
