package token

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// playground is the environment whose secrets everybody knows.
const playground = "playground"

// ListenRule refuses an address on which tokens would cross a network in clear text: without TLS it must be
// loopback. The playground is always on loopback, because its secrets are public.
func ListenRule(addr string, encrypted bool, environment string) error {
	host, _, err := net.SplitHostPort(addr)
	switch {
	case err != nil:
		return fmt.Errorf("reading the listener's address %q: %w", addr, err)
	case loopback(host):
		return nil
	case environment == playground:
		return fmt.Errorf("the listener's address %q is not loopback, and the playground listens nowhere else; use 127.0.0.1", addr)
	case !encrypted:
		return fmt.Errorf("the listener's address %q is not loopback, and there is no TLS; use 127.0.0.1, or configure a certificate and its key", addr)
	}
	return nil
}

// URLRule checks the URL that tokens name as their issuer: https, or http on loopback, where nothing crosses a network,
// with nothing after the host, not even a slash.
func URLRule(raw string) error {
	u, err := parseURL(raw)
	if err != nil {
		return err
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return fmt.Errorf("the tokens' URL %q is not https; http is for loopback, such as http://127.0.0.1:8321", raw)
	}
	return nil
}

// parseURL accepts scheme and host alone, so that verifiers who compare strings find them equal.
func parseURL(raw string) (*url.URL, error) {
	const wanted = "is not just https:// and a host, such as https://nightlatch.example.com"
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("the tokens' URL " + wanted) // the parser's error would show a password in it
	}
	if u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || raw != u.Scheme+"://"+u.Host {
		return nil, fmt.Errorf("the tokens' URL %q %s", u.Redacted(), wanted)
	}
	return u, nil
}

func loopback(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}
