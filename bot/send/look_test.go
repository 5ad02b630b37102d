package send_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/bot/send"
	"nightlatch/grants"
	"nightlatch/integrations/emulators/slackemu"
)

func TestTheInstallation(t *testing.T) {
	inBubble(t, func(t *testing.T, emu *slackemu.Emulator, s *send.Sender) {
		got, err := s.Inspect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := send.Installation{
			Identity: send.Identity{Team: "T0NIGHT", TeamName: "night", BotUser: "U0BOT"}, App: "A0NIGHT", Scopes: send.Scopes(), Dated: true,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		for _, skew := range []time.Duration{2 * time.Minute, -2 * time.Minute} {
			emu.SetDateSkew(skew)
			got, err := s.Inspect(t.Context())
			if err != nil || (got.Ahead+skew).Abs() > 2*time.Second {
				t.Errorf("Slack is %s ahead: %s, %v", skew, got.Ahead, err)
			}
		}
		emu.Inject(slackemu.Fault{Method: "auth.test", Error: "token_revoked", Times: 1})
		if _, err := s.Inspect(t.Context()); !errors.Is(err, send.ErrAuth) {
			t.Errorf("a revoked token: %v", err)
		}
		emu.Inject(slackemu.Fault{Method: "users.info", Status: 503, Times: 1})
		if got, err := s.Inspect(t.Context()); err == nil || got.Team != "T0NIGHT" {
			t.Errorf("without the bot's account: %+v, %v", got, err)
		}
	})
}

func TestChannelsAndGroupsThatAreNamed(t *testing.T) {
	inBubble(t, func(t *testing.T, emu *slackemu.Emulator, s *send.Sender) {
		for _, c := range []slackemu.Channel{
			{ID: "COLD", Name: "old", IsArchived: true},
			{ID: "COUT", Name: "out", WithoutBot: true},
			{ID: "CSHARED", Name: "shared", IsExtShared: true},
			{ID: "CSOON", Name: "soon", IsPendingExtShared: true},
			{ID: "CPRIV", Name: "priv", IsPrivate: true},
			{ID: "CSECRET", Name: "secret", IsPrivate: true, WithoutBot: true},
		} {
			emu.PutChannel(c)
		}
		for id, want := range map[string]send.Channel{
			"COPS":    {Name: "ops", Member: true},
			"COLD":    {Name: "old", Member: true, Archived: true},
			"COUT":    {Name: "out"},
			"CSHARED": {Name: "shared", Member: true, Shared: true},
			"CSOON":   {Name: "soon", Member: true, Shared: true},
			"CPRIV":   {Name: "priv", Member: true},
		} {
			if got, err := s.Channel(t.Context(), id); err != nil || got != want {
				t.Errorf("%s: %+v, %v", id, got, err)
			}
		}
		for _, id := range []string{"CNONE", "CSECRET"} {
			if _, err := s.Channel(t.Context(), id); !is[*send.ChannelError](err) {
				t.Errorf("%s: %v", id, err)
			}
		}
		emu.PutUserGroup(slackemu.UserGroup{ID: "SOPS", Users: []string{"UADA"}})
		emu.PutUserGroup(slackemu.UserGroup{ID: "SOLD", Users: []string{"UADA"}, Disabled: true})
		if n, err := s.Group(t.Context(), "SOPS"); err != nil || n != 1 {
			t.Errorf("a group: %d, %v", n, err)
		}
		for _, id := range []string{"SNONE", "SOLD"} {
			if _, err := s.Group(t.Context(), id); !errors.Is(err, send.ErrNoSuchGroup) {
				t.Errorf("%s: %v", id, err)
			}
		}
		for _, fault := range []slackemu.Fault{{Error: "internal_error"}, {Drop: true}, {Status: 503}, {RetryAfter: time.Minute}} {
			fault.Method, fault.Times = "*", 2
			emu.Inject(fault)
			_, channelErr := s.Channel(t.Context(), "COPS")
			_, groupErr := s.Group(t.Context(), "SOPS")
			if channelErr == nil || groupErr == nil || is[*send.ChannelError](channelErr) || errors.Is(groupErr, send.ErrNoSuchGroup) {
				t.Errorf("%+v looks like something that is not there: %v, %v", fault, channelErr, groupErr)
			}
		}
	})
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func TestAMissingScopeIsNamed(t *testing.T) {
	scopes := slices.DeleteFunc(send.Scopes(), func(s string) bool { return s == "users:read" })
	missing(t, slackemu.Config{BotScopes: scopes}, func(s *send.Sender) {
		got, err := s.Inspect(t.Context())
		if err != nil || slices.Contains(got.Scopes, "users:read") || got.App != "" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// missing runs a test in a workspace where the app lacks a scope, which breaks Slack's rules.
func missing(t *testing.T, c slackemu.Config, run func(*send.Sender)) {
	t.Helper()
	emu := slackemu.New(c)
	defer emu.Close()
	s, err := send.New(send.Config{BotToken: grants.NewSecret(emu.Config().BotToken), APIURL: emu.Config().BaseURL + "/api", Transport: inside{emu}})
	if err != nil {
		t.Fatal(err)
	}
	run(s)
}

func TestAConnectionIsAskedForAndNotOpened(t *testing.T) {
	emu := slackemu.New(slackemu.Config{})
	defer emu.Close()
	via := send.Config{APIURL: emu.Config().BaseURL + "/api", Transport: inside{emu}}
	if err := send.CanConnect(t.Context(), via, grants.NewSecret(emu.Config().AppToken)); err != nil {
		t.Error(err)
	}
	if n := emu.Connections(); n != 0 {
		t.Errorf("%d connections", n)
	}
	for _, token := range []string{"xapp-1-A0NIGHT-wrong", emu.Config().BotToken} {
		if err := send.CanConnect(t.Context(), via, grants.NewSecret(token)); !errors.Is(err, send.ErrAuth) {
			t.Errorf("%s: %v", token, err)
		}
	}
	for token, want := range map[string]string{"xapp-1-A0NIGHT-123-abc": "A0NIGHT", "xapp-1-emulated": "", "xoxb-1-A0NIGHT-1": "", "": ""} {
		if got := send.AppOf(grants.NewSecret(token)); got != want {
			t.Errorf("%q is of %q, want %q", token, got, want)
		}
	}
}

// inside answers requests without a network.
type inside struct{ http.Handler }

// RoundTrip has the handler answer.
func (i inside) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	i.ServeHTTP(w, r)
	response := w.Result()
	response.Request = r
	return response, nil
}
