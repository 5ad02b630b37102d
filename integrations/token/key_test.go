package token_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nightlatch/integrations/token"
)

// keyFileEnv makes the test binary load or create that key file, print its ID and end.
const keyFileEnv = "NIGHTLATCH_TEST_KEY_FILE"

func TestMain(m *testing.M) {
	path := os.Getenv(keyFileEnv)
	if path == "" {
		os.Exit(m.Run())
	}
	key, err := token.LoadOrCreateKey(path)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(key.ID())
}

func TestKeyIsMadeOnceAndReadAgain(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "token.pem")
	made, err := token.LoadOrCreateKey(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("the key file has mode %v", info.Mode())
	}
	for range 2 {
		read, err := token.LoadOrCreateKey(path)
		if err != nil {
			t.Fatal(err)
		}
		if read.ID() != made.ID() {
			t.Errorf("read %v, made %v", read, made)
		}
	}
	onlyFile(t, dir, "token.pem")
}

// onlyFile checks that nothing else lies in a directory, such as a copy of a key.
func onlyFile(t *testing.T, dir, name string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff([]string{name}, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestProcessesThatStartAtOnceShareOneKey(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		dir := t.TempDir()
		var (
			wg  sync.WaitGroup
			ids [4]string
		)
		for i := range ids {
			wg.Go(func() {
				cmd := exec.CommandContext(t.Context(), self)
				cmd.Env = append(os.Environ(), keyFileEnv+"="+filepath.Join(dir, "token.pem"))
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Errorf("process %d: %v: %s", i, err, out)
				}
				ids[i] = string(out)
			})
		}
		wg.Wait()
		for _, id := range ids {
			if id != ids[0] {
				t.Fatalf("the processes have the keys %q", ids)
			}
		}
		onlyFile(t, dir, "token.pem")
	}
}

func TestKeyFilesThatAreRefused(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const business = "not a key, and yet nobody's business"
	for _, test := range []struct {
		name  string
		write func(path string)
		want  string // %[1]s is the path
	}{
		{"readable by the group", func(p string) { writeKey(t, p, newPrivate(t), 0o640) }, "mode 0640, so others than its owner can use it; run: chmod 600 %[1]s"},
		{"readable by all", func(p string) { writeKey(t, p, newPrivate(t), 0o604) }, "mode 0604, so others than its owner can use it; run: chmod 600 %[1]s"},
		{"writable by the group", func(p string) { writeKey(t, p, newPrivate(t), 0o620) }, "mode 0620"},
		{"a directory", func(p string) { _ = os.Mkdir(p, 0o700) }, "%[1]s is not a regular file"},
		{"empty", func(p string) { writeFile(t, p, nil, 0o600) }, "%[1]s: it has no PEM block PRIVATE KEY (PKCS #8); make one with: openssl genpkey"},
		{"another curve", func(p string) { writeKey(t, p, p384, 0o600) }, "%[1]s: the key is on curve P-384, and ES256 wants P-256"},
		{"another algorithm", func(p string) { writeKey(t, p, edwards, 0o600) }, "%[1]s: it holds another kind of key"},
		{"broken", func(p string) {
			writeFile(t, p, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(business)}), 0o600)
		}, "reading the key file %[1]s: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "token.pem")
			test.write(path)
			_, err := token.LoadOrCreateKey(path)
			if err == nil {
				t.Fatal("accepted")
			}
			if want := strings.ReplaceAll(test.want, "%[1]s", path); !strings.Contains(err.Error(), want) {
				t.Errorf("error %q does not say %q", err, want)
			}
			if encoded := base64.StdEncoding.EncodeToString([]byte(business)); strings.Contains(err.Error(), encoded[:8]) || strings.Contains(err.Error(), business[:8]) {
				t.Errorf("the error shows the file: %v", err)
			}
		})
	}
}

func TestKeyFileThatCannotBeMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nowhere", "token.pem")
	_, err := token.LoadOrCreateKey(path)
	if err == nil || !strings.Contains(err.Error(), "openssl genpkey") {
		t.Errorf("error %v", err)
	}
	if _, err := token.LoadKey(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want fs.ErrNotExist", err)
	}
}

func TestKeyIDIsItsThumbprint(t *testing.T) {
	key := newKey(t)
	jwks, err := token.Keys{Current: key}.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	public := publicOf(t, jwks, key.ID())
	point, err := public.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	x, y := base64.RawURLEncoding.EncodeToString(point[1:33]), base64.RawURLEncoding.EncodeToString(point[33:])
	// RFC 7638, section 3: the required members in lexicographic order, without spaces.
	sum := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + x + `","y":"` + y + `"}`))
	if want := "nightlatch-" + base64.RawURLEncoding.EncodeToString(sum[:])[:16]; key.ID() != want {
		t.Errorf("the ID is %s, want %s", key.ID(), want)
	}
	shape := strings.NewReplacer(x, "X", y, "Y", key.ID(), "nightlatch-THUMBPRINT").Replace(string(jwks))
	golden(t, "jwks.json", []byte(shape))
}

func TestKeyPrintsAsItsID(t *testing.T) {
	private := newPrivate(t)
	path := filepath.Join(t.TempDir(), "token.pem")
	writeKey(t, path, private, 0o600)
	key, err := token.LoadKey(path)
	if err != nil {
		t.Fatal(err)
	}
	issuer := newIssuer(t, key)
	d, err := private.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, v := range []any{key, &key, token.Keys{Current: key}, token.Config{Keys: token.Keys{Current: key}}, issuer} {
		fmt.Fprintf(&out, "%v %+v %#v %s %d %x %q\n", v, v, v, v, v, v, v)
		if err := json.NewEncoder(&out).Encode(v); err != nil {
			t.Fatal(err)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("key", "key", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("key", "key", v)
	}
	for _, spelling := range []string{
		fmt.Sprintf("%x", d), fmt.Sprintf("%X", d), fmt.Sprint(d), strings.Trim(fmt.Sprint(d), "[]"),
		base64.StdEncoding.EncodeToString(d)[:40], base64.RawURLEncoding.EncodeToString(d), fmt.Sprintf("%d", d),
	} {
		if bytes.Contains(out.Bytes(), []byte(spelling)) {
			t.Errorf("the private key is printed as %.8s…", spelling)
		}
	}
	if !bytes.Contains(out.Bytes(), []byte(key.ID())) {
		t.Errorf("the ID is not printed:\n%s", out.Bytes())
	}
}
