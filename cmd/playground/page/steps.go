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
}

// steps follows the progress by what the screens show. A step that was seen stays.
type steps struct {
	mu     sync.Mutex
	now    progress
	opened map[string]bool // grants that could be revealed
	past   map[string]bool // requests and grants of nights before
	seen   map[string]bool // all that there were
}

func newSteps() *steps {
	return &steps{opened: map[string]bool{}, past: map[string]bool{}, seen: map[string]bool{}}
}

// again begins another night. What was asked for before is of no account in it.
func (s *steps) again() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now, s.opened, s.past = progress{}, map[string]bool{}, maps.Clone(s.seen)
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
	open := map[string]bool{}
	for _, screen := range screens {
		for _, m := range slices.Concat(screen.Messages, screen.Ephemerals) {
			for _, b := range m.Buttons {
				s.seen[b.Value] = true
				switch {
				case s.past[b.Value]:
				case b.ActionID == "approve":
					s.now.Asked = true
				case b.ActionID == "reveal":
					open[b.Value] = true
				}
			}
		}
		s.now.Revealed = s.now.Revealed || s.now.Approved && screen.Modal != nil && preformatted(screen.Modal.Blocks)
	}
	maps.Copy(s.opened, open)
	if len(s.opened) > 0 {
		s.now.Asked, s.now.Approved = true, true
	}
	s.now.Over = s.now.Over || s.now.Used && len(open) < len(s.opened)
	return s.now
}

// preformatted reports whether blocks hold a secret: that is how the program shows one.
func preformatted(blocks json.RawMessage) bool {
	return strings.Contains(string(blocks), `"rich_text_preformatted"`)
}
