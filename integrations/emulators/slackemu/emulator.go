package slackemu

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config is one workspace with one installed app. Every zero value has a default.
type Config struct {
	BaseURL      string        // as the app reaches the emulator, without a trailing slash; default "http://slack.test"
	AppToken     string        // opens sockets and nothing else; default "xapp-1-A0NIGHT-emulated"
	BotToken     string        // calls every other method; default "xoxb-emulated"
	BotScopes    []string      // what the bot was granted; nil is DefaultScopes
	AppID        string        // default "A0NIGHT"
	TeamID       string        // default "T0NIGHT"
	TeamDomain   string        // default "night"
	BotUserID    string        // default "U0BOT"
	BotID        string        // default "B0BOT"
	ControlToken string        // what the control API wants in X-Control-Token; empty: it refuses everybody
	PingEvery    time.Duration // default 5 s
	SocketLife   time.Duration // default 18060 s, as Slack's hello says
	RealTiers    bool          // also enforce each method's documented rate
}

// DefaultScopes is what the app asks for when it is installed.
func DefaultScopes() []string {
	return []string{
		"commands", "chat:write", "im:write", "users:read", "users:read.email", "usergroups:read",
		"channels:read", "groups:read",
	}
}

// Emulator is one workspace. It is the http.Handler of everything: the Web API under /api/, the websocket under /link/,
// response URLs under /response/ and the control API under /control/.
type Emulator struct {
	cfg    Config
	mux    *http.ServeMux
	limits map[string]int
	table  map[string]Method
	done   chan struct{} // closed by Close
	wg     sync.WaitGroup

	mu         sync.Mutex // guards everything below; nobody waits or writes to the wire while holding it
	closed     bool
	skew       time.Duration
	born, made int64 // what identifiers are made of
	lastTS     int64
	users      map[string]User
	updated    map[string]int64 // user ID → Unix seconds of the last change
	groups     map[string]group
	channels   map[string]Channel
	direct     map[string]string // user ID → DM channel ID
	messages   []*message
	devices    map[string]string // user ID → the device in use
	stacks     map[seat][]*view  // open modals, the top one last
	homes      map[string]*view  // user ID → what the App Home shows
	triggers   map[string]*trigger
	responses  map[string]*responseURL
	envelopes  map[string]*envelope
	held       []string // envelope IDs kept back by Delivery.Hold
	delivery   Delivery
	sockets    []*socket
	nextSocket int
	tickets    map[string]bool
	warnings   map[string][]Warning
	pieces     []*Piece
	violations []Violation
	faults     []*Fault
	holds      []*Held
	handles    map[string]*Held // holds made over the control API
	calls      map[string][]time.Time
}

// New returns a workspace that has the bot, Slackbot and nobody else. It needs no start; Close ends it.
func New(cfg Config) *Emulator {
	withDefaults(&cfg)
	e := &Emulator{
		cfg: cfg, born: time.Now().UnixNano(), limits: Limits(), table: map[string]Method{}, done: make(chan struct{}),
		users: map[string]User{}, updated: map[string]int64{}, groups: map[string]group{}, channels: map[string]Channel{},
		direct: map[string]string{}, devices: map[string]string{}, stacks: map[seat][]*view{}, homes: map[string]*view{}, triggers: map[string]*trigger{},
		responses: map[string]*responseURL{}, envelopes: map[string]*envelope{}, tickets: map[string]bool{},
		warnings: map[string][]Warning{}, handles: map[string]*Held{}, calls: map[string][]time.Time{},
	}
	for _, m := range Methods() {
		e.table[m.Name] = m
	}
	e.PutUser(User{ID: cfg.BotUserID, Name: "nightlatch", RealName: "Nightlatch", IsBot: true})
	e.PutUser(User{ID: "USLACKBOT", Name: "slackbot", RealName: "Slackbot"})
	e.mux = http.NewServeMux()
	e.mux.HandleFunc("/api/{method}", e.serveMethod)
	e.mux.HandleFunc("/link/", e.serveSocket)
	e.mux.HandleFunc("/response/{id}", e.serveResponse)
	e.mux.Handle("/control/", e.ControlHandler())
	return e
}

func withDefaults(cfg *Config) {
	for _, d := range []struct {
		field *string
		value string
	}{
		{&cfg.BaseURL, "http://slack.test"},
		{&cfg.AppToken, "xapp-1-A0NIGHT-emulated"},
		{&cfg.BotToken, "xoxb-emulated"},
		{&cfg.AppID, "A0NIGHT"},
		{&cfg.TeamID, "T0NIGHT"},
		{&cfg.TeamDomain, "night"},
		{&cfg.BotUserID, "U0BOT"},
		{&cfg.BotID, "B0BOT"},
	} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	cfg.BaseURL = strings.TrimSuffix(cfg.BaseURL, "/")
	if cfg.BotScopes == nil {
		cfg.BotScopes = DefaultScopes()
	}
	if cfg.PingEvery == 0 {
		cfg.PingEvery = 5 * time.Second
	}
	if cfg.SocketLife == 0 {
		cfg.SocketLife = 18060 * time.Second
	}
}

// Config returns the configuration with its defaults filled in.
func (e *Emulator) Config() Config { return e.cfg }

// ServeHTTP serves Slack's side and the control API.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.mux.ServeHTTP(w, r) }

// Close cuts the sockets, drops what is held, stops the timers and waits for the emulator's goroutines. What was
// recorded can still be read.
func (e *Emulator) Close() {
	e.mu.Lock()
	if !e.closed {
		e.closed = true
		close(e.done)
		for _, env := range e.envelopes {
			env.stop()
		}
	}
	sockets := slices.Clone(e.sockets)
	e.mu.Unlock()
	for _, s := range sockets {
		s.cut()
	}
	e.wg.Wait()
}

// SetDateSkew moves the Date header of every answer, as a bot with a wrong clock would see it.
func (e *Emulator) SetDateSkew(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.skew = d
}

// stamp returns the next message timestamp: unique and increasing, as Slack's are within a channel. Call it locked.
func (e *Emulator) stamp() string {
	e.lastTS = max(e.lastTS+1, time.Now().UnixMicro())
	return fmt.Sprintf("%d.%06d", e.lastTS/1e6, e.lastTS%1e6)
}

// random returns 2n upper-case hexadecimal digits for an identifier. They depend on when the emulator was made and how many
// were made before, so that a simulation in a bubble can be played again, and two lives of a playground share none. Call it
// locked.
func (e *Emulator) random(n int) string {
	e.made++
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d", e.born, e.made))
	return strings.ToUpper(hex.EncodeToString(sum[:n]))
}
