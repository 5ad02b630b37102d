package memnet_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/integrations/emulators/memnet"
)

func TestHostsAreSeparate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		for _, host := range []string{"a.test", "b.test"} {
			srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, host)
			})}
			l := listen(t, network, host+":80")
			go srv.Serve(l)
			defer srv.Close()
		}
		transport := &http.Transport{DialContext: network.Dial}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport}
		time.Sleep(time.Hour) // the bubble's clock moves although both servers wait in Accept
		for _, host := range []string{"a.test", "b.test"} {
			resp, err := client.Get("http://" + host + "/")
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || string(body) != host {
				t.Errorf("%s answered %q, %v", host, body, err)
			}
		}
	})
}

func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		if _, err := network.Dial(t.Context(), "tcp", "nobody.test:80"); !errors.Is(err, memnet.ErrRefused) {
			t.Errorf("dialing nobody: %v", err)
		}
		l := listen(t, network, "a.test:80")
		if _, err := network.Listen("a.test:80"); !errors.Is(err, memnet.ErrTaken) {
			t.Errorf("listening twice: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := network.Dial(ctx, "tcp", "a.test:80"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dialing a host that never accepts: %v", err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		again := listen(t, network, "a.test:80")
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := again.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accepting on a closed listener: %v", err)
		}
		if err := network.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := network.Listen("a.test:80"); !errors.Is(err, net.ErrClosed) {
			t.Errorf("listening on a closed network: %v", err)
		}
	})
}

func TestClosingEndsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		l := listen(t, network, "a.test:80")
		accepted := make(chan net.Conn, 1)
		go func() {
			c, err := l.Accept()
			if err != nil {
				t.Error(err)
			}
			accepted <- c
		}()
		c, err := network.Dial(t.Context(), "tcp", "a.test:80")
		if err != nil {
			t.Fatal(err)
		}
		server := <-accepted
		go fmt.Fprintln(server, "hello")
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || line != "hello\n" {
			t.Fatalf("read %q, %v", line, err)
		}
		if err := network.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("reading after the network closed: %v", err)
		}
		if got := c.RemoteAddr().String(); got != "a.test:80" {
			t.Errorf("remote address = %q", got)
		}
	})
}

func listen(t *testing.T, network *memnet.Network, addr string) net.Listener {
	t.Helper()
	l, err := network.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
