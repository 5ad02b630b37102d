package page

import (
	"context"
	"time"

	"nightlatch/integrations/emulators/slackemu"
)

// tidyFor is how long another night waits for the one before to end.
const tidyFor = 3 * time.Second

// again begins another night: nobody has anything of the one before, and no window is open.
func (p *Page) again(ctx context.Context, change func() error) error {
	if err := p.tidy(ctx); err != nil {
		return err
	}
	if err := p.reload(); err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	p.steps.again(p.screens())
	return nil
}

// reload has everybody load Slack again, because whoever loads the page is everybody.
func (p *Page) reload() error {
	for _, person := range p.cfg.Cast {
		if err := p.cfg.Slack.Reload(person.ID); err != nil {
			return err
		}
	}
	return nil
}

// screens are what everybody sees now.
func (p *Page) screens() []slackemu.Screen {
	var screens []slackemu.Screen
	for _, person := range p.cfg.Cast {
		screens = append(screens, p.cfg.Slack.SeenBy(person.ID))
	}
	return screens
}

// tidy has everybody withdraw and return, in their App Home, what is theirs. What does not end in time is left.
func (p *Page) tidy(ctx context.Context) error {
	for _, person := range p.cfg.Cast {
		act, err := p.cfg.Slack.OpenHome(person.ID)
		if _, err := follow(ctx, act, err); err != nil {
			return err
		}
	}
	pressed := map[string]bool{}
	for over := time.Now().Add(tidyFor); time.Now().Before(over); {
		waits := false
		for _, screen := range p.screens() {
			if screen.Home == nil {
				waits = true
				continue
			}
			for _, b := range screen.Home.Buttons {
				if b.ActionID != "return" && b.ActionID != "withdraw" {
					continue
				}
				waits = true
				if pressed[b.Value] {
					continue
				}
				pressed[b.Value] = true
				if _, err := p.cfg.Slack.PressAt(screen.User, b); err != nil {
					return err
				}
			}
		}
		if !waits {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(look):
		}
	}
	return nil
}
