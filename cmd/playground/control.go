package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"nightlatch/integrations/emulators/slackemu"
)

// control drives one emulator over its control API, as any script can.
type control struct {
	base, token string
	client      *http.Client
}

func newControl(base, token string) control {
	return control{base: base + "/control/", token: token, client: newClient()}
}

// newClient makes a client that asks no proxy: everything here is on this machine.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}
}

func (c control) get(ctx context.Context, path string, out any) error {
	return c.do(ctx, http.MethodGet, path, nil, out)
}

func (c control) post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encoding the order %s: %w", path, err)
	}
	return c.do(ctx, http.MethodPost, path, body, out)
}

func (c control) do(ctx context.Context, method, path string, body []byte, out any) error {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("making the order %s: %w", path, err)
	}
	r.Header.Set("X-Control-Token", c.token)
	answer, err := c.client.Do(r)
	if err != nil {
		return fmt.Errorf("ordering %s: %w", path, err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return fmt.Errorf("reading the answer to %s: %w", path, err)
	case answer.StatusCode >= http.StatusBadRequest:
		return fmt.Errorf("ordering %s: %s: %s", path, answer.Status, bytes.TrimSpace(data))
	case out == nil || len(data) == 0:
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("decoding the answer to %s: %w", path, err)
	}
	return nil
}

// The rest is what Slack's emulator is asked most.

// object is a JSON object of an order.
type object map[string]any

// act lets a person do something that Slack wants acknowledged within three seconds.
func (c control) act(ctx context.Context, path string, in object) error {
	var told struct{ Outcome slackemu.Outcome }
	if err := c.post(ctx, path, in, &told); err != nil {
		return err
	}
	if !told.Outcome.Acknowledged {
		return &difference{
			expected: "the program acknowledges within three seconds",
			seen:     "Slack showed a warning: " + told.Outcome.Warning,
		}
	}
	return nil
}

// screen is what one person sees.
func (c control) screen(ctx context.Context, who person) (s slackemu.Screen, err error) {
	err = c.get(ctx, "screen?user="+url.QueryEscape(string(who)), &s)
	return s, err
}

// received is everything that the emulator ever got from the program.
func (c control) received(ctx context.Context) (pieces []slackemu.Piece, err error) {
	err = c.get(ctx, "received", &pieces)
	return pieces, err
}

func (c control) connections(ctx context.Context) (int, error) {
	var open struct{ Connections int }
	err := c.get(ctx, "connections", &open)
	return open.Connections, err
}

// violation is a rule that the program broke, by the word of either emulator.
type violation struct{ Method, Rule, Detail string }

func (c control) violations(ctx context.Context) (list []violation, err error) {
	err = c.get(ctx, "violations", &list)
	return list, err
}
