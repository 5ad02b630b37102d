package send

import (
	"context"
	"fmt"

	"nightlatch/bot/view"
)

// Window is a modal that is open for somebody.
type Window struct {
	ID   string
	Hash string // of what it shows; an update with another hash is refused
}

// Open opens a modal. A trigger lives three seconds and works once.
func (s *Sender) Open(ctx context.Context, trigger string, m view.Modal) (Window, error) {
	answer, err := s.api.OpenViewContext(ctx, trigger, m)
	if err != nil {
		return Window{}, s.failed("opening a modal", "views.open", err)
	}
	if answer.View.ID == "" {
		return Window{}, fmt.Errorf("opening a modal: %w", ErrBadAnswer)
	}
	return Window{ID: answer.View.ID, Hash: answer.View.Hash}, nil
}

// Fill replaces what a modal shows, if it still shows what the window's hash says; an empty
// hash replaces whatever is there. The answer, which holds the whole view, is dropped here.
func (s *Sender) Fill(ctx context.Context, w Window, m view.Modal) (Window, error) {
	answer, err := s.api.UpdateViewContext(ctx, m, "", w.Hash, w.ID)
	if code(err) == "not_found" {
		return Window{}, fmt.Errorf("filling a modal: %w", ErrModalClosed)
	}
	if err != nil {
		return Window{}, s.failed("filling a modal", "views.update", err)
	}
	return Window{ID: w.ID, Hash: answer.View.Hash}, nil
}
