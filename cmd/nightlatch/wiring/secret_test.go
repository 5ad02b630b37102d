package wiring_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"nightlatch/integrations/emulators/slackemu"
)

// TestASecretIsSeenOnceAndStaysNowhere issues tokens in every way that there is. That
// nothing of them stays anywhere is checked by play, here as after every other night.
func TestASecretIsSeenOnceAndStaysNowhere(t *testing.T) {
	play(t, plan{}, func(n *night) {
		n.types(ada, "/access orders-read 10m checkout is failing")
		phone := n.reveals(ada)
		n.pass(15 * time.Second)
		laptop := n.reveals(ada)

		n.pass(15 * time.Second)
		n.presses(ada, "reveal")
		n.submits(ada)
		third := n.copies(ada)
		_, err := n.slack.OpenHome(ada)
		n.must(err)
		n.pass(15 * time.Second)
		n.presses(ada, "replace")
		fourth := n.copies(ada)

		n.presses(ada, "more")
		n.fills(ada, map[string]string{"duration": "15m0s", "reason": "still failing over"})
		n.pass(15 * time.Second)
		longer := n.reveals(ada)

		n.types(ada, "/access orders-write 30m replaying what was lost")
		n.presses(ben, "approve")
		n.pass(2 * time.Second)
		n.slack.Inject(slackemu.Fault{Method: "views.update", Error: "internal_error", Times: 1})
		n.presses(ada, "reveal")
		n.pass(15 * time.Second)
		voted := n.reveals(ada)

		tokens := n.issued()
		if len(tokens) != 7 {
			t.Fatalf("%d tokens went into modals, not seven", len(tokens))
		}
		for i, token := range []string{phone, laptop, third, fourth, longer, tokens[5], voted} {
			if tokens[i] != token {
				t.Errorf("token %d is not the one that was shown", i+1)
			}
			n.tokenIs(token, i == 3 || i == 4 || i == 6)
		}
		n.theSearchFinds(tokens)
		n.presses(ada, "return")
		n.pass(2 * time.Minute)
	})
}

// theSearchFinds proves the search on what it should find: the views that showed the
// tokens, and each form of a token that somebody could have written down.
func (n *night) theSearchFinds(tokens []string) {
	n.t.Helper()
	for i, token := range tokens {
		all := needles(token)
		if !slices.ContainsFunc(n.places(), func(p place) bool { return p.view && len(find(all, p.text)) > 0 }) {
			n.t.Errorf("token %d is not found where it was shown", i+1)
		}
		for form, text := range plantings(token) {
			if len(find(all, []byte(text))) == 0 {
				n.t.Errorf("token %d is not found as %s: %s", i+1, form, text)
			}
		}
		if other := tokens[(i+1)%len(tokens)]; len(find(all, []byte(other))) > 0 {
			n.t.Errorf("token %d is found in another one", i+1)
		}
	}
}

// plantings are lines that somebody could have written with a token in them.
func plantings(token string) map[string]string {
	signature := token[strings.LastIndexByte(token, '.')+1:]
	bytes, _ := base64.RawURLEncoding.DecodeString(signature)
	lines := map[string]string{
		"itself":               "level=INFO msg=revealed secret=" + token,
		"its first half":       "secret=" + token[:len(token)-43],
		"its second half":      signature[43:] + "\n",
		"bytes":                string(bytes),
		"hex":                  hex.EncodeToString([]byte("secret=" + token)),
		"HEX":                  strings.ToUpper(hex.EncodeToString([]byte("secret=" + token))),
		"bytes in hex":         hex.EncodeToString(bytes),
		"bytes in HEX":         strings.ToUpper(hex.EncodeToString(bytes)),
		"the other alphabet":   base64.StdEncoding.EncodeToString(bytes),
		"URL-escaped":          escaped(signature, "%%%02x"),
		"URL-ESCAPED":          escaped(signature, "%%%02X"),
		"JSON-escaped":         escaped(signature, `\u%04x`),
		"JSON-ESCAPED":         escaped(signature, `\u%04X`),
		"another base64":       base64.URLEncoding.EncodeToString([]byte("x" + token + "x")),
		"base64 of half of it": base64.StdEncoding.EncodeToString([]byte("x" + signature[43:])),
	}
	for offset := range 3 {
		text := strings.Repeat("x", offset) + token + "x"
		lines[fmt.Sprintf("base64 at offset %d", offset)] = base64.StdEncoding.EncodeToString([]byte(text))
	}
	return lines
}

func escaped(text, format string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&b, format, c)
	}
	return b.String()
}
