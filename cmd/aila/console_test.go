package main

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"aila/transport/browser/browsertest"
	"aila/transport/client"
)

// console is where the console's browser tests live.
const console = "../../transport/operator/console"

// TestConsoleSteersTheServer opens the console of a real server in a real Chromium while 50
// sessions talk, and crashes an actor, ends a session and drains the server by its buttons.
func TestConsoleSteersTheServer(t *testing.T) {
	chromium := browsertest.Need(t, console)
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
