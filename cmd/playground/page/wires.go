package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/emulators/slackemu"
)

// entry is one thing that went over a wire or into a log. It never has the contents of a message: that would show
// everybody's screens, and secrets.
type entry struct {
	At    time.Time `json:"at"`
	From  string    `json:"from"` // slack, pagerduty, or the name of a log
	What  string    `json:"what"`
	Call  string    `json:"call"`  // the method, or attributes
	Bad   bool      `json:"bad"`   // an error or a warning
	Times int       `json:"times"` // how often, one after another
}

// shownEntries is how many the page keeps.
const shownEntries = 120

// wires reads what is new from the emulators and the logs.
type wires struct {
	cfg     Config
	pieces  int       // of Slack's, read
	asked   time.Time // of PagerDuty's requests, the last one read
	offsets []int     // into the logs
	entries []entry
	book    *book // of what the logs say was committed
}

func newWires(c Config) *wires {
	return &wires{cfg: c, offsets: make([]int, len(c.Logs)), entries: []entry{}, book: newBook(c.Cast)}
}

// read returns the newest entries, oldest first.
func (w *wires) read() []entry {
	var news []entry
	received := w.cfg.Slack.Received()
	for _, piece := range received[w.pieces:] {
		if e, ok := w.ofSlack(piece); ok {
			news = append(news, e)
		}
	}
	w.pieces = len(received)
	for _, request := range w.cfg.PagerDuty.Requests() {
		if request.At.After(w.asked) {
			w.asked = request.At
			news = append(news, ofPagerDuty(request))
		}
	}
	for i, log := range w.cfg.Logs {
		text := log.From(w.offsets[i])
		end := strings.LastIndexByte(string(text), '\n') + 1
		w.offsets[i] += end
		for line := range strings.Lines(string(text[:end])) {
			said, keys := fields(strings.TrimSpace(line))
			if w.book.enter(said) {
				continue
			}
			if e, ok := ofLog(log.Name, said, keys); ok {
				news = append(news, e)
			}
		}
	}
	slices.SortStableFunc(news, func(a, b entry) int { return a.At.Compare(b.At) })
	for _, e := range news {
		w.add(e)
	}
	return slices.Clone(w.entries)
}

// add puts an entry at the end, or counts it with an equal one that is near: a poll repeats for ever.
func (w *wires) add(e entry) {
	const near = 4
	for i := len(w.entries) - 1; i >= max(0, len(w.entries)-near); i-- {
		if old := w.entries[i]; old.From == e.From && old.What == e.What && old.Call == e.Call {
			e.Times = old.Times + 1
			w.entries = append(slices.Delete(w.entries, i, i+1), e)
			return
		}
	}
	e.Times = 1
	w.entries = append(w.entries, e)
	w.entries = w.entries[max(0, len(w.entries)-shownEntries):]
}

// ofSlack says in words what Slack was sent. Acknowledgements and the questions of a start are of no interest.
func (w *wires) ofSlack(p slackemu.Piece) (entry, bool) {
	who := w.name(p.Person)
	place := who
	if i := slices.IndexFunc(w.cfg.Channels, func(c Channel) bool { return c.ID == p.Channel }); i >= 0 {
		place = "#" + w.cfg.Channels[i].Name
	}
	what := map[string]string{
		"chat.postMessage": "wrote to " + place,
		"chat.update":      "changed its message to " + place,
		"views.open":       "opened a window for " + who,
		"views.push":       "opened a window for " + who,
		"views.update":     "filled the window of " + who,
		"views.publish":    "changed the App Home of " + who,
		"users.list":       "read the people of the workspace",
		"users.info":       "read about a person",
	}[p.Method]
	if p.Kind == slackemu.KindResponse {
		what = "answered " + who + " alone"
	}
	if what == "" {
		return entry{}, false
	}
	e := entry{At: p.At, From: "slack", What: what, Call: p.Method, Bad: p.Error != ""}
	switch {
	case p.Method == "views.update" && p.Error == "not_found":
		e.What, e.Bad = "wanted to blank a window, which was closed already", false
	case e.Bad:
		e.What += ": " + p.Error
	}
	return e, true
}

func (w *wires) name(user string) string {
	if p, ok := member(w.cfg.Cast, user); ok {
		return p.first()
	}
	return "somebody"
}

func ofPagerDuty(r pagerdutyemu.Request) entry {
	what := "asked who is on call"
	switch {
	case r.Method == "users":
		what = "read the people of the account"
	case strings.Contains(r.Query, "since="):
		what = "read the shifts ahead"
	}
	e := entry{At: r.At, From: "pagerduty", What: what, Call: "GET /" + r.Method, Bad: r.Status >= 400}
	if e.Bad {
		e.What += fmt.Sprintf(": %d", r.Status)
	}
	return e
}
