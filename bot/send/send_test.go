package send_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/bot/send"
	"nightlatch/bot/view"
	"nightlatch/grants"
	"nightlatch/grants/service"
	"nightlatch/integrations/emulators/memnet"
	"nightlatch/integrations/emulators/slackemu"
)

// inBubble runs a test with a sender and an emulator.
func inBubble(t *testing.T, run func(*testing.T, *slackemu.Emulator, *send.Sender)) {
	t.Helper()
	inBubbleWith(t, slackemu.Config{}, run)
}

// inBubbleWith is inBubble in another workspace.
func inBubbleWith(t *testing.T, c slackemu.Config, run func(*testing.T, *slackemu.Emulator, *send.Sender)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		emu := slackemu.New(c)
		l, err := network.Listen("slack.test:80")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: emu}
		go func() { _ = server.Serve(l) }()
		transport := &http.Transport{DialContext: network.Dial}
		emu.PutUser(slackemu.User{ID: "UADA", Name: "ada", RealName: "Ada", Email: "Ada@example.com"})
		emu.PutChannel(slackemu.Channel{ID: "COPS", Name: "ops", Members: []string{"UADA"}})
		s, err := send.New(send.Config{
			BotToken: grants.NewSecret(emu.Config().BotToken), APIURL: emu.Config().BaseURL + "/api", Transport: transport, Environment: "playground",
		})
		if err != nil {
			t.Fatal(err)
		}
		run(t, emu, s)
		for _, v := range emu.Violations() {
			t.Errorf("a rule of Slack's was broken: %s: %s: %s", v.Method, v.Rule, v.Detail)
		}
		emu.Close()
		_ = server.Close()
		transport.CloseIdleConnections()
		if err := network.Close(); err != nil {
			t.Error(err)
		}
	})
}

func card(n int) service.Notice {
	return service.Notice{
		Surface: service.Card,
		Grant: grants.Grant{
			ID: grants.NewID(time.Now(), [10]byte{byte(n)}), State: grants.Pending, Person: grants.KeyOf("T0NIGHT", "UADA"),
			Role: grants.Role{Name: "orders-read", Channel: "COPS", Max: time.Hour}, Duration: time.Hour,
			Voters: grants.Voters{Users: []string{"UBEN"}, Count: 1}, PendingUntil: time.Now().Add(time.Hour),
		},
		Reason: "checkout is failing",
	}
}

func verdict(n int) service.Notice {
	v := card(n)
	v.Surface = service.Verdict
	return v
}

// wait is how long a Sender wants to be left alone.
func wait(t *testing.T, err error) time.Duration {
	t.Helper()
	w, ok := errors.AsType[*service.Wait](err)
	if !ok {
		t.Fatalf("the error says not how long to wait: %v", err)
	}
	return w.For
}

func TestIdentify(t *testing.T) {
	inBubble(t, func(t *testing.T, emu *slackemu.Emulator, s *send.Sender) {
		got, err := s.Identify(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got.Team != "T0NIGHT" || got.BotUser != "U0BOT" {
			t.Errorf("%+v", got)
		}
		emu.Inject(slackemu.Fault{Method: "auth.test", Error: "invalid_auth", Times: 1})
		if _, err := s.Identify(t.Context()); !errors.Is(err, send.ErrAuth) {
			t.Errorf("%v", err)
		}
	})
}

func TestUsersAndWhatTheirAccountsAre(t *testing.T) {
	inBubble(t, func(t *testing.T, emu *slackemu.Emulator, s *send.Sender) {
		emu.PutUser(slackemu.User{ID: "U1", RealName: "Guest", Email: "g@example.com", IsRestricted: true})
		emu.PutUser(slackemu.User{ID: "U2", RealName: "Single", Email: "s@example.com", IsUltraRestricted: true})
		emu.PutUser(slackemu.User{ID: "U3", RealName: "Gone", Email: "d@example.com", Deleted: true})
		emu.PutUser(slackemu.User{ID: "U4", RealName: "Stranger", Email: "f@example.com", IsStranger: true, TeamID: "T0ELSE"})
		emu.PutUser(slackemu.User{ID: "U5", RealName: "New", Email: "n@example.com", EmailUnconfirmed: true})
		emu.PutUser(slackemu.User{ID: "USLACKBOT", RealName: "Slackbot"})
		for i := range 500 {
			emu.PutUser(slackemu.User{ID: fmt.Sprintf("UMANY%03d", i), Name: fmt.Sprint("many", i), Email: fmt.Sprintf("m%d@example.com", i)})
		}
		emu.Inject(slackemu.Fault{Method: "users.list", Error: "ratelimited", RetryAfter: 5 * time.Second, Times: 1})
		users, err := s.Users(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]grants.SlackUser{}
		for _, u := range users {
			got[u.ID] = u
		}
		const home = "T0NIGHT"
		for id, want := range map[string]grants.SlackUser{
			"UADA":     {Team: home, ID: "UADA", Name: "Ada", Email: "Ada@example.com"},
			"U1":       {Team: home, ID: "U1", Name: "Guest", Email: "g@example.com", Guest: true},
			"U2":       {Team: home, ID: "U2", Name: "Single", Email: "s@example.com", Guest: true},
			"U3":       {Team: home, ID: "U3", Name: "Gone", Email: "d@example.com", Deleted: true},
			"U5":       {Team: home, ID: "U5", Name: "New", Email: "n@example.com", Unconfirmed: true},
			"UMANY499": {Team: home, ID: "UMANY499", Name: "many499", Email: "m499@example.com"},
		} {
			if diff := cmp.Diff(want, got[id]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", id, diff)
			}
		}
		if u := got["U4"]; !u.Foreign || u.Team != "T0ELSE" {
			t.Errorf("the stranger is %+v", u)
		}
		if !got["USLACKBOT"].Bot || !got["U0BOT"].Bot {
			t.Error("a bot is none")
		}
	})
}

func TestMembers(t *testing.T) {
	inBubble(t, func(t *testing.T, emu *slackemu.Emulator, s *send.Sender) {
		emu.PutUserGroup(slackemu.UserGroup{ID: "SLEADS", Handle: "leads", Users: []string{"UADA"}})
		got, err := s.Members(t.Context(), "SLEADS")
		if diff := cmp.Diff([]string{"UADA"}, got); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		if _, err := s.Members(t.Context(), "SNONE"); !errors.Is(err, send.ErrRefused) || !strings.Contains(err.Error(), "no_such_subteam") {
			t.Errorf("%v", err)
		}
	})
}

func TestOneMessageASecondAndChannel(t *testing.T) {
	inBubble(t, func(t *testing.T, emu *slackemu.Emulator, s *send.Sender) {
		if _, err := s.Show(t.Context(), card(1)); err != nil {
			t.Fatal(err)
		}
		_, err := s.Show(t.Context(), card(2))
		if w := wait(t, err); w <= 0 || w > time.Second {
			t.Errorf("wait %v", w)
		}
		if _, err := s.Show(t.Context(), verdict(3)); err != nil {
			t.Errorf("a verdict waits for a card's channel: %v", err)
		}
		time.Sleep(time.Second)
		if _, err := s.Show(t.Context(), card(2)); err != nil {
			t.Error(err)
		}
	})
}

// Slack's Retry-After is obeyed without asking again, and verdicts go before cards.
func TestRetryAfter(t *testing.T) {
	inBubble(t, func(t *testing.T, emu *slackemu.Emulator, s *send.Sender) {
		emu.Inject(slackemu.Fault{Method: "chat.postMessage", Error: "ratelimited", RetryAfter: 30 * time.Second, Times: 1})
		_, err := s.Show(t.Context(), card(1))
		if w := wait(t, err); w != 30*time.Second || !errors.Is(err, send.ErrRateLimited) {
			t.Errorf("wait %v: %v", w, err)
		}
		asked := len(emu.Received())
		time.Sleep(10 * time.Second)
		_, err = s.Show(t.Context(), card(1))
		if w := wait(t, err); w != 21*time.Second {
			t.Errorf("a card waits %v, want 21 s", w)
		}
		if len(emu.Received()) != asked {
			t.Error("Slack was asked before its time")
		}
		time.Sleep(20 * time.Second)
		if _, err := s.Show(t.Context(), verdict(2)); err != nil {
			t.Errorf("a verdict waits for longer than Slack wants: %v", err)
		}
		time.Sleep(time.Second)
		if _, err := s.Show(t.Context(), card(1)); err != nil {
			t.Error(err)
		}
	})
}

func TestChannelThatCannotBeWrittenTo(t *testing.T) {
	inBubble(t, func(t *testing.T, emu *slackemu.Emulator, s *send.Sender) {
		emu.PutChannel(slackemu.Channel{ID: "COLD", Name: "old", IsArchived: true})
		emu.PutChannel(slackemu.Channel{ID: "CAWAY", Name: "away", WithoutBot: true})
		for channel, code := range map[string]string{"COLD": "is_archived", "CAWAY": "not_in_channel", "CNONE": "channel_not_found"} {
			n := card(1)
			n.Grant.Role.Channel = channel
			_, err := s.Show(t.Context(), n)
			if gone, ok := errors.AsType[*send.ChannelError](err); !ok || gone.Channel != channel || gone.Code != code {
				t.Errorf("%s: %v", channel, err)
			}
		}
	})
}

// A card that somebody deleted comes back while there is something to press on it.
func TestDeletedCard(t *testing.T) {
	inBubble(t, func(t *testing.T, emu *slackemu.Emulator, s *send.Sender) {
		n := card(1)
		n.Ref = "COPS/1.000001"
		ref, err := s.Show(t.Context(), n)
		if err != nil || ref == n.Ref {
			t.Errorf("ref %q, %v", ref, err)
		}
		n.Grant.State, n.Grant.Outcome = grants.Closed, grants.Lapsed
		if ref, err = s.Show(t.Context(), n); err != nil || ref != n.Ref {
			t.Errorf("ref %q, %v", ref, err)
		}
	})
}

// No error says a token, a URL that bears rights, or what was sent or answered.
func TestErrorsTellNoSecret(t *testing.T) {
	inBubble(t, func(t *testing.T, emu *slackemu.Emulator, s *send.Sender) {
		const secret = "eyJhbGciOiJFUzI1NiJ9.c2VjcmV0.c2ln"
		act, err := emu.RunCommand("UADA", "COPS", "/access help")
		if err != nil {
			t.Fatal(err)
		}
		bearer := act.ResponseURL[strings.LastIndex(act.ResponseURL, "/")+1:]
		modal, _ := view.Frame{}.Secret(service.Revealed{Secret: grants.NewSecret(secret)}, time.Minute)
		calls := map[string]func(context.Context) error{
			"auth.test":  func(ctx context.Context) error { _, err := s.Identify(ctx); return err },
			"users.list": func(ctx context.Context) error { _, err := s.Users(ctx); return err },
			"views.open": func(ctx context.Context) error { _, err := s.Open(ctx, "1.2", modal); return err },
			"views.update": func(ctx context.Context) error {
				_, err := s.Fill(ctx, send.Window{ID: "V1", Hash: "h"}, modal)
				return err
			},
			"chat.postMessage": func(ctx context.Context) error { _, err := s.Show(ctx, card(1)); return err },
			"response_url": func(ctx context.Context) error {
				return s.Answer(ctx, act.ResponseURL, view.Plain("x"))
			},
		}
		for method, call := range calls {
			for _, f := range []slackemu.Fault{
				{Error: "invalid_auth"}, {Error: "internal_error"}, {Status: 500}, {Status: 302}, {Drop: true}, {Delay: time.Minute},
			} {
				if f.Method = method; f.Error != "" && method == "response_url" {
					continue // it is no API method, and has no such answers
				}
				emu.Inject(f)
				time.Sleep(2 * time.Second)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				err := call(ctx)
				cancel()
				emu.ClearFaults()
				if err == nil {
					t.Errorf("%s %+v: no error", method, f)
					continue
				}
				for _, word := range []string{secret, "xoxb", bearer, "http://", "checkout", "Bearer"} {
					if strings.Contains(err.Error(), word) {
						t.Errorf("%s: the error holds %q: %v", method, word, err)
					}
				}
			}
		}
	})
}

// Only Slack is answered, whatever URL an envelope names.
func TestResponseURLElsewhere(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *slackemu.Emulator, s *send.Sender) {
		for _, url := range []string{"", "http://hooks.slack.com/x", "https://slack.com.evil.example/x", "https://evilslack.com/", "http://169.254.169.254/", "https://u:p@hooks.slack.com/"} {
			if err := s.Answer(t.Context(), url, view.Plain("x")); !errors.Is(err, send.ErrRefused) {
				t.Errorf("%s: %v", url, err)
			}
		}
	})
}

func TestConfigThatCannotWork(t *testing.T) {
	token := grants.NewSecret("xoxb-1")
	for _, c := range []send.Config{
		{}, {BotToken: token, APIURL: "slack.com/api"}, {BotToken: token, APIURL: "ftp://slack.com/"}, {BotToken: token, APIURL: "https://u:p@slack.com/"},
	} {
		if _, err := send.New(c); err == nil {
			t.Errorf("%v is accepted", c.APIURL)
		}
	}
}
