package wiring

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"nightlatch/bot/send"
	"nightlatch/cmd/nightlatch/config"
	"nightlatch/cmd/nightlatch/inspect"
	"nightlatch/cmd/nightlatch/life"
	"nightlatch/grants"
	"nightlatch/grants/service"
	"nightlatch/integrations/pagerduty"
)

// inspectionTime bounds an inspection; each of its questions is bounded too.
const inspectionTime = 5 * time.Minute

// Inspect asks Slack, PagerDuty and this machine whether what the configuration names is there and
// works. It opens no ledger, so that it may run beside a running bot.
func Inspect(ctx context.Context, loaded config.Loaded, wires Wires) ([]inspect.Finding, error) {
	cfg, secrets := loaded.Config, loaded.Secrets
	ctx, cancel := context.WithTimeout(ctx, inspectionTime)
	defer cancel()
	out, err := send.New(send.Config{BotToken: secrets.SlackBot, APIURL: cfg.Slack.URL, Transport: wires.Slack})
	if err != nil {
		return nil, fmt.Errorf("making Slack's sender: %w", err)
	}
	issuers, err := makeTargets(cfg, secrets, inspect.Nowhere)
	if err != nil {
		return nil, err
	}
	web := wires.Web
	if web == nil {
		web = http.DefaultTransport
	}
	return inspect.Inspector{
		Config: cfg, Secrets: secrets, Slack: out, Sockets: wires.Slack, Web: web, Issuers: issuers,
		PagerDuty: pagerduty.New(pagerduty.Config{Key: secrets.PagerDuty, BaseURL: cfg.PagerDuty.URL, Transport: wires.PagerDuty}),
		People:    func(ctx context.Context) ([]grants.Person, error) { return listPeople(ctx, out) },
	}.All(ctx), nil
}

// listPeople reads the people of the workspace as the directory would have them.
func listPeople(ctx context.Context, out *send.Sender) ([]grants.Person, error) {
	workspace, err := out.Identify(ctx)
	if err != nil {
		return nil, err
	}
	users, err := out.Users(ctx)
	if err != nil {
		return nil, err
	}
	return grants.Pair(workspace.Team, users, nil, nil, time.Now()), nil
}

// watchNames is the part that tells the operator of a running bot which IDs of the configuration,
// and of those that are loaded later, cannot be used.
func watchNames(loaded config.Loaded, loads <-chan config.Loaded, out *send.Sender, pager *pagerduty.Client, directory *service.Service, log *slog.Logger) life.Part {
	names := inspect.Inspector{
		Slack: out, PagerDuty: pager,
		People: func(context.Context) ([]grants.Person, error) { return directory.Everybody() },
	}
	return life.Part{Name: "the names", Run: func(ctx context.Context) error { return names.Watch(ctx, loaded, loads, log) }}
}
