package deploy_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// secrets are no secrets; they only look right.
var secrets = map[string]string{"slack-app": "xapp-1-example", "slack-bot": "xoxb-example", "pagerduty": "u+example"}

// silent is a configuration whose Slack and PagerDuty do not answer, with TLS.
const silent = `environment: playground
ledger: {path: /var/lib/nightlatch/ledger.db}
slack: {api_url: "http://127.0.0.1:1/api/", team: T0NIGHT}
pagerduty: {api_url: "http://127.0.0.1:1"}
http:
  listen: "127.0.0.1:0"
  url: https://localhost
  tls: {certificate: /etc/nightlatch/tls/tls.crt, key: /etc/nightlatch/tls/tls.key}
token: {key_file: /var/lib/nightlatch/token.pem}
roles: [{name: read, on_call: [{policy: PABC123}], automatic: on_call, max: 4h, audience: api, scopes: [read]}]
`

// mount puts files there as Kubernetes does for fsGroup: they are root's, and the group may read.
func (img image) mount(t *testing.T, name string, data []byte, mode fs.FileMode) {
	t.Helper()
	p := filepath.Join(img.root, name)
	write(t, p, data, mode)
	if err := os.Chown(p, 0, img.gid); err != nil {
		t.Fatal(err)
	}
}

// TestImageFromTheInside runs what the Dockerfile makes, with nothing around it but what
// deploy/kubernetes.yaml mounts.
func TestImageFromTheInside(t *testing.T) {
	img := buildImage(t)
	m := kubernetes(t)
	env := m.env()
	for name, value := range secrets {
		img.mount(t, filepath.Join("/etc/nightlatch/secrets", name), []byte(value+"\n"), 0o440)
	}
	img.mount(t, "/etc/nightlatch/config/nightlatch.yaml", []byte(m.config()), 0o644)

	t.Run("version", func(t *testing.T) {
		out, errs, err := img.run(t, env, "version")
		if err != nil || !strings.HasPrefix(out, "nightlatch ") {
			t.Errorf("%v: %s%s", err, out, errs)
		}
	})
	t.Run("check", func(t *testing.T) {
		out, errs, err := img.run(t, env, "check", "--config", "/etc/nightlatch/config/nightlatch.yaml")
		if err != nil || !strings.HasPrefix(out, "ok: ") {
			t.Errorf("%v: %s%s", err, out, errs)
		}
	})
	t.Run("serve", func(t *testing.T) {
		cert, key := certificate(t)
		img.mount(t, "/etc/nightlatch/silent.yaml", []byte(silent), 0o644)
		img.mount(t, "/etc/nightlatch/tls/tls.crt", cert, 0o440)
		img.mount(t, "/etc/nightlatch/tls/tls.key", key, 0o440)
		img.serves(t, env, cert)
		img.serves(t, env, cert) // what the first start left is what the second one accepts
		info, err := os.Stat(filepath.Join(img.root, "/var/lib/nightlatch/token.pem"))
		if err != nil {
			t.Fatal(err)
		}
		if stat := info.Sys().(*syscall.Stat_t); info.Mode() != 0o600 || int(stat.Uid) != img.uid {
			t.Errorf("the signing key has mode %v and is of %d", info.Mode(), stat.Uid)
		}
	})
	t.Run("a door's key for all", func(t *testing.T) {
		_, key := certificate(t)
		img.mount(t, "/etc/nightlatch/tls/tls.key", key, 0o444)
		_, errs, err := img.run(t, env, "serve", "--config", "/etc/nightlatch/silent.yaml")
		if err == nil || !strings.Contains(errs, "has mode 0444, so others than its owner can use it") {
			t.Errorf("%v: %s", err, errs)
		}
	})
	t.Run("a signing key for the group", func(t *testing.T) {
		if err := os.Chmod(filepath.Join(img.root, "/var/lib/nightlatch/token.pem"), 0o660); err != nil {
			t.Fatal(err)
		}
		_, errs, err := img.run(t, env, "serve", "--config", "/etc/nightlatch/silent.yaml")
		if err == nil || !strings.Contains(errs, "token.pem has mode 0660") {
			t.Errorf("%v: %s", err, errs)
		}
	})
}

var listening = regexp.MustCompile(`msg=serving .*http=(\S+)`)

// serves starts the program, asks how it is as a probe does, and stops it.
func (img image) serves(t *testing.T, env []string, cert []byte) {
	t.Helper()
	cmd := img.command(t, env, "serve", "--config", "/etc/nightlatch/silent.yaml")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	lines := bufio.NewScanner(io.TeeReader(stderr, &log))
	address := ""
	for address == "" && lines.Scan() {
		if match := listening.FindStringSubmatch(lines.Text()); match != nil {
			address = match[1]
		}
	}
	if address != "" {
		probe(t, address, cert)
		img.hears(t, env)
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	}
	for lines.Scan() {
	}
	if err := cmd.Wait(); err != nil || address == "" {
		t.Fatalf("%v\n%s", err, log.String())
	}
}

// hears asks the running program as somebody who was let into the container.
func (img image) hears(t *testing.T, env []string) {
	t.Helper()
	out, errs, err := img.run(t, env, "grants", "--config", "/etc/nightlatch/silent.yaml")
	if err != nil || !strings.HasPrefix(out, "GRANT ") {
		t.Errorf("%v: %s%s", err, out, errs)
	}
	_, errs, err = img.run(t, env, "people", "freeze", "U0ADA", "because", "--socket", "/var/lib/nightlatch/operator.sock")
	if want := fmt.Sprintf("nightlatch: uid %d may only read\n", img.uid); err == nil || !strings.HasPrefix(errs, want) {
		t.Errorf("%v: %s", err, errs)
	}
}

func probe(t *testing.T, address string, cert []byte) {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+"/healthz", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		t.Errorf("probing: %v", err)
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("/healthz answers %s", answer.Status)
	}
}

// certificate makes one for this machine's loopback.
func certificate(t *testing.T) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
}
