package send

import (
	"context"
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"nightlatch/grants"
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
