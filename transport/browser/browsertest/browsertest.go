// Package browsertest finds what tests in a real browser need.
package browsertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Chromium gives the browser's path: what CHROMIUM names, or one that is installed; empty: there
// is none.
func Chromium() string {
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	return ""
}

// Need gives the browser's path, for a test whose scripts and Node packages lie in dir. Without
// Node, the browser or what drives it, the test is skipped, except where CI is true: there a
// test that does not run is a failure.
func Need(t testing.TB, dir string) string {
	t.Helper()
	miss := t.Skipf
	if os.Getenv("CI") == "true" {
		miss = t.Fatalf
	}
	if _, err := exec.LookPath("node"); err != nil {
		miss("no node: apt-get install -y nodejs npm")
	}
	chromium := Chromium()
	if chromium == "" {
		miss("no chromium: apt-get install -y chromium")
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "playwright-core")); err != nil {
		miss("no playwright-core in %s: npm ci", dir)
	}
	return chromium
}
