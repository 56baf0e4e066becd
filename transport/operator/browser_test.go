package operator

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"aila/proto"
	"aila/transport/browser/browsertest"
)

// TestConsoleInChromium runs console/test in a real browser, against sessions that talk, a
// server that asks for a token, and a storm. CONSOLE_SHOTS names a folder for pictures.
func TestConsoleInChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	chromium := browsertest.Need(t, "console")
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	serve := func(o Options, f *fake) *httptest.Server {
		api := New(o, f)
		mux := http.NewServeMux()
		api.Register(mux.Handle)
		srv := httptest.NewServer(mux)
		mux.HandleFunc("POST /test/cut", func(http.ResponseWriter, *http.Request) {
			go srv.CloseClientConnections() // waits for this handler; ends once it has
			f.publish(proto.Event{Level: "info", Event: proto.EvSessionAttached, Message: "while you were away", Session: f.order[0]})
		})
		running.Go(func() { api.Run(ctx) })
		running.Go(func() { f.talk(ctx) })
		t.Cleanup(func() { api.Close(); srv.Close() })
		return srv
	}
	calm, steered, storm := newFake(50), newFake(50), newFake(5000)
	for i, id := range calm.order {
		calm.sessions[id].StartedAt = time.Now().Add(-time.Duration(i) * 37 * time.Second)
	}
	for _, id := range calm.order[:4] {
		if err := calm.Crash(id, "voice", false); err != nil {
			t.Fatal(err)
		}
	}
	running.Go(func() { storm.storm(ctx, 75) }) // every fourth makes two events

	cmd := exec.Command("node", "--test", "--test-timeout=60000", "--test-concurrency=1", "--test-reporter=tap",
		"test/page.test.mjs", "test/steer.test.mjs")
	cmd.Dir = "console"
	cmd.Env = append(os.Environ(),
		"CHROMIUM="+chromium,
		"CONSOLE_TALK="+serve(Options{}, calm).URL+"/console",
		"CONSOLE_STEER="+serve(Options{Drain: steered.drain}, steered).URL+"/console",
		"CONSOLE_AUTH="+serve(Options{Token: func(s string) bool { return s == "operators-only" }}, newFake(3)).URL+"/console",
		"CONSOLE_STORM="+serve(Options{}, storm).URL+"/console",
		"SHOTS="+os.Getenv("CONSOLE_SHOTS"),
	)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v", err)
	}
	t.Logf("%s", out)
}

func TestConsoleTypesHold(t *testing.T) {
	browsertest.Need(t, "console")
	cmd := exec.Command("node", "node_modules/typescript/bin/tsc", "-p", ".")
	cmd.Dir = "console"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("tsc: %v\n%s", err, out)
	}
}

// drain is what the API's Drain does to the fake.
func (f *fake) drain() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.draining = true
	f.tell(proto.Event{Level: "warn", Event: proto.EvDrainStarted, Message: "drain started"})
}
