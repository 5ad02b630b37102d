package socket_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"nightlatch/bot/socket"
	"nightlatch/bot/view"
	"nightlatch/grants"
)

func TestParseLine(t *testing.T) {
	ask := func(role string, d time.Duration, reason string) socket.Line {
		return socket.Line{Verb: socket.Ask, Role: role, Duration: d, Reason: reason}
	}
	extend := func(role string, d time.Duration, reason string) socket.Line {
		return socket.Line{Verb: socket.Extend, Role: role, Duration: d, Reason: reason}
	}
	for _, c := range []struct {
		text string
		want socket.Line
	}{
		{"", socket.Line{Verb: socket.Form}},
		{"  \t ", socket.Line{Verb: socket.Form}},
		{"help", socket.Line{Verb: socket.Help}},
		{"HELP", socket.Line{Verb: socket.Help}},
		{"show", socket.Line{Verb: socket.Show}},
		{"show it", ask("show", 0, "it")},
		{"help 1h with this", ask("help", time.Hour, "with this")},
		{"people list", socket.Line{Verb: socket.ListPeople}},
		{"people approve <@U1|ada>", socket.Line{Verb: socket.ApprovePerson, Whom: "U1"}},
		{"People Freeze <@W12> her laptop &amp; <#C1|ops>", socket.Line{Verb: socket.FreezePerson, Whom: "W12", Reason: "her laptop & #ops"}},
		{"extend", extend("", 0, "")},
		{"Extend 30m", extend("", 30*time.Minute, "")},
		{"extend 1h30m still failing over", extend("", 90*time.Minute, "still failing over")},
		{"extend orders", extend("orders", 0, "")},
		{"extend orders 30m still &lt;failing&gt; over", extend("orders", 30*time.Minute, "still <failing> over")},
		{"extend orders still failing over", extend("orders", 0, "still failing over")},
		{"orders", ask("orders", 0, "")},
		{"orders 1h", ask("orders", time.Hour, "")},
		{"orders 30m checkout is failing", ask("orders", 30*time.Minute, "checkout is failing")},
		{"orders 1h30m  it\nburns", ask("orders", 90*time.Minute, "it burns")},
		{"orders 20s quickly", ask("orders", 20*time.Second, "quickly")},
		{"orders checkout is failing", ask("orders", 0, "checkout is failing")},
		{"orders 5xx everywhere", ask("orders", 0, "5xx everywhere")},
		{"orders 1st try", ask("orders", 0, "1st try")},
		{"orders a &lt;b&gt; &amp; c &amp;lt;", ask("orders", 0, "a <b> & c &lt;")},
		{"orders see <https://status.example.com/1?a=1&amp;b=2|the page>", ask("orders", 0, "see https://status.example.com/1?a=1&b=2")},
		{"orders <@U1|ada> and <@U2> in <#C1|ops> say <!channel> to <!subteam^S1|@leads>", ask("orders", 0, "@ada and @U2 in #ops say @channel to @leads")},
		{"orders mail <mailto:a@example.com|a@example.com>", ask("orders", 0, "mail a@example.com")},
	} {
		got, err := socket.ParseLine(c.text)
		if err != nil {
			t.Errorf("ParseLine(%q): %v", c.text, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("ParseLine(%q) (-want +got):\n%s", c.text, diff)
		}
	}
}

func TestParseLineSaysWhatToWrite(t *testing.T) {
	for _, text := range []string{
		"orders 90 x", "orders 0m x", "orders -1h x", "orders 1.5h x", "orders 2hours x", "orders 1d x", "orders 1h30 x",
		"people", "people approve", "people approve ada", "people approve <@U1> now", "people freeze <@U1>", "people thaw <@U1>",
		"people approve &lt;@U1&gt;", "people approve <!subteam^S1>", "people freeze <@U1> " + strings.Repeat("y", 1001), "orders 30min x", "orders 1:30 x", "orders 99999999999999999999h x",
		"extend 90 x", "extend 0m", "extend orders 2hours", "extend 30m " + strings.Repeat("y", 1001), "extend " + strings.Repeat("x", 81),
		strings.Repeat("x", 81) + " 1h y", "orders 1h " + strings.Repeat("y", 1001),
	} {
		_, err := socket.ParseLine(text)
		if _, ok := errors.AsType[view.UsageError](err); !ok {
			t.Errorf("ParseLine(%.40q) = %v, want a usage error", text, err)
		}
	}
}

// FuzzCommand holds for every text: either it is understood within bounds, or the person is told how to write it.
func FuzzCommand(f *testing.F) {
	for _, s := range []string{"", "help", "extend", "extend 30m x", "orders 1h30m why", "o 90 x", "<@U1|x> 1h <!here>", "&lt;&amp;amp;", "a\x00b \u202e", "x 9h9m9s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		line, err := socket.ParseLine(text)
		if err != nil {
			if _, ok := errors.AsType[view.UsageError](err); !ok {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		switch line.Verb {
		case socket.Ask, socket.Extend:
			if (line.Role == "" && line.Verb == socket.Ask) || line.Duration < 0 || strings.ContainsAny(line.Role, " \n\t") {
				t.Fatalf("not understood: %+v", line)
			}
			if utf8.RuneCountInString(line.Role) > 80 || utf8.RuneCountInString(line.Reason) > 1000 {
				t.Fatalf("out of bounds: %+v", line)
			}
		case socket.Help, socket.Show, socket.Form, socket.ListPeople, socket.ApprovePerson, socket.FreezePerson:
		default:
			t.Fatalf("verb %q", line.Verb)
		}
	})
}

const grantID = "03e6nkxc000000000000000000"

func TestParseEnvelopes(t *testing.T) {
	press := func(action, value string) string {
		return `{"type":"block_actions","team":{"id":"T1"},"user":{"id":"U1","team_id":"T1"},"trigger_id":"1.2","response_url":"https://hooks.slack.com/x",
			"container":{"is_ephemeral":true},"channel":{"id":"C1"},"actions":[{"action_id":"` + action + `","value":"` + value + `"}]}`
	}
	submit := func(callback, metadata string) string {
		return `{"type":"view_submission","team":{"id":"T1"},"user":{"id":"U1"},"view":{"id":"V1","callback_id":"` + callback + `","private_metadata":"` + metadata + `"}}`
	}
	fill := func(callback, metadata, values string) string {
		return `{"type":"view_submission","team":{"id":"T1"},"user":{"id":"U1"},"view":{"id":"V1","callback_id":"` + callback +
			`","private_metadata":"` + metadata + `","state":{"values":{` + values + `}}}}`
	}
	if !grants.ValidID(grantID) {
		t.Fatal("the test's grant ID is none")
	}
	base := socket.Command{
		Envelope: "E1", Team: "T1", User: "U1", Home: "T1", Channel: "C1", Trigger: "1.2",
		ResponseURL: "https://hooks.slack.com/x", Ephemeral: true,
	}
	pressed := func(v socket.Verb, grant string) socket.Command {
		c := base
		c.Verb, c.Grant = v, grant
		return c
	}
	onExtension := func(v socket.Verb, ordinal int) socket.Command {
		c := pressed(v, grantID)
		c.Extension = ordinal
		return c
	}
	for _, c := range []struct {
		name, kind, payload string
		want                socket.Command
	}{
		{"approve", "interactive", press("approve", grantID), pressed(socket.Approve, grantID)},
		{"approve an extension", "interactive", press("approve", grantID+" 2"), onExtension(socket.Approve, 2)},
		{"deny an extension", "interactive", press("deny", grantID+" 1"), onExtension(socket.Deny, 1)},
		{"withdraw an extension", "interactive", press("withdraw", grantID+" 9999"), onExtension(socket.Withdraw, 9999)},
		{"extend", "interactive", press("more", grantID), pressed(socket.More, grantID)},
		{
			"extended in a form", "interactive", fill("extend", grantID, `"duration":{"duration":{"selected_option":{"value":"30m0s"}}},"reason":{"reason":{"value":" still failing "}}`),
			socket.Command{
				Envelope: "E1", Verb: socket.Extend, Team: "T1", User: "U1", Grant: grantID, Window: "V1", Field: "reason",
				Line: socket.Line{Verb: socket.Extend, Duration: 30 * time.Minute, Reason: "still failing"},
			},
		},
		{"replace", "interactive", press("replace", grantID), pressed(socket.Replace, grantID)},
		{"a link", "interactive", press("runbook", "x"), pressed(socket.Nothing, "")},
		{
			"a shortcut, which the app has none of", "interactive",
			`{"type":"shortcut","callback_id":"reveal","trigger_id":"1.2","team":{"id":"T1"},"user":{"id":"U1","team_id":"T1"}}`,
			socket.Command{Envelope: "E1", Verb: socket.Nothing, Team: "T1", User: "U1", Home: "T1", Trigger: "1.2"},
		},
		{"event", "events_api", `{}`, socket.Command{Envelope: "E1", Verb: socket.Nothing}},
		{
			"home opened", "events_api", `{"team_id":"T1","event":{"type":"app_home_opened","user":"U1","tab":"home"}}`,
			socket.Command{Envelope: "E1", Verb: socket.OpenHome, Team: "T1", User: "U1"},
		},
		{
			"account changed", "events_api", `{"team_id":"T1","event":{"type":"user_change","user":{"id":"U2","team_id":"T1","deleted":true}}}`,
			socket.Command{Envelope: "E1", Verb: socket.UserChanged, Team: "T1", About: grants.SlackUser{Team: "T1", ID: "U2", Deleted: true, Unconfirmed: true}},
		},
		{
			"account changed, half said", "events_api", `{"team_id":"T1","event":{"type":"user_change","user":{"id":"U2","team_id":"T1"}}}`,
			socket.Command{Envelope: "E1", Verb: socket.DirectoryChanged, Team: "T1"},
		},
		{
			"group changed", "events_api", `{"team_id":"T1","event":{"type":"subteam_members_changed","subteam_id":"S1"}}`,
			socket.Command{Envelope: "E1", Verb: socket.DirectoryChanged, Team: "T1"},
		},
		{"account changed, no team", "events_api", `{"event":{"type":"user_change","user":{"id":"U2","team_id":"T1"}}}`, socket.Command{Envelope: "E1", Verb: socket.Nothing}},
		{"messages opened", "events_api", `{"team_id":"T1","event":{"type":"app_home_opened","user":"U1","tab":"messages"}}`, socket.Command{Envelope: "E1", Verb: socket.Nothing}},
		{"form by a button", "interactive", press("form", ""), pressed(socket.Form, "")},
		{
			"confirmed", "interactive", submit("reveal_ends", grantID+" 2"),
			socket.Command{Envelope: "E1", Verb: socket.Reveal, Team: "T1", User: "U1", Grant: grantID, Ends: 2, Window: "V1"},
		},
		{
			"explained", "interactive", fill("explain", grantID, `"why":{"why":{"type":"plain_text_input","value":" it waits "}}`),
			socket.Command{
				Envelope: "E1", Verb: socket.Explain, Team: "T1", User: "U1", Grant: grantID, Window: "V1", Field: "why",
				Line: socket.Line{Reason: "it waits"},
			},
		},
		{
			"asked in a form", "interactive", fill("ask", "C7", `"role":{"role":{"selected_option":{"value":"orders"}}},
				"duration":{"duration":{"selected_option":{"value":"1h30m0s"}}},"reason":{"reason":{"value":"it\nburns "}}`),
			socket.Command{
				Envelope: "E1", Verb: socket.Ask, Team: "T1", User: "U1", Channel: "C7", Window: "V1", Field: "reason",
				Line: socket.Line{Verb: socket.Ask, Role: "orders", Duration: 90 * time.Minute, Reason: "it\nburns"},
			},
		},
		{
			"an empty form", "interactive", fill("ask", "", `"duration":{"duration":{"selected_option":{"value":"usual"}}}`),
			socket.Command{
				Envelope: "E1", Verb: socket.Ask, Team: "T1", User: "U1", Window: "V1", Field: "reason", Line: socket.Line{Verb: socket.Ask},
			},
		},
		{
			"not explained", "interactive", fill("explain", grantID, `"why":{"why":{"type":"plain_text_input","value":null}}`),
			socket.Command{Envelope: "E1", Verb: socket.Nothing, Team: "T1", User: "U1", Window: "V1"},
		},
		{"another modal", "interactive", submit("other", "x"), socket.Command{Envelope: "E1", Verb: socket.Nothing, Team: "T1", User: "U1"}},
		{
			"command", "slash_commands",
			`{"team_id":"T1","user_id":"U1","channel_id":"C1","text":"orders 1h x","is_enterprise_install":"false","response_url":"r","trigger_id":"t"}`,
			socket.Command{
				Envelope: "E1", Verb: socket.Ask, Team: "T1", User: "U1", Channel: "C1", Trigger: "t", ResponseURL: "r", Typed: true,
				Line: socket.Line{Verb: socket.Ask, Role: "orders", Duration: time.Hour, Reason: "x"},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := socket.Parse(c.kind, "E1", []byte(c.payload))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for name, payload := range map[string]string{
		"no JSON": `{`, "no user": `{"type":"block_actions","team":{"id":"T1"}}`,
		"no team":         `{"type":"block_actions","user":{"id":"U1"}}`,
		"an ID with dots": `{"type":"block_actions","team":{"id":"T1.U2"},"user":{"id":"U1"}}`,
		"a foreign value": press("approve", "../../etc"), "an empty value": press("reveal", ""),
		"extension 0": press("approve", grantID+" 0"), "extension x": press("deny", grantID+" x"), "an extension to reveal": press("reveal", grantID+" 1"),
		"extension 10000": press("withdraw", grantID+" 10000"), "a form of no grant": fill("extend", "x", ""),
		"no ordinal": submit("reveal_ends", grantID), "ordinal 0": submit("reveal_ends", grantID+" 0"),
	} {
		if c, err := socket.Parse("interactive", "E1", []byte(payload)); err == nil {
			t.Errorf("%s: accepted as %+v", name, c)
		}
	}
}

// FuzzEnvelope holds for every payload: what is accepted names a user and a team, and a
// grant only by a valid ID.
func FuzzEnvelope(f *testing.F) {
	f.Add("interactive", "E1", []byte(`{"type":"block_actions","team":{"id":"T1"},"user":{"id":"U1"},"actions":[{"action_id":"reveal","value":"`+grantID+`"}]}`))
	f.Add("interactive", "E1", []byte(`{"type":"view_submission","team":{"id":"T1"},"user":{"id":"U1"},"view":{"id":"V","callback_id":"reveal_ends","private_metadata":"`+grantID+` 1"}}`))
	f.Add("slash_commands", "E1", []byte(`{"team_id":"T1","user_id":"U1","text":"orders 1h x"}`))
	f.Add("events_api", "E1", []byte(`{}`))
	f.Add("interactive", "", []byte(`{"team":null,"actions":[null]}`))
	f.Fuzz(func(t *testing.T, kind, envelope string, payload []byte) {
		c, err := socket.Parse(kind, envelope, payload)
		if err != nil {
			return
		}
		if c.Envelope == "" {
			t.Fatal("no envelope ID")
		}
		if kind == "events_api" {
			return
		}
		if c.Team == "" || c.User == "" || strings.Contains(c.Team, ".") {
			t.Fatalf("names nobody: %+v", c)
		}
		switch c.Verb {
		case socket.Approve, socket.Deny, socket.Revoke, socket.Withdraw, socket.Return, socket.Reveal, socket.Replace, socket.Explain, socket.More:
			if !grants.ValidID(c.Grant) {
				t.Fatalf("grant %q", c.Grant)
			}
		case socket.Extend:
			if c.Grant != "" && !grants.ValidID(c.Grant) {
				t.Fatalf("grant %q", c.Grant)
			}
		case socket.Ask, socket.Form, socket.Show, socket.Help, socket.Usage, socket.Nothing:
		default:
			t.Fatalf("verb %q", c.Verb)
		}
	})
}
