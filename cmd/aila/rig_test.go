package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"aila/proto"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// thorough tells whether the long tests of the faults run too: make faults.
func thorough() bool { return os.Getenv("FAULTS") != "" }

// scale is how much of something a test does: much in make faults, less otherwise.
func scale(quick, full int) int {
	if thorough() {
		return full
	}
	return quick
}

// aside lets a test that mostly waits run beside others, except in make faults, where its
// measurements count.
func aside(t *testing.T) {
	if !thorough() {
		t.Parallel()
	}
}

// server is the whole of aila in this process, put together by build as serve does it, on a
// port of its own.
type server struct {
	t     testing.TB
	house *house
	addr  string
	log   *lines
}

// lines is a log that tests can read.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// startServer serves until the test ends: with faults to inject and without a limit on how
// fast audio comes, unless turn says otherwise.
func startServer(t testing.TB, turn func(*config)) *server {
	return startServerAt(t, zerolog.DebugLevel, turn)
}

func startServerAt(t testing.TB, level zerolog.Level, turn func(*config)) *server {
	t.Helper()
	c := defaults()
	c.Listen, c.MaxAudioRate, c.FaultInjection = "127.0.0.1:0", 0, true
	if turn != nil {
		turn(&c)
	}
	s := &server{t: t, log: &lines{}}
	var err error
	s.house, err = build(c, zerolog.New(s.log).Level(level).With().Timestamp().Logger(), func() {})
	if err != nil {
		t.Fatalf("build: %v", err)
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	s.addr = l.Addr().String()
	served := make(chan error, 1)
	life, end := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { s.house.api.Run(life) }) // ends with life
	go func() { served <- s.house.serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := s.house.server.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		s.house.gateway.Stop()
		end()
		run.Wait()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return s
}

func (s *server) ws() string   { return "ws://" + s.addr + "/ws" }
func (s *server) page() string { return "http://" + s.addr }

// asker is an operator an operator on this machine.
var asker = &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}

// ask sends one request to the HTTP side at page and gives the status and the body.
func ask(t testing.TB, method, page, path string) (status int, body []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, page+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := asker.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return res.StatusCode, body
}

// get reads a JSON answer.
func (s *server) get(path string, into any) {
	s.t.Helper()
	status, body := ask(s.t, http.MethodGet, s.page(), path)
	if status != http.StatusOK {
		s.t.Fatalf("GET %s: %d %s", path, status, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		s.t.Fatalf("GET %s: %v", path, err)
	}
}

// crash crashes an actor through the operators' API; on is empty or frame.
func (s *server) crash(id, actor, on string) {
	s.t.Helper()
	path := crashPath(id, actor, on)
	if status, body := ask(s.t, http.MethodPost, s.page(), path); status != http.StatusAccepted {
		s.t.Fatalf("POST %s: %d %s, want 202", path, status, body)
	}
}

// crashPath is where an actor is crashed; on is empty or frame.
func crashPath(id, actor, on string) string {
	path := "/api/v1/sessions/" + id + "/actors/" + actor + "/crash"
	if on != "" {
		path += "?on=" + on
	}
	return path
}

// supervision gives what the supervision log says, newest first.
func (s *server) supervision(query string) []proto.Event {
	s.t.Helper()
	var page struct{ Events []proto.Event }
	s.get("/api/v1/supervision?limit=1000&"+query, &page)
	return page.Events
}

// sessions gives the sessions that live, first page.
func (s *server) sessions() []proto.SessionView {
	s.t.Helper()
	var page struct{ Sessions []proto.SessionView }
	s.get("/api/v1/sessions?limit=1000", &page)
	return page.Sessions
}

// metric gives one sample of /metrics by its name with labels.
func (s *server) metric(sample string) float64 {
	s.t.Helper()
	return metricAt(s.t, s.page(), sample)
}

func metricAt(t testing.TB, page, name string) float64 {
	t.Helper()
	v, ok := sample(t, page, name)
	if !ok {
		t.Fatalf("no metric %s", name)
	}
	return v
}

// sample reads one of the metrics at page; some are only there once they were counted.
func sample(t testing.TB, page, name string) (v float64, ok bool) {
	t.Helper()
	_, body := ask(t, http.MethodGet, page, "/metrics")
	for line := range strings.Lines(string(body)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				t.Fatal(err)
			}
			return v, true
		}
	}
	return 0, false
}

// eventually polls, for what lies outside of what a test can wait for.
func eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain for %s", within, what)
		}
		<-tick.C
	}
}

// calm notes how many goroutines and open files there are, and checks later that they are
// back. Call it when the servers and sessions that stay are there.
func calm(t testing.TB) (restored func()) {
	t.Helper()
	goroutines, files := runtime.NumGoroutine(), openFiles(t, os.Getpid())
	return func() {
		t.Helper()
		// A few belong to the library's timers and to HTTP connections that are being closed.
		eventually(t, patience, "goroutines and open files to be as before", func() bool {
			return runtime.NumGoroutine() <= goroutines+3 && openFiles(t, os.Getpid()) <= files+3
		})
	}
}

// openFiles counts a process's open files.
func openFiles(t testing.TB, pid int) int {
	t.Helper()
	all, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/fd")
	if err != nil {
		t.Skip("needs /proc: ", err)
	}
	return len(all)
}
