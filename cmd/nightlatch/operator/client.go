package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"time"

	"nightlatch/grants"
)

// The bounds of a question's way, as its client sees them.
const (
	askWithin = 15 * time.Second // longer than the server takes at most
	maxAnswer = 64 << 20
)

// Client asks the bot behind a socket. Each of its errors that a person can do something about
// is an *[Error].
type Client struct {
	Socket string // its path
}

// People lists the directory.
func (c Client) People(ctx context.Context) ([]grants.Person, error) {
	a, err := c.ask(ctx, question{Verb: verbPeople})
	return a.People, err
}

// Approve ends the freezing of a person; the pair of accounts that was found last is the one that holds.
func (c Client) Approve(ctx context.Context, person string) (grants.Person, error) {
	return c.person(ctx, question{Verb: verbApprove, Person: person})
}

// Freeze has nothing open by itself for a person until security approves, and ends what did.
func (c Client) Freeze(ctx context.Context, person, why string) (grants.Person, error) {
	return c.person(ctx, question{Verb: verbFreeze, Person: person, Why: why})
}

// Grants lists the requests and grants that are not over.
func (c Client) Grants(ctx context.Context) ([]Held, error) {
	a, err := c.ask(ctx, question{Verb: verbGrants})
	return a.Grants, err
}

// Grant shows one request or grant, over or not.
func (c Client) Grant(ctx context.Context, id string) (Held, error) {
	return c.grant(ctx, question{Verb: verbGrant, Grant: id})
}

// Revoke takes an open grant back.
func (c Client) Revoke(ctx context.Context, id string) (Held, error) {
	return c.grant(ctx, question{Verb: verbRevoke, Grant: id})
}

func (c Client) person(ctx context.Context, q question) (grants.Person, error) {
	a, err := c.ask(ctx, q)
	if err == nil && len(a.People) != 1 {
		err = errAnswer
	}
	if err != nil {
		return grants.Person{}, err
	}
	return a.People[0], nil
}

func (c Client) grant(ctx context.Context, q question) (Held, error) {
	a, err := c.ask(ctx, q)
	if err == nil && len(a.Grants) != 1 {
		err = errAnswer
	}
	if err != nil {
		return Held{}, err
	}
	return a.Grants[0], nil
}

// errAnswer is of an answer that is none to the question.
var errAnswer = errors.New("the bot's answer is none to this question")

// ask puts one question. What the bot answered in place of doing it is the error.
func (c Client) ask(ctx context.Context, q question) (a answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", c.Socket)
	if err != nil {
		return a, c.unheard(err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if err := json.NewEncoder(conn).Encode(q); err != nil {
		return a, fmt.Errorf("asking the bot at %s: %w", c.Socket, err)
	}
	err = json.NewDecoder(io.LimitReader(conn, maxAnswer)).Decode(&a)
	switch {
	case err != nil && ctx.Err() != nil:
		return a, fmt.Errorf("waiting for the bot's answer: %w", ctx.Err())
	case err != nil:
		return a, &Error{
			Text: "the bot hung up without an answer",
			Hint: "its log says why; whether it was done is in nightlatch people list and nightlatch grants",
			Err:  err,
		}
	case a.Error != nil:
		return a, a.Error
	}
	return a, nil
}

// unheard says why there is nobody to ask.
func (c Client) unheard(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return &Error{
			Text: "this user may not open " + c.Socket,
			Hint: "its group is operator.group in the configuration; be a member of it, or root",
			Err:  err,
		}
	}
	return &Error{
		Text: "nothing listens at " + c.Socket,
		Hint: "start nightlatch serve on this machine; the path is operator.socket in the configuration, and --socket names another",
		Err:  err,
	}
}
