package send_test

import (
	"strings"
	"testing"
	"time"

	"nightlatch/bot/send"
	"nightlatch/grants/service"
	"nightlatch/integrations/emulators/slackemu"
)

// An alert is pushed: it goes to its person as a message of its own, and to nobody else.
func TestAnAlertIsADirectMessage(t *testing.T) {
	inBubble(t, func(t *testing.T, emu *slackemu.Emulator, s *send.Sender) {
		n := card(1)
		n.Surface, n.Credential, n.Used = service.Alert, 2, time.Now()
		if _, err := s.Show(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		var posted []string
		for _, p := range emu.Received() {
			if p.Method == "chat.postMessage" {
				posted = append(posted, p.Method)
			}
		}
		if text := emu.SeenBy("UADA").Text(); len(posted) != 1 || !strings.Contains(text, "was used after its end") {
			t.Errorf("%d messages; ada sees\n%s", len(posted), text)
		}
	})
}
