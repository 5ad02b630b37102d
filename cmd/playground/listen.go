package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// address is where something is to listen, and what the errors of that say.
type address struct {
	text, flag string
	usual      string
	other      string // that could be free
	why        string // it must be on loopback
}

// listenAt takes a port that somebody chose.
func listenAt(a address) (net.Listener, error) {
	host, port, err := net.SplitHostPort(a.text)
	if err != nil {
		return nil, hinted{fmt.Errorf("reading the address %q: %w", a.text, err), "write it as " + a.flag + " " + a.usual}
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, hinted{
			fmt.Errorf("listening on %s: it is not on loopback", a.text),
			a.why + ": write " + a.flag + " " + net.JoinHostPort("127.0.0.1", port),
		}
	}
	l, err := net.Listen("tcp", a.text)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, hinted{
			fmt.Errorf("listening on %s: the port is taken", a.text),
			"perhaps a playground runs already; otherwise choose another port, such as " + a.flag + " " + a.other +
				", or any free one with " + a.flag + " 127.0.0.1:0",
		}
	}
	if err != nil {
		return nil, hinted{fmt.Errorf("listening: %w", err), "choose another address with " + a.flag + " " + a.other}
	}
	return l, nil
}

// listenDoor takes the port at which the program will be asked about tokens.
func (s *stage) listenDoor() (net.Listener, error) {
	if s.door == "" {
		return listen()
	}
	return listenAt(address{
		text: s.door, flag: "-door", usual: "127.0.0.1:8321", other: "127.0.0.1:8322",
		why: "without TLS the program is asked on this machine only",
	})
}

// own says how a service of whoever plays asks about tokens: docs/verify.md has one to copy.
func (s *stage) own() string {
	return fmt.Sprintf("A service of your own can ask about tokens, too (docs/verify.md):\n"+
		"  export ISSUER=http://%s AUDIENCE=https://orders.example CALLER=my-service SECRET=%s\n", s.settings.Listen, s.settings.ownSecret)
}
