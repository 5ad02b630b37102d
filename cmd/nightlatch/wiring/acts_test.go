package wiring_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"nightlatch/integrations/emulators/slackemu"
)

// types has a person run a command in the channel, and waits a second.
func (n *night) types(user, line string) *slackemu.Act {
	n.t.Helper()
	act, err := n.slack.RunCommand(user, channel, line)
	n.must(err)
	n.pass(time.Second)
	return act
}

// presses has a person press the newest button of an action that they see, and waits a second.
func (n *night) presses(user, action string) *slackemu.Act {
	n.t.Helper()
	return n.pressesOn(user, "", action)
}

// pressesOn has a person press a button of one grant, and waits a second.
func (n *night) pressesOn(user, grant, action string) *slackemu.Act {
	n.t.Helper()
	act, err := n.slack.Press(user, slackemu.Find{ActionID: action, Value: grant})
	if err != nil {
		n.t.Fatalf("%v\n%s sees\n%s", err, user, n.slack.SeenBy(user).Text())
	}
	n.pass(time.Second)
	return act
}

// submits has a person submit the modal that they see, and waits two seconds.
func (n *night) submits(user string) *slackemu.Act {
	n.t.Helper()
	act, err := n.slack.Submit(user, nil)
	n.must(err)
	n.pass(2 * time.Second)
	return act
}

// reads checks that a person has all of these before their eyes.
func (n *night) reads(user string, texts ...string) {
	n.t.Helper()
	screen := n.slack.SeenBy(user).Text()
	for _, text := range texts {
		if !strings.Contains(screen, text) {
			n.t.Errorf("%s does not read %q but\n%s", user, text, screen)
		}
	}
}

// misread reports whether a person reads a text that should not be there.
func (n *night) misread(user, text string) bool {
	return strings.Contains(n.slack.SeenBy(user).Text(), text)
}

// modal is what the modal of a person says, or nothing.
func (n *night) modal(user string) string {
	if m := n.slack.SeenBy(user).Modal; m != nil {
		return m.Visible()
	}
	return ""
}

// hasButton reports whether a person sees a button of an action anywhere.
func (n *night) hasButton(user, action string) bool {
	_, ok := n.slack.SeenBy(user).Find(slackemu.Find{ActionID: action})
	return ok
}

// buttonsAre checks which buttons a person sees and which not; "-" before an action denies it.
func (n *night) buttonsAre(user string, actions ...string) {
	n.t.Helper()
	for _, action := range actions {
		name, denied := strings.CutPrefix(action, "-")
		if n.hasButton(user, name) == denied {
			n.t.Errorf("%s: the button %s is wrong; they see\n%s", user, action, n.slack.SeenBy(user).Text())
		}
	}
}

// aToken is what a JSON Web Token looks like.
var aToken = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{86}`)

// reveals has a person press Reveal and copy the token out of the modal.
func (n *night) reveals(user string) string {
	n.t.Helper()
	n.presses(user, "reveal")
	return n.copies(user)
}

// copies takes the token out of a person's modal.
func (n *night) copies(user string) string {
	n.t.Helper()
	token := aToken.FindString(n.modal(user))
	if token == "" {
		n.t.Fatalf("%s is shown no token but %q; they see\n%s\nlog:\n%s", user, n.modal(user), n.slack.SeenBy(user).Text(), n.logs.String())
	}
	return token
}

// shownNothing checks that a person's modal shows no token, and says why.
func (n *night) shownNothing(user, why string) {
	n.t.Helper()
	if text := n.modal(user); aToken.MatchString(text) || !strings.Contains(text, why) {
		n.t.Errorf("%s should read %q in the modal, and reads %q", user, why, text)
	}
}

// works asks the door about a token, as the service does that got it.
func (n *night) works(token string) bool {
	n.t.Helper()
	form := url.Values{"token": {token}}.Encode()
	r, err := http.NewRequestWithContext(n.t.Context(), http.MethodPost, "http://"+doorAt+"/introspect", strings.NewReader(form))
	n.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(caller, callerSecret)
	answer, err := n.transport.RoundTrip(r)
	n.must(err)
	defer answer.Body.Close()
	var found struct {
		Active *bool `json:"active"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&found); err != nil || found.Active == nil || answer.StatusCode != http.StatusOK {
		n.t.Fatalf("the door answers %s, which is no introspection (%v)", answer.Status, err)
	}
	return *found.Active
}

// tokenIs checks what the door says of a token.
func (n *night) tokenIs(token string, active bool) {
	n.t.Helper()
	if n.works(token) != active {
		n.t.Errorf("%s into the night the token's active is %t", time.Since(n.began), !active)
	}
}

// acknowledged checks that Slack had its acknowledgement in time.
func (n *night) acknowledged(acts ...*slackemu.Act) {
	n.t.Helper()
	for _, act := range acts {
		if out := act.Outcome(); !out.Acknowledged {
			n.t.Errorf("%s of %s was not acknowledged: %q", act.Kind, act.User, out.Warning)
		}
	}
}

// calls counts what was called of one of Slack's methods.
func (n *night) calls(method string) int {
	count := 0
	for _, p := range n.slack.Received() {
		if p.Method == method {
			count++
		}
	}
	return count
}
