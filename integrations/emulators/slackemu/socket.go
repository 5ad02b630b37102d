package slackemu

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// mostSockets is how many connections Slack lets one app have.
const mostSockets = 10

// ackLimit is the size from which on the official clients refuse to send an acknowledgement.
const ackLimit = 20 << 10

// socket is one Socket Mode connection. Its queue is unbounded, so that nobody who holds the emulator's lock waits for
// the wire.
type socket struct {
	conn  *websocket.Conn
	wake  chan struct{} // of capacity 1: there is something in the queue
	gone  chan struct{}
	once  sync.Once
	timer *time.Timer

	// guarded by the emulator's lock
	queue   []json.RawMessage
	leaving bool // close when the queue is empty
}

// cut ends the connection without a word.
func (s *socket) cut() {
	s.once.Do(func() {
		close(s.gone)
		s.conn.NetConn().Close() // the peer may have closed it already
	})
}

// send puts a message into the queue. Call it locked.
func (s *socket) send(message json.RawMessage) {
	s.queue = append(s.queue, message)
	s.poke()
}

func (s *socket) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// openConnection gives out the URL of one socket.
func (e *Emulator) openConnection(c *call) answer {
	if !c.post {
		e.violate(c.method.Name, "insecure_request", "it is to be called by POST")
		return refuse("insecure_request")
	}
	ticket := strings.ToLower(e.random(16))
	e.tickets[ticket] = true
	scheme := strings.Replace(e.cfg.BaseURL, "http", "ws", 1) // https becomes wss
	return answer{fields: object{"url": scheme + "/link/?ticket=" + ticket + "&app_id=" + e.cfg.AppID}}
}

func (e *Emulator) serveSocket(w http.ResponseWriter, r *http.Request) {
	if _, on := e.obstruct(w, r, "socket", Before); !on {
		return
	}
	ticket := r.URL.Query().Get("ticket")
	e.mu.Lock()
	valid := e.tickets[ticket] && !e.closed
	delete(e.tickets, ticket)
	if valid {
		e.wg.Add(1)
		defer e.wg.Done()
	} else {
		e.violate("socket", "ticket", "the URL was used before, or never given out")
	}
	e.mu.Unlock()
	if !valid {
		http.Error(w, "invalid ticket", http.StatusForbidden)
		return
	}
	// Slack's client sends an Origin of Slack's own.
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	s := &socket{conn: conn, wake: make(chan struct{}, 1), gone: make(chan struct{})}
	e.join(s)
	e.wg.Go(func() { e.writeSocket(s) })
	e.readSocket(s)
	e.leave(s)
}

// join greets a new connection and counts it in.
func (e *Emulator) join(s *socket) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		s.leaving = true
		s.poke()
		return
	}
	if len(e.sockets) >= mostSockets {
		e.violate("socket", "too_many_websockets", "an app may have ten")
		e.dismiss(s, "too_many_websockets")
		return
	}
	e.sockets = append(e.sockets, s)
	s.send(encode(object{
		"type": "hello", "num_connections": len(e.sockets), "connection_info": object{"app_id": e.cfg.AppID},
		"debug_info": object{
			"host": "applink-1", "build_number": 1, "started": time.Now().UTC().Format("2006-01-02 15:04:05.000"),
			"approximate_connection_time": int(e.cfg.SocketLife.Seconds()),
		},
	}))
	s.timer = time.AfterFunc(max(0, e.cfg.SocketLife-warnAhead), func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.warn(s, "refresh_requested")
	})
}

// warnAhead is how long before its end a connection is told of it.
const warnAhead = 10 * time.Second

// warn tells a connection that its end is near, and ends it then for the given reason. Call it locked.
func (e *Emulator) warn(s *socket, then string) {
	s.send(disconnect("warning"))
	s.timer.Stop()
	s.timer = time.AfterFunc(warnAhead, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.dismiss(s, then)
	})
}

func disconnect(reason string) json.RawMessage {
	return encode(object{"type": "disconnect", "reason": reason, "debug_info": object{"host": "applink-1"}})
}

// dismiss ends a connection with a reason. No more envelopes go to it. Call it locked.
func (e *Emulator) dismiss(s *socket, reason string) {
	s.send(disconnect(reason))
	s.leaving = true
	e.sockets = slices.DeleteFunc(e.sockets, func(other *socket) bool { return other == s })
}

func (e *Emulator) leave(s *socket) {
	s.cut()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sockets = slices.DeleteFunc(e.sockets, func(other *socket) bool { return other == s })
	if s.timer != nil {
		s.timer.Stop()
	}
}

// writeSocket alone writes to the connection: queue, pings and the closing frame.
func (e *Emulator) writeSocket(s *socket) {
	defer s.cut()
	ping := time.NewTicker(e.cfg.PingEvery)
	defer ping.Stop()
	for {
		select {
		case <-s.wake:
			e.mu.Lock()
			queue, leaving := s.queue, s.leaving
			s.queue = nil
			e.mu.Unlock()
			for _, message := range queue {
				if s.conn.WriteMessage(websocket.TextMessage, message) != nil {
					return
				}
			}
			if leaving {
				return
			}
		case <-ping.C:
			if s.conn.WriteControl(websocket.PingMessage, []byte("ping"), time.Now().Add(time.Minute)) != nil {
				return
			}
		case <-s.gone:
			return
		case <-e.done:
			return
		}
	}
}

// readSocket takes acknowledgements until the connection ends.
func (e *Emulator) readSocket(s *socket) {
	for {
		_, message, err := s.conn.ReadMessage()
		if err != nil {
			return
		}
		e.acknowledge(message)
	}
}

// Connections returns how many sockets are open.
func (e *Emulator) Connections() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.sockets)
}

// CutSockets ends every connection without a word, as a broken network does.
func (e *Emulator) CutSockets() {
	e.mu.Lock()
	sockets := slices.Clone(e.sockets)
	e.sockets = nil
	e.mu.Unlock()
	for _, s := range sockets {
		s.cut()
	}
}

// DisconnectOne tells the oldest connection to go, and reports whether there was one.
func (e *Emulator) DisconnectOne(reason string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.sockets) == 0 {
		return false
	}
	e.dismiss(e.sockets[0], reason)
	return true
}

// Disconnect tells every connection to go, with one of Slack's reasons. After "warning" they stay for ten seconds more.
func (e *Emulator) Disconnect(reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range slices.Clone(e.sockets) {
		if reason == "warning" {
			e.warn(s, "refresh_requested")
			continue
		}
		e.dismiss(s, reason)
	}
}
