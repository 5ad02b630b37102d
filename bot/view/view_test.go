package view_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/bot/view"
	"nightlatch/grants"
	"nightlatch/grants/service"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	noon  = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	frame = view.Frame{Environment: "playground", Who: who}
	ada   = grants.KeyOf("T1", "UADA")
	ben   = grants.KeyOf("T1", "UBEN")
)

func who(id string) (grants.Person, bool) {
	people := map[string]grants.PersonKey{"PADA": ada, "PBEN": ben, string(ada): ada, string(ben): ben}
	key, ok := people[id]
	return grants.Person{Key: key}, ok
}

func role() grants.Role {
	return grants.Role{
		Name: "orders-read", Description: "Read orders & their payments.", Runbook: "https://runbooks.example.com/orders?a=1&b=2",
		OnCall: []grants.Source{{Policy: "PORDERS"}}, Automatic: grants.WhenOnCall,
		Voters:  grants.Voters{Users: []string{"UBEN"}, Usergroup: "SLEADS", Policy: "PORDERS", Levels: []int{2, 3}, Count: 2},
		OffCall: grants.Voters{Usergroup: "SLEADS", Count: 1}, Channel: "COPS",
		Max: 4 * time.Hour, Default: 90 * time.Minute, PendingFor: 15 * time.Minute,
	}
}

// notice is a grant in a state, as its surfaces get to see it.
func notice(s grants.State, change ...func(*service.Notice)) service.Notice {
	n := service.Notice{
		Grant: grants.Grant{
			ID: "01hzzzzzzz0000000000000000", State: s, Person: ada, Role: role(), Asked: noon, Duration: 90 * time.Minute,
			Voters: role().Voters, PendingUntil: noon.Add(15 * time.Minute),
			Reasons: []grants.Reason{{Code: grants.OnCallNow, People: []string{"PADA"}, Until: noon.Add(6 * time.Hour)}},
		},
		Reason: "checkout is failing", Plan: "A token for orders-api that may GET /v1/orders/* until then.",
		Does: grants.Description{Class: grants.Instant}, Who: who,
	}
	if s != grants.Pending && s != grants.Asked {
		n.Grant.Opened, n.Grant.Ends = noon.Add(time.Minute), noon.Add(91*time.Minute)
		n.Grant.Basis, n.Grant.Shift = grants.ByOnCall, grants.Shift{Until: noon.Add(6 * time.Hour)}
	}
	for _, c := range change {
		c(&n)
	}
	return n
}

func waiting(n *service.Notice) {
	n.Grant.Reasons = append(n.Grant.Reasons, grants.Reason{Code: grants.NotSettled, People: []string{"PBEN"}})
	n.Grant.Votes = []grants.Vote{{Person: ben, Yes: true, At: noon}}
}

func approved(n *service.Notice) { n.Grant.Voters.Count = 1 }

func lost(n *service.Notice) { n.Grant.Credentials[0].Undelivered = true }

// cut is an override that ends the shift before the time is up.
func cut(n *service.Notice) { n.Grant.Shift.Until = n.Grant.Ends }

func ended(o grants.Outcome, by grants.PersonKey) func(*service.Notice) {
	return func(n *service.Notice) {
		n.Grant.Outcome, n.Grant.Ended, n.Grant.EndedBy = o, noon.Add(time.Hour), by
	}
}

func named(id string) func(*service.Notice) { return func(n *service.Notice) { n.Grant.ID = id } }

func explained(n *service.Notice) { n.Why = "the *database* is being moved <!here>" }

func neverOpened(n *service.Notice) { n.Grant.Opened, n.Grant.Ends = time.Time{}, time.Time{} }

func credentials(state grants.CredentialState, evidence ...grants.Finding) func(*service.Notice) {
	return func(n *service.Notice) {
		for i, f := range evidence {
			n.Grant.Credentials = append(n.Grant.Credentials, grants.Credential{
				Ordinal: i + 1, State: state, Evidence: f, Proven: noon.Add(time.Hour + time.Second),
			})
		}
		n.Grant.Reveals = len(evidence)
	}
}

func offline(n *service.Notice) {
	n.Grant.Role.Verify = grants.Offline
	n.Does = grants.Description{Greatest: 10 * time.Minute, Class: grants.AtExpiry, Skew: time.Minute}
	for i := range n.Grant.Credentials {
		n.Grant.Credentials[i].Expires = noon.Add(10 * time.Minute)
	}
}

func hostile(n *service.Notice) {
	n.Reason = "<!channel> <@U1> *x* `y` <https://evil.example|safe> &amp; \u202eesrever\u202c zero\u200bwidth\nnew line \x07 " + strings.Repeat("long ", 200)
}

func messages() map[string]view.Message {
	failing := func(n *service.Notice) {
		n.Failing = grants.Retry{Attempts: 3, Failing: noon.Add(time.Hour)}
	}
	refused := func(reasons ...grants.Reason) func(*service.Notice) {
		return func(n *service.Notice) { n.Grant.Reasons = reasons }
	}
	off := grants.Reason{Code: grants.NotOnCall, People: []string{"PBEN", "PNEW"}, Until: noon.Add(3 * time.Hour)}
	over := []func(*service.Notice){ended(grants.ShiftEnded, ""), credentials(grants.Gone, grants.RefusedFinding)}
	return map[string]view.Message{
		"card_pending":            frame.Card(notice(grants.Pending, waiting)),
		"card_hostile":            frame.Card(notice(grants.Pending, hostile)),
		"card_open":               frame.Card(notice(grants.Open, waiting, credentials(grants.Live, ""))),
		"card_closing":            frame.Card(notice(grants.Closing, ended(grants.Revoked, ben), credentials(grants.Retiring, "", ""), failing)),
		"card_approved":           frame.Card(notice(grants.Pending, waiting, approved)),
		"verdict_approved":        frame.Verdict(notice(grants.Pending, waiting, approved)),
		"verdict_undelivered":     frame.Verdict(notice(grants.Open, credentials(grants.Gone, grants.RefusedFinding), lost)),
		"card_offline_pending":    frame.Card(notice(grants.Pending, waiting, offline)),
		"card_offline_closing":    frame.Card(notice(grants.Closing, ended(grants.Revoked, ben), credentials(grants.Retiring, ""), offline)),
		"verdict_open_offline":    frame.Verdict(notice(grants.Open, credentials(grants.Retiring, ""), lost, offline)),
		"card_over":               frame.Card(notice(grants.Closed, over...)),
		"card_denied":             frame.Card(notice(grants.Closed, neverOpened, ended(grants.Denied, ben))),
		"card_explained":          frame.Card(notice(grants.Closed, neverOpened, ended(grants.Denied, ben), explained)),
		"verdict_explained":       frame.Verdict(notice(grants.Closed, neverOpened, ended(grants.Denied, ben), explained)),
		"verdict_pending":         frame.Verdict(notice(grants.Pending, waiting)),
		"verdict_unasked_pending": frame.Verdict(notice(grants.Pending, waiting, func(n *service.Notice) { n.Unasked = true })),
		"verdict_open":            frame.Verdict(notice(grants.Open)),
		"verdict_open_shown":      frame.Verdict(notice(grants.Open, credentials(grants.Live, ""))),
		"verdict_open_cut":        frame.Verdict(notice(grants.Open, cut)),
		"verdict_elsewhere":       frame.Elsewhere(notice(grants.Open)),
		"verdict_open_no_frills":  view.Frame{}.Verdict(notice(grants.Open, func(n *service.Notice) { n.Grant.Role.Runbook, n.Grant.Role.Description = "", "" })),
		"verdict_over":            frame.Verdict(notice(grants.Closed, over...)),
		"verdict_over_unused":     frame.Verdict(notice(grants.Closed, ended(grants.Expired, ""))),
		"verdict_failing":         frame.Verdict(notice(grants.Closing, ended(grants.Returned, ada), credentials(grants.Retiring, ""), failing)),
		"verdict_refused":         frame.Verdict(notice(grants.Closed, neverOpened, ended(grants.Refused, ""), refused(off, grants.Reason{Code: grants.NoVoters}))),
		"verdict_lapsed":          frame.Verdict(notice(grants.Closed, neverOpened, ended(grants.Lapsed, ""))),
		"mine": frame.Mine([]service.Notice{
			notice(grants.Pending, waiting), notice(grants.Open, credentials(grants.Live, "", ""), named("01hzzzzzzz0000000000000001")),
			notice(grants.Closing, ended(grants.Returned, ada), credentials(grants.Retiring, ""), failing),
		}),
		"alert":        frame.DeadUse(notice(grants.Closed, ended(grants.Returned, ada), func(n *service.Notice) { n.Credential, n.Used = 2, noon.Add(2*time.Hour) })),
		"mine_nothing": frame.Mine(nil),
		"help":         frame.Help([]grants.Role{role(), {Name: "db-admin", Automatic: grants.Never, Default: 30 * time.Minute, Max: time.Hour}}),
		"help_nothing": frame.Help(nil),
		"usage":        frame.Usage(),
		"asking":       frame.Asking(notice(grants.Asked).Grant),
	}
}

func replacing(t *testing.T, lingering int) view.Modal {
	t.Helper()
	n := notice(grants.Open)
	m, fits := frame.Secret(service.Revealed{
		Grant: n.Grant, Ordinal: 3, Expires: n.Grant.Ends, Secret: grants.NewSecret("a secret"), Replaced: 1, Lingering: lingering,
	}, 90*time.Second)
	if !fits {
		t.Fatal("a short secret does not fit")
	}
	return m
}

func modals(t *testing.T) map[string]view.Modal {
	t.Helper()
	n := notice(grants.Open)
	secret, fits := frame.Secret(service.Revealed{
		Grant: n.Grant, Ordinal: 2, Expires: n.Grant.Ends, Secret: grants.NewSecret("eyJhbGciOiJFUzI1NiJ9." + strings.Repeat("Zm9v", 300) + ".c2ln"),
	}, 90*time.Second)
	if !fits {
		t.Fatal("a token of 1,200 characters does not fit")
	}
	return map[string]view.Modal{
		"modal_secret":      secret,
		"modal_replaced":    replacing(t, 0),
		"modal_lingering":   replacing(t, 1),
		"modal_one_moment":  frame.OneMoment(),
		"modal_blanked":     frame.Blanked(),
		"modal_blanked_end": frame.BlankedAtEnd(),
		"modal_just_shown":  frame.JustShown(),
		"modal_end_oldest":  frame.EndOldest(&service.TwoLiveError{Grant: n.Grant, Oldest: grants.Credential{Ordinal: 1, Issued: noon}}),
		"modal_ask":         frame.Compose([]grants.Role{role(), {Name: "db-admin", Default: 30 * time.Minute, Max: 3 * time.Hour}}, "COPS"),
		"modal_ask_one":     view.Frame{}.Compose([]grants.Role{role()}, ""),
		"modal_explain":     frame.AskWhy(notice(grants.Closed, neverOpened, ended(grants.Denied, ben)).Grant),
		"modal_undelivered": frame.Problem(frame.Undelivered(grants.Introspect)),
	}
}

func news() map[string]view.Message {
	said := func(n grants.News, by grants.PersonKey, detail string) view.Message {
		return frame.News(service.Announcement{At: noon, News: n, Person: ada, By: by, Detail: detail})
	}
	used := func(ordinal int, change ...func(*service.Notice)) view.Message {
		n := notice(grants.Closed, change...)
		return frame.News(service.Announcement{
			At: noon.Add(2 * time.Hour), News: grants.UsedDead, Person: ada, Of: n.Grant.ID, Grant: n.Grant, Credential: ordinal, Caller: "orders-api",
		})
	}
	return map[string]view.Message{
		"news_frozen":    said(grants.FrozenNow, "", "the PagerDuty user of ada@example.com changed from PADA to none"),
		"news_frozen_by": said(grants.FrozenNow, ben, "her laptop was stolen <!channel>\u202e"),
		"news_email":     said(grants.EmailMoved, "", "from ada@example.com to ada@example.org"),
		"news_gone":      view.Frame{}.News(service.Announcement{At: noon, News: grants.GoneNow, Person: ada, Detail: "guest"}),
		"roster": frame.Roster(service.Roster{
			Frozen:   []grants.Person{{Key: ada, Frozen: "the PagerDuty user of <!channel> changed"}, grants.Person{Key: ben}.Freeze(ada)},
			Unpaired: slices.Repeat([]grants.Person{{Key: ben}}, 70),
		}),
		"roster_nobody": frame.Roster(service.Roster{}),
		"thawed":        frame.Thawed(grants.Person{Key: ada, PagerDuty: "PADA"}),
		"frozen":        frame.Frozen(grants.Person{Key: ada}),
		"news_used":     used(2, credentials(grants.Gone, grants.RefusedFinding, grants.RefusedFinding), ended(grants.ShiftEnded, "")),
		"news_used_returned": used(1, credentials(grants.Retiring, ""), func(n *service.Notice) {
			n.Grant.Credentials[0].Since = noon.Add(10 * time.Minute)
		}),
		"news_used_expired": used(1, credentials(grants.Live, ""), offline),
		"news_used_lost":    used(1, credentials(grants.Gone, grants.RefusedFinding), lost),
		"news_more":         frame.News(service.Announcement{At: noon, More: 17}),
		"news_roles":        frame.News(service.Announcement{At: noon, News: grants.RolesMoved, Detail: "new: orders-admin; changed: orders-read"}),
	}
}

func homes() map[string]view.HomeTab {
	return map[string]view.HomeTab{
		"home": frame.Home(service.Tab{
			Person: ada, Roles: []grants.Role{role()}, Mine: []service.Notice{
				notice(grants.Pending, waiting), notice(grants.Open, named("01hzzzzzzz0000000000000001")),
			},
		}),
		"home_nothing": view.Frame{}.Home(service.Tab{Person: ada}),
	}
}

func TestWhatIsShown(t *testing.T) {
	for name, h := range homes() {
		t.Run(name, func(t *testing.T) { golden(t, name, h) })
	}
	for name, m := range news() {
		t.Run(name, func(t *testing.T) { golden(t, name, m) })
	}
	for name, m := range messages() {
		t.Run(name, func(t *testing.T) { golden(t, name, m) })
	}
	for name, m := range modals(t) {
		t.Run(name, func(t *testing.T) { golden(t, name, m) })
	}
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// golden compares what Slack would get with what somebody has read aloud.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s differs (-want +got), write it anew with -update:\n%s", path, diff)
	}
}

// Buttons are there only while they can do something.
func TestButtonsGoAway(t *testing.T) {
	for name, m := range messages() {
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		has := strings.Contains(string(b), `"type":"actions"`)
		wants := name == "mine" || name != "verdict_elsewhere" && (strings.HasSuffix(name, "_pending") || strings.HasSuffix(name, "_approved") || name == "verdict_undelivered" || strings.HasSuffix(name, "_hostile") || strings.Contains(name, "_open"))
		if has != wants {
			t.Errorf("%s: buttons %v, want %v", name, has, wants)
		}
	}
}

// What a person typed never reaches a text in which Slack reads markup.
func TestTypedReasonStaysLiteral(t *testing.T) {
	for _, n := range []service.Notice{notice(grants.Pending, hostile), notice(grants.Open, hostile), notice(grants.Closed, hostile, ended(grants.Revoked, ben))} {
		for _, m := range []view.Message{frame.Card(n), frame.Verdict(n)} {
			b, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			var blocks struct {
				Text   string
				Blocks []struct {
					Type string
					Text struct{ Text string }
				}
			}
			if err := json.Unmarshal(b, &blocks); err != nil {
				t.Fatal(err)
			}
			texts := []string{blocks.Text}
			for _, b := range blocks.Blocks {
				texts = append(texts, b.Text.Text)
			}
			for _, text := range texts {
				if strings.Contains(text, "esrever") || strings.Contains(text, "<!channel>") {
					t.Errorf("the typed reason is read as markup: %s", text)
				}
			}
			if strings.ContainsAny(string(b), "\u202e\u202c\u200b\x07") {
				t.Errorf("marks that hide or turn text are left: %s", b)
			}
		}
	}
}

func TestClean(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain", "plain"},
		{"  two \t\n lines ", "two lines"},
		{"a\u202eb\u2066c\u200d\ufeffd", "abcd"},
		{"bad \xff byte", "bad \ufffd byte"},
		{"\u3164\u2800", "\u2800"},
		{"\u200b", "(nothing that can be shown)"},
		{"Grüße, 東京", "Grüße, 東京"},
		{"0123456789abc", "012345678…"},
	} {
		if got := view.Clean(c.in, 10+20*min(1, strings.Count(c.in, " ")+strings.Count(c.in, "\u200b"))); got != c.want {
			t.Errorf("Clean(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// A secret that is too long for one block must be noticed, not cut.
func TestSecretThatDoesNotFit(t *testing.T) {
	for _, n := range []int{0, 3001} {
		if _, fits := frame.Secret(service.Revealed{Secret: grants.NewSecret(strings.Repeat("x", n))}, time.Minute); fits {
			t.Errorf("a secret of %d characters fits", n)
		}
	}
	m, fits := frame.Secret(service.Revealed{Secret: grants.NewSecret(strings.Repeat("x", 3000))}, time.Minute)
	if !fits {
		t.Fatal("a secret of 3,000 characters does not fit")
	}
	if m.Submit != nil || m.NotifyOnClose || m.PrivateMetadata != "" || m.CallbackID != "" {
		t.Errorf("Slack would send the secret back: %+v", m)
	}
}
