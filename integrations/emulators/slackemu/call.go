package slackemu

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object of which the emulator keeps what it was sent.
type object = map[string]any

// call is one call of a Web API method. A complex argument is JSON text, whether it came in a form or in a JSON body.
type call struct {
	method Method
	args   map[string]string
	piece  *Piece
	post   bool
}

// answer is what a method says: fields when err is empty.
type answer struct {
	fields     object
	err        string
	messages   []string // response_metadata.messages
	needed     string   // of missing_scope
	retryAfter time.Duration
}

func refuse(code string) answer { return answer{err: code} }

// bodyLimit is more than any honest call needs; Slack closes the connection on larger ones.
const bodyLimit = 4 << 20

func (e *Emulator) serveMethod(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("method")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if err != nil {
		http.Error(w, "request entity too large", http.StatusRequestEntityTooLarge)
		return
	}
	method, known := e.table[name]
	kept := body
	if len(kept) == 0 {
		kept = []byte(r.URL.RawQuery)
	}
	e.mu.Lock()
	kind := KindOther
	if known {
		kind = method.Kind
	}
	piece := e.receive(kind, name, kept)
	e.mu.Unlock()
	blame := func(code string) {
		e.mu.Lock()
		defer e.mu.Unlock()
		piece.Error = code
	}

	if code, on := e.obstruct(w, r, name, Before); !on {
		blame(code)
		return
	}
	a := e.perform(method, known, name, r, body, piece)
	blame(a.err)
	if _, on := e.obstruct(w, r, name, After); !on {
		return
	}
	status := http.StatusOK
	if a.retryAfter > 0 {
		status = http.StatusTooManyRequests
	}
	w.Header().Set("X-Oauth-Scopes", strings.Join(e.cfg.BotScopes, ","))
	w.Header().Set("X-Accepted-Oauth-Scopes", strings.Join(method.Scopes, ","))
	e.write(w, status, a)
}

// perform checks a call and lets it take effect, in one step.
func (e *Emulator) perform(m Method, known bool, name string, r *http.Request, body []byte, piece *Piece) answer {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !known {
		e.violate(name, "unknown_method", "the emulator has no such method")
		return answer{err: "unknown_method", fields: object{"req_method": name}}
	}
	args, err := arguments(r, body, m.JSON)
	if err != nil {
		e.violate(name, "body", err.Error())
		return refuse(bodyError(err))
	}
	c := &call{method: m, args: args, piece: piece, post: r.Method == http.MethodPost}
	if code := e.authenticate(c, r); code != "" {
		return refuse(code)
	}
	if a, ok := e.checkArguments(c); !ok {
		return a
	}
	if len(m.Scopes) > 0 && !slices.ContainsFunc(m.Scopes, e.granted) {
		return e.missingScope(c, strings.Join(m.Scopes, ","))
	}
	if wait := e.overTier(c); wait > 0 {
		return answer{err: "ratelimited", retryAfter: wait}
	}
	a := m.do(e, c)
	if a.err != "" && !slices.Contains(m.Errors, a.err) && !slices.Contains(CommonErrors(), a.err) {
		panic(fmt.Sprintf("slackemu: %s answers %s, which its row does not list", name, a.err))
	}
	return a
}

var (
	errPostType = errors.New("the content type is not understood")
	errJSON     = errors.New("the body is no JSON")
	errObject   = errors.New("the body is no JSON object")
)

func bodyError(err error) string {
	switch {
	case errors.Is(err, errPostType):
		return "invalid_post_type"
	case errors.Is(err, errJSON):
		return "invalid_json"
	case errors.Is(err, errObject):
		return "json_not_object"
	default:
		return "invalid_form_data"
	}
}

// arguments reads them from the query of a GET, a form, or a JSON object.
func arguments(r *http.Request, body []byte, jsonToo bool) (map[string]string, error) {
	args := map[string]string{}
	if r.Method == http.MethodPost && len(body) > 0 {
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil {
			return nil, errPostType
		}
		if kind == "application/json" && jsonToo {
			return jsonArguments(body)
		}
		if kind != "application/x-www-form-urlencoded" {
			return nil, errPostType
		}
	} else {
		body = []byte(r.URL.RawQuery)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("parsing the form: %w", err)
	}
	for name, values := range form {
		args[name] = values[0]
	}
	return args, nil
}

func jsonArguments(body []byte) (map[string]string, error) {
	if !json.Valid(body) {
		return nil, errJSON
	}
	var raw map[string]json.RawMessage
	if json.Unmarshal(body, &raw) != nil {
		return nil, errObject
	}
	args := map[string]string{}
	for name, value := range raw {
		var text string
		switch {
		case bytes.Equal(value, []byte("null")):
		case json.Unmarshal(value, &text) == nil:
			args[name] = text
		default:
			args[name] = string(value)
		}
	}
	return args, nil
}

// authenticate checks the token. The app-level one is taken from the Authorization header alone.
func (e *Emulator) authenticate(c *call, r *http.Request) string {
	token, header := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !header {
		token = c.args["token"]
		if r.URL.Query().Has("token") {
			e.violate(c.method.Name, "token", "a token in a query is refused")
			return "invalid_auth"
		}
	}
	is := func(want string) bool { return subtle.ConstantTimeCompare([]byte(token), []byte(want)) == 1 }
	if c.args["token"] != "" && (c.method.app || is(e.cfg.AppToken)) {
		e.violate(c.method.Name, "token", "the app-level token belongs in the Authorization header")
		return "invalid_auth"
	}
	switch {
	case token == "":
		e.violate(c.method.Name, "token", "there is none")
		return "not_authed"
	case is(e.cfg.AppToken) == c.method.app && (is(e.cfg.AppToken) || is(e.cfg.BotToken)):
		return ""
	case is(e.cfg.AppToken) || is(e.cfg.BotToken):
		e.violate(c.method.Name, "token", "it is of the wrong type for this method")
		return "not_allowed_token_type"
	default:
		return "invalid_auth"
	}
}

func (e *Emulator) checkArguments(c *call) (answer, bool) {
	for _, name := range slices.Sorted(maps.Keys(c.args)) {
		// Slack's own framework adds its team to every call, and Slack minds it only for tokens of a whole organisation.
		if name != "team_id" && !slices.Contains(c.method.Arguments, name) {
			e.violate(c.method.Name, "unknown argument", name)
			return refuse("invalid_arg_name"), false
		}
	}
	for _, name := range c.method.Required {
		if name != "token" && c.args[name] == "" {
			e.violate(c.method.Name, "missing argument", name)
			if c.method.Missing != "" {
				return refuse(c.method.Missing), false
			}
			return answer{
				err: "invalid_arguments", messages: []string{"[ERROR] missing required field: " + name},
			}, false
		}
	}
	return answer{}, true
}

func (e *Emulator) granted(scope string) bool { return slices.Contains(e.cfg.BotScopes, scope) }

func (e *Emulator) missingScope(c *call, needed string) answer {
	e.violate(c.method.Name, "missing scope", needed)
	return answer{err: "missing_scope", needed: needed}
}

// overTier says how long the caller must wait, if real tiers are enforced and this call is too many.
func (e *Emulator) overTier(c *call) time.Duration {
	if !e.cfg.RealTiers {
		return 0
	}
	key, window, most := c.method.Name, time.Minute, [...]int{0, 1, 20, 50, 100, 300}[c.method.Tier]
	if c.method.Name == "chat.postMessage" { // about one a second per channel; short bursts are let through
		key, window, most = key+" "+c.args["channel"], 10*time.Second, 10
	}
	now := time.Now()
	recent := slices.DeleteFunc(e.calls[key], func(t time.Time) bool { return now.Sub(t) >= window })
	if len(recent) >= most {
		e.calls[key] = recent
		return window - now.Sub(recent[0])
	}
	e.calls[key] = append(recent, now)
	return 0
}

// write sends an answer as Slack does: 200 for every error but a rate limit.
func (e *Emulator) write(w http.ResponseWriter, status int, a answer) {
	out := object{"ok": a.err == ""}
	maps.Copy(out, a.fields)
	if a.err != "" {
		out["error"] = a.err
	}
	if len(a.messages) > 0 {
		out["response_metadata"] = object{"messages": a.messages}
	}
	if a.needed != "" {
		out["needed"], out["provided"] = a.needed, strings.Join(e.cfg.BotScopes, ",")
	}
	if a.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(a.retryAfter.Seconds()))))
	}
	e.mu.Lock()
	skew := e.skew
	e.mu.Unlock()
	if skew != 0 {
		w.Header().Set("Date", time.Now().Add(skew).UTC().Format(http.TimeFormat))
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(out) // the caller may be gone; nobody else wants to know
}
