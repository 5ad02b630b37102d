package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// answer is what introspection says (RFC 7662), as much as is looked at.
type answer struct {
	Active     bool     `json:"active"`
	Subject    string   `json:"sub"`
	Audience   []string `json:"aud"`
	Details    []detail `json:"authorization_details"`
	Nightlatch struct {
		Role string `json:"role"`
	} `json:"nightlatch"`
}

// detail is one thing that a token lets its holder do (RFC 9396).
type detail struct {
	Actions []string `json:"actions"`
	Paths   []string `json:"paths"`
}

// allows says in words what the token is for.
func (a answer) allows() string {
	var all []string
	for _, d := range a.Details {
		all = append(all, strings.Join(d.Actions, ", ")+" "+strings.Join(d.Paths, ", "))
	}
	return strings.Join(all, " and ")
}

// introspect asks the program about a token, as the orders API does at each of its requests.
func (n *night) introspect(ctx context.Context, token string) (a answer, err error) {
	body := url.Values{"token": {token}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+n.settings.Listen+"/introspect", strings.NewReader(body))
	if err != nil {
		return a, fmt.Errorf("making the question about a token: %w", err)
	}
	r.SetBasicAuth("orders-api", n.settings.callerSecret)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	got, err := newClient().Do(r)
	if err != nil {
		return a, fmt.Errorf("asking about a token: %w", err)
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		return a, &difference{expected: "introspection answers", seen: got.Status}
	}
	if err := json.NewDecoder(got.Body).Decode(&a); err != nil {
		return a, fmt.Errorf("decoding the answer about a token: %w", err)
	}
	return a, nil
}

// introspects checks whether the token for a role is good now, and for whom and what.
func introspects(role string, active bool) act {
	return func(ctx context.Context, n *night) error {
		a, err := n.introspect(ctx, n.secrets[role])
		if err != nil {
			return err
		}
		wrong := a.Active != active
		if active {
			wrong = wrong || a.Nightlatch.Role != role || !strings.HasSuffix(a.Subject, "."+string(mara)) ||
				!slices.Equal(a.Audience, []string{"https://orders.example"}) || len(a.Details) == 0
		}
		if wrong {
			return &difference{expected: fmt.Sprintf("the token for %s is active: %t", role, active), seen: fmt.Sprintf("%+v", a)}
		}
		if !active {
			n.fact("The orders API asks: that token is not active.")
			return nil
		}
		n.fact("The orders API asks: that token is active, Mara's, for %s.", a.allows())
		return nil
	}
}

// nobodySees checks that the secret for a role is on nobody's screen.
func nobodySees(role string) act {
	return func(ctx context.Context, n *night) error {
		for _, p := range people() {
			s, err := n.slack.screen(ctx, p)
			if err != nil {
				return err
			}
			data, err := json.Marshal(s)
			if err != nil {
				return fmt.Errorf("encoding a screen: %w", err)
			}
			if contains(data, n.secrets[role]) {
				return &difference{expected: "nobody sees the secret", seen: "it is on " + p.first() + "'s screen"}
			}
		}
		n.fact("The secret is on nobody's screen.")
		return nil
	}
}

// movesHandover lets the shift end in a few seconds, and waits until the card says so.
func movesHandover(ctx context.Context, n *night) error {
	const ahead = 8 * time.Second // the poll is every second, and the machine may be busy
	n.handover = time.Now().Add(ahead).Truncate(time.Second)
	if err := n.handOver(ctx, n.handover); err != nil {
		return err
	}
	n.clock.jump(n.handover, six())
	return reads(jonas, inChannel, "[Revoke]", "@Mara has orders-write until today at 06:00")(ctx, n)
}

// diesWithTheShift checks that the token for a role stops within two seconds of the shift's end.
func diesWithTheShift(role string) act {
	return func(ctx context.Context, n *night) error {
		const most = 2 * time.Second
		for {
			asked := time.Now()
			a, err := n.introspect(ctx, n.secrets[role])
			late, early := asked.Sub(n.handover), time.Until(n.handover)
			switch {
			case err != nil:
				return err
			case a.Active && late > most:
				return &difference{expected: fmt.Sprintf("the token is inactive %s after the shift's end", most), seen: fmt.Sprintf("it is active after %s", late)}
			case !a.Active && early > 0:
				return &difference{expected: "the token works until the shift's end", seen: fmt.Sprintf("it is inactive %s before", early)}
			case !a.Active:
				n.fact("The orders API asks: that token is not active. It died %.1f s after the end of the shift.", max(late, 0).Seconds())
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-n.program.done:
				return n.program.died()
			case <-time.After(pause):
			}
		}
	}
}

// noRulesBroken asks both emulators whether the program kept to the rules of Slack and PagerDuty.
func noRulesBroken(ctx context.Context, n *night) error {
	for _, c := range []control{n.slack, n.pagerduty} {
		broken, err := c.violations(ctx)
		if err != nil {
			return err
		}
		if len(broken) > 0 {
			return &difference{expected: "no rule of Slack and PagerDuty is broken", seen: fmt.Sprintf("%+v", broken)}
		}
	}
	n.fact("No limit or rule of Slack's or PagerDuty's API was broken.")
	return nil
}

// stops ends the program in order, and looks for the secrets again in what it leaves behind.
func stops(_ context.Context, n *night) error {
	took, err := n.program.stop()
	if err != nil {
		return err
	}
	n.fact("It ended in order after %.1f s.", took.Seconds())
	return n.nothingLeft()
}
