package wiring_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/slackemu"
)

// needle is a part of a secret in one of the forms that it could lie around in.
type needle struct {
	form string
	text []byte
}

// needles are the forms of a token's signature, which alone makes it work. It is cut in
// four, so that a part of it is found too; each part has more than a hundred bits.
func needles(token string) []needle {
	signature := token[strings.LastIndexByte(token, '.')+1:]
	var all []needle
	for part := range slices.Chunk([]byte(signature), 22) {
		all = append(all, needle{"raw", part})
		if other := standard(part); !bytes.Equal(other, part) {
			all = append(all, needle{"the other alphabet", other})
		}
		all = append(all, escapes(part)...)
		all = append(all, base64s(part)...)
	}
	if raw, err := base64.RawURLEncoding.DecodeString(signature); err == nil {
		for part := range slices.Chunk(raw, 16) {
			lower := []byte(hex.EncodeToString(part))
			all = append(all, needle{"bytes", part}, needle{"bytes in hex", lower}, needle{"bytes in HEX", bytes.ToUpper(lower)})
		}
	}
	return slices.DeleteFunc(all, func(n needle) bool { return len(n.text) < 12 }) // of the last, shorter part
}

// standard is base64url in the other alphabet.
func standard(part []byte) []byte {
	return []byte(strings.NewReplacer("-", "+", "_", "/").Replace(string(part)))
}

// escapes writes each character as a number, as hex, URLs and JSON do.
func escapes(part []byte) []needle {
	var plain, upper, url, urlUpper, jsonLower, jsonUpper []byte
	for _, c := range part {
		plain = fmt.Appendf(plain, "%02x", c)
		upper = fmt.Appendf(upper, "%02X", c)
		url = fmt.Appendf(url, "%%%02x", c)
		urlUpper = fmt.Appendf(urlUpper, "%%%02X", c)
		jsonLower = fmt.Appendf(jsonLower, `\u%04x`, c)
		jsonUpper = fmt.Appendf(jsonUpper, `\u%04X`, c)
	}
	return []needle{
		{"hex", plain},
		{"HEX", upper},
		{"URL-escaped", url},
		{"URL-ESCAPED", urlUpper},
		{"JSON-escaped", jsonLower},
		{"JSON-ESCAPED", jsonUpper},
	}
}

// base64s are what stays of a part in the base64 of something longer, which may begin at
// three offsets. Characters that also depend on the neighbours are left out.
func base64s(part []byte) []needle {
	var all []needle
	for offset := range 3 {
		padded := append(make([]byte, offset), part...)
		first, last := (8*offset+5)/6, 8*len(padded)/6
		for name, encoding := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			all = append(all, needle{fmt.Sprintf("%s at offset %d", name, offset), []byte(encoding.EncodeToString(padded)[first:last])})
		}
	}
	return all
}

// find lists the forms in which a token lies in a text.
func find(all []needle, in []byte) []string {
	var forms []string
	for _, n := range all {
		if bytes.Contains(in, n.text) && !slices.Contains(forms, n.form) {
			forms = append(forms, n.form)
		}
	}
	return forms
}

// place is something that outlives a night, or that others can read.
type place struct {
	name string
	view bool
	text []byte
}

// places are all of them: every byte that Slack was sent, what everybody has before their
// eyes, the log, and each file of the data directory.
func (n *night) places() []place {
	n.t.Helper()
	all := []place{{name: "the log", text: []byte(n.logs.String())}}
	for i, p := range n.slack.Received() {
		all = append(all, place{fmt.Sprintf("piece %d, %s (%s)", i, p.Method, p.Kind), p.Kind == slackemu.KindView, p.Bytes})
	}
	for _, user := range []string{ada, ben, cat, dan, lou, boss, gus, eve, rob} {
		screen, err := json.Marshal(n.slack.SeenBy(user))
		n.must(err)
		all = append(all, place{name: "the screen of " + user, text: screen})
	}
	n.must(filepath.WalkDir(n.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all = append(all, place{name: path, text: used(data)})
		return err
	}))
	return all
}

// issued are the tokens, and the passwords of logins, that left for a modal, in order.
func (n *night) issued() []string {
	var secrets []string
	for _, p := range n.views() {
		found := aToken.FindAllString(string(p.Bytes), -1)
		for _, login := range aLogin.FindAllStringSubmatch(string(p.Bytes), -1) {
			found = append(found, login[1])
		}
		for _, secret := range found {
			if !slices.Contains(secrets, secret) {
				secrets = append(secrets, secret)
			}
		}
	}
	return secrets
}

// secretsStayNowhere searches every place for every token that was issued, and for what
// opens Slack, PagerDuty and the door. Each token lies in the one view that was to show it.
func (n *night) secretsStayNowhere() {
	n.t.Helper()
	places, tokens := n.places(), n.issued()
	if live := len(n.book().of(grants.KindLive)); live != len(tokens) {
		n.t.Errorf("%d tokens were made, and %d went into modals", live, len(tokens))
	}
	for i, token := range tokens {
		all, shown := needles(token), 0
		for _, p := range places {
			forms := find(all, p.text)
			switch {
			case len(forms) == 0:
			case p.view && slices.Equal(forms, []string{"raw"}):
				shown++
			default:
				n.t.Errorf("token %d lies in %s: %s", i+1, p.name, strings.Join(forms, ", "))
			}
		}
		if shown != 1 {
			n.t.Errorf("token %d lies in %d views, not in one", i+1, shown)
		}
	}
	for what, secret := range map[string]string{
		"app token": n.slack.Config().AppToken, "PagerDuty key": n.pager.Config().Key,
		"door's secret": callerSecret, "address of a response": "/response/",
	} {
		for _, p := range places {
			if bytes.Contains(p.text, []byte(secret)) {
				n.t.Errorf("the %s lies in %s", what, p.name)
			}
		}
	}
	if strings.Contains(n.logs.String(), n.slack.Config().BotToken) { // in Slack's forms it has its place
		n.t.Error("the bot token lies in the log")
	}
}
