package send_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/bot/send"
	"nightlatch/grants"
	"nightlatch/grants/service"
	"nightlatch/integrations/emulators/slackemu"
)

func TestOneAccountIsAsItIsListed(t *testing.T) {
	inBubble(t, func(t *testing.T, emu *slackemu.Emulator, s *send.Sender) {
		for _, u := range []slackemu.User{
			{ID: "U1", RealName: "Guest", Email: "g@example.com", IsRestricted: true},
			{ID: "U3", RealName: "Gone", Email: "d@example.com", Deleted: true},
			{ID: "U4", RealName: "Stranger", IsStranger: true, TeamID: "T0ELSE"},
			{ID: "U5", RealName: "New", Email: "n@example.com", EmailUnconfirmed: true},
		} {
			emu.PutUser(u)
		}
		emu.PutChannel(slackemu.Channel{ID: "CSHARED", Members: []string{"U4"}})
		users, err := s.Users(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range users {
			got, err := s.User(t.Context(), want.ID)
			if w, early := errors.AsType[*service.Wait](err); early {
				time.Sleep(w.For)
				got, err = s.User(t.Context(), want.ID)
			}
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%s: %v\n%s", want.ID, err, diff)
			}
		}
	})
}

func TestAnAccountThatSlackDoesNotShow(t *testing.T) {
	inBubble(t, func(t *testing.T, emu *slackemu.Emulator, s *send.Sender) {
		emu.PutUser(slackemu.User{ID: "U4", IsStranger: true, TeamID: "T0ELSE"})
		for _, id := range []string{"UNONE", "U4"} {
			if _, err := s.User(t.Context(), id); !errors.Is(err, service.ErrNoSuchPerson) {
				t.Errorf("%s: %v", id, err)
			}
		}
		for _, fault := range []slackemu.Fault{{Error: "internal_error"}, {Error: "missing_scope"}, {Drop: true}, {Status: 503}, {Delay: time.Minute}} {
			fault.Method, fault.Times = "users.info", 1
			emu.Inject(fault)
			if u, err := s.User(t.Context(), "UADA"); err == nil || errors.Is(err, service.ErrNoSuchPerson) || u != (grants.SlackUser{}) {
				t.Errorf("%+v: %+v, %v", fault, u, err)
			}
		}
	})
}

// Slack's documented rate is never reached by what asks as fast as it may, and its Retry-After is obeyed.
func TestAccountsAreAskedForAtSlacksPace(t *testing.T) {
	inBubbleWith(t, slackemu.Config{RealTiers: true}, func(t *testing.T, emu *slackemu.Emulator, s *send.Sender) {
		asked := 0
		for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); {
			_, err := s.User(t.Context(), "UADA")
			if w, early := errors.AsType[*service.Wait](err); early {
				time.Sleep(w.For)
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			asked++
		}
		if answered := len(emu.Received()); asked < 300 || answered != asked {
			t.Errorf("of %d questions Slack answered %d in five minutes", answered, asked)
		}
		emu.Inject(slackemu.Fault{Method: "users.info", RetryAfter: 30 * time.Second, Times: 1})
		time.Sleep(time.Second)
		before := len(emu.Received())
		for range 3 {
			_, err := s.User(t.Context(), "UADA")
			if w := wait(t, err); w != 30*time.Second {
				t.Errorf("wait %v", w)
			}
		}
		if n := len(emu.Received()) - before; n != 1 {
			t.Errorf("Slack was asked %d times", n)
		}
		time.Sleep(30 * time.Second)
		if _, err := s.User(t.Context(), "UADA"); err != nil {
			t.Error(err)
		}
	})
}
