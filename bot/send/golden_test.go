package send_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nightlatch/bot/send"
	"nightlatch/integrations/emulators/slackemu"
)

// Everything that the view package can show is within Slack's bounds.
func TestWhatIsShownIsAccepted(t *testing.T) {
	files, err := filepath.Glob("../view/testdata/*.json")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d golden files, %v", len(files), err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var shown struct {
			Type   string          `json:"type"`
			Text   string          `json:"text"`
			Blocks json.RawMessage `json:"blocks"`
		}
		if json.Unmarshal(b, &shown) != nil {
			continue // a list of sentences
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			inBubble(t, func(t *testing.T, emu *slackemu.Emulator, _ *send.Sender) {
				args := url.Values{"token": {emu.Config().BotToken}}
				method := "chat.postMessage"
				switch shown.Type {
				case "home":
					method = "views.publish"
					args.Set("user_id", "UADA")
					args.Set("view", string(b))
				case "modal":
					act, err := emu.RunCommand("UADA", "COPS", "/access help")
					if err != nil {
						t.Fatal(err)
					}
					method = "views.open"
					args.Set("trigger_id", act.TriggerID)
					args.Set("view", string(b))
				default:
					args.Set("channel", "COPS")
					args.Set("text", shown.Text)
					args.Set("blocks", string(shown.Blocks))
				}
				call(t, emu, method, args)
			})
		})
	}
}

// call asks the emulator as any HTTP client would.
func call(t *testing.T, emu *slackemu.Emulator, method string, args url.Values) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, emu.Config().BaseURL+"/api/"+method, strings.NewReader(args.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	emu.ServeHTTP(w, r)
	var answer struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || !answer.OK {
		t.Errorf("%s: %v %s", method, err, w.Body)
	}
	time.Sleep(time.Second)
}
