// Package deploy holds what Aila is deployed with: an image, a systemd unit, Kubernetes
// manifests, a Grafana dashboard and alert rules. It is code only so far as these tests hold
// each to what the server really does.
package deploy

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"

	"aila/transport/operator"
)

// need finds a program. Without it the test is skipped, except where CI is true: there a
// test that does not run is a failure.
func need(t *testing.T, name, hint string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("no %s: %s", name, hint)
	}
	if err != nil {
		t.Skipf("no %s: %s", name, hint)
	}
	return path
}

func read(t *testing.T, name string) string {
	t.Helper()
	p, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}

func TestRulesFireWhenTheyShould(t *testing.T) {
	promtool := need(t, "promtool", "apt-get install -y prometheus")
	for _, args := range [][]string{{"check", "rules", "alerts.yml"}, {"test", "rules", "alerts_test.yml"}} {
		if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

// Every metric that a chart or a rule asks for is one that the server has, with a label that
// it has.
func TestDashboardAndRulesAskForMetricsThatExist(t *testing.T) {
	known := map[string]bool{}
	descs := make(chan *prometheus.Desc, 100)
	operator.NewCollector(nil).Describe(descs)
	operator.New(operator.Options{}, nil).Describe(descs)
	close(descs)
	for d := range descs {
		known[regexp.MustCompile(`fqName: "(\w+)"`).FindStringSubmatch(d.String())[1]] = true
	}
	shown := map[string]bool{}
	for _, file := range []string{"grafana.json", "alerts.yml"} {
		for _, name := range regexp.MustCompile(`\baila_\w+`).FindAllString(read(t, file), -1) {
			name = strings.TrimSuffix(name, "_bucket")
			if !known[name] {
				t.Errorf("%s asks for %s, which the server does not have", file, name)
			}
			shown[name] = true
		}
	}
	for name := range known {
		if !shown[name] {
			t.Errorf("no chart shows %s", name)
		}
	}
}

func TestDashboardIsWhole(t *testing.T) {
	var d struct {
		Panels []struct {
			ID      int
			Title   string
			Type    string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "grafana.json")), &d); err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.GridPos.X+p.GridPos.W > 24 || p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %d %q: doubled, too wide, or without a question", p.ID, p.Title)
		}
		ids[p.ID] = true
	}
}

func TestUnitIsGood(t *testing.T) {
	analyze := need(t, "systemd-analyze", "apt-get install -y systemd")
	unit := filepath.Join(t.TempDir(), "aila.service")
	// The program need not be installed here.
	here := strings.ReplaceAll(read(t, "aila.service"), "/usr/local/bin/aila", "/bin/true")
	if err := os.WriteFile(unit, []byte(here), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(analyze, "verify", "--man=no", unit).CombinedOutput()
	if err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// manifest is what the test reads of a Kubernetes object.
type manifest struct {
	Kind string
	Spec struct {
		Selector yaml.Node
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     struct {
				Grace      int `yaml:"terminationGracePeriodSeconds"`
				Containers []struct {
					Env       []struct{ Name, Value string }
					Readiness probe `yaml:"readinessProbe"`
					Liveness  probe `yaml:"livenessProbe"`
					Lifecycle struct {
						PreStop struct{ Sleep struct{ Seconds int } } `yaml:"preStop"`
					}
				}
			}
		}
	}
}

type probe struct {
	Get struct{ Path string } `yaml:"httpGet"`
}

func TestPodIsGivenLongerThanItsDrainTakes(t *testing.T) {
	var kinds []string
	dec := yaml.NewDecoder(strings.NewReader(read(t, "kubernetes.yaml")))
	for {
		var m manifest
		err := dec.Decode(&m)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, m.Kind)
		if m.Kind == "Deployment" {
			checkPod(t, m)
		}
	}
	if want := []string{"Deployment", "Service", "PodDisruptionBudget"}; !slices.Equal(kinds, want) {
		t.Errorf("objects %v, want %v", kinds, want)
	}
}

func checkPod(t *testing.T, m manifest) {
	t.Helper()
	pod := m.Spec.Template.Spec
	c := pod.Containers[0]
	drain := 30 * time.Second // the default
	for _, e := range c.Env {
		if e.Name == "AILA_DRAIN_TIMEOUT" {
			var err error
			if drain, err = time.ParseDuration(e.Value); err != nil {
				t.Fatal(err)
			}
		}
	}
	pause := time.Duration(c.Lifecycle.PreStop.Sleep.Seconds) * time.Second
	if pause == 0 || time.Duration(pod.Grace)*time.Second < pause+drain+5*time.Second {
		t.Errorf("grace of %d s for a pause of %v and a drain of %v", pod.Grace, pause, drain)
	}
	if c.Readiness.Get.Path != "/readyz" || c.Liveness.Get.Path != "/healthz" {
		t.Errorf("probes ask %s and %s", c.Readiness.Get.Path, c.Liveness.Get.Path)
	}
}

// What the unit, the image and the manifests tell the server is what it understands.
func TestKnobsExist(t *testing.T) {
	table := read(t, "../config.go")
	for _, file := range []string{"aila.service", "kubernetes.yaml", "Dockerfile"} {
		for _, name := range regexp.MustCompile(`\bAILA_[A-Z_]+`).FindAllString(read(t, file), -1) {
			knob := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, "AILA_")), "_", "-")
			if knob != "" && !strings.Contains(table, `name: "`+knob+`"`) {
				t.Errorf("%s sets %s, which is no knob", file, name)
			}
		}
	}
	start := regexp.MustCompile(`(?m)^ExecStart=.*$`).FindString(read(t, "aila.service"))
	for _, flag := range regexp.MustCompile(` --([a-z-]+)`).FindAllStringSubmatch(start, -1) {
		if !strings.Contains(table, `name: "`+flag[1]+`"`) {
			t.Errorf("aila.service gives --%s, which is no flag", flag[1])
		}
	}
}
