package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"aila/proto"
)

// elsewhere is a server in a process of its own, whose memory, files and processor time are
// its own.
type elsewhere struct {
	*process
	t   testing.TB
	log *lines
}

// startElsewhere runs `aila serve` until the test ends, with faults to inject and profiles.
func startElsewhere(t testing.TB, flags ...string) *elsewhere {
	t.Helper()
	p, err := startProcess(t.TempDir(), append([]string{"--fault-injection", "--pprof"}, flags...)...)
	if err != nil {
		t.Fatal(err)
	}
	e := &elsewhere{process: p, t: t, log: &lines{}}
	var reading sync.WaitGroup
	reading.Go(func() { _, _ = io.Copy(e.log, p.log) }) // ends with the process
	t.Cleanup(func() {
		p.kill()
		reading.Wait()
	})
	return e
}

func (e *elsewhere) addr() string { return strings.TrimPrefix(e.page, "http://") }
func (e *elsewhere) pid() int     { return e.cmd.Process.Pid }

func (e *elsewhere) metric(sample string) float64 {
	e.t.Helper()
	return metricAt(e.t, e.page, sample)
}

// sessions gives the first thousand sessions.
func (e *elsewhere) sessions() []proto.SessionView {
	e.t.Helper()
	var page struct{ Sessions []proto.SessionView }
	e.get("/api/v1/sessions?limit=1000", &page)
	return page.Sessions
}

func (e *elsewhere) supervision(query string) []proto.Event {
	e.t.Helper()
	var page struct{ Events []proto.Event }
	e.get("/api/v1/supervision?limit=1000&"+query, &page)
	return page.Events
}

func (e *elsewhere) get(path string, into any) {
	e.t.Helper()
	status, body := ask(e.t, http.MethodGet, e.page, path)
	if status != http.StatusOK {
		e.t.Fatalf("GET %s: %d %s", path, status, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		e.t.Fatalf("GET %s: %v", path, err)
	}
}

// live counts the sessions there are.
func (e *elsewhere) live() (n int) {
	e.t.Helper()
	var now struct{ Stats proto.Stats }
	e.get("/api/v1/stats", &now)
	for _, count := range now.Stats.Sessions {
		n += int(count)
	}
	return n
}

// rss is how much memory the process has, in bytes.
func (e *elsewhere) rss() int64 {
	e.t.Helper()
	return 1024 * e.status("VmRSS:")
}

func (e *elsewhere) status(field string) int64 {
	e.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", e.pid()))
	if err != nil {
		e.t.Skip("needs /proc: ", err)
	}
	_, rest, _ := bytes.Cut(b, []byte(field))
	n, err := strconv.ParseInt(strings.Fields(string(rest))[0], 10, 64)
	if err != nil {
		e.t.Fatal(err)
	}
	return n
}

// heap is how much memory is in use after a collection, in bytes.
func (e *elsewhere) heap() float64 {
	e.t.Helper()
	for range 2 { // the second frees what the first one's finalizers let go
		ask(e.t, http.MethodGet, e.page, "/debug/pprof/heap?gc=1")
	}
	return e.metric("go_memstats_heap_alloc_bytes")
}

// cpu is how much of one processor the process uses over a time.
func (e *elsewhere) cpu(over time.Duration) float64 {
	e.t.Helper()
	before, began := e.spent(), time.Now()
	<-time.After(over) // a rate is measured over a time
	return float64(e.spent()-before) / float64(time.Since(began))
}

// spent is the processor time that the process has used.
func (e *elsewhere) spent() time.Duration {
	e.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", e.pid()))
	if err != nil {
		e.t.Skip("needs /proc: ", err)
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')'):]))
	user, _ := strconv.Atoi(fields[12])
	system, _ := strconv.Atoi(fields[13])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// wantBack checks that goroutines, open files and sessions are back to what they were.
func (e *elsewhere) wantBack(goroutines float64, files int) {
	e.t.Helper()
	var g float64
	var f, n int
	eventually(e.t, 2*patience, "goroutines, open files and sessions to be as before", func() bool {
		g, f, n = e.metric("go_goroutines"), openFiles(e.t, e.pid()), e.live()
		return g <= goroutines+5 && f <= files+3 && n == 0
	})
	e.t.Logf("goroutines %v, was %v; open files %d, was %d; sessions %d", g, goroutines, f, files, n)
}

// tryCrash crashes an actor, if its session is there, over a connection that by keeps; on is
// empty or frame.
func (e *elsewhere) tryCrash(by *http.Client, id, actor, on string) bool {
	answer, err := by.Post(e.page+crashPath(id, actor, on), "", nil)
	if err != nil {
		e.t.Fatalf("crash: %v", err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body) // so that the connection is kept
	if s := answer.StatusCode; s != http.StatusAccepted && s != http.StatusNotFound {
		e.t.Fatalf("crash: %s", answer.Status)
	}
	return answer.StatusCode == http.StatusAccepted
}
