// Package page is the playground's web page: a workspace that reads like Slack, the shifts and the incident of the night,
// a box to try a token in, what was recorded, and what went over the wires, all live.
//
// New makes a Page from two emulators and a few addresses; Run looks at them until its context ends; ServeHTTP serves
// the page, its interface and the stream of what changed, which ends with Run.
//
// What the page shows is only what the emulators know and the log says. It has no way into the program.
//
// Caveats: whoever can load the page acts as everybody on it, and sees every secret. So it answers on loopback names
// only, and its interface wants the token that the page carries, so that no other page in the same browser, and none
// whose name was pointed at this machine, can use it. Every local user of the machine can.
package page

import (
	"context"
	"crypto/rand"
	"embed"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/emulators/slackemu"
)

// Config is what a page is about.
type Config struct {
	Slack     *slackemu.Emulator
	PagerDuty *pagerdutyemu.Emulator

	// Cast are the people one can be. The first is shown first.
	Cast []Person
	// Channels are those of the workspace that are listed.
	Channels []Channel
	// Lines are the schedules whose shifts are drawn.
	Lines []Line
	// Changes are what can be done to the shifts, by name.
	Changes map[string]func() error

	// Alert is the incident that can be triggered.
	Alert pagerdutyemu.Trigger

	// Opened is when the night began, really, and Clock what its clock showed then. Clock is in UTC, and so is the night.
	Opened, Clock time.Time

	// Services are the demo APIs in which a token can be tried.
	Services []Service
	// Suggestions are lines that a person may want to type, by Slack user ID.
	Suggestions map[string][]string
	// Logs are shown among what goes over the wires.
	Logs []Log
}

// Again is the name of the change with which another night begins.
const Again = "again"

// Person is somebody whom the page lets one be.
type Person struct {
	ID        string `json:"id"`        // in Slack
	PagerDuty string `json:"pagerduty"` // user ID; empty: no seat
	Name      string `json:"name"`
	Title     string `json:"title"` // said while they are not on call
}

func (p Person) first() string {
	first, _, _ := strings.Cut(p.Name, " ")
	return first
}

// member finds somebody by their Slack user ID.
func member(cast []Person, user string) (Person, bool) {
	i := slices.IndexFunc(cast, func(p Person) bool { return p.ID == user })
	if i < 0 {
		return Person{}, false
	}
	return cast[i], true
}

// Channel is a channel of the workspace.
type Channel struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Topic string `json:"topic"`
}

// Line is a schedule in PagerDuty.
type Line struct {
	Schedule string `json:"schedule"`
	Name     string `json:"name"`
}

// Service is a demo API behind a check of tokens.
type Service struct {
	Name     string   `json:"name"`
	URL      string   `json:"-"` // without a slash at the end
	Audience string   `json:"audience"`
	Offline  bool     `json:"offline"` // it asks nobody about tokens
	Calls    []string `json:"calls"`   // what can be tried, such as "GET /v1/orders"; the first by default
}

// Log is a text in slog's form that grows.
type Log struct {
	Name string
	From func(offset int) []byte // what was written from there on
}

// Page serves one night to any number of browsers.
type Page struct {
	cfg    Config
	token  string
	mux    *http.ServeMux
	client *http.Client
	board  *board
	steps  *steps
}

//go:embed web
var files embed.FS

// New makes a page. It shows nothing before Run looks.
func New(c Config) (*Page, error) {
	web, err := fs.Sub(files, "web")
	if err != nil {
		return nil, err
	}
	p := &Page{
		cfg: c, token: rand.Text(), mux: http.NewServeMux(), board: newBoard(), steps: newSteps(),
		// No proxy: the demo API is on this machine.
		client: &http.Client{Transport: &http.Transport{}, Timeout: 5 * time.Second},
	}
	return p, p.routes(web)
}

// look is how often the world is looked at: faster than a person notices, slower than a processor minds.
const look = 150 * time.Millisecond

// Run looks at the world and tells the browsers what changed, until ctx ends.
func (p *Page) Run(ctx context.Context) error {
	defer p.board.close()
	for wires := newWires(p.cfg); ; {
		if err := p.observe(wires); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(look):
		}
	}
}

// observe puts on the board what is true now.
func (p *Page) observe(w *wires) error {
	screens := p.screens()
	for _, screen := range screens {
		if err := p.board.put("screen", screen.User, screen); err != nil {
			return err
		}
	}
	if err := p.board.put("shifts", "", p.shifts(time.Now())); err != nil {
		return err
	}
	if err := p.board.put("incident", "", p.incident()); err != nil {
		return err
	}
	if err := p.board.put("wires", "", w.read()); err != nil { // which also reads what the book holds
		return err
	}
	records := w.book.records()
	if err := p.board.put("ledger", "", records); err != nil {
		return err
	}
	p.steps.ended(records)
	return p.board.put("steps", "", p.steps.after(screens))
}
