package slackemu

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// patience is how long Slack waits for an acknowledgement.
const patience = 3 * time.Second

// Act is something that a person did, or that happened, and that the app was told in an envelope.
type Act struct {
	EnvelopeID  string    `json:"envelope_id"`
	Kind        string    `json:"kind"` // the payload's type: "slash_commands", "block_actions", "view_submission", …
	User        string    `json:"user"`
	TriggerID   string    `json:"trigger_id"`
	ResponseURL string    `json:"response_url"`
	SentAt      time.Time `json:"sent_at"`

	done    chan struct{}
	outcome Outcome // written before done is closed
}

// Outcome is what became of an act.
type Outcome struct {
	Acknowledged bool            `json:"acknowledged"`
	At           time.Time       `json:"at"`
	Warning      string          `json:"warning"` // what the person was shown instead
	Payload      json.RawMessage `json:"payload"` // of the acknowledgement
}

// Done is closed when the act was acknowledged, or Slack gave up.
func (a *Act) Done() <-chan struct{} { return a.done }

// Outcome is zero until Done.
func (a *Act) Outcome() Outcome {
	select {
	case <-a.done:
		return a.outcome
	default:
		return Outcome{}
	}
}

// Wait waits for the outcome.
func (a *Act) Wait(ctx context.Context) (Outcome, error) {
	select {
	case <-a.done:
		return a.outcome, nil
	case <-ctx.Done():
		return Outcome{}, fmt.Errorf("waiting for envelope %s: %w", a.EnvelopeID, ctx.Err())
	}
}

// Delivery says how envelopes travel from now on. What was sent before is not touched.
type Delivery struct {
	Suppress bool `json:"suppress"` // they are lost on the way
	Hold     bool `json:"hold"`     // they are kept, until Deliver sends them, one by one and in any order
	Copies   int  `json:"copies"`   // how many more times each is sent
}

// envelope is one delivery to the app, kept for as long as the emulator lives so that it can be sent again.
type envelope struct {
	act     *Act
	kind    string          // of the envelope: "slash_commands", "interactive", "events_api"
	body    json.RawMessage // as it was when it happened
	accepts bool
	sent    int
	acks    int
	attempt int // of events_api
	timer   *time.Timer
	then    func(payload json.RawMessage) // on the first acknowledgement in time; called locked
}

func (env *envelope) stop() {
	if env.timer != nil {
		env.timer.Stop()
	}
}

// settled reports whether the act's outcome is known.
func (env *envelope) settled() bool {
	select {
	case <-env.act.done:
		return true
	default:
		return false
	}
}

// retries are the pauses before Slack sends an event again that was not acknowledged.
func retries() []time.Duration { return []time.Duration{0, time.Minute, 5 * time.Minute} }

// dispatch sends an act's payload to the app. then is called at the first acknowledgement in time. Call it locked.
func (e *Emulator) dispatch(act *Act, kind string, payload object, accepts bool, then func(json.RawMessage)) *Act {
	act.EnvelopeID, act.SentAt, act.done = e.uuid(), time.Now(), make(chan struct{})
	env := &envelope{act: act, kind: kind, body: encode(payload), accepts: accepts, then: then}
	e.envelopes[act.EnvelopeID] = env
	if e.closed {
		e.giveUp(env, "dispatch_failed")
		return act
	}
	e.transmit(env)
	return act
}

// transmit sends an envelope by the rules of the moment and waits for its acknowledgement. Call it locked.
func (e *Emulator) transmit(env *envelope) {
	delivered := true
	switch {
	case e.delivery.Suppress:
	case e.delivery.Hold:
		e.held = append(e.held, env.act.EnvelopeID)
	default:
		for range e.delivery.Copies + 1 {
			delivered = e.put(env)
		}
	}
	if !delivered && env.kind != "events_api" {
		e.giveUp(env, "dispatch_failed")
		return
	}
	env.timer = time.AfterFunc(patience, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if !e.closed && !env.settled() {
			e.timeout(env)
		}
	})
}

// put hands one copy to one of the connections, in turn. Call it locked.
func (e *Emulator) put(env *envelope) bool {
	if len(e.sockets) == 0 {
		return false
	}
	env.sent++
	body := object{
		"envelope_id": env.act.EnvelopeID, "type": env.kind, "accepts_response_payload": env.accepts, "payload": env.body,
	}
	if env.kind == "events_api" {
		body["retry_attempt"], body["retry_reason"] = env.attempt, ""
		if env.attempt > 0 {
			body["retry_reason"] = "timeout"
		}
	}
	e.nextSocket++
	e.sockets[e.nextSocket%len(e.sockets)].send(encode(body))
	return true
}

// timeout is what Slack does after three seconds: commands and interactions are over, events come again.
func (e *Emulator) timeout(env *envelope) {
	pauses := retries()
	if env.kind != "events_api" || env.attempt >= len(pauses) {
		e.giveUp(env, "operation_timeout")
		return
	}
	pause := pauses[env.attempt]
	env.attempt++
	env.timer = time.AfterFunc(pause, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if !e.closed && !env.settled() {
			e.transmit(env)
		}
	})
}

// giveUp shows the person Slack's warning.
func (e *Emulator) giveUp(env *envelope, warning string) {
	env.act.outcome = Outcome{At: time.Now(), Warning: warning}
	close(env.act.done)
	if env.kind == "events_api" {
		return
	}
	e.warnings[env.act.User] = append(e.warnings[env.act.User], Warning{
		At: time.Now(), EnvelopeID: env.act.EnvelopeID, Kind: env.act.Kind, Error: warning,
	})
}

// acknowledge takes what the app wrote on a socket.
func (e *Emulator) acknowledge(message []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	piece := e.receive(KindAck, "ack", message)
	var ack struct {
		EnvelopeID string          `json:"envelope_id"`
		Payload    json.RawMessage `json:"payload"`
	}
	if json.Unmarshal(message, &ack) != nil {
		piece.Error = "not JSON"
		e.violate("ack", "format", "it is no JSON object")
		return
	}
	env := e.envelopes[ack.EnvelopeID]
	if env == nil {
		piece.Error = "unknown envelope"
		e.violate("ack", "unknown envelope", ack.EnvelopeID)
		return
	}
	piece.Person = env.act.User
	env.acks++
	payload := ack.Payload
	if bytes.Equal(payload, []byte("null")) || bytes.Equal(payload, []byte("{}")) || bytes.Equal(payload, []byte(`""`)) {
		payload = nil
	}
	switch {
	case env.acks > env.sent:
		e.violate("ack", "twice", ack.EnvelopeID)
	case len(message) >= ackLimit:
		e.violate("ack", "size", fmt.Sprintf("%d bytes", len(message)))
	case payload != nil && !env.accepts:
		e.violate("ack", "payload", env.act.Kind+" accepts none")
		payload = nil
	}
	if env.settled() {
		return // too late, or a copy's
	}
	env.stop()
	env.act.outcome = Outcome{Acknowledged: true, At: time.Now(), Payload: payload}
	if env.then != nil {
		env.then(payload)
	}
	close(env.act.done)
}

// SetDelivery changes how envelopes travel.
func (e *Emulator) SetDelivery(d Delivery) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.delivery = d
}

// Undelivered returns the envelopes that Delivery.Hold keeps, oldest first.
func (e *Emulator) Undelivered() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string{}, e.held...)
}

// Deliver sends an envelope now: one that was kept back, or any earlier one again, as Slack sometimes does.
func (e *Emulator) Deliver(envelopeID string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	env := e.envelopes[envelopeID]
	if env == nil {
		return fmt.Errorf("delivering envelope %q: there is none", envelopeID)
	}
	e.held = slices.DeleteFunc(e.held, func(id string) bool { return id == envelopeID })
	if !e.put(env) {
		return fmt.Errorf("delivering envelope %q: no socket is open", envelopeID)
	}
	return nil
}

// SendEvent tells the app of an event, an object with a "type". Slack repeats it three times if it must.
func (e *Emulator) SendEvent(event map[string]any) (*Act, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	kind, _ := event["type"].(string)
	if kind == "" {
		return nil, fmt.Errorf("sending an event: it has no type")
	}
	return e.send(&Act{Kind: kind}, event), nil
}

// send tells the app of an event. Call it locked.
func (e *Emulator) send(act *Act, event object) *Act {
	payload := object{
		"type": "event_callback", "token": "emulated", "team_id": e.cfg.TeamID, "api_app_id": e.cfg.AppID, "event": event,
		"event_id": "Ev" + e.random(5), "event_time": time.Now().Unix(), "event_context": "4-" + e.random(8),
		"is_ext_shared_channel": false, "context_team_id": e.cfg.TeamID, "context_enterprise_id": nil,
		"authorizations": []object{{
			"team_id": e.cfg.TeamID, "user_id": e.cfg.BotUserID, "is_bot": true, "is_enterprise_install": false,
			"enterprise_id": nil,
		}},
	}
	return e.dispatch(act, "events_api", payload, false, nil)
}
