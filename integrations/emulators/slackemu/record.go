package slackemu

import "time"

// Kind says where received bytes were meant to end.
type Kind string

// The kinds of Piece.
const (
	KindMessage   Kind = "message"   // chat.postMessage and chat.update: Slack stores it
	KindEphemeral Kind = "ephemeral" // chat.postEphemeral
	KindView      Kind = "view"      // views.open, views.push, views.update and views.publish
	KindResponse  Kind = "response"  // a response URL
	KindAck       Kind = "ack"       // an acknowledgement on the socket
	KindOther     Kind = "other"     // every other method
)

// Piece is one body that the emulator received, whatever it answered.
type Piece struct {
	Kind    Kind      `json:"kind"`
	Method  string    `json:"method"`
	Person  string    `json:"person"`  // the only person who can see it, if there is only one
	Channel string    `json:"channel"` // where it went, if it went to a channel
	Bytes   []byte    `json:"bytes"`   // as they came: form-encoded or JSON; the query of a GET
	Error   string    `json:"error"`   // what was answered; empty: it took effect, or waits to
	At      time.Time `json:"at"`
}

// Violation is a rule of Slack's that the app broke, whether or not Slack would have told it.
type Violation struct {
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	Rule   string    `json:"rule"`
	Detail string    `json:"detail"`
}

// Warning is what Slack's client showed to a person whose action the app did not acknowledge.
type Warning struct {
	At         time.Time `json:"at"`
	EnvelopeID string    `json:"envelope_id"`
	Kind       string    `json:"kind"`
	Error      string    `json:"error"` // "operation_timeout", or "dispatch_failed" when no socket was open
}

// Received returns every body that came in, oldest first.
func (e *Emulator) Received() []Piece {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]Piece, len(e.pieces))
	for i, p := range e.pieces {
		out[i] = *p
	}
	return out
}

// Violations returns the rules that the app broke, oldest first. A test of the app wants none.
func (e *Emulator) Violations() []Violation {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]Violation{}, e.violations...)
}

// receive keeps a body. Call it locked.
func (e *Emulator) receive(kind Kind, method string, body []byte) *Piece {
	p := &Piece{Kind: kind, Method: method, Bytes: body, At: time.Now()}
	e.pieces = append(e.pieces, p)
	return p
}

// violate records a broken rule. Call it locked.
func (e *Emulator) violate(method, rule, detail string) {
	e.violations = append(e.violations, Violation{At: time.Now(), Method: method, Rule: rule, Detail: detail})
}
