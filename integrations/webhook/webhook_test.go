package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/emulators/memnet"
	"nightlatch/integrations/webhook"
)

const address = "http://hook.test/path-that-is-a-secret"

// serve answers for the host of address.
func serve(t *testing.T, handler http.HandlerFunc) http.RoundTripper {
	t.Helper()
	network := memnet.New()
	listener, err := network.Listen("hook.test:80")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	transport := &http.Transport{DialContext: network.Dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		<-served
		_ = network.Close()
	})
	return transport
}

func TestAPageIsOnePost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got map[string]string
		transport := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if err := json.Unmarshal(body, &got); err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s %s: %s, %v", r.Method, r.Header.Get("Content-Type"), body, err)
			}
		})
		p := webhook.Pager{URL: grants.NewSecret(address), Transport: transport}
		a := grants.Alarm{Key: "nightlatch/a/target/vault/1", Summary: "The target vault does not revoke.", Since: time.Now()}
		if err := p.Page(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if got["text"] != "Nightlatch: The target vault does not revoke." || got["key"] != a.Key || got["over"] != "" {
			t.Errorf("posted %v", got)
		}
		a.Over = time.Now()
		if err := p.Page(t.Context(), a); err != nil || !strings.Contains(got["text"], "over since") || got["over"] == "" {
			t.Errorf("of its end posted %v, %v", got, err)
		}
	})
}

func TestNoErrorNamesTheURL(t *testing.T) {
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    error
	}{
		"refused": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, webhook.ErrRefused},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.test/", http.StatusFound)
		}, webhook.ErrRefused},
		"dropped": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, webhook.ErrUnreachable},
		"silent": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			<-r.Context().Done()
		}, webhook.ErrUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				err := webhook.Pager{URL: grants.NewSecret(address), Transport: serve(t, test.handler)}.Page(ctx, grants.Alarm{})
				if !errors.Is(err, test.want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "hook.test") {
					t.Errorf("%v, want %v without the URL", err, test.want)
				}
			})
		})
	}
}

func TestTheHeartBeatsWhileAllIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var beats atomic.Int32
		var well atomic.Bool
		transport := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if beats.Add(1) == 3 {
				w.WriteHeader(http.StatusInternalServerError)
			}
		})
		var log bytes.Buffer
		h := webhook.Heartbeat{URL: grants.NewSecret(address), Well: well.Load, Transport: transport, Log: slog.New(slog.NewTextHandler(&log, nil))}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		well.Store(true)
		go func() { done <- h.Run(ctx) }()
		time.Sleep(5*time.Minute + time.Second)
		if n := beats.Load(); n != 6 {
			t.Errorf("%d beats in five minutes, want 6", n)
		}
		well.Store(false)
		time.Sleep(5 * time.Minute)
		if n := beats.Load(); n != 6 {
			t.Errorf("%d beats while nothing gets on, want no more than 6", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if strings.Contains(log.String(), "secret") || !strings.Contains(log.String(), "does not arrive") {
			t.Errorf("logged %s", log.String())
		}
	})
}
