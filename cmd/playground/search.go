package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"strings"

	"nightlatch/integrations/emulators/slackemu"
)

// findsSecretsOnlyIn checks that each secret came to Slack once, in the view that its owner saw, and went nowhere else.
func findsSecretsOnlyIn(owner person) act {
	return func(ctx context.Context, n *night) error {
		pieces, err := n.slack.received(ctx)
		if err != nil {
			return err
		}
		for _, secret := range n.secrets {
			var found []string
			ok := false
			for _, p := range pieces {
				if contains(p.Bytes, secret) {
					found = append(found, fmt.Sprintf("%s of kind %s for %q", p.Method, p.Kind, p.Person))
					ok = p.Kind == slackemu.KindView && p.Person == string(owner)
				}
			}
			if !ok || len(found) != 1 {
				return &difference{
					expected: "each secret is in one view of " + owner.first() + "'s and in nothing else that Slack was sent",
					seen:     fmt.Sprintf("%q", found),
				}
			}
		}
		n.fact("%d secrets in everything that Slack was sent: each once, in the window that %s saw.", len(n.secrets), owner.first())
		if err := n.nothingLeft(); err != nil {
			return err
		}
		n.fact("In the log and in the ledger's file: nothing.")
		return nil
	}
}

// nothingLeft checks that no secret is in what the program leaves on this machine.
func (n *night) nothingLeft() error {
	ledger, err := os.ReadFile(n.settings.Ledger)
	if err != nil {
		return fmt.Errorf("reading the ledger's file: %w", err)
	}
	for _, secret := range n.secrets {
		for where, data := range map[string][]byte{"the log": n.program.log.bytes(), "the ledger's file": ledger} {
			if contains(data, secret) {
				return &difference{expected: "no secret is in " + where, seen: "one is"}
			}
		}
	}
	return nil
}

// contains looks for a token's signature, the part that makes it worth something, in every spelling in which it may
// have been written down: as it is, in base64 at each offset, in hexadecimal, and escaped for a URL or for JSON.
func contains(data []byte, token string) bool {
	signature := []byte(token[strings.LastIndex(token, ".")+1:])
	spellings := [][]byte{
		signature,
		[]byte(hex.EncodeToString(signature)),
		[]byte(strings.ToUpper(hex.EncodeToString(signature))),
		[]byte(url.QueryEscape(string(signature))),
		[]byte(strings.ReplaceAll(string(signature), "-", `\u002d`)),
	}
	for offset := range 3 {
		// What stands before shifts the bits; the first and the last characters mix with the neighbours.
		for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			shifted := e.EncodeToString(append(make([]byte, offset), signature...))
			spellings = append(spellings, []byte(shifted[4:len(shifted)-4]))
		}
	}
	for _, s := range spellings {
		if bytes.Contains(data, s) {
			return true
		}
	}
	return false
}
