package view_test

import (
	"strings"
	"testing"
	"time"

	"nightlatch/bot/view"
	"nightlatch/grants"
	"nightlatch/grants/service"
)

// extended is an open grant with an extension, as its surfaces get to see it.
func extended(change ...func(*service.Notice)) service.Notice {
	n := notice(grants.Open)
	n.Because = "still failing over"
	n.Extension = grants.Extension{
		Ordinal: 1, At: noon.Add(time.Hour), By: 30 * time.Minute, State: grants.Pending, Basis: grants.ByVotes,
		Voters: role().Voters, PendingUntil: noon.Add(75 * time.Minute),
		Reasons: []grants.Reason{{Code: grants.OnCallNow, People: []string{"PADA"}, Until: noon.Add(6 * time.Hour)}, {Code: grants.NeedsVotes, Count: 2}},
		Votes:   []grants.Vote{{Person: ben, Yes: true, At: noon.Add(time.Hour)}},
	}
	for _, c := range change {
		c(&n)
	}
	n.Grant.Extensions = append(n.Grant.Extensions, n.Extension)
	return n
}

func closedMore(o grants.Outcome, reasons ...grants.Reason) func(*service.Notice) {
	return func(n *service.Notice) {
		x := &n.Extension
		x.State, x.Outcome, x.Decided = grants.Closed, o, noon.Add(70*time.Minute)
		if reasons != nil {
			x.Reasons = reasons
		}
		if o == grants.Extended {
			x.Ends = n.Grant.Ends.Add(x.By)
			n.Grant.Ends = x.Ends
		}
	}
}

func noMore(n *service.Notice) { n.Extension.Votes[0].Yes = false }

func oneYes(n *service.Notice) { n.Extension.Voters.Count = 1 }

func unspoken(n *service.Notice) { n.Because, n.Extension.Votes = "", nil }

func secretUntil(at time.Duration) func(*service.Notice) {
	return func(n *service.Notice) {
		n.Grant.Credentials = []grants.Credential{{Ordinal: 1, State: grants.Live, Issued: noon, Expires: noon.Add(at)}}
		n.Grant.Reveals = 1
	}
}

func overWith(n *service.Notice) {
	n.Grant.State, n.Grant.Outcome, n.Grant.Ended = grants.Closed, grants.Returned, noon.Add(70*time.Minute)
}

func mores() map[string]view.Message {
	onCall := grants.Reason{Code: grants.OnCallNow, People: []string{"PADA"}, Until: noon.Add(6 * time.Hour)}
	shiftEnd := grants.Reason{Code: grants.CutToShift, Until: noon.Add(91 * time.Minute)}
	enough := grants.Reason{Code: grants.NoLonger, Until: noon.Add(91 * time.Minute)}
	silent := grants.Reason{Code: grants.CannotAsk}
	off := grants.Reason{Code: grants.NotOnCall, People: []string{"PBEN"}, Until: noon.Add(3 * time.Hour)}
	yes := grants.Reason{Code: grants.HasVotes, People: []string{string(ben)}}
	all := map[string]view.Message{}
	for name, n := range map[string]service.Notice{
		"pending":         extended(),
		"approved":        extended(oneYes),
		"pending_hostile": extended(hostile, func(n *service.Notice) { n.Because = n.Reason }),
		"pending_unspoken": extended(unspoken, func(n *service.Notice) {
			n.Extension.Basis, n.Extension.Reasons = grants.ByOffCallVotes, []grants.Reason{off}
		}),
		"extended":         extended(closedMore(grants.Extended, onCall, yes)),
		"extended_secret":  extended(closedMore(grants.Extended, onCall, grants.Reason{Code: grants.CutToMax}), secretUntil(91*time.Minute)),
		"extended_offline": extended(closedMore(grants.Extended, onCall), secretUntil(80*time.Minute), func(n *service.Notice) { n.Grant.Role.Verify = grants.Offline }),
		"extended_over":    extended(closedMore(grants.Extended, onCall), overWith),
		"refused_shift":    extended(unspoken, closedMore(grants.Refused, onCall, shiftEnd, enough)),
		"refused_max":      extended(unspoken, closedMore(grants.Refused, onCall, grants.Reason{Code: grants.CutToMax}, enough)),
		"refused_silent":   extended(unspoken, closedMore(grants.Refused, silent)),
		"refused_off_call": extended(unspoken, closedMore(grants.Refused, off, grants.Reason{Code: grants.NoVoters})),
		"denied":           extended(noMore, closedMore(grants.Denied)),
		"lapsed":           extended(closedMore(grants.Lapsed)),
		"lapsed_with":      extended(closedMore(grants.Lapsed), overWith),
		"withdrawn":        extended(closedMore(grants.Withdrawn)),
	} {
		all["more_"+name] = frame.More(n)
		if !strings.HasPrefix(name, "extended_") && !strings.HasPrefix(name, "refused_") {
			all["more_card_"+name] = frame.MoreCard(n)
		}
	}
	all["more_elsewhere"] = frame.MoreElsewhere(extended(closedMore(grants.Extended, onCall)))
	all["more_card_refused"] = frame.MoreCard(extended(closedMore(grants.Refused, off, grants.Reason{Code: grants.VotesUndone})))
	return all
}

// moreAround are the other views that an extension changes or answers.
func moreAround() map[string]view.Message {
	another := notice(grants.Open, named("01hzzzzzzz0000000000000001")).Grant
	another.Role.Name, another.Role.Default = "db-admin", 30*time.Minute
	twice := notice(grants.Open, named("01hzzzzzzz0000000000000002")).Grant
	open := notice(grants.Open).Grant
	asked := extended(func(n *service.Notice) { n.Extension.State = grants.Asked }).Grant
	return map[string]view.Message{
		"verdict_open_more_pending":  frame.Verdict(extended()),
		"verdict_open_more_decided":  frame.Verdict(extended(oneYes)),
		"verdict_open_more_extended": frame.Verdict(extended(closedMore(grants.Extended), secretUntil(91*time.Minute))),
		"mine_more":                  frame.Mine([]service.Notice{extended()}),
		"extend_asking":              frame.AskingMore(asked),
		"extend_typed":               frame.LongerTyped(open),
		"extend_none":                frame.WhichOne(nil, "orders-read"),
		"extend_several":             frame.WhichOne([]grants.Grant{open, another}, ""),
		"extend_another":             frame.WhichOne([]grants.Grant{open}, "still"),
		"extend_twice":               frame.WhichOne([]grants.Grant{open, another, twice}, "orders-read"),
	}
}

func TestWhatIsShownOfAnExtension(t *testing.T) {
	for _, ms := range []map[string]view.Message{mores(), moreAround()} {
		for name, m := range ms {
			t.Run(name, func(t *testing.T) { golden(t, name, m) })
		}
	}
	for name, m := range map[string]view.Modal{
		"modal_longer":          frame.Longer(notice(grants.Open).Grant),
		"modal_longer_off_call": view.Frame{}.Longer(notice(grants.Open, func(n *service.Notice) { n.Grant.Basis = grants.ByOffCallVotes }).Grant),
		"modal_longer_waits":    frame.Longer(extended().Grant),
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, m) })
	}
	t.Run("home_more", func(t *testing.T) {
		golden(t, "home_more", frame.Home(service.Tab{Person: ada, Roles: []grants.Role{role()}, Mine: []service.Notice{extended()}}))
	})
}

// A press that came too late is told how the extension stands, not how the request did.
func TestTooLateForAnExtension(t *testing.T) {
	var lines []string
	for _, n := range []service.Notice{
		extended(), extended(oneYes), extended(closedMore(grants.Extended)), extended(noMore, closedMore(grants.Denied)),
		extended(closedMore(grants.Lapsed)), extended(closedMore(grants.Lapsed), overWith), extended(closedMore(grants.Withdrawn)), extended(closedMore(grants.Refused)),
	} {
		lines = append(lines, frame.Sentence(&service.Refusal{Grant: &n.Grant, Extension: 1}))
	}
	n := extended()
	lines = append(lines,
		frame.Sentence(&service.Refusal{Grant: &n.Grant, Extension: 1, Reasons: []grants.Reason{{Code: grants.AlreadyVoted, Until: noon}}}),
		frame.Sentence(&service.Refusal{Grant: &n.Grant, Extension: 7}),
		frame.Sentence(&service.Refusal{Grant: &n.Grant, Extension: 1, Reasons: []grants.Reason{{Code: grants.NotAVoter}}}))
	golden(t, "more_late", lines)
}

// Buttons of an extension are there only while it waits, and name it.
func TestButtonsOfAnExtension(t *testing.T) {
	for name, m := range mores() {
		text := encoded(t, m)
		waits := strings.Contains(name, "pending") || strings.HasSuffix(name, "approved")
		if has := strings.Contains(text, `"type":"actions"`); has != waits {
			t.Errorf("%s: buttons %v, want %v", name, has, waits)
		}
		if waits && !strings.Contains(text, `"value":"01hzzzzzzz0000000000000000 1"`) {
			t.Errorf("%s: a button does not say which extension it is about: %s", name, text)
		}
		if strings.Contains(text, "esrever") && strings.ContainsAny(text, "\u202e\u202c\u200b\x07") {
			t.Errorf("%s: marks that hide or turn text are left", name)
		}
	}
}
