package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	pd "github.com/PagerDuty/go-pagerduty"
)

// ErrNotFound says that PagerDuty has nothing of this kind under the ID, or the key may not see it.
var ErrNotFound = errors.New("PagerDuty has no such thing")

// Policy is an escalation policy as far as a configuration is concerned with it.
type Policy struct {
	Name   string
	Levels int // how many it has
}

// Schedule is a schedule as far as a configuration is concerned with it.
type Schedule struct {
	Name     string // empty of a shift-based one
	Policies int    // how many escalation policies have it; without any, nobody is on call for it by PagerDuty's list
	Shifts   bool   // it is shift-based: PagerDuty says that it exists, and no more
}

// Policy reads one escalation policy. Its error is an ErrNotFound if there is none.
func (c *Client) Policy(ctx context.Context, id string) (Policy, error) {
	var found *pd.EscalationPolicy
	err := c.one(ctx, id, func(api *pd.Client) (answered string, err error) {
		if found, err = api.GetEscalationPolicyWithContext(ctx, id, nil); err != nil {
			return "", err
		}
		return found.ID, nil
	})
	if err != nil {
		return Policy{}, fmt.Errorf("reading the escalation policy %s: %w", id, err)
	}
	return Policy{Name: found.Name, Levels: len(found.EscalationRules)}, nil
}

// Schedule reads one schedule. Its error is an ErrNotFound if there is none.
func (c *Client) Schedule(ctx context.Context, id string) (Schedule, error) {
	var found *pd.Schedule
	err := c.one(ctx, id, func(api *pd.Client) (answered string, err error) {
		if found, err = api.GetScheduleWithContext(ctx, id, pd.GetScheduleOptions{}); err != nil {
			return "", err
		}
		return found.ID, nil
	})
	switch {
	case errors.Is(err, errNotServed):
		return Schedule{Shifts: true}, nil
	case err != nil:
		return Schedule{}, fmt.Errorf("reading the schedule %s: %w", id, err)
	}
	return Schedule{Name: found.Name, Policies: len(found.EscalationPolicies)}, nil
}

// nobody is an ID that PagerDuty gives to nothing: it is longer than its own, and has small letters.
const nobody = "nightlatch-asks-whether-it-may-write"

// MayWrite reports whether the key may change things, which Nightlatch has no use for. It asks to delete an override that
// cannot exist, in a schedule that cannot exist: a key that may write is told that there is no such thing, and one that
// may only read that it is not allowed to. Ask it of a key that was seen to read.
func (c *Client) MayWrite(ctx context.Context) (bool, error) {
	status, err := c.exchange(ctx, c.others, nil, func(api *pd.Client) error {
		return api.DeleteOverrideWithContext(ctx, nobody, nobody)
	})
	switch status {
	case http.StatusNotFound:
		return true, nil
	case http.StatusForbidden:
		return false, nil
	}
	if err == nil {
		err = fmt.Errorf("%w: status %d for what there is not", ErrBadAnswer, status)
	}
	return false, fmt.Errorf("asking whether the key may write: %w", err)
}

// errNotServed is an answer that says that the question is wrong, which it is not.
var errNotServed = errors.New("it is not served here")

// one reads a single thing, and sees to it that the answer is about the ID.
func (c *Client) one(ctx context.Context, id string, get func(*pd.Client) (answered string, err error)) error {
	var answered string
	status, err := c.exchange(ctx, c.others, nil, func(api *pd.Client) (err error) {
		answered, err = get(api)
		return err
	})
	switch {
	case status == http.StatusNotFound:
		return ErrNotFound
	case status == http.StatusBadRequest: // what PagerDuty answers about a shift-based schedule
		return fmt.Errorf("%w: %w", errNotServed, err)
	case err == nil && answered != id:
		return fmt.Errorf("%w: it is about something else", ErrBadAnswer)
	}
	return err
}
