package main

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"aila/transport/client"
)

// console is where the console's browser tests live.
const console = "../../transport/operator/console"

// TestConsoleSteersTheServer opens the console of a real server in a real Chromium while 50
// sessions talk, and crashes an actor, ends a session and drains the server by its buttons.
func TestConsoleSteersTheServer(t *testing.T) {
	chromium := needBrowser(t)
	p, err := startProcess(t.TempDir(), "--fault-injection", "--drain-timeout", "5s")
	if err != nil {
		t.Fatal(err)
	}
	defer p.kill()
	sing(t, p.ws, 50, 20*time.Millisecond, client.Options{Reconnect: client.Reconnect{Off: true}})
	cmd := exec.CommandContext(t.Context(), "node", "--test", "--test-timeout=60000", "--test-reporter=tap", "test/steer.test.mjs")
	cmd.Dir = console
	cmd.Env = append(os.Environ(), "CHROMIUM="+chromium, "CONSOLE_STEER="+p.page+"/console", "SHOTS="+os.Getenv("CONSOLE_SHOTS"))
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	if code, rest, err := p.wait(); code != exitOK || err != nil {
		t.Errorf("the drained server exits %d (%v):\n%s", code, err, rest)
	}
}

// needBrowser finds Chromium and what drives it. Without them the test is skipped, except
// where CI is true: there a test that does not run is a failure.
func needBrowser(t *testing.T) string {
	t.Helper()
	miss := t.Skipf
	if os.Getenv("CI") == "true" {
		miss = t.Fatalf
	}
	if _, err := exec.LookPath("node"); err != nil {
		miss("no node: apt-get install -y nodejs npm")
	}
	chromium := ""
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			chromium = path
			break
		}
	}
	if chromium == "" {
		miss("no chromium: apt-get install -y chromium")
	}
	if _, err := os.Stat(console + "/node_modules/playwright-core"); err != nil {
		miss("no playwright-core: npm ci --prefix transport/operator/console")
	}
	return chromium
}
