package slackemu

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"time"
)

// responseURL lets its bearer answer one command or press, five times in half an hour.
type responseURL struct {
	url, user, channel string
	expires            time.Time
	uses               int
	target             *message // what replace_original and delete_original mean: the pressed message, or the last answer
}

// newResponse makes a response URL. target is the message that was pressed, or nil. Call it locked.
func (e *Emulator) newResponse(user, channel string, target *message) *responseURL {
	id := e.random(12)
	r := &responseURL{
		url: e.cfg.BaseURL + "/response/" + id, user: user, channel: channel,
		expires: time.Now().Add(responseLife), target: target,
	}
	e.responses[id] = r
	return r
}

func (e *Emulator) serveResponse(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if err != nil {
		http.Error(w, "request entity too large", http.StatusRequestEntityTooLarge)
		return
	}
	e.mu.Lock()
	piece := e.receive(KindResponse, "response_url", body)
	reply := e.responses[r.PathValue("id")]
	if reply != nil {
		piece.Person, piece.Channel = reply.user, reply.channel
	}
	e.mu.Unlock()
	blame := func(code string) {
		e.mu.Lock()
		defer e.mu.Unlock()
		piece.Error = code
	}
	if code, on := e.obstruct(w, r, "response_url", Before); !on {
		blame(code)
		return
	}
	status, code := e.useResponse(reply, r, body)
	blame(code)
	if _, on := e.obstruct(w, r, "response_url", After); !on {
		return
	}
	if code == "" {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "ok") // the caller may be gone; nobody else wants to know
		return
	}
	e.write(w, status, answer{err: code})
}

// useResponse spends one use and shows what was sent.
func (e *Emulator) useResponse(reply *responseURL, r *http.Request, body []byte) (int, string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case reply == nil:
		e.violate("response_url", "unknown", "it was never given out")
		return http.StatusNotFound, "invalid_url"
	case r.Method != http.MethodPost || kind != "application/json":
		e.violate("response_url", "body", "it takes JSON by POST")
		return http.StatusBadRequest, "invalid_payload"
	case !time.Now().Before(reply.expires):
		return http.StatusNotFound, "expired_url"
	case reply.uses >= responseUses:
		e.violate("response_url", "uses", "it was used five times")
		return http.StatusNotFound, "used_url"
	}
	reply.uses++
	if code := e.respond(reply, body, "response_url"); code != "" {
		return http.StatusBadRequest, code
	}
	return http.StatusOK, ""
}

// respond shows an answer to a command or a press, whether it came by its URL or in the acknowledgement. Call it locked.
func (e *Emulator) respond(reply *responseURL, body []byte, method string) string {
	var sent struct {
		Text            string          `json:"text"`
		Blocks          json.RawMessage `json:"blocks"`
		Attachments     json.RawMessage `json:"attachments"`
		ResponseType    string          `json:"response_type"`
		ThreadTS        string          `json:"thread_ts"`
		ReplaceOriginal bool            `json:"replace_original"`
		DeleteOriginal  bool            `json:"delete_original"`
	}
	if json.Unmarshal(body, &sent) != nil {
		e.violate(method, "body", "it is no JSON object")
		return "invalid_payload"
	}
	if sent.DeleteOriginal {
		if reply.target != nil {
			e.remove(reply.target)
		}
		return ""
	}
	args := map[string]string{"text": sent.Text, "blocks": string(sent.Blocks), "attachments": string(sent.Attachments)}
	if args["attachments"] == "null" {
		args["attachments"] = ""
	}
	made, a := e.composition(method, args, "msg_too_long")
	if a.err != "" {
		return a.err
	}
	if sent.ReplaceOriginal && reply.target != nil && e.find(reply.target.channel, reply.target.ts) == reply.target {
		reply.target.change(made)
		return ""
	}
	onlyFor := reply.user
	if sent.ResponseType == "in_channel" {
		onlyFor = ""
	}
	posted := e.post(e.channels[reply.channel], onlyFor, sent.ThreadTS, made)
	if reply.target == nil || reply.target.onlyFor != "" {
		reply.target = posted
	}
	return ""
}
