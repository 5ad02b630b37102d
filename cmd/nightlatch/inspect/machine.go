package inspect

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"nightlatch/integrations/token"
)

// What a machine must have left.
const (
	leastSpace   = 256 << 20           // bytes for the ledger, which is 16 MiB at birth
	renewAhead   = 14 * 24 * time.Hour // of a certificate's end
	doorPatience = 5 * time.Second
)

// machine looks at this machine's files and its listener.
func (i Inspector) machine(ctx context.Context, f *findings) {
	i.ledger(f)
	i.key(f)
	i.certificate(f)
	i.door(ctx, f)
}

// ledger looks whether it can be written, without opening it: a running bot owns it.
func (i Inspector) ledger(f *findings) {
	const key = "ledger.path"
	path := i.Config.Ledger.Path
	if err := writable(path); err != nil {
		f.problem(key, "%v; make its directory for the bot's user alone: install -d -m 0700 -o USER %s", err, filepath.Dir(path))
		return
	}
	switch free, err := freeSpace(filepath.Dir(path)); {
	case err != nil:
		f.ok(key, "can be written; how much space is left could not be seen: %v", err)
	case free < leastSpace:
		f.problem(key, "has %d MiB of its disk left, and without any nothing can be recorded; free some", free>>20)
	default:
		f.ok(key, "can be written, and has %d MiB of its disk left", free>>20)
	}
}

// writable reports why a file cannot be written or made. It leaves nothing behind.
func writable(path string) error {
	existing, err := os.OpenFile(path, os.O_RDWR, 0)
	if err == nil {
		return existing.Close()
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	tried, err := os.CreateTemp(filepath.Dir(path), ".nightlatch-check-*")
	if err != nil {
		return err
	}
	return errors.Join(tried.Close(), os.Remove(tried.Name()))
}

// key looks at the signing key, which the first start makes.
func (i Inspector) key(f *findings) {
	const key = "token.key_file"
	path := i.Config.Token.KeyFile
	_, err := token.LoadKey(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := writable(path); err != nil {
			f.problem(key, "is not there and cannot be made: %v", err)
			return
		}
		f.ok(key, "is made by the first start")
	case err != nil:
		f.problem(key, "%v", err)
	default:
		f.ok(key, "is there")
	}
}

// certificate looks at what the listener shows.
func (i Inspector) certificate(f *findings) {
	files := i.Config.HTTP.TLS
	if !files.Any() {
		return
	}
	const key = "http.tls.certificate"
	loaded, err := token.LoadTLS(token.TLSFiles{Certificate: files.Certificate, Key: files.Key, ClientCA: files.ClientCA})
	if err != nil {
		f.problem("http.tls", "%v", err)
		return
	}
	leaf, err := x509.ParseCertificate(loaded.Certificates[0].Certificate[0])
	if err != nil {
		f.problem(key, "%v", err)
		return
	}
	until := leaf.NotAfter.UTC().Format(time.DateOnly)
	outside, _ := url.Parse(i.Config.HTTP.URL)
	switch left := time.Until(leaf.NotAfter); {
	case left <= 0:
		f.problem(key, "was valid until %s: every service is refused; renew it and start the bot again", until)
	case time.Now().Before(leaf.NotBefore):
		f.problem(key, "is valid only from %s; see the clock", leaf.NotBefore.UTC().Format(time.DateOnly))
	case outside != nil && leaf.VerifyHostname(outside.Hostname()) != nil:
		f.note(key, "is not for %s, the host of http.url: right behind a proxy that has a certificate of its own, wrong otherwise", outside.Hostname())
	case left < renewAhead:
		f.note(key, "is valid until %s; renew it, and start the bot again", until)
	default:
		f.ok(key, "is valid until %s", until)
	}
}

// door asks at http.url. While the bot does not run, nobody answers there.
func (i Inspector) door(ctx context.Context, f *findings) {
	const key = "http.url"
	ctx, cancel := context.WithTimeout(ctx, doorPatience)
	defer cancel()
	switch err := i.healthy(ctx); {
	case err != nil:
		f.note(key, "does not answer from here (%v), as it should be while the bot does not run", err)
	default:
		f.ok(key, "answers from here")
	}
}

func (i Inspector) healthy(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, i.Config.HTTP.URL+"/healthz", nil)
	if err != nil {
		return err
	}
	client := &http.Client{
		Transport:     i.Web,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		if outer, ok := errors.AsType[*url.Error](err); ok {
			err = outer.Err
		}
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return nil
}
