package page

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"

	"nightlatch/integrations/emulators/slackemu"
)

// progress is how far the night has come.
type progress struct {
	Asked    bool `json:"asked"`
	Approved bool `json:"approved"`
	Revealed bool `json:"revealed"`
	Used     bool `json:"used"`
	Over     bool `json:"over"`

	Ended   string `json:"ended"`   // number of the event with which it was over
	Skipped bool   `json:"skipped"` // what was approved needed nobody's yes
	Night   int    `json:"night"`   // counts how often the night began
	Since   string `json:"since"`   // the newest timestamp of a message of the nights before
}

// steps follows the progress by what the screens show. A step that was seen stays.
type steps struct {
	mu     sync.Mutex
	now    progress
	voted  map[string]bool // requests that waited for a yes
	opened map[string]bool // grants that could be revealed
	past   map[string]bool // requests and grants of nights before
	seen   map[string]bool // all that there were
}

func newSteps() *steps {
	return &steps{voted: map[string]bool{}, opened: map[string]bool{}, past: map[string]bool{}, seen: map[string]bool{}}
}

// again begins another night. What was asked for before, and what was written by then, is of no account in it.
func (s *steps) again(screens []slackemu.Screen) {
	s.after(screens)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = progress{Night: s.now.Night + 1, Since: s.now.Since}
	for _, screen := range screens {
		for _, m := range slices.Concat(screen.Messages, screen.Ephemerals) {
			s.now.Since = max(s.now.Since, m.TS)
		}
	}
	s.voted, s.opened, s.past = map[string]bool{}, map[string]bool{}, maps.Clone(s.seen)
}

// ended notes that grants are over.
func (s *steps) ended(records []record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		over := r.Kind == "closing" || r.Kind == "closed"
		if !s.now.Over && s.now.Used && over && s.opened[r.Grant] {
			s.now.Over, s.now.Ended = true, r.Seq
		}
	}
}

// used notes that a token opened a demo API.
func (s *steps) used() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.Used = s.now.Used || s.now.Revealed
}

// after adds what can be seen now.
func (s *steps) after(screens []slackemu.Screen) progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, screen := range screens {
		for _, m := range slices.Concat(screen.Messages, screen.Ephemerals) {
			for _, b := range m.Buttons {
				s.seen[b.Value] = true
				switch {
				case s.past[b.Value]:
				case b.ActionID == "approve":
					s.now.Asked, s.voted[b.Value] = true, true
				case b.ActionID == "reveal":
					s.opened[b.Value] = true
				}
			}
		}
		s.now.Revealed = s.now.Revealed || s.now.Approved && screen.Modal != nil && preformatted(screen.Modal.Blocks)
	}
	if len(s.opened) > 0 {
		s.now.Asked, s.now.Approved = true, true
		s.now.Skipped = !slices.ContainsFunc(slices.Collect(maps.Keys(s.opened)), func(grant string) bool { return s.voted[grant] })
	}
	return s.now
}

// preformatted reports whether blocks hold a secret: that is how the program shows one.
func preformatted(blocks json.RawMessage) bool {
	return strings.Contains(string(blocks), `"rich_text_preformatted"`)
}
