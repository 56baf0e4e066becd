package operator

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the console's bundle anew")

// The bundle is committed, so that building the server takes Go alone; this test, which
// takes Go alone too, tells when it is not what its sources make.
func TestBundleIsThatOfTheSources(t *testing.T) {
	built := filepath.Join(t.TempDir(), "console.js")
	cmd := exec.Command("go", "tool", "esbuild", "console/src/main.ts", "--bundle", "--minify", "--format=esm",
		"--target=es2023", "--legal-comments=none", "--log-level=warning", "--outfile="+built)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("esbuild: %v\n%s", err, out)
	}
	want, err := os.ReadFile(built)
	if err != nil {
		t.Fatal(err)
	}
	const committed = "console/dist/console.js"
	if *update {
		if err := os.WriteFile(committed, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(committed)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what console/src makes (%v): run go generate ./transport/operator", committed, err)
	}
}

func TestPageIsPublicAndLoadsNothingFromElsewhere(t *testing.T) {
	r := newRig(t, Options{Token: func(string) bool { return false }}, 0)
	for path, kind := range map[string]string{
		"/console": "text/html", "/console/console.css": "text/css", "/console/console.js": "text/javascript", "/console/icon.svg": "image/svg+xml",
	} {
		resp, body := r.ask("GET", path, "")
		if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), kind) {
			t.Errorf("GET %s: %s, %s", path, resp.Status, resp.Header.Get("Content-Type"))
		}
		csp := resp.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("GET %s: policy %q", path, csp)
		}
		body = strings.ReplaceAll(body, "http://www.w3.org/2000/svg", "")
		if strings.Contains(body, "http://") || strings.Contains(body, "https://") || strings.Contains(body, `style="`) {
			t.Errorf("%s names another host or holds a style that the policy forbids", path)
		}
		if resp, _ := r.ask("GET", path, "", "If-None-Match", resp.Header.Get("ETag")); resp.StatusCode != 304 {
			t.Errorf("GET %s again: %s, want 304", path, resp.Status)
		}
	}
	for _, path := range []string{"/console/../api.go", "/console/%2e%2e/api.go", "/console/src/main.ts", "/console/dist/console.js", "/console/index.html"} {
		if resp, body := r.ask("GET", path, ""); resp.StatusCode != 404 {
			t.Errorf("GET %s: %s %s, want 404", path, resp.Status, body)
		}
	}
	if resp, _ := r.ask("GET", "/console/", ""); resp.StatusCode != 200 || resp.Request.URL.Path != "/console" {
		t.Errorf("GET /console/ led to %s: %s", resp.Request.URL, resp.Status)
	}
}
