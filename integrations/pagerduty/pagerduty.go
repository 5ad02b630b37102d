// Package pagerduty reads from PagerDuty who is on call, who its users are and what stands under an ID: data and when it was read, never a
// verdict. What the entries mean is decided in package grants.
//
// A Client has no goroutines and nothing to close, and may be used by many at once. Each method asks for all pages of
// its list within the caller's context; give that a deadline, because being limited can otherwise cost minutes. Answers
// with status 429 or 5xx are asked again as long as the next try fits before that deadline, and requests are spaced by
// what PagerDuty's ratelimit-* headers say is left. Every other failure is returned at once.
//
// Caveats:
//
//   - A list that does not hold together is an error, never a shorter list, because grants end for whoever is missing
//     from it. But PagerDuty's pages are offsets into a list that may change between two requests, so that one entry can
//     be missed: ask twice before believing an absence.
//   - PagerDuty lists 10,000 entries at most, 90 days ahead, and no schedule that stands in no escalation policy.
//   - The key is in no error and in no log line.
package pagerduty

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	pd "github.com/PagerDuty/go-pagerduty"

	"nightlatch/grants"
)

// Config says how PagerDuty is reached. Only Key has no default.
type Config struct {
	Key       grants.Secret     // a REST API key; one that may only read is enough
	BaseURL   string            // without trailing slash; default "https://api.pagerduty.com"
	Transport http.RoundTripper // default: a transport of its own, set up like http.DefaultTransport
	Timeout   time.Duration     // of one request; default 5 s
	PageSize  int               // entries a page; default and most 100
	Log       *slog.Logger      // default: nowhere
}

// Client asks one PagerDuty account.
type Client struct {
	key      grants.Secret
	base     string
	http     *http.Client
	timeout  time.Duration
	pageSize uint
	log      *slog.Logger

	// Each has a limit of its own at PagerDuty.
	onCalls, users, others *pacer
}

const (
	mostPerPage = 100
	// idsPerQuery keeps the request line well below what servers and proxies accept.
	idsPerQuery = 50
)

// New returns a client. It asks nothing yet.
func New(config Config) *Client {
	transport := config.Transport
	if transport == nil {
		transport = ownTransport()
	}
	log := config.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	size := config.PageSize
	if size <= 0 || size > mostPerPage {
		size = mostPerPage
	}
	return &Client{
		key:  config.Key,
		base: cmp.Or(strings.TrimSuffix(config.BaseURL, "/"), "https://api.pagerduty.com"),
		http: &http.Client{
			Transport: transport,
			// A redirect would take the key to wherever it points.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		timeout:  cmp.Or(config.Timeout, 5*time.Second),
		pageSize: uint(size),
		log:      log,
		onCalls:  newPacer(),
		users:    newPacer(),
		others:   newPacer(),
	}
}

func ownTransport() http.RoundTripper {
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		return standard.Clone()
	}
	return &http.Transport{Proxy: http.ProxyFromEnvironment}
}

// Entries reads who is on call for the sources: now, if from and until are zero, otherwise in that window. The entries
// are those of all levels of the policies, each once, in UTC, with the whole of their start and end. Read is when the
// first of the requests was sent that were answered.
func (c *Client) Entries(ctx context.Context, sources []grants.Source, from, until time.Time) (grants.Snapshot, error) {
	if from.IsZero() != until.IsZero() || until.Before(from) {
		return grants.Snapshot{}, errors.New("listing on-calls: the window needs a start and a later end, or neither")
	}
	snapshot := grants.Snapshot{From: from.UTC(), Until: until.UTC(), Entries: []grants.Entry{}}
	seen := map[grants.Entry]bool{}
	for _, query := range queries(sources) {
		query.Limit = c.pageSize
		if !from.IsZero() {
			query.Since, query.Until = wholeSeconds(from, until)
		}
		calls, sent, err := c.listOnCalls(ctx, query)
		if err != nil {
			return grants.Snapshot{}, fmt.Errorf("listing on-calls: %w", err)
		}
		if snapshot.Read.IsZero() {
			snapshot.Read = sent
		}
		for _, call := range calls {
			entry, err := entryOf(call)
			if err != nil {
				return grants.Snapshot{}, fmt.Errorf("listing on-calls: %w: %w", ErrBadAnswer, err)
			}
			if !seen[entry] {
				seen[entry] = true
				snapshot.Entries = append(snapshot.Entries, entry)
			}
		}
	}
	if snapshot.Read.IsZero() {
		// Nothing to ask about: PagerDuty would answer with everybody if no filter was given.
		snapshot.Read = time.Now().UTC()
	}
	return snapshot, nil
}

// Users reads the users of the account. The Email of a user who has not yet accepted the invitation is left empty:
// nobody has confirmed it.
func (c *Client) Users(ctx context.Context) ([]grants.PagerUser, error) {
	list, _, err := everyPage(func(offset uint) (page[pd.User], error) {
		return ask(ctx, c, c.users, func(api *pd.Client) (pd.APIListObject, []pd.User, error) {
			answer, err := api.ListUsersWithContext(ctx, pd.ListUsersOptions{Limit: c.pageSize, Offset: offset})
			if err != nil {
				return pd.APIListObject{}, nil, err
			}
			return answer.APIListObject, answer.Users, nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("listing users: %w", err)
	}
	users := make([]grants.PagerUser, 0, len(list))
	for _, u := range list {
		if u.ID == "" {
			return nil, fmt.Errorf("listing users: %w: a user without an ID", ErrBadAnswer)
		}
		user := grants.PagerUser{ID: u.ID, Name: u.Name, Email: u.Email}
		if u.InvitationSent {
			user.Email = ""
		}
		users = append(users, user)
	}
	return users, nil
}

// listOnCalls reads every page of one query, and says when the first was sent for.
func (c *Client) listOnCalls(ctx context.Context, query pd.ListOnCallOptions) ([]pd.OnCall, time.Time, error) {
	return everyPage(func(offset uint) (page[pd.OnCall], error) {
		return ask(ctx, c, c.onCalls, func(api *pd.Client) (pd.APIListObject, []pd.OnCall, error) {
			query.Offset = offset
			answer, err := api.ListOnCallsWithContext(ctx, query)
			if err != nil {
				return pd.APIListObject{}, nil, err
			}
			return answer.APIListObject, answer.OnCalls, nil
		})
	})
}

// queries are the questions that cover the sources. PagerDuty wants all filters of one question to hold, so that
// policies and schedules need one each.
func queries(sources []grants.Source) []pd.ListOnCallOptions {
	var policies, schedules []string
	for _, s := range sources {
		switch {
		case s.Schedule != "": // the same precedence as grants.Source.Covers
			schedules = append(schedules, s.Schedule)
		case s.Policy != "":
			policies = append(policies, s.Policy)
		}
	}
	var list []pd.ListOnCallOptions
	for ids := range slices.Chunk(unique(policies), idsPerQuery) {
		list = append(list, pd.ListOnCallOptions{EscalationPolicyIDs: ids})
	}
	for ids := range slices.Chunk(unique(schedules), idsPerQuery) {
		list = append(list, pd.ListOnCallOptions{ScheduleIDs: ids})
	}
	return list
}

func unique(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// wholeSeconds is the window as PagerDuty takes it, never smaller than it was asked for.
func wholeSeconds(from, until time.Time) (since, til string) {
	until = until.Add(time.Second - 1).Truncate(time.Second)
	return from.UTC().Truncate(time.Second).Format(time.RFC3339), until.UTC().Format(time.RFC3339)
}

// entryOf translates an entry. An absent time is null here, and nothing else: completeness was checked before.
func entryOf(call pd.OnCall) (grants.Entry, error) {
	if call.User.ID == "" || call.EscalationPolicy.ID == "" || call.EscalationLevel == 0 {
		return grants.Entry{}, errors.New("an entry without user, policy or level")
	}
	start, err := timeOf(call.Start)
	if err != nil {
		return grants.Entry{}, fmt.Errorf("the start of an entry: %w", err)
	}
	end, err := timeOf(call.End)
	if err != nil {
		return grants.Entry{}, fmt.Errorf("the end of an entry: %w", err)
	}
	return grants.Entry{
		User: call.User.ID, Policy: call.EscalationPolicy.ID, Level: int(call.EscalationLevel),
		Schedule: call.Schedule.ID, Start: start, End: end,
	}, nil
}

func timeOf(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.IsZero() { // the year 1 would read as "no end"
		return time.Time{}, fmt.Errorf("%.40q is not a time", text)
	}
	return t.UTC(), nil
}
