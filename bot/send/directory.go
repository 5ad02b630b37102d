package send

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// slackbot is the one bot that Slack does not mark as one.
const slackbot = "USLACKBOT"

// listTimeout bounds the reading of all pages, pauses included.
const listTimeout = 2 * time.Minute

// Users lists everybody in the workspace, with what their accounts are.
func (s *Sender) Users(ctx context.Context) ([]grants.SlackUser, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	users, err := s.api.GetUsersContext(ctx, slack.GetUsersOptionLimit(200))
	if err != nil {
		return nil, s.failed("listing Slack's users", "users.list", err)
	}
	people := make([]grants.SlackUser, 0, len(users))
	for _, u := range users {
		people = append(people, Person(u))
	}
	return people, nil
}

// Slack lets a workspace's app read a hundred accounts a minute, one by one. This stays below it, so that
// what is asked at a press is never refused for it.
const (
	accountsApart  = 750 * time.Millisecond
	accountsAtOnce = 5
)

// unknownCodes are Slack's names for an account that it does not show.
var unknownCodes = []string{"user_not_found", "user_not_visible"}

// User reads one account. An error wraps service.ErrNoSuchPerson where Slack shows none of this ID, and a
// *service.Wait where it wants a pause.
func (s *Sender) User(ctx context.Context, id string) (grants.SlackUser, error) {
	const method = "users.info"
	if err := s.rested(method, service.Verdict); err != nil {
		return grants.SlackUser{}, err
	}
	if err := paced(s.accounts); err != nil {
		return grants.SlackUser{}, err
	}
	u, err := s.api.GetUserInfoContext(ctx, id)
	switch {
	case err != nil && slices.Contains(unknownCodes, code(err)):
		return grants.SlackUser{}, fmt.Errorf("reading the account %s (%s): %w", id, code(err), service.ErrNoSuchPerson)
	case err != nil:
		return grants.SlackUser{}, s.failed("reading the account "+id, method, err)
	case u.ID != id || u.TeamID == "":
		return grants.SlackUser{}, fmt.Errorf("reading the account %s: %w", id, ErrBadAnswer)
	}
	return Person(*u), nil
}

// Person is what Slack says of an account.
func Person(u slack.User) grants.SlackUser {
	name := u.Profile.RealName
	if name == "" {
		name = u.Name
	}
	return grants.SlackUser{
		Team: u.TeamID, ID: u.ID, Name: name, Email: u.Profile.Email,
		Bot:         u.IsBot || u.IsWorkflowBot || u.ID == slackbot,
		Guest:       u.IsRestricted || u.IsUltraRestricted,
		Deleted:     u.Deleted,
		Foreign:     u.IsStranger,
		Unconfirmed: !u.IsEmailConfirmed,
	}
}

// Members lists the Slack user IDs of a user group.
func (s *Sender) Members(ctx context.Context, group string) ([]string, error) {
	members, err := s.api.GetUserGroupMembersContext(ctx, group)
	if err != nil {
		return nil, s.failed(fmt.Sprintf("listing the members of user group %q", group), "usergroups.users.list", err)
	}
	return members, nil
}
