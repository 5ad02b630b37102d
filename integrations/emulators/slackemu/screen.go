package slackemu

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// Screen is what one person sees on the device in use: the messages of their channels and direct messages, the ephemeral ones that are for
// them alone, what the App Home shows, and their open modals.
type Screen struct {
	User       string    `json:"user"`
	Device     string    `json:"device"`   // as UseDevice named it
	Messages   []Message `json:"messages"` // oldest first
	Ephemerals []Message `json:"ephemerals"`
	Home       *View     `json:"home"`  // nil: the app has published nothing for this person
	Modal      *View     `json:"modal"` // the one on top
	Under      []View    `json:"under"` // those below, the lowest first
	Warnings   []Warning `json:"warnings"`
}

// Message is a message on a screen.
type Message struct {
	Channel     string          `json:"channel"`
	TS          string          `json:"ts"`
	ThreadTS    string          `json:"thread_ts"`
	Text        string          `json:"text"`
	Blocks      json.RawMessage `json:"blocks"`
	Attachments json.RawMessage `json:"attachments"`
	Buttons     []Button        `json:"buttons"`
	Edited      bool            `json:"edited"`
	Ephemeral   bool            `json:"ephemeral"`
	PostedAt    time.Time       `json:"posted_at"`
}

// View is a modal on a screen, or the App Home, which has neither title nor buttons of its own.
type View struct {
	Type            string            `json:"type"` // "modal" or "home"
	ID              string            `json:"id"`
	Hash            string            `json:"hash"`
	CallbackID      string            `json:"callback_id"`
	ExternalID      string            `json:"external_id"`
	PrivateMetadata string            `json:"private_metadata"` // not seen by people, but kept by Slack
	Title           string            `json:"title"`
	Submit          string            `json:"submit"`
	Close           string            `json:"close"`
	Blocks          json.RawMessage   `json:"blocks"`
	Buttons         []Button          `json:"buttons"`
	Inputs          []string          `json:"inputs"` // the action_id of each
	Values          map[string]string `json:"values"` // what they hold, by action_id, in the form that Fill takes
	Errors          map[string]string `json:"errors"` // under the inputs, by block_id
	NotifyOnClose   bool              `json:"notify_on_close"`
}

// Button is a button and its coordinates, so that it can be pressed later, when it has gone.
type Button struct {
	Text      string `json:"text"`
	ActionID  string `json:"action_id"`
	BlockID   string `json:"block_id"`
	Value     string `json:"value"`
	Style     string `json:"style"`
	URL       string `json:"url"`
	Channel   string `json:"channel"`
	MessageTS string `json:"message_ts"`
	ViewID    string `json:"view_id"`
	Ephemeral bool   `json:"ephemeral"`
}

// Visible is what a reader sees of the message, without button labels. Slack shows the text only if there are no blocks.
func (m Message) Visible() string {
	if seen := legibleJSON(m.Blocks); seen != "" {
		return seen
	}
	return m.Text
}

// Visible is what a reader sees of the view, without button labels.
func (v View) Visible() string {
	if v.Title == "" {
		return legibleJSON(v.Blocks)
	}
	return v.Title + "\n" + legibleJSON(v.Blocks)
}

// Text is everything legible: messages first, then the ephemeral ones, then the App Home, the modal last.
func (s Screen) Text() string {
	var parts []string
	for _, m := range slices.Concat(s.Messages, s.Ephemerals) {
		parts = append(parts, m.Visible())
	}
	for _, v := range []*View{s.Home, s.Modal} {
		if v != nil {
			parts = append(parts, v.Visible())
		}
	}
	return strings.Join(parts, "\n")
}

// Find returns the button that a person would press: in the open modal, otherwise in the newest message; or in the App
// Home, if that is what f says.
func (s Screen) Find(f Find) (Button, bool) {
	fits := func(b Button) bool {
		return (f.Text == "" || f.Text == b.Text) && (f.ActionID == "" || f.ActionID == b.ActionID) &&
			(f.Value == "" || f.Value == b.Value) && (f.Channel == "" || f.Channel == b.Channel) &&
			(f.MessageTS == "" || f.MessageTS == b.MessageTS)
	}
	first := s.Modal
	if f.Home {
		first = s.Home
	}
	if first != nil {
		if i := slices.IndexFunc(first.Buttons, fits); i >= 0 {
			return first.Buttons[i], true
		}
	}
	if f.Home {
		return Button{}, false
	}
	all := slices.Concat(s.Messages, s.Ephemerals)
	slices.SortStableFunc(all, func(a, b Message) int { return strings.Compare(b.TS, a.TS) })
	for _, m := range all {
		if i := slices.IndexFunc(m.Buttons, fits); i >= 0 {
			return m.Buttons[i], true
		}
	}
	return Button{}, false
}

// SeenBy returns the screen of one person.
func (e *Emulator) SeenBy(user string) Screen {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.screen(user)
}

// screen makes a copy that shares nothing with the state. Call it locked.
func (e *Emulator) screen(user string) Screen {
	s := Screen{ // no list is nil: scripts read them as JSON
		User: user, Device: e.devices[user], Messages: []Message{}, Ephemerals: []Message{}, Under: []View{},
		Warnings: append([]Warning{}, e.warnings[user]...),
	}
	for _, m := range e.messages {
		if !slices.Contains(e.channels[m.channel].Members, user) {
			continue
		}
		switch m.onlyFor {
		case "":
			s.Messages = append(s.Messages, m.onScreen())
		case user:
			if m.device != e.devices[user] {
				continue
			}
			s.Ephemerals = append(s.Ephemerals, m.onScreen())
		}
	}
	if home := e.homes[user]; home != nil {
		seen := home.onScreen()
		s.Home = &seen
	}
	for _, v := range e.stacks[e.seat(user)] {
		if s.Modal != nil {
			s.Under = append(s.Under, *s.Modal)
		}
		seen := v.onScreen()
		s.Modal = &seen
	}
	return s
}

func (m *message) onScreen() Message {
	return Message{
		Channel: m.channel, TS: m.ts, ThreadTS: m.thread, Text: m.text, Blocks: encode(m.blocks),
		Attachments: slices.Clone(m.attachments), Edited: m.edited, Ephemeral: m.onlyFor != "", PostedAt: m.postedAt,
		Buttons: buttons(m.blocks, Button{Channel: m.channel, MessageTS: m.ts, Ephemeral: m.onlyFor != ""}),
	}
}

func (v *view) onScreen() View {
	blocks := v.body["blocks"].([]any)
	out := View{
		Type: v.kind(), ID: v.id, Hash: v.hash,
		Blocks: encode(blocks), Buttons: buttons(blocks, Button{ViewID: v.id}), Inputs: []string{}, Values: filled(v.state),
		Title: plain(v.body["title"]), Submit: plain(v.body["submit"]), Close: plain(v.body["close"]),
		Errors: maps.Clone(v.errors), NotifyOnClose: v.body["notify_on_close"] == true,
	}
	out.CallbackID, _ = v.body["callback_id"].(string)
	out.ExternalID, _ = v.body["external_id"].(string)
	out.PrivateMetadata, _ = v.body["private_metadata"].(string)
	for _, raw := range blocks {
		for _, element := range elementsOf(raw.(object)) {
			kind, _ := element["type"].(string)
			if _, isInput := valueKey(kind); isInput {
				out.Inputs = append(out.Inputs, element["action_id"].(string))
			}
		}
	}
	return out
}

// buttons lists the buttons among blocks; at says where they are.
func buttons(blocks []any, at Button) []Button {
	out := []Button{}
	for _, raw := range blocks {
		block, _ := raw.(object)
		for _, element := range elementsOf(block) {
			if element["type"] != "button" {
				continue
			}
			b := at
			b.Text = plain(element["text"])
			for property, field := range map[string]*string{
				"action_id": &b.ActionID, "value": &b.Value, "style": &b.Style, "url": &b.URL,
			} {
				*field, _ = element[property].(string)
			}
			b.BlockID, _ = block["block_id"].(string)
			out = append(out, b)
		}
	}
	return out
}

func plain(text any) string {
	o, _ := text.(object)
	s, _ := o["text"].(string)
	return s
}

func legibleJSON(raw json.RawMessage) string {
	var blocks []any
	if json.Unmarshal(raw, &blocks) != nil {
		return ""
	}
	return strings.Join(legible(blocks), "\n")
}
