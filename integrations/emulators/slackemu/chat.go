package slackemu

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// message is one that Slack shows. An ephemeral one is shown to onlyFor, on the device in use, and kept in no history.
type message struct {
	channel, ts, thread string
	onlyFor, device     string
	text                string
	blocks              []any
	attachments         json.RawMessage
	edited              bool
	postedAt            time.Time
}

// content is what a message may consist of, checked.
type content struct {
	text        string
	blocks      []any
	attachments json.RawMessage
}

// wire is the message as Slack tells the app about it.
func (e *Emulator) wire(m *message) object {
	out := object{
		"type": "message", "user": e.cfg.BotUserID, "bot_id": e.cfg.BotID, "app_id": e.cfg.AppID,
		"team": e.cfg.TeamID, "ts": m.ts, "text": m.text,
	}
	if m.blocks != nil {
		out["blocks"] = m.blocks
	}
	if m.attachments != nil {
		out["attachments"] = m.attachments
	}
	if m.thread != "" {
		out["thread_ts"] = m.thread
	}
	if m.edited {
		out["edited"] = object{"user": e.cfg.BotUserID, "ts": m.ts}
	}
	return out
}

// composition reads the arguments that make up a message. tooLong is the method's name for too much text.
func (e *Emulator) composition(method string, args map[string]string, tooLong string) (content, answer) {
	var c content
	blocksText := args["blocks"]
	if blocksText != "" && blocksText != "null" {
		if json.Unmarshal([]byte(blocksText), &c.blocks) != nil {
			e.violate(method, "blocks", "they are no JSON array")
			return c, refuse("invalid_blocks_format")
		}
	}
	c.text = args["text"]
	if a := args["attachments"]; a != "" && a != "[]" {
		if !json.Valid([]byte(a)) {
			e.violate(method, "attachments", "they are no JSON")
			return c, refuse("invalid_arguments")
		}
		c.attachments = json.RawMessage(a)
	}
	if md := args["markdown_text"]; md != "" {
		if c.text != "" || c.blocks != nil {
			e.violate(method, "markdown_text", "it excludes text and blocks")
			return c, refuse("markdown_text_conflict")
		}
		c.text = md
	}
	if c.text == "" && len(c.blocks) == 0 && c.attachments == nil {
		e.violate(method, "no_text", "there is nothing to show")
		return c, refuse("no_text")
	}
	in := newInspector(e.limits)
	in.message(c.blocks)
	if len(in.problems) > 0 {
		e.violate(method, "invalid_blocks", strings.Join(in.problems, "; "))
		return c, answer{err: "invalid_blocks", messages: in.problems}
	}
	if characters(c.blocks) > e.limits["message.blocks.max_length"] {
		e.violate(method, tooLong, "the blocks hold too many characters")
		return c, refuse(tooLong)
	}
	if most := e.limits["message.text.max_length"]; utf8.RuneCountInString(c.text) > most {
		if tooLong == "msg_blocks_too_long" { // chat.postMessage cuts
			c.text = string([]rune(c.text)[:most])
		} else {
			e.violate(method, tooLong, "the text is too long")
			return c, refuse(tooLong)
		}
	}
	e.identify(c.blocks)
	return c, answer{}
}

// place finds the channel that a message is meant for. A user's ID stands for the direct message with that person.
func (e *Emulator) place(c *call) (Channel, answer) {
	id := c.args["channel"]
	if _, ok := e.users[id]; ok {
		id = e.dm(id)
	}
	ch, ok := e.channels[id]
	if !ok || (ch.IsPrivate && ch.WithoutBot) {
		return ch, refuse("channel_not_found")
	}
	c.piece.Channel, c.piece.Person = ch.ID, ch.directWith
	switch {
	case ch.IsArchived:
		return ch, refuse("is_archived")
	case ch.WithoutBot:
		return ch, refuse("not_in_channel")
	}
	return ch, answer{}
}

// post puts a message where people see it. Call it locked.
func (e *Emulator) post(ch Channel, onlyFor, thread string, c content) *message {
	m := &message{
		channel: ch.ID, ts: e.stamp(), thread: thread, onlyFor: onlyFor,
		text: c.text, blocks: c.blocks, attachments: c.attachments, postedAt: time.Now(),
	}
	if onlyFor != "" {
		m.device = e.devices[onlyFor]
	}
	e.messages = append(e.messages, m)
	return m
}

// change replaces what a message shows. Text alone leaves no blocks behind.
func (m *message) change(c content) {
	m.text, m.blocks, m.attachments, m.edited = c.text, c.blocks, c.attachments, true
}

// find returns the message at a timestamp, ephemeral or not.
func (e *Emulator) find(channel, ts string) *message {
	i := slices.IndexFunc(e.messages, func(m *message) bool { return m.channel == channel && m.ts == ts })
	if i < 0 {
		return nil
	}
	return e.messages[i]
}

func (e *Emulator) remove(m *message) {
	e.messages = slices.DeleteFunc(e.messages, func(other *message) bool { return other == m })
}

func (e *Emulator) postMessage(c *call) answer {
	ch, a := e.place(c)
	if a.err != "" {
		return a
	}
	body, a := e.composition(c.method.Name, c.args, "msg_blocks_too_long")
	if a.err != "" {
		return a
	}
	m := e.post(ch, "", c.args["thread_ts"], body)
	return answer{fields: object{"channel": ch.ID, "ts": m.ts, "message": e.wire(m)}}
}

func (e *Emulator) updateMessage(c *call) answer {
	ch, ok := e.channels[c.args["channel"]]
	if !ok {
		return refuse("channel_not_found")
	}
	c.piece.Channel, c.piece.Person = ch.ID, ch.directWith
	m := e.find(ch.ID, c.args["ts"])
	if m == nil {
		return refuse("message_not_found")
	}
	if m.onlyFor != "" {
		e.violate(c.method.Name, "ephemeral", "an ephemeral message cannot be updated by its ts")
		return refuse("cant_update_message")
	}
	body, a := e.composition(c.method.Name, c.args, "msg_too_long")
	if a.err != "" {
		return a
	}
	m.change(body)
	return answer{fields: object{"channel": ch.ID, "ts": m.ts, "text": m.text, "message": e.wire(m)}}
}

func (e *Emulator) postEphemeral(c *call) answer {
	ch, a := e.place(c)
	if a.err != "" {
		return a
	}
	user := c.args["user"]
	c.piece.Person = user
	if u, ok := e.users[user]; !ok || u.Deleted || (!slices.Contains(ch.Members, user)) {
		return refuse("user_not_in_channel")
	}
	body, a := e.composition(c.method.Name, c.args, "msg_too_long")
	if a.err != "" {
		return a
	}
	m := e.post(ch, user, c.args["thread_ts"], body)
	return answer{fields: object{"message_ts": m.ts}}
}
