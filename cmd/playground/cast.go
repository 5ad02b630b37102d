package main

import (
	"context"
	"strings"
	"time"

	"nightlatch/integrations/emulators/pagerdutyemu"
	"nightlatch/integrations/emulators/slackemu"
)

// person is somebody of the story, by their Slack user ID.
type person string

// The people of the story.
const (
	mara  person = "U0MARA"  // on call, level 1
	jonas person = "U0JONAS" // on call, level 2
	priya person = "U0PRIYA" // level 1 from six o'clock on
	otto  person = "U0OTTO"  // of the same channel; never on call
)

func people() []person { return []person{mara, jonas, priya, otto} }

func (p person) name() string {
	return map[person]string{mara: "Mara Lindqvist", jonas: "Jonas Weber", priya: "Priya Nair", otto: "Otto Brandt"}[p]
}

func (p person) first() string {
	first, _, _ := strings.Cut(p.name(), " ")
	return first
}

func (p person) email() string { return strings.ToLower(p.first()) + "@night.example" }

// pagerduty is the person's PagerDuty user ID; Otto has none.
func (p person) pagerduty() string { return "P" + strings.TrimPrefix(string(p), "U0") }

// The places of the story.
const (
	channel     = "C0ORDERS"
	channelName = "orders-access"
	firstLine   = "PFIRST"  // schedule of level 1
	secondLine  = "PSECOND" // schedule of level 2
)

// populate fills Slack and PagerDuty with the people, the channel and the night's shifts.
func (s *stage) populate(ctx context.Context, handover time.Time) error {
	members := []string{}
	for _, p := range people() {
		members = append(members, string(p))
		user := slackemu.User{ID: string(p), Name: strings.ToLower(p.first()), RealName: p.name(), Email: p.email()}
		if err := s.slack.post(ctx, "user", user, nil); err != nil {
			return err
		}
		if p == otto {
			continue
		}
		seat := pagerdutyemu.User{ID: p.pagerduty(), Name: p.name(), Email: p.email()}
		if err := s.pagerduty.post(ctx, "user", seat, nil); err != nil {
			return err
		}
	}
	if err := s.slack.post(ctx, "channel", slackemu.Channel{ID: channel, Name: channelName, Members: members}, nil); err != nil {
		return err
	}
	policy := pagerdutyemu.Policy{ID: "PORDERS", Name: "Orders", Levels: []pagerdutyemu.Level{
		{{Schedule: firstLine}}, {{Schedule: secondLine}},
	}}
	if err := s.pagerduty.post(ctx, "policy", policy, nil); err != nil {
		return err
	}
	if err := s.shifts(ctx, secondLine, pagerdutyemu.Shift{
		User: jonas.pagerduty(), Start: handover.Add(-9 * time.Hour), End: handover.Add(15 * time.Hour),
	}); err != nil {
		return err
	}
	return s.handOver(ctx, handover)
}

// handOver lets Mara's shift end, and Priya's begin, at a time.
func (s *stage) handOver(ctx context.Context, at time.Time) error {
	return s.shifts(
		ctx, firstLine,
		pagerdutyemu.Shift{User: mara.pagerduty(), Start: at.Add(-12 * time.Hour), End: at},
		pagerdutyemu.Shift{User: priya.pagerduty(), Start: at, End: at.Add(12 * time.Hour)},
	)
}

func (s *stage) shifts(ctx context.Context, schedule string, shifts ...pagerdutyemu.Shift) error {
	return s.pagerduty.post(ctx, "shifts", object{"schedule": schedule, "shifts": shifts}, nil)
}
