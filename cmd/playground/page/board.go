package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
)

// board is what all browsers are shown: notes that are replaced when they change.
type board struct {
	mu      sync.Mutex
	version int
	notes   []note
	changed chan struct{} // closed when anything was
	over    bool
}

// note is one part of what is shown.
type note struct {
	kind, about string
	data        []byte // JSON
	version     int    // of the board, when it was last changed
}

func newBoard() *board { return &board{changed: make(chan struct{})} }

// put replaces a note, if it differs.
func (b *board) put(kind, about string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding what the page shows of %s: %w", kind, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.notes {
		n := &b.notes[i]
		if n.kind != kind || n.about != about {
			continue
		}
		if !bytes.Equal(n.data, data) {
			b.version++
			n.data, n.version = data, b.version
			b.wake()
		}
		return nil
	}
	b.version++
	b.notes = append(b.notes, note{kind, about, data, b.version})
	b.wake()
	return nil
}

// wake tells whoever waits. Call it locked.
func (b *board) wake() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// close ends all streams.
func (b *board) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	b.wake()
}

// since returns the notes that changed after a version, the version now, and what to wait on for more; nil when there
// will be no more.
func (b *board) since(version int) ([]note, int, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return nil, version, nil
	}
	var news []note
	for _, n := range b.notes {
		if n.version > version {
			news = append(news, n)
		}
	}
	return news, b.version, b.changed
}

// stream sends a browser the scene, then everything on the board, and then whatever changes, as Server-Sent Events.
func (p *Page) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	scene, err := json.Marshal(p.scene())
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	fmt.Fprintf(w, "retry: 1000\nevent: scene\ndata: %s\n\n", scene)
	for version := 0; ; {
		news, now, more := p.board.since(version)
		version = now
		for _, n := range news {
			fmt.Fprintf(w, "event: %s\ndata: %s\n\n", n.kind, n.data)
		}
		if flush.Flush() != nil || more == nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-more:
		}
	}
}

// scene is what does not change during a night.
func (p *Page) scene() any {
	return map[string]any{
		"cast": p.cfg.Cast, "channels": p.cfg.Channels, "suggestions": p.cfg.Suggestions, "services": p.cfg.Services,
		"bot":   p.cfg.Slack.Config().BotUserID,
		"ahead": p.cfg.Clock.Sub(p.cfg.Opened).Milliseconds(),
	}
}
