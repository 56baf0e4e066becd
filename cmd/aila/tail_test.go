package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"aila/proto"
)

// A server that hangs up in the middle of its stream is asked again, from where it stopped.
func TestTailTakesUpWhereItWasCut(t *testing.T) {
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/supervision") {
			fmt.Fprint(w, `{"events":[{"id":7,"level":"info","event":"session_started"},{"id":6,"level":"info","event":"drain_started"}],"next":0}`)
			return
		}
		asked = append(asked, r.URL.RawQuery)
		switch len(asked) {
		case 1:
			fmt.Fprint(w, ": events\n\nid: 8\ndata: {\"id\":8,\"level\":\"info\",\"event\":\"session_ended\"}\n\n: heartbeat\n\ndata: {\"id\":9,")
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 3:
			fmt.Fprint(w, "event: missed\ndata: {\"from\":9,\"to\":9}\n\ndata: {\"id\":10,\"level\":\"error\",\"event\":\"actor_failed\"}\n\n")
		}
	}))
	defer srv.Close()
	var out, said bytes.Buffer
	p := &tailPrinter{o: tailOptions{url: srv.URL, past: 1, count: 3}, out: bufio.NewWriter(&out)}
	if err := p.follow(context.Background(), &said); !errors.Is(err, errEnough) {
		t.Fatalf("follow: %v", err)
	}
	p.out.Flush()
	var events []string
	for line := range strings.Lines(out.String()) {
		events = append(events, strings.Fields(line)[2])
	}
	if got, want := fmt.Sprint(events), "[session_started session_ended actor_failed]"; got != want {
		t.Errorf("printed %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(asked), "[after=7 after=8 after=8]"; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
	if got, want := said.String(), "aila: the connection is lost, trying again\naila: connected again\n"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
}

func TestTailEndsWhereAskingAgainIsInVain(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"error":{"code":"forbidden","message":"not you\u001b[2J"}}`)
	}))
	defer srv.Close()
	p := &tailPrinter{o: tailOptions{url: srv.URL}, out: bufio.NewWriter(&bytes.Buffer{})}
	err := p.follow(context.Background(), &bytes.Buffer{})
	var refused *refusal
	if !errors.As(err, &refused) || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("follow: %q, want the server's words, without what steers a terminal", err)
	}
}

func TestTailFindsTheAPIFromAnyAddressOfTheServer(t *testing.T) {
	for in, want := range map[string]string{
		"http://h:1": "http://h:1/api/v1/", "https://h/": "https://h/api/v1/", "ws://h:1/ws": "http://h:1/api/v1/",
		"wss://h/voice/ws": "https://h/voice/api/v1/", "http://h:1/console": "http://h:1/api/v1/", "h:1": "", "ftp://h": "", "": "",
	} {
		u, err := apiURL(in)
		if err != nil && want == "" {
			continue
		}
		if err != nil || u.String() != want {
			t.Errorf("apiURL(%q) = %v, %v; want %q", in, u, err, want)
		}
	}
}

func TestTailFilterFindsASessionByEitherEnd(t *testing.T) {
	e := proto.Event{Session: "01kan9z3hq", Level: "info", Event: proto.EvSessionStarted}
	for part, want := range map[string]bool{"": true, "01KAN": true, "z3hq": true, "3HQ": true, "9z3": false, "01kan9z3hqx": false} {
		if got := (tailFilter{session: part}).selects(e); got != want {
			t.Errorf("session %q: %v, want %v", part, got, want)
		}
	}
}

func TestTailShowsWhereAStackWasBrokenOff(t *testing.T) {
	stack := "goroutine 1 [running]:\nruntime/debug.Stack()\n\tstack.go:26\npanic({0x1})\n\tpanic.go:1\naila/actors.(*audio).hear\n\taudio.go:9"
	p := &tailPrinter{}
	if got, want := p.stack(stack), "    aila/actors.(*audio).hear\n      audio.go:9\n"; got != want {
		t.Errorf("stack\n%s, want\n%s", got, want)
	}
	p.o.stack = true
	if got := p.stack(stack); strings.Count(got, "\n") != 7 {
		t.Errorf("--stack shows\n%s", got)
	}
}
