package deaths_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/slackemu"
)

// Times of people. pause is between two looks at a screen.
const (
	pause   = 4 * time.Millisecond
	quickly = 1200 * time.Millisecond // an acknowledged press that did nothing by then is repeated
	longest = 40 * time.Second        // no step of a night takes this long
)

// promise is something that was acknowledged, and so must stand in the log.
type promise struct {
	kind   grants.Kind
	grant  string
	person string
}

// press is what somebody does, over and over until they see that it worked.
type press struct {
	what string
	done func() bool                   // they see it
	act  func() (*slackemu.Act, error) // nil: there is nothing to do but wait
	took func(payload json.RawMessage) // what an acknowledgement promises
}

// insist does a press until it worked. A program that died is started again, and what nobody
// acknowledged is done once more.
func (n *night) insist(p press) {
	n.t.Helper()
	var act *slackemu.Act // that is under way
	var acted time.Time
	for limit := time.Now().Add(longest); ; <-time.After(pause) {
		if time.Now().After(limit) {
			n.fatal("%s did not happen", p.what)
		}
		if !n.program.alive() {
			n.parted() // so that the last acknowledgement was read
			if act != nil && settled(act) {
				p.taken(act)
			}
			n.start(plainly)
			act = nil
		}
		if act != nil && settled(act) {
			if act.Outcome().Acknowledged && time.Since(acted) < quickly && !p.done() {
				continue
			}
			p.taken(act)
			act = nil
		}
		if act == nil && p.done() {
			return
		}
		if act != nil || p.act == nil {
			continue
		}
		var err error
		act, err = p.act()
		acted = time.Now()
		if err != nil && !errors.Is(err, slackemu.ErrUnseen) { // it may appear yet
			n.fatal("%s: %v", p.what, err)
		}
	}
}

// settled reports whether an act's outcome is known.
func settled(act *slackemu.Act) bool {
	select {
	case <-act.Done():
		return true
	default:
		return false
	}
}

// taken keeps what the acknowledgement of an act promises.
func (p press) taken(act *slackemu.Act) {
	if o := act.Outcome(); o.Acknowledged && p.took != nil {
		p.took(o.Payload)
	}
}

// keeps remembers a promise once.
func (n *night) keeps(p promise) {
	if !slices.Contains(n.promised, p) {
		n.promised = append(n.promised, p)
	}
}

// requestID is a request or grant as its footer names it.
var requestID = regexp.MustCompile(`\b(?:Request|Grant) ([0-9a-hjkmnp-tv-z]{26})\b`)

// asks has somebody ask for a role and returns the ID of the grant.
func (n *night) asks(who, role string) string {
	n.t.Helper()
	known := n.theirs(who)
	fresh := func() string {
		for _, id := range n.theirs(who) {
			if !slices.Contains(known, id) && n.waits(who, id) {
				return id
			}
		}
		return ""
	}
	n.insist(press{
		what: who + " asks for " + role,
		done: func() bool { return fresh() != "" },
		act: func() (*slackemu.Act, error) {
			return n.slack.RunCommand(who, channel, "/access "+role+" 1h checkout is failing")
		},
		took: func(payload json.RawMessage) {
			if bytes.Contains(payload, []byte("is recorded")) {
				n.asked++
			}
		},
	})
	return fresh()
}

// theirs lists the grants that somebody's own messages name.
func (n *night) theirs(who string) []string {
	var ids []string
	s := n.slack.SeenBy(who)
	for _, m := range slices.Concat(s.Messages, s.Ephemerals) {
		if isCard(m) { // it is about anybody
			continue
		}
		for _, found := range requestID.FindAllStringSubmatch(m.Visible(), -1) {
			if !slices.Contains(ids, found[1]) {
				ids = append(ids, found[1])
			}
		}
	}
	return ids
}

// newest is the last message about a grant: a card, or what its person was told.
func (n *night) newest(who, grant string, card bool) (last slackemu.Message, ok bool) {
	s := n.slack.SeenBy(who)
	for _, m := range slices.Concat(s.Messages, s.Ephemerals) {
		text := m.Visible()
		besides := strings.Contains(text, "used after its end") || strings.Contains(text, grant+", extension")
		if isCard(m) == card && m.TS > last.TS && strings.Contains(text, grant) && !besides {
			last, ok = m, true
		}
	}
	return last, ok
}

// waits reports whether somebody's verdict has buttons: it is decided, or waits for a yes.
func (n *night) waits(who, grant string) bool {
	m, ok := n.newest(who, grant, false)
	return ok && len(m.Buttons) > 0
}

// offers reports whether the newest message about a grant has a button.
func (n *night) offers(who, grant, action string, card bool) bool {
	m, _ := n.newest(who, grant, card)
	return slices.ContainsFunc(m.Buttons, func(b slackemu.Button) bool { return b.ActionID == action })
}

// button presses a button of a grant.
func (n *night) button(who, grant, action string) func() (*slackemu.Act, error) {
	return func() (*slackemu.Act, error) {
		return n.slack.Press(who, slackemu.Find{ActionID: action, Value: grant})
	}
}

// approves has somebody say yes to a request, and waits until it is open.
func (n *night) approves(who, owner, grant string) {
	n.t.Helper()
	n.insist(press{
		what: who + " approves",
		done: func() bool { return n.offers(owner, grant, "reveal", false) && n.offers(who, grant, "revoke", true) },
		act:  n.button(who, grant, "approve"),
		took: func(json.RawMessage) { n.keeps(promise{grants.KindVoted, grant, who}) },
	})
}

// reveals has somebody press Reveal until they have a secret, which they copy and whose window they close.
func (n *night) reveals(who, grant string) string {
	n.t.Helper()
	token := ""
	copied := func() bool { // at once: a program that is told to stop blanks what it shows
		if m := n.slack.SeenBy(who).Modal; m != nil && token == "" {
			token = aToken.FindString(m.Visible())
		}
		return token != ""
	}
	pressed, life := time.Time{}, 0
	n.insist(press{
		what: who + " reveals",
		done: copied,
		act: func() (*slackemu.Act, error) {
			if m := n.slack.SeenBy(who).Modal; m != nil && m.Title == "One moment" && life == n.lives && time.Since(pressed) < longest/4 {
				return nil, fmt.Errorf("waiting for a secret: %w", slackemu.ErrUnseen)
			}
			_, _ = n.slack.CloseView(who) // of an earlier try, if there was one
			pressed, life = time.Now(), n.lives
			return n.button(who, grant, "reveal")()
		},
	})
	n.kept[token] = grant
	if _, err := n.slack.CloseView(who); err != nil {
		n.fatal("closing the window of a secret: %v", err)
	}
	if !n.active(token) {
		n.t.Errorf("%s has a secret that does not work", who)
	}
	return token
}

// ends has somebody end a grant by a button, and waits until its person is told. From the
// acknowledgement on, none of its secrets works.
func (n *night) ends(who, owner, grant, action string) {
	n.t.Helper()
	n.fates[grant] = ending
	n.insist(press{
		what: who + " presses " + action,
		done: func() bool { return !n.waits(owner, grant) },
		act:  n.button(who, grant, action),
		took: func(json.RawMessage) { n.keeps(promise{grants.KindClosing, grant, who}) },
	})
	n.over(grant)
}

// fate is what people know of a grant.
type fate int

const (
	open   fate = iota
	ending      // somebody ends it, and nobody answered yet
	over
)

// over checks that none of the secrets of a grant works, now and in every life to come.
func (n *night) over(grant string) {
	n.t.Helper()
	n.fates[grant] = over
	n.remembered()
}

// remembered checks, in each life, that the secrets that people have work as long as their grants are open, that
// none works after its end, and that services know the key by which they are checked.
func (n *night) remembered() {
	n.t.Helper()
	for token, grant := range n.kept {
		fate := n.fates[grant]
		if is := n.active(token); fate != ending && is == (fate == over) {
			n.t.Errorf("in life %d, a secret works: %t, and its grant is over: %t", n.lives, is, fate == over)
		}
		if !n.published(token) {
			n.t.Errorf("in life %d, nobody can check a secret that was given out before", n.lives)
		}
	}
}

// published reports whether the keys that the program publishes have the one of a token. A program that
// dies meanwhile is not to blame.
func (n *night) published(token string) bool {
	header, err := base64.RawURLEncoding.DecodeString(token[:strings.IndexByte(token, '.')])
	if err != nil {
		n.fatal("reading the header of a token: %v", err)
	}
	var key struct {
		ID string `json:"kid"`
	}
	if err := json.Unmarshal(header, &key); err != nil || key.ID == "" {
		n.fatal("a token names no key: %v", err)
	}
	for n.program.alive() {
		if answer, err := n.client.Get(n.door + "/.well-known/jwks.json"); err == nil {
			defer answer.Body.Close()
			keys, err := io.ReadAll(answer.Body)
			return err != nil || bytes.Contains(keys, []byte(`"`+key.ID+`"`))
		}
		<-time.After(pause)
	}
	return true
}

// active asks the program about a token, as the orders API does. If it dies, it is started again
// and asked again.
func (n *night) active(token string) bool {
	n.t.Helper()
	var is bool
	var err error
	n.await("whether a token is active", func() bool {
		if !n.program.alive() {
			n.start(plainly)
		}
		if is, err = n.introspect(token); err != nil {
			n.silence = err.Error()
		}
		return err == nil
	})
	return is
}

func (n *night) introspect(token string) (bool, error) {
	form := url.Values{"token": {token}}.Encode()
	r, err := http.NewRequestWithContext(n.t.Context(), http.MethodPost, n.door+"/introspect", strings.NewReader(form))
	if err != nil {
		return false, err
	}
	r.SetBasicAuth(caller, n.secret)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := n.client.Do(r)
	if err != nil {
		return false, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return false, fmt.Errorf("introspection answers %s", answer.Status)
	}
	var found struct {
		Active bool `json:"active"`
	}
	err = json.NewDecoder(answer.Body).Decode(&found)
	return found.Active, err
}
