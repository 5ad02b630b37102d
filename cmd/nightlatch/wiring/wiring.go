// Package wiring builds the program out of its parts, in one straight line, and runs it.
//
// [Serve] opens the ledger, makes the parts in the order in which they need each other,
// runs them until its context ends, and undoes in reverse what was built, also when
// building fails half-way.
//
// Caveat: [Wires] lets a caller bring other connections than the machine's own. The
// configuration cannot; nothing that is served to users comes this way.
package wiring

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"nightlatch/bot"
	"nightlatch/bot/send"
	"nightlatch/cmd/nightlatch/config"
	"nightlatch/cmd/nightlatch/life"
	"nightlatch/cmd/nightlatch/monitor"
	"nightlatch/cmd/nightlatch/operator"
	"nightlatch/cmd/nightlatch/sdnotify"
	"nightlatch/grants/ledger"
	"nightlatch/grants/ledger/boltkv"
	"nightlatch/grants/service"
	"nightlatch/integrations/pagerduty"
	"nightlatch/integrations/token"
	"nightlatch/integrations/webhook"
)

// Wires are the connections to the outside. The zero value is the machine's own network.
type Wires struct {
	Slack     http.RoundTripper // nil: http.DefaultTransport's settings
	Socket    *websocket.Dialer // nil: gorilla's own
	PagerDuty http.RoundTripper
	Web       http.RoundTripper                                   // to the webhook and the heartbeat; nil: http.DefaultTransport
	Listen    func(network, address string) (net.Listener, error) // nil: net.Listen
	Operators func(operator.Socket) (net.Listener, error)         // nil: operator.Listen
	Reloads   <-chan config.Loaded                                // configurations to go on with; only their roles may differ
	Manager   sdnotify.Manager                                    // who started the program and watches it; zero: nobody
}

// Serve builds the program, one part after the other, and runs it until its context ends.
func Serve(ctx context.Context, loaded config.Loaded, wires Wires, log *slog.Logger) (err error) {
	cfg, secrets := loaded.Config, loaded.Secrets
	undo := life.Cleanups{Log: log}
	defer func() { err = errors.Join(err, undo.Run()) }()
	digest, err := cfg.Digest()
	if err != nil {
		return err
	}

	engine, err := boltkv.Open(boltkv.Config{Path: cfg.Ledger.Path, Spaces: ledger.Spaces()})
	if err != nil {
		return fmt.Errorf("opening the ledger %s: %w", cfg.Ledger.Path, err)
	}
	undo.Add("the ledger", engine.Close)
	book, err := ledger.Open(ctx, ledger.Config{Engine: engine, Environment: cfg.Environment})
	if err != nil {
		return fmt.Errorf("opening the ledger %s: %w", cfg.Ledger.Path, err)
	}

	keys, err := loadKeys(cfg.Token)
	if err != nil {
		return err
	}
	issuers, err := makeIssuers(cfg, secrets, keys, book.Instance())
	if err != nil {
		return err
	}
	out, err := send.New(send.Config{BotToken: secrets.SlackBot, APIURL: cfg.Slack.URL, Transport: wires.Slack, Environment: cfg.Environment, Log: log})
	if err != nil {
		return fmt.Errorf("making Slack's sender: %w", err)
	}
	workspace, err := identify(ctx, out, cfg.Slack.Team, log)
	if err != nil {
		return err
	}

	onCall := pagerduty.New(pagerduty.Config{Key: secrets.PagerDuty, BaseURL: cfg.PagerDuty.URL, Transport: wires.PagerDuty, Log: log})
	grants, err := service.New(ctx, service.Config{
		Ledger:    book,
		OnCall:    onCall,
		Directory: out,
		Notifier:  out,
		Ahead:     out.Ahead,
		Reserve:   boltkv.Reserve{Path: cfg.Ledger.Path + ".reserve"},
		Pagers:    pagers(cfg, secrets, wires),
		Issuers:   issuers,
		Roles:     cfg.Roles,
		Team:      workspace.Team,
		Digest:    digest,
		Settle:    cfg.Settle,
		Poll:      cfg.Poll,
		Reread:    cfg.Reread,
		Limits:    service.Limits(cfg.Limits),
		Log:       log,

		SecurityChannel: cfg.Security.Channel,
		SecurityPeople:  cfg.Security.People,
	})
	if err != nil {
		return fmt.Errorf("making the service: %w", err)
	}

	door, secured, listener, err := openDoor(cfg, keys, grants, wires.Listen, log)
	if err != nil {
		return err
	}
	undo.Add("the listener", func() error { return closed(listener.Close()) })
	counter, err := openCounter(ctx, cfg.Operator, wires.Operators)
	if err != nil {
		return err
	}
	undo.Add("the operators' socket", func() error { return closed(counter.Close()) })
	operators := operator.New(operator.Config{Directory: grants, Desk: grants, People: cfg.Operator.Persons(workspace.Team), Log: log})
	in, err := bot.New(bot.Config{
		AppToken: secrets.SlackApp, APIURL: cfg.Slack.URL, Transport: wires.Slack, Dialer: wires.Socket, Sender: out, Identity: workspace,
		Taker: grants, Ender: grants, Revealer: grants, Clerk: grants, People: grants, Directory: grants, Environment: cfg.Environment, Log: log,
	})
	if err != nil {
		return fmt.Errorf("making the bot: %w", err)
	}

	pages := monitor.New(monitor.Config{
		Readers: cfg.HTTP.Metrics, Environment: cfg.Environment, Instance: book.Instance(), Version: version(),
		Door: door, Service: grants.Status, Slack: in.Counts,
	})
	served := token.Server{Handler: pages, TLS: secured, Log: log}
	loads := make(chan config.Loaded, 1) // the last that was taken, for whoever looks at its names
	parts := []life.Part{
		{Name: "the watchdog", Run: func(ctx context.Context) error { return wires.Manager.Run(ctx, grants.Alive, log) }},
		{Name: "the operators' socket", Run: func(ctx context.Context) error { return operators.Run(ctx, counter) }},
		{Name: "the bot", Run: in.Run},
		watchNames(loaded, loads, out, onCall, grants, log),
		{Name: "the service", Run: grants.Run},
		{Name: "the door", Run: func(ctx context.Context) error { return served.Run(ctx, listener) }},
	}
	if wires.Reloads != nil {
		parts = append(parts, life.Part{Name: "the roles", Run: func(ctx context.Context) error { reload(ctx, cfg, wires.Reloads, loads, grants, log); return nil }})
	}
	if secrets.Heartbeat.Expose() != "" {
		beat := webhook.Heartbeat{
			URL: secrets.Heartbeat, Every: cfg.Pager.Heartbeat, Transport: wires.Web, Log: log,
			Well: func() bool { alive := grants.Alive(); return alive.IsZero() || time.Since(alive) < service.Stuck }, // zero: it begins just now
		}
		parts = append(parts, life.Part{Name: "the heartbeat", Run: beat.Run})
	}

	log.Info("serving", "environment", cfg.Environment, "instance", book.Instance(), "workspace", workspace.Team,
		"http", listener.Addr().String(), "operators", counter.Addr().String(), "roles", len(cfg.Roles), "config", digest)
	// The order is that of a stop: the manager hears of it, then no more commands and envelopes,
	// then no more advancing, then no more answers about tokens; the ledger is closed when nobody
	// needs it any more.
	err = life.RunAll(ctx, parts...)
	log.Info("stopped")
	return err
}

// reload has the service offer the roles of each configuration that comes. One that differs in more
// is refused whole: half of it would be neither the old nor the new one. Those that were taken are passed on.
func reload(ctx context.Context, running config.Config, reloads <-chan config.Loaded, taken chan config.Loaded, grants *service.Service, log *slog.Logger) {
	for {
		var loaded config.Loaded
		select {
		case <-ctx.Done():
			return
		case loaded = <-reloads:
		}
		next := loaded.Config
		if other := running.DiffersIn(next); len(other) > 0 {
			log.Error("the configuration was not loaded: only roles can change while the program runs; start it again for the rest", "differs", strings.Join(other, ", "))
			continue
		}
		digest, err := next.Digest()
		if err == nil {
			err = grants.Reload(ctx, next.Roles, digest)
		}
		if err != nil {
			log.Error("the configuration was not loaded", "error", err)
			continue
		}
		log.Info("loaded", "roles", len(next.Roles), "config", digest)
		select {
		case <-taken: // nobody looked at that one yet
		default:
		}
		taken <- loaded
	}
}

// pagers are the ways to wake somebody, in the order in which they are tried.
func pagers(cfg config.Config, secrets config.Secrets, wires Wires) []service.Pager {
	var ways []service.Pager
	if secrets.PagerKey.Expose() != "" {
		ways = append(ways, pagerduty.NewPager(pagerduty.PagerConfig{
			RoutingKey: secrets.PagerKey, BaseURL: cfg.Pager.EventsURL, Transport: wires.PagerDuty,
			Source: "nightlatch " + cfg.Environment,
		}))
	}
	if secrets.PagerWebhook.Expose() != "" {
		ways = append(ways, webhook.Pager{URL: secrets.PagerWebhook, Transport: wires.Web})
	}
	return ways
}

func loadKeys(cfg config.Token) (keys token.Keys, err error) {
	if keys.Current, err = token.LoadOrCreateKey(cfg.KeyFile); err != nil {
		return keys, fmt.Errorf("loading the signing key: %w", err)
	}
	if cfg.NextKeyFile != "" {
		if keys.Next, err = token.LoadKey(cfg.NextKeyFile); err != nil {
			return keys, fmt.Errorf("loading the next signing key: %w", err)
		}
	}
	if cfg.PreviousKeyFile != "" {
		if keys.Previous, err = token.LoadKey(cfg.PreviousKeyFile); err != nil {
			return keys, fmt.Errorf("loading the previous signing key: %w", err)
		}
	}
	return keys, nil
}

// identify asks Slack whose bot token this is. With the workspace in the configuration a
// silent Slack does not hold up the start: what is over must be revoked all the same.
func identify(ctx context.Context, out *send.Sender, team string, log *slog.Logger) (send.Identity, error) {
	found, err := out.Identify(ctx)
	switch {
	case err != nil && team != "" && errors.Is(err, send.ErrUnreachable):
		log.Warn("Slack does not answer, starting without it", "workspace", team, "error", err)
		return send.Identity{Team: team}, nil
	case err != nil:
		return found, fmt.Errorf("asking Slack whose token this is: %w", err)
	case team != "" && found.Team != team:
		return found, fmt.Errorf("the bot token is of the workspace %s, and slack.team is %s", found.Team, team)
	}
	return found, nil
}

// openDoor makes the listener that services ask about tokens.
func openDoor(cfg config.Config, keys token.Keys, grants *service.Service, listen func(string, string) (net.Listener, error), log *slog.Logger) (*token.Door, *tls.Config, net.Listener, error) {
	callers := make([]token.Caller, 0, len(cfg.Introspection))
	for _, c := range cfg.Introspection {
		callers = append(callers, c.Door())
	}
	door, err := token.NewDoor(token.DoorConfig{
		URL: cfg.HTTP.URL, Keys: keys, Callers: callers,
		Active: grants.Active, Return: grants.ReturnByToken, Dead: grants.DeadUse, Ready: grants.Ready, Log: log,
	})
	if err != nil {
		return nil, nil, nil, fmt.Errorf("making the token endpoints: %w", err)
	}
	var secured *tls.Config
	if cfg.HTTP.TLS.Any() {
		files := token.TLSFiles{Certificate: cfg.HTTP.TLS.Certificate, Key: cfg.HTTP.TLS.Key, ClientCA: cfg.HTTP.TLS.ClientCA}
		if secured, err = token.LoadTLS(files); err != nil {
			return nil, nil, nil, fmt.Errorf("loading the listener's certificate: %w", err)
		}
	}
	if listen == nil {
		listen = net.Listen
	}
	listener, err := listen("tcp", cfg.HTTP.Listen)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("listening for token questions: %w", err)
	}
	return door, secured, listener, nil
}

// version is what the program was built as; empty where nobody knows.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return info.Main.Version
}

// openCounter makes the socket that operators of this machine ask on.
func openCounter(ctx context.Context, cfg config.Operator, listen func(operator.Socket) (net.Listener, error)) (net.Listener, error) {
	socket := operator.Socket{Path: cfg.Socket, Group: cfg.Group}
	if listen != nil {
		return listen(socket)
	}
	return operator.Listen(ctx, socket)
}

// closed forgives what is closed already.
func closed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
