package socket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"nightlatch/bot/send"
	"nightlatch/bot/view"
	"nightlatch/grants"
	"nightlatch/grants/service"
)

// The kinds of envelopes that are acknowledged.
const (
	kindSlash       = "slash_commands"
	kindInteractive = "interactive"
	kindEvents      = "events_api"
)

// Command is an envelope, understood: who wants what. None of it is more than a claim; the
// service decides what a person may do.
type Command struct {
	Envelope   string
	Verb       Verb
	Team       string // where it was pressed
	Enterprise string
	User       string
	Home       string // the user's own team, if Slack says so
	Channel    string

	Line      Line             // of a typed command
	Grant     string           // of a button
	Extension int              // of a button: the ordinal of the grant's extension that it is about; 0: none
	About     grants.SlackUser // of an event: whose account changed
	Ends      int              // Reveal: the ordinal of the credential that this one replaces

	Trigger     string
	ResponseURL string
	Window      string // the modal that was submitted
	Field       string // its input under which an error is shown
	Ephemeral   bool   // the button was in an ephemeral verdict
	Listed      bool   // the button was in a list of one's own grants
	Typed       bool   // a command: its acknowledgement may answer
	Usage       error  // it was typed in a way that cannot be understood
}

// Errors of an envelope that is not what Slack sends. Nobody can be told.
var errMalformed = errors.New("the envelope cannot be understood")

// errNoGrant says that a button's value is no grant's ID.
var errNoGrant = fmt.Errorf("the value is no grant's ID: %w", service.ErrNoSuchGrant)

// person is who acts.
func (c Command) person() grants.PersonKey { return grants.KeyOf(c.Team, c.User) }

func (c Command) origin() service.Origin {
	return service.Origin{Envelope: c.Envelope, Person: c.person()}
}

// foreign reports whether this comes from outside the workspace: a shared channel, another
// installation, somebody who fakes it.
func (c Command) foreign(at send.Identity) bool {
	return c.Team != at.Team || (c.Home != "" && c.Home != at.Team) || (c.Enterprise != "" && c.Enterprise != at.Enterprise)
}

// Parse reads the payload of an envelope. With errNoGrant the rest of the command is valid;
// with any other error nothing is.
func Parse(kind, envelope string, payload []byte) (Command, error) {
	if envelope == "" || len(envelope) > longestID {
		return Command{}, fmt.Errorf("%w: no usable envelope ID", errMalformed)
	}
	switch kind {
	case kindEvents:
		return parseEvent(envelope, payload), nil
	case kindSlash:
		return parseSlash(envelope, payload)
	case kindInteractive:
		return parseInteractive(envelope, payload)
	}
	return Command{}, fmt.Errorf("%w: unknown type", errMalformed)
}

const longestID = 255

// slackID is the form of Slack's IDs of teams, users, channels and enterprises.
var slackID = regexp.MustCompile(`^[A-Z0-9]{2,40}$`)

func parseSlash(envelope string, payload []byte) (Command, error) {
	var p struct {
		Team       string `json:"team_id"`
		Enterprise string `json:"enterprise_id"`
		Channel    string `json:"channel_id"`
		User       string `json:"user_id"`
		Text       string `json:"text"`
		Response   string `json:"response_url"`
		Trigger    string `json:"trigger_id"`
	}
	if json.Unmarshal(payload, &p) != nil {
		return Command{}, fmt.Errorf("%w: slash command", errMalformed)
	}
	c := Command{
		Envelope: envelope, Team: p.Team, Enterprise: p.Enterprise, User: p.User, Channel: p.Channel,
		Trigger: p.Trigger, ResponseURL: p.Response, Typed: true,
	}
	if err := c.checkIDs(); err != nil {
		return Command{}, err
	}
	c.Line, c.Usage = ParseLine(p.Text)
	c.Verb = c.Line.Verb
	if c.Usage != nil {
		c.Verb = Usage
	}
	return c, nil
}

// interaction is as much of an interactive payload as is read.
type interaction struct {
	Type       string `json:"type"`
	Team       id     `json:"team"`
	Enterprise id     `json:"enterprise"`
	User       struct {
		ID   string `json:"id"`
		Team string `json:"team_id"`
	} `json:"user"`
	Channel   id     `json:"channel"`
	Trigger   string `json:"trigger_id"`
	Response  string `json:"response_url"`
	Container struct {
		Ephemeral bool `json:"is_ephemeral"`
	} `json:"container"`
	Actions []struct {
		ID    string `json:"action_id"`
		Block string `json:"block_id"`
		Value string `json:"value"`
	} `json:"actions"`
	View struct {
		ID       string `json:"id"`
		Callback string `json:"callback_id"`
		Metadata string `json:"private_metadata"`
		State    form   `json:"state"`
	} `json:"view"`
}

type id struct {
	ID string `json:"id"`
}

func parseInteractive(envelope string, payload []byte) (Command, error) {
	var p interaction
	if json.Unmarshal(payload, &p) != nil {
		return Command{}, fmt.Errorf("%w: interaction", errMalformed)
	}
	c := Command{
		Envelope: envelope, Verb: Nothing, Team: p.Team.ID, Enterprise: p.Enterprise.ID, User: p.User.ID, Home: p.User.Team,
		Channel: p.Channel.ID, Trigger: p.Trigger, ResponseURL: p.Response, Ephemeral: p.Container.Ephemeral,
	}
	if err := c.checkIDs(); err != nil {
		return Command{}, err
	}
	switch p.Type {
	case "block_actions":
		if len(p.Actions) != 1 {
			return c, nil
		}
		if c.Listed = strings.HasPrefix(p.Actions[0].Block, view.Listed); c.Listed {
			c.Ephemeral = false
		}
		return c.pressed(p.Actions[0].ID, p.Actions[0].Value)
	case "view_submission":
		c.Window = p.View.ID
		if c.Window == "" || len(c.Window) > longestID {
			return Command{}, fmt.Errorf("%w: it names no window", errMalformed)
		}
		switch p.View.Callback {
		case view.ConfirmReveal:
			return c.confirmed(p.View.Metadata)
		case view.TellWhy:
			return c.explained(p.View.Metadata, p.View.State)
		case view.Ask:
			return c.composed(p.View.Metadata, p.View.State)
		case view.Extend:
			return c.extended(p.View.Metadata, p.View.State)
		}
		c.Window = ""
	}
	return c, nil
}

// pressed reads a button.
func (c Command) pressed(action, value string) (Command, error) {
	switch v := Verb(action); v {
	case Approve, Deny, Withdraw:
		c.Verb = v
		if grant, ordinal, ok := numbered(value); ok {
			c.Grant, c.Extension = grant, ordinal
			return c, nil
		}
	case Revoke, Return, Reveal, Replace, More:
		c.Verb = v
	case Form:
		c.Verb = v
		return c, nil
	default:
		return c, nil // a button of nobody, such as a link
	}
	if !grants.ValidID(value) {
		return c, errNoGrant
	}
	c.Grant = value
	return c, nil
}

// confirmed reads the modal that offers to end the oldest credential.
func (c Command) confirmed(metadata string) (Command, error) {
	c.Verb = Reveal
	grant, ordinal, ok := numbered(metadata)
	if !ok {
		return c, errNoGrant
	}
	c.Grant, c.Ends = grant, ordinal
	return c, nil
}

// numbered reads a grant's ID and the ordinal of something of it, behind a space.
func numbered(value string) (grant string, ordinal int, ok bool) {
	grant, number, _ := strings.Cut(value, " ")
	ordinal, err := strconv.Atoi(number)
	return grant, ordinal, err == nil && ordinal >= 1 && ordinal <= 9999 && grants.ValidID(grant)
}

// checkIDs refuses what could not be told apart as a person's key.
func (c Command) checkIDs() error {
	if !slackID.MatchString(c.Team) || !slackID.MatchString(c.User) {
		return fmt.Errorf("%w: it names no user", errMalformed)
	}
	for _, other := range []string{c.Enterprise, c.Home, c.Channel} {
		if other != "" && !slackID.MatchString(other) {
			return fmt.Errorf("%w: it has an ID that is none", errMalformed)
		}
	}
	return nil
}

// job is a command on its way, with the time by which Slack wants its acknowledgement.
type job struct {
	Command
	via      *wire // by which it came
	deadline time.Time
	flaw     error                 // it is only to be refused, with this
	then     func(context.Context) // of the windows: what is to be done
}
