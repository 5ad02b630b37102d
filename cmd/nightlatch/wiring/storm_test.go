package wiring_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
	"nightlatch/grants/ledger/boltkv"
	"nightlatch/integrations/emulators/slackemu"
)

// TestAStormOfChangedAccounts: a thousand of them in a second, some again and again. They become few readings, whoever
// holds something and is gone loses it at once, and in the end everybody is what Slack says that they are.
func TestAStormOfChangedAccounts(t *testing.T) {
	for name, apart := range map[string]time.Duration{"one after the other": time.Millisecond, "all at once": 0} {
		t.Run(name, func(t *testing.T) { stormOfChangedAccounts(t, apart) })
	}
}

func stormOfChangedAccounts(t *testing.T, apart time.Duration) {
	many := 1000
	if raceDetector {
		many = 200
	}
	user := func(i int) string { return fmt.Sprintf("U0M%04d", i) }
	play(t, plan{world: func(n *night) {
		for i := range many {
			n.slack.PutUser(slackemu.User{ID: user(i), Name: user(i), Email: strings.ToLower(user(i)) + "@example.com", IsRestricted: i%5 == 4})
		}
	}}, func(n *night) {
		n.openFor("15m")
		token := n.reveals(ada)
		n.pass(time.Minute)
		lists, infos := n.calls("users.list"), n.calls("users.info")
		for i := range many {
			u, _ := n.slack.User(user(i))
			switch i % 5 {
			case 0:
				u.Deleted = true
			case 1:
				u.IsUltraRestricted = true
			case 2:
				u.EmailUnconfirmed = true
			case 3: // there and back
				u.IsRestricted = true
				n.slack.ChangeUser(u)
				u.IsRestricted = false
			case 4: // a guest no more, and with another address
				u.IsRestricted, u.Email = false, "new-"+u.Email
			}
			n.slack.ChangeUser(u)
			time.Sleep(apart)
		}
		gone, _ := n.slack.User(ada)
		gone.Deleted = true
		n.slack.ChangeUser(gone)
		n.pass(7 * time.Second)
		n.tokenIs(token, false)
		n.pass(30 * time.Second)
		pages := many/200 + 1
		if read := n.calls("users.list") - lists; read < pages || read > 4*pages {
			t.Errorf("the people were read with %d calls, %d pages each", read, pages)
		}
		if asked := n.calls("users.info") - infos; asked > 5 {
			t.Errorf("%d accounts were asked about one by one", asked)
		}
		people := n.directory()
		for i := range many {
			want := []grants.Standing{grants.Deleted, grants.Guest, grants.Unconfirmed, grants.Member, grants.Member}[i%5]
			if got := people[user(i)]; got.Standing != want || i%5 == 4 && !strings.HasPrefix(got.Email, "new-") {
				t.Errorf("%s is %s of %s, want %s", user(i), got.Standing, got.Email, want)
			}
		}
		n.acknowledged(n.types(cat, "/access help"))
	})
}

// directory is what the ledger says of the people, by their Slack user IDs, after the program has ended.
func (n *night) directory() map[string]grants.Person {
	n.t.Helper()
	n.halt()
	ctx := context.Background()
	engine, err := boltkv.Open(boltkv.Config{Path: n.ledgerPath(), Spaces: ledger.Spaces()})
	n.must(err)
	l, err := ledger.Open(ctx, ledger.Config{Engine: engine, Environment: "playground"})
	n.must(err)
	people := map[string]grants.Person{}
	n.must(l.View(ctx, func(v *ledger.View) (bad error) {
		v.Scan("person", "", func(_ string, doc []byte) bool {
			var p grants.Person
			bad = json.Unmarshal(doc, &p)
			people[p.Key.Slack()] = p
			return bad == nil
		})
		return bad
	}))
	n.must(engine.Close())
	n.start()
	return people
}

// TestSomebodyElseListensWithOurToken: whoever has the app token reads what people press. The next greeting counts them,
// and when they stay it is recorded; when they leave, all is well again.
func TestSomebodyElseListensWithOurToken(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.pass(time.Hour)
		thief := n.listens()
		n.slack.DisconnectOne("refresh_requested")
		n.pass(40 * time.Second)
		n.counts(grants.KindOverheard, 0) // it may be one of ours that Slack still counts
		n.pass(5 * time.Minute)
		n.counts(grants.KindOverheard, 1)
		if !strings.Contains(n.logs.String(), "somebody else listens with our app token") {
			t.Error("the operator is told nothing")
		}
		n.must(thief.Close())
		n.pass(time.Minute)
		n.slack.DisconnectOne("refresh_requested")
		n.pass(time.Minute)
		if !strings.Contains(n.logs.String(), "nobody else listens with our app token any more") {
			t.Error("the operator is not told that it is over")
		}
		n.counts(grants.KindOverheard, 2) // that it is over is one too
		n.acknowledged(n.types(ada, "/access orders-read 5m checkout is failing"))
	})
}

// listens is another program with our app token. It acknowledges nothing.
func (n *night) listens() *websocket.Conn {
	n.t.Helper()
	r, err := http.NewRequestWithContext(n.t.Context(), http.MethodPost, "http://"+slackAt+"/api/apps.connections.open", nil)
	n.must(err)
	r.Header.Set("Authorization", "Bearer "+n.slack.Config().AppToken)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := n.transport.RoundTrip(r)
	n.must(err)
	defer answer.Body.Close()
	var opened struct {
		URL string `json:"url"`
	}
	n.must(json.NewDecoder(answer.Body).Decode(&opened))
	dialer := websocket.Dialer{NetDialContext: n.network.Dial}
	conn, upgrade, err := dialer.DialContext(n.t.Context(), opened.URL, nil)
	n.must(err)
	_ = upgrade.Body.Close()
	go func() { // until it is closed
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	}()
	return conn
}
