// Package operator lets people on the machine ask the running bot: who is in the directory, what
// is open, and to approve, freeze and revoke. It never opens a grant and never votes on one.
//
// [Listen] makes the unix socket, [Server] answers on it until its context ends, and [Client] asks.
// One connection is one question and one answer, both a value of JSON.
//
// Who asks is what the kernel says of the other end (SO_PEERCRED), never what it says of itself. A
// user of the machine whom [Config] does not name may only read, root included; every other
// question is recorded, also when it is refused.
//
// Caveats: whoever may open the socket reads everybody's name, e-mail address and reasons. Outside of Linux
// nobody is known, so everybody only reads. The credentials are those of the moment of connecting;
// in a user namespace that hides the others, everybody is the same nobody.
package operator

import (
	"nightlatch/grants"
)

// The verbs of a question.
const (
	verbPeople  = "people"
	verbApprove = "approve"
	verbFreeze  = "freeze"
	verbGrants  = "grants"
	verbGrant   = "grant"
	verbRevoke  = "revoke"
)

// question is what a client sends.
type question struct {
	Verb   string `json:"verb"`
	Person string `json:"person,omitempty"` // a Slack user ID, a person's key, or an e-mail address
	Why    string `json:"why,omitempty"`
	Grant  string `json:"grant,omitempty"`
}

// answer is what the server sends: an error, or what was asked for.
type answer struct {
	Error  *Error          `json:"error,omitempty"`
	People []grants.Person `json:"people,omitempty"`
	Grants []Held          `json:"grants,omitempty"`
}

// Held is a request or grant as operators see it.
type Held struct {
	Grant   grants.Grant `json:"grant"`
	Name    string       `json:"name"`             // of its person, or empty
	Reason  string       `json:"reason,omitempty"` // what the person typed
	Why     string       `json:"why,omitempty"`    // what whoever denied it typed
	Failing grants.Retry `json:"failing,omitzero"` // of revoking, while it fails
}

// Error says why something was not done, and what to do next. Both are one line.
type Error struct {
	Text string `json:"text"`
	Hint string `json:"hint"`
	Err  error  `json:"-"` // the cause on this side of the socket, or nil
}

func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
