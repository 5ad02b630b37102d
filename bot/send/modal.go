package send

import (
	"context"
	"fmt"

	"github.com/slack-go/slack"

	"nightlatch/bot/view"
	"nightlatch/grants/service"
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

// Publish makes the App Home of a person show the tab.
func (s *Sender) Publish(ctx context.Context, t service.Tab) error {
	const method = "views.publish"
	if err := s.rested(method, service.Home); err != nil {
		return err
	}
	f := view.Frame{Environment: s.environment, Who: t.Who}
	_, err := s.api.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: t.Person.Slack(), View: f.Home(t)})
	if err != nil {
		return s.failed("publishing a home", method, err)
	}
	return nil
}
