package send_test

import (
	"strings"
	"testing"
	"time"

	"nightlatch/bot/send"
	"nightlatch/grants"
	"nightlatch/grants/service"
	"nightlatch/integrations/emulators/slackemu"
)

// more is an extension that waits, on one of its surfaces.
func more(surface service.Surface) service.Notice {
	n := card(1)
	n.Surface = surface
	n.Grant.State, n.Grant.Opened, n.Grant.Ends = grants.Open, time.Now(), time.Now().Add(time.Hour)
	n.Extension = grants.Extension{
		Ordinal: 1, By: time.Hour, At: time.Now(), State: grants.Pending, Voters: n.Grant.Voters, PendingUntil: time.Now().Add(time.Hour),
	}
	n.Grant.Extensions = []grants.Extension{n.Extension}
	return n
}

func decidedAs(n service.Notice, o grants.Outcome, ref string) service.Notice {
	n.Ref, n.Extension.State, n.Extension.Outcome, n.Extension.Decided = ref, grants.Closed, o, time.Now()
	n.Grant.Extensions = []grants.Extension{n.Extension}
	return n
}

func posted(emu *slackemu.Emulator) int {
	n := 0
	for _, p := range emu.Received() {
		if p.Method == "chat.postMessage" {
			n++
		}
	}
	return n
}

// A card of an extension that nobody saw is not posted once that is over, and a deleted one
// comes back only while there is something to decide.
func TestACardOfAnExtension(t *testing.T) {
	inBubble(t, func(t *testing.T, emu *slackemu.Emulator, s *send.Sender) {
		n := more(service.MoreCard)
		ref, err := s.Show(t.Context(), decidedAs(n, grants.Withdrawn, ""))
		if err != nil || posted(emu) != 0 {
			t.Errorf("ref %q, %v, %d messages", ref, err, posted(emu))
		}
		n.Ref = "COPS/1.000001"
		if ref, err = s.Show(t.Context(), n); err != nil || ref == n.Ref || posted(emu) != 1 {
			t.Errorf("ref %q, %v, %d messages", ref, err, posted(emu))
		}
		if _, err = s.Show(t.Context(), decidedAs(n, grants.Denied, "COPS/1.000001")); err != nil || posted(emu) != 1 {
			t.Errorf("%v, %d messages", err, posted(emu))
		}
	})
}

// What was waited for is told anew; what its person did themselves is not.
func TestADecisionAboutAnExtensionIsToldAnew(t *testing.T) {
	for outcome, messages := range map[grants.Outcome]int{
		grants.Extended: 2, grants.Denied: 2, grants.Refused: 2, grants.Lapsed: 2, grants.Withdrawn: 1,
	} {
		inBubble(t, func(t *testing.T, emu *slackemu.Emulator, s *send.Sender) {
			n := more(service.More)
			ref, err := s.Show(t.Context(), n)
			if err != nil || !strings.HasSuffix(ref, "/pending") {
				t.Fatalf("ref %q, %v", ref, err)
			}
			time.Sleep(2 * time.Second)
			if _, err = s.Show(t.Context(), decidedAs(n, outcome, ref)); err != nil || posted(emu) != messages {
				t.Errorf("%s: %v, %d messages, want %d", outcome, err, posted(emu), messages)
			}
		})
	}
}
