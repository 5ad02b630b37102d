// Package memnet is a network inside one process: named hosts that listen, and a dialer that reaches them.
//
// A connection is a pair of net.Pipe ends, whose reads and writes block durably, so that time moves in a
// testing/synctest bubble while everybody waits. Make the network inside the bubble that uses it, give Network.Dial to
// http.Transport.DialContext or websocket.Dialer.NetDialContext, and Close it before the bubble ends.
//
// Nothing is buffered: a write returns when the other end has read it. Whoever writes while nobody reads, waits.
// Deadlines work as on any net.Conn.
package memnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// ErrRefused is what dialing a host that nobody listens on is answered with.
var ErrRefused = errors.New("connection refused")

// ErrTaken is what listening on an address is answered with while another listener has it.
var ErrTaken = errors.New("address already in use")

// Network is a set of hosts. Its methods may be called from any goroutine.
type Network struct {
	mu     sync.Mutex
	hosts  map[string]*listener
	closed bool
}

// New returns a network without hosts.
func New() *Network { return &Network{hosts: map[string]*listener{}} }

// Listen takes an address such as "slack.test:80". Closing the listener frees the address and closes the connections
// that came in by it, as when a machine goes away.
func (n *Network) Listen(addr string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, &net.OpError{Op: "listen", Net: "mem", Addr: address(addr), Err: net.ErrClosed}
	}
	if n.hosts[addr] != nil {
		return nil, &net.OpError{Op: "listen", Net: "mem", Addr: address(addr), Err: ErrTaken}
	}
	l := &listener{
		network: n, addr: address(addr),
		incoming: make(chan net.Conn), done: make(chan struct{}), conns: map[*conn]struct{}{},
	}
	n.hosts[addr] = l
	return l, nil
}

// Dial reaches a listening host. It waits until the host accepts; the network's name is ignored.
func (n *Network) Dial(ctx context.Context, _, addr string) (net.Conn, error) {
	n.mu.Lock()
	l := n.hosts[addr]
	n.mu.Unlock()
	if l == nil {
		return nil, &net.OpError{Op: "dial", Net: "mem", Addr: address(addr), Err: ErrRefused}
	}
	near, far := net.Pipe()
	refuse := func(err error) (net.Conn, error) {
		return nil, &net.OpError{
			Op: "dial", Net: "mem", Addr: address(addr),
			Err: errors.Join(err, near.Close(), far.Close()),
		}
	}
	select {
	case l.incoming <- far:
		return &conn{Conn: near, local: address("client"), remote: l.addr}, nil
	case <-l.done:
		return refuse(ErrRefused)
	case <-ctx.Done():
		return refuse(ctx.Err())
	}
}

// Close closes every listener and every connection. The network cannot be used again.
func (n *Network) Close() error {
	n.mu.Lock()
	n.closed = true
	var all []*listener
	for _, l := range n.hosts {
		all = append(all, l)
	}
	n.mu.Unlock()
	var errs []error
	for _, l := range all {
		errs = append(errs, l.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing the network: %w", err)
	}
	return nil
}

// leave frees the address, unless another listener has it by now.
func (n *Network) leave(l *listener) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hosts[string(l.addr)] == l {
		delete(n.hosts, string(l.addr))
	}
}

type listener struct {
	network  *Network
	addr     address
	incoming chan net.Conn
	done     chan struct{}
	once     sync.Once

	mu     sync.Mutex
	conns  map[*conn]struct{}
	closed bool
}

func (l *listener) Addr() net.Addr { return l.addr }

func (l *listener) Accept() (net.Conn, error) {
	closed := &net.OpError{Op: "accept", Net: "mem", Addr: l.addr, Err: net.ErrClosed}
	select {
	case <-l.done:
		return nil, closed
	default:
	}
	select {
	case raw := <-l.incoming:
		c := &conn{Conn: raw, local: l.addr, remote: address("client"), left: l.forget}
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.closed {
			// The listener closed between the hand-over and here: the dialer's end must not hang.
			return nil, errors.Join(closed, raw.Close())
		}
		l.conns[c] = struct{}{}
		return c, nil
	case <-l.done:
		return nil, closed
	}
}

func (l *listener) Close() error {
	var errs []error
	l.once.Do(func() {
		close(l.done)
		l.network.leave(l)
		l.mu.Lock()
		l.closed = true
		conns := l.conns
		l.conns = nil
		l.mu.Unlock()
		for c := range conns {
			errs = append(errs, c.Conn.Close())
		}
	})
	return errors.Join(errs...)
}

func (l *listener) forget(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}

// conn is one end of a pipe that knows its addresses: a pipe's own are all "pipe", which helps nobody in a log.
type conn struct {
	net.Conn
	local, remote address
	left          func(*conn)
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

func (c *conn) Close() error {
	if c.left != nil {
		c.left(c)
	}
	return c.Conn.Close()
}

// address is host:port as it was given to Listen.
type address string

func (address) Network() string  { return "mem" }
func (a address) String() string { return string(a) }
