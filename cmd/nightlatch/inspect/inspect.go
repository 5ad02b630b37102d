// Package inspect asks whether what a configuration names is there, and whether what it needs
// works: the workspace, the channels, the people, the on-call rules, the keys, this machine.
//
// [Inspector.All] asks everything, once, for an operator who waits for it. [Inspector.Names] is
// the cheap part, the IDs, and [Inspector.Watch] repeats it beside a running bot and logs what changes, so that a
// wrong ID is found by the operator before it is by whoever is called at night.
//
// Caveats: it reads, and changes nothing; one request that PagerDuty must refuse tells whether a key may write.
// Who may see less is told less: what is not there and what nobody may see look the same.
package inspect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"nightlatch/bot/send"
	"nightlatch/cmd/nightlatch/config"
	"nightlatch/grants"
	"nightlatch/grants/service"
	"nightlatch/integrations/pagerduty"
)

// Kind says what a finding means.
type Kind string

// The kinds.
const (
	OK      Kind = "ok"
	Note    Kind = "note"    // it works, and its operator may want it otherwise
	Problem Kind = "problem" // somebody will run into it
	Unknown Kind = "unknown" // it could not be asked
)

// Finding is one thing that was looked at.
type Finding struct {
	Kind Kind
	Key  string // of the configuration, or the variable of a secret
	Text string // what was found and, unless it is well, what to do
}

// Bad reports whether an operator must do something before the configuration can be relied on.
func (f Finding) Bad() bool { return f.Kind == Problem || f.Kind == Unknown }

// Problems is how many findings of an inspection are bad.
type Problems struct{ Count int }

func (p Problems) Error() string {
	if p.Count == 1 {
		return "1 thing does not work"
	}
	return fmt.Sprintf("%d things do not work", p.Count)
}

// Target is an issuer that can say more of its target than whether it answers. Its error joins one for
// each thing that is missing there, in words that say what to do.
type Target interface {
	CheckSetup(ctx context.Context) error
}

// Inspector asks about one configuration. Config, Slack, PagerDuty and People must be set.
type Inspector struct {
	Config    config.Config
	Secrets   config.Secrets // for All
	Slack     *send.Sender
	PagerDuty *pagerduty.Client

	// People lists who is in the workspace, as the directory knows them.
	People func(ctx context.Context) ([]grants.Person, error)

	Sockets http.RoundTripper         // to Slack, with the app-level token; nil: http.DefaultTransport's settings
	Web     http.RoundTripper         // to http.url; nil: http.DefaultTransport
	Issuers map[string]service.Issuer // whose targets are not this program, by name
}

// All looks at everything.
func (i Inspector) All(ctx context.Context) []Finding {
	var f findings
	if i.slack(ctx, &f) {
		i.slackNames(ctx, &f)
	}
	if i.pagerDuty(ctx, &f) {
		i.pagerDutyNames(ctx, &f)
		i.onCall(ctx, &f)
	}
	i.targets(ctx, &f)
	i.machine(ctx, &f)
	return f.list
}

// Names looks at the IDs alone: whether each channel, person, user group, policy and schedule that
// the configuration names is there and can be used.
func (i Inspector) Names(ctx context.Context) []Finding {
	var f findings
	i.slackNames(ctx, &f)
	i.pagerDutyNames(ctx, &f)
	return f.list
}

// Nowhere is the instance in the names of credentials that no target has; Issuers are made with it.
const Nowhere = "nolatchx"

// targets asks each issuer whether a credential is there that nobody ever made: who can say that it is
// not is reached, and lets the issuer look. Those that can say more are asked for it.
func (i Inspector) targets(ctx context.Context, f *findings) {
	for _, name := range sorted(i.Issuers) {
		issuer, key := i.Issuers[name], "issuer "+name
		now := time.Now()
		handle := grants.Handle{Name: grants.CredentialName(Nowhere, grants.NewID(now, [10]byte{}), 1), Expires: now}
		switch found, err := issuer.Check(ctx, handle, now); {
		case err != nil:
			f.problem(key, "its target cannot be asked: %v: see its address and the issuer's own login; what is over there cannot be revoked meanwhile", err)
			continue
		case !found.Dead():
			f.problem(key, "its target finds %s what was never made; it proves no end", found)
			continue
		}
		target, more := issuer.(Target)
		if !more {
			f.ok(key, "its target answers")
			continue
		}
		missing := apart(target.CheckSetup(ctx))
		for _, err := range missing {
			f.problem(key, "%v", err)
		}
		if len(missing) == 0 {
			f.ok(key, "its target answers and is set up")
		}
	}
}

// findings are what was found so far.
type findings struct{ list []Finding }

func (f *findings) add(kind Kind, key, format string, args ...any) {
	text := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
	f.list = append(f.list, Finding{Kind: kind, Key: key, Text: text})
}

func (f *findings) ok(key, format string, args ...any)      { f.add(OK, key, format, args...) }
func (f *findings) note(key, format string, args ...any)    { f.add(Note, key, format, args...) }
func (f *findings) problem(key, format string, args ...any) { f.add(Problem, key, format, args...) }

// unknown is what could not be asked, and why. Who may not ask will not be let next time either.
func (f *findings) unknown(key string, err error) {
	switch {
	case errors.Is(err, send.ErrAuth):
		f.problem(key, "may not be asked: %v: reinstall the app from deploy/slack-manifest.yaml", err)
	case errors.Is(err, pagerduty.ErrUnauthorized):
		f.problem(key, "may not be asked: %v: make a key that may read it", err)
	default:
		f.add(Unknown, key, "could not be asked: %v", err)
	}
}

// short is a duration as people say it.
func short(d time.Duration) string { return d.Round(time.Second).String() }
