package slackemu_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"

	"nightlatch/integrations/emulators/slackemu"
)

// frame is what the emulator writes on a socket.
type frame struct {
	Type           string `json:"type"`
	Reason         string `json:"reason"`
	NumConnections int    `json:"num_connections"`
	EnvelopeID     string `json:"envelope_id"`
	Accepts        bool   `json:"accepts_response_payload"`
	Connection     struct {
		AppID string `json:"app_id"`
	} `json:"connection_info"`
}

// open asks for a URL and dials it, without a client that would come back by itself.
func (r *rig) open() (*websocket.Conn, string) {
	r.t.Helper()
	_, url, err := r.api.StartSocketModeContext(r.ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.dial(url, http.StatusSwitchingProtocols), url
}

func (r *rig) dial(url string, want int) *websocket.Conn {
	r.t.Helper()
	dialer := &websocket.Dialer{NetDialContext: r.network.Dial}
	conn, resp, err := dialer.DialContext(r.ctx, url, nil)
	if resp == nil || resp.StatusCode != want {
		r.t.Fatalf("dialing: %v, %v", resp, err)
	}
	return conn
}

func (r *rig) read(conn *websocket.Conn) frame {
	r.t.Helper()
	var f frame
	if err := conn.ReadJSON(&f); err != nil {
		r.t.Fatal(err)
	}
	return f
}

func TestURLIsGoodForOneConnection(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		conn, url := r.open()
		defer conn.Close()
		r.dial(url, http.StatusForbidden)
		r.broke("socket", "ticket")
	})
}

func TestElevenConnectionsAreTooMany(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		for i := range 10 {
			conn, _ := r.open()
			defer conn.Close()
			if f := r.read(conn); f.Type != "hello" || f.NumConnections != i+1 || f.Connection.AppID != "A0NIGHT" {
				t.Errorf("connection %d was greeted by %+v", i+1, f)
			}
		}
		conn, _ := r.open()
		defer conn.Close()
		if f := r.read(conn); f.Type != "disconnect" || f.Reason != "too_many_websockets" {
			t.Errorf("the eleventh was told %+v", f)
		}
		if _, _, err := conn.ReadMessage(); err == nil {
			t.Error("the eleventh is still open")
		}
	})
}

func TestDisconnectsKeepTheirOrder(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		conn, _ := r.open()
		defer conn.Close()
		r.read(conn)
		r.emu.Disconnect("warning")
		start := time.Now()
		if f := r.read(conn); f.Reason != "warning" || time.Since(start) != 0 {
			t.Errorf("told %+v after %v", f, time.Since(start))
		}
		act := r.run("UALICE", "/access")
		if f := r.read(conn); f.EnvelopeID != act.EnvelopeID || !f.Accepts {
			t.Errorf("a warned connection got %+v", f)
		}
		if f := r.read(conn); f.Reason != "refresh_requested" || time.Since(start) != 10*time.Second {
			t.Errorf("told %+v after %v", f, time.Since(start))
		}
		if got := r.emu.Connections(); got != 0 {
			t.Errorf("%d connections", got)
		}
	})
}

// Acknowledgements that Slack would not understand, or the official clients not send.
func TestBadAcknowledgements(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		conn, _ := r.open()
		defer conn.Close()
		r.read(conn)
		if _, _, err := r.api.PostMessageContext(r.ctx, "COPS", slack.MsgOptionBlocks(button("go", "", "Go"))); err != nil {
			t.Fatal(err)
		}
		act, err := r.emu.Press("UBOB", slackemu.Find{Text: "Go"})
		if err != nil {
			t.Fatal(err)
		}
		if f := r.read(conn); f.Type != "interactive" || f.Accepts {
			t.Errorf("a press came as %+v", f)
		}
		for _, ack := range []any{
			"not an object",
			object{"envelope_id": "nobody's"},
			object{"envelope_id": act.EnvelopeID, "payload": object{"text": "x"}},
			object{"envelope_id": act.EnvelopeID},
		} {
			if err := conn.WriteJSON(ack); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		for _, rule := range []string{"format", "unknown envelope", "payload", "twice"} {
			r.broke("ack", rule)
		}
		if out := act.Outcome(); !out.Acknowledged || out.Payload != nil {
			t.Errorf("outcome = %+v", out)
		}
	})
}
