package postgres_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"

	"nightlatch/grants"
)

// errCut is what a call on a lost connection ends with.
var errCut = errors.New("connection lost")

// cutter loses the connection at the n-th time that something is sent or received, counted over all connections; 0 never. What is
// sent is lost with it, or arrives and its answer is lost.
type cutter struct {
	after  int
	arrive bool

	mu    sync.Mutex
	count int
	sends map[int]bool // which of them
}

func (c *cutter) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return cuttable{conn, c}, nil
}

func (c *cutter) due(send bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	if c.sends == nil {
		c.sends = map[int]bool{}
	}
	c.sends[c.count] = send
	return c.after > 0 && c.count >= c.after
}

type cuttable struct {
	net.Conn
	by *cutter
}

func (c cuttable) Write(b []byte) (int, error) {
	if !c.by.due(true) {
		return c.Conn.Write(b)
	}
	if c.by.arrive {
		_, _ = c.Conn.Write(b)
	}
	return 0, errors.Join(errCut, c.Close())
}

func (c cuttable) Read(b []byte) (int, error) {
	if !c.by.due(false) {
		return c.Conn.Read(b)
	}
	return 0, errors.Join(errCut, c.Close())
}

// everywhere plays a call once as it is, and then so that its connection is lost at each thing that it sends: that arrives, and the
// answer does not. For the server this is the same as losing the next thing on its way. It returns how many calls were cut off.
func everywhere(t *testing.T, play func(cut *cutter) error) (cuts int) {
	t.Helper()
	whole := &cutter{}
	if err := play(whole); err != nil {
		t.Fatal(err)
	}
	for n, send := range whole.sends {
		if !send {
			continue
		}
		if err := play(&cutter{after: n, arrive: true}); err != nil {
			cuts++
			for _, secret := range []string{password, "SCRAM-SHA-256$"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error at step %d holds what begins with %.6s…", n, secret)
				}
			}
		}
	}
	return cuts
}

// TestAConnectionThatIsLost: wherever a revocation is cut off, the next one goes on, nothing that was made is lost, and
// nothing is left.
func TestAConnectionThatIsLost(t *testing.T) {
	honest := newIssuer(t, config(t))
	cuts := everywhere(t, func(cut *cutter) error {
		conf := config(t)
		conf.Dial = cut.dial
		c := issued(t, honest, order())
		table := "workbench." + unique(t)
		c.does("orders", "CREATE TABLE "+table+" (i int)")
		c.does("archive", "CREATE TABLE "+table+" (i int)")
		err := newIssuer(t, conf).Revoke(t.Context(), c.name)
		if err := honest.Revoke(t.Context(), c.name); err != nil {
			t.Fatal(err)
		}
		if left := ask(t, "postgres", "SELECT count(*)::text FROM pg_roles WHERE rolname = $1", c.name); left != "0" {
			t.Fatalf("cut off at step %d, the role is there", cut.after)
		}
		for _, database := range []string{"orders", "archive"} {
			if owner := ownerOf(t, database, table); owner != "nightlatch_owner" {
				t.Fatalf("cut off at step %d, the table in %s belongs to %s", cut.after, database, owner)
			}
		}
		return err
	})
	t.Logf("a revocation was cut off %d times", cuts)
	if cuts < 20 {
		t.Error("the test cuts hardly anything off")
	}
}

// TestAnIssueThatIsLost: wherever issuing is cut off, revoking leaves nothing. What was sent may take effect a moment after the
// connection was lost, so the name is revoked twice, as the service does.
func TestAnIssueThatIsLost(t *testing.T) {
	honest := newIssuer(t, config(t))
	var names []string
	cuts := everywhere(t, func(cut *cutter) error {
		conf := config(t)
		conf.Dial = cut.dial
		o := order()
		names = append(names, o.Name)
		_, err := newIssuer(t, conf).Issue(t.Context(), o)
		if err := honest.Revoke(t.Context(), o.Name); err != nil {
			t.Fatal(err)
		}
		return err
	})
	t.Logf("an issue was cut off %d times", cuts)
	for _, name := range names {
		c := &credential{TB: t, name: name, issuer: honest}
		if err := honest.Revoke(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		c.found(grants.AbsentFinding)
	}
}
