package deploy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// object is anything of Kubernetes.
type object = map[string]any

// manifests are the objects of deploy/kubernetes.yaml.
type manifests struct {
	t       *testing.T
	objects []object
}

func kubernetes(t *testing.T) manifests {
	t.Helper()
	data, err := os.ReadFile("kubernetes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m := manifests{t: t}
	for decoder := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var o object
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			return m
		}
		if err != nil {
			t.Fatal(err)
		}
		m.objects = append(m.objects, o)
	}
}

// one is the only object of a kind.
func (m manifests) one(kind string) object {
	m.t.Helper()
	found := slices.DeleteFunc(slices.Clone(m.objects), func(o object) bool { return o["kind"] != kind })
	if len(found) != 1 {
		m.t.Fatalf("%d objects are a %s", len(found), kind)
	}
	return found[0]
}

// at goes down by keys of objects and positions in lists.
func (m manifests) at(o any, way ...any) any {
	m.t.Helper()
	for _, step := range way {
		switch here := o.(type) {
		case object:
			o = here[step.(string)]
		case []any:
			o = here[step.(int)]
		default:
			m.t.Fatalf("there is no %v in %v", step, o)
		}
	}
	return o
}

func (m manifests) pod() object {
	m.t.Helper()
	return m.at(m.one("Deployment"), "spec", "template", "spec").(object)
}

func (m manifests) config() string {
	m.t.Helper()
	return m.at(m.one("ConfigMap"), "data", "nightlatch.yaml").(string)
}

// env is the container's environment.
func (m manifests) env() []string {
	m.t.Helper()
	var env []string
	for _, e := range m.at(m.pod(), "containers", 0, "env").([]any) {
		env = append(env, fmt.Sprintf("%v=%v", m.at(e, "name"), m.at(e, "value")))
	}
	return env
}

func TestPodIsLocked(t *testing.T) {
	m := kubernetes(t)
	pod := m.pod()
	for key := range pod {
		if strings.HasPrefix(key, "host") || strings.HasSuffix(key, "Containers") || key == "shareProcessNamespace" {
			t.Errorf("the pod has %s, and nothing looks at it here", key)
		}
	}
	want := object{
		"runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
		"fsGroupChangePolicy": "OnRootMismatch", "seccompProfile": object{"type": "RuntimeDefault"},
	}
	if diff := cmp.Diff(want, pod["securityContext"]); diff != "" {
		t.Errorf("the pod: %s", diff)
	}
	want = object{
		"allowPrivilegeEscalation": false, "capabilities": object{"drop": []any{"ALL"}},
		"privileged": false, "readOnlyRootFilesystem": true,
	}
	containers := pod["containers"].([]any)
	if len(containers) == 0 {
		t.Error("there is no container")
	}
	for _, c := range containers {
		if diff := cmp.Diff(want, m.at(c, "securityContext")); diff != "" {
			t.Errorf("container %v: %s", m.at(c, "name"), diff)
		}
		for key, probe := range c.(object) {
			want := "/healthz"
			if key == "readinessProbe" {
				want = "/readyz"
			}
			if strings.HasSuffix(key, "Probe") && m.at(probe, "httpGet", "path") != want {
				t.Errorf("%s does not ask %s", key, want)
			}
		}
	}
	if user := stages(t)[1].last("USER")[0]; user != fmt.Sprintf("%v:%v", m.at(pod, "securityContext", "runAsUser"), m.at(pod, "securityContext", "runAsGroup")) {
		t.Errorf("the image runs as %s", user)
	}
	for _, token := range []any{pod["automountServiceAccountToken"], m.one("ServiceAccount")["automountServiceAccountToken"]} {
		if token != false {
			t.Error("a token of the service account is mounted")
		}
	}
	if grace := pod["terminationGracePeriodSeconds"].(int); grace <= 5 || grace > 30 {
		t.Errorf("it is killed after %d s, and takes 5", grace)
	}
}

func TestThereIsOnePodAndItsDisk(t *testing.T) {
	m := kubernetes(t)
	spec := m.at(m.one("Deployment"), "spec").(object)
	if spec["replicas"] != 1 || m.at(spec, "strategy", "type") != "Recreate" {
		t.Errorf("%v replicas, %v: two programs on one ledger must not be", spec["replicas"], spec["strategy"])
	}
	for _, mode := range m.at(m.one("PersistentVolumeClaim"), "spec", "accessModes").([]any) {
		if mode != "ReadWriteOncePod" && mode != "ReadWriteOnce" {
			t.Errorf("the disk may be mounted %v", mode)
		}
	}
	mounts := map[any]object{}
	for _, mount := range m.at(m.pod(), "containers", 0, "volumeMounts").([]any) {
		mounts[m.at(mount, "name")] = mount.(object)
	}
	for _, v := range m.pod()["volumes"].([]any) {
		volume := v.(object)
		mount := mounts[volume["name"]]
		if _, disk := volume["persistentVolumeClaim"]; disk != (mount["readOnly"] == nil) {
			t.Errorf("%v: read-only is %v", volume["name"], mount["readOnly"])
		}
		if secret, ok := volume["secret"]; ok && m.at(secret, "defaultMode") != 0o400 {
			t.Errorf("the secret %v has mode %#o", volume["name"], m.at(secret, "defaultMode"))
		}
		delete(mounts, volume["name"])
	}
	if len(mounts) > 0 {
		t.Errorf("mounts without a volume: %v", mounts)
	}
}

// TestManifestsHoldNoSecret, and the configuration in them can be served with the secrets
// that they name.
func TestManifestsHoldNoSecret(t *testing.T) {
	m := kubernetes(t)
	for _, o := range m.objects {
		if o["kind"] == "Secret" {
			t.Error("a secret is made by the manifests, so it would be kept where they are")
		}
	}
	dir := t.TempDir()
	env := map[string]string{}
	for _, e := range m.env() {
		name, value, _ := strings.Cut(e, "=")
		file, ok := strings.CutPrefix(value, "/etc/nightlatch/secrets/")
		if !ok || !strings.HasSuffix(name, "_FILE") {
			t.Errorf("%s is no file of the mounted secret", e)
		}
		env[name] = filepath.Join(dir, file)
		write(t, env[name], []byte(secrets[file]), 0o400)
	}
	write(t, filepath.Join(dir, "nightlatch.yaml"), []byte(m.config()), 0o644)
	cfg := loads(t, filepath.Join(dir, "nightlatch.yaml"), env)

	port := m.at(m.pod(), "containers", 0, "ports", 0)
	if !strings.HasSuffix(cfg.HTTP.Listen, fmt.Sprintf(":%v", m.at(port, "containerPort"))) || !cfg.HTTP.TLS.Any() {
		t.Errorf("it listens on %s (TLS: %t), and the container's port is %v", cfg.HTTP.Listen, cfg.HTTP.TLS.Any(), port)
	}
	service := m.one("Service")
	if m.at(service, "spec", "ports", 0, "targetPort") != m.at(port, "name") {
		t.Error("the service leads to another port")
	}
	if name := fmt.Sprintf("https://%v.%v.svc", m.at(service, "metadata", "name"), m.at(service, "metadata", "namespace")); cfg.HTTP.URL != name {
		t.Errorf("the issuer is %s, and the service %s", cfg.HTTP.URL, name)
	}
	for _, file := range []string{cfg.Ledger.Path, cfg.Token.KeyFile} {
		if filepath.Dir(file) != m.at(m.pod(), "containers", 0, "volumeMounts", 0, "mountPath") {
			t.Errorf("%s is not on the disk", file)
		}
	}
}

// TestNetworkIsClosed: every way is to somebody and by some port, and none leads inside.
func TestNetworkIsClosed(t *testing.T) {
	type ports []struct {
		Protocol string
		Port     int
	}
	type selector struct {
		MatchLabels map[string]string `yaml:"matchLabels"`
	}
	type peers []struct {
		NamespaceSelector *selector `yaml:"namespaceSelector"`
		PodSelector       *selector `yaml:"podSelector"`
		IPBlock           *struct {
			CIDR   string
			Except []string
		} `yaml:"ipBlock"`
	}
	var spec struct {
		PodSelector selector `yaml:"podSelector"`
		PolicyTypes []string `yaml:"policyTypes"`
		Ingress     []struct {
			From  peers
			Ports ports
		}
		Egress []struct {
			To    peers
			Ports ports
		}
	}
	m := kubernetes(t)
	strict(t, m.at(m.one("NetworkPolicy"), "spec"), &spec)
	if diff := cmp.Diff([]string{"Ingress", "Egress"}, spec.PolicyTypes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(m.at(m.one("Deployment"), "spec", "template", "metadata", "labels"), anyOf(spec.PodSelector.MatchLabels)); diff != "" {
		t.Errorf("it is of other pods: %s", diff)
	}
	for _, rule := range spec.Ingress {
		if len(rule.From) == 0 || len(rule.Ports) == 0 || rule.From[0].PodSelector == nil || len(rule.From[0].PodSelector.MatchLabels) == 0 {
			t.Errorf("everybody may come in: %+v", rule)
		}
	}
	for _, rule := range spec.Egress {
		if len(rule.To) == 0 || len(rule.Ports) == 0 {
			t.Errorf("a way out to everybody, or by every port: %+v", rule)
		}
		for _, to := range rule.To {
			if to.IPBlock != nil && (len(rule.Ports) != 1 || rule.Ports[0].Port != 443 || len(to.IPBlock.Except) == 0) {
				t.Errorf("a way into the network around: %+v", *to.IPBlock)
			}
		}
	}
}

func anyOf(labels map[string]string) any {
	out := object{}
	for k, v := range labels {
		out[k] = v
	}
	return out
}

// strict decodes and refuses what the type does not have.
func strict(t *testing.T, from, into any) {
	t.Helper()
	data, err := yaml.Marshal(from)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		t.Error(err)
	}
}

// TestKubectlUnderstands sends what has a schema in kubectl through it: it drops every field
// that Kubernetes does not know.
func TestKubectlUnderstands(t *testing.T) {
	m := kubernetes(t)
	for kind, args := range map[string][]string{
		"Deployment": {"set", "env", "CHECKED=yes"}, // kubectl prints only what it changed
		"Service":    {"set", "selector", "app.kubernetes.io/name=nightlatch"},
	} {
		t.Run(kind, func(t *testing.T) {
			o := m.one(kind)
			if lost := dropped("", o, kubectl(t, o, args)); len(lost) > 0 {
				t.Errorf("unknown to Kubernetes: %q", lost)
			}
			m.at(o, "spec").(object)["selektor"] = "x"
			if lost := dropped("", o, kubectl(t, o, args)); !slices.Equal(lost, []string{".spec.selektor"}) {
				t.Errorf("lost are %q, so a misspelt field would not be seen", lost)
			}
		})
	}
}

func kubectl(t *testing.T, o object, args []string) object {
	t.Helper()
	if _, err := exec.LookPath("kubectl"); err != nil {
		missing(t, "kubectl is not there: apt-get install kubernetes-client")
	}
	data, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "object.json")
	write(t, file, data, 0o600)
	cmd := exec.CommandContext(t.Context(), "kubectl", slices.Concat(args[:2], []string{"--local", "-o", "json", "-f", file}, args[2:])...)
	cmd.Env = append(os.Environ(), "KUBECONFIG=/dev/null") // no cluster is asked, whatever the desk knows
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	var back object
	if err := json.Unmarshal(out, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

// dropped lists what is in a and not in b.
func dropped(way string, a, b any) []string {
	switch a := a.(type) {
	case object:
		there, _ := b.(object)
		var lost []string
		for key, value := range a {
			lost = append(lost, dropped(way+"."+key, value, there[key])...)
		}
		return lost
	case []any:
		there, _ := b.([]any)
		var lost []string
		for i, value := range a {
			if i >= len(there) {
				return append(lost, fmt.Sprintf("%s[%d]", way, i))
			}
			lost = append(lost, dropped(fmt.Sprintf("%s[%d]", way, i), value, there[i])...)
		}
		return lost
	}
	if fmt.Sprint(a) == fmt.Sprint(b) || (a == false && b == nil) {
		return nil
	}
	return []string{way}
}
