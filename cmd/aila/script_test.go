package main

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aila/proto"
	"aila/transport/client"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"aila": main})
}

// TestScripts runs aila as a process of its own, as testdata/script says.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Deadline:            time.Now().Add(time.Minute),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Values[stageKey{}] = &stage{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve":  onStage((*stage).serve),
			"signal": onStage((*stage).signal),
			"unread": onStage((*stage).unread),
			"exits":  onStage((*stage).exits),
			"get":    onStage((*stage).get),
			"post":   onStage((*stage).post),
			"call":   onStage((*stage).call),
			"turned": onStage((*stage).turned),
			"told":   onStage((*stage).told),
		},
	})
}

// stage is the server that a script runs and the session that it has there.
type stage struct {
	*process
	events chan proto.Outbound // of the session
}

type stageKey struct{}

// onStage makes a command of a method. None of ours can be expected to fail.
func onStage(f func(*stage, *testscript.TestScript, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("! does not go with this command")
		}
		f(ts.Value(stageKey{}).(*stage), ts, args)
	}
}

// serve [flags]: starts `aila serve` on a free port, waits until it listens, sets $WS and $ADDRESS.
func (s *stage) serve(ts *testscript.TestScript, args []string) {
	p, err := startProcess(ts.MkAbs("."), args...)
	ts.Check(err)
	ts.Defer(p.kill)
	ts.Setenv("WS", p.ws)
	ts.Setenv("ADDRESS", strings.TrimPrefix(p.page, "http://"))
	s.process = p
}

// signal TERM: sends a signal to the server.
func (s *stage) signal(ts *testscript.TestScript, args []string) {
	signals := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT}
	ts.Check(s.cmd.Process.Signal(signals[args[0]]))
}

// unread: whoever reads the server's log leaves.
func (s *stage) unread(ts *testscript.TestScript, _ []string) { ts.Check(s.pipe.Close()) }

// exits CODE [PATTERN]: waits for the server to end; what it wrote since it listened must match.
func (s *stage) exits(ts *testscript.TestScript, args []string) {
	code, rest, err := s.wait()
	ts.Check(err)
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("aila serve exits %d, want %s; it wrote:\n%s", code, args[0], rest)
	}
	for _, pattern := range args[1:] {
		if !regexp.MustCompile("(?m)" + pattern).Match(rest) {
			ts.Fatalf("aila serve wrote nothing that matches %q:\n%s", pattern, rest)
		}
	}
}

// get PATH STATUS [FILE]: asks the server over HTTP, with the token in FILE.
func (s *stage) get(ts *testscript.TestScript, args []string) { s.ask(ts, http.MethodGet, args) }

// post PATH STATUS [FILE]: the same, to do something.
func (s *stage) post(ts *testscript.TestScript, args []string) { s.ask(ts, http.MethodPost, args) }

func (s *stage) ask(ts *testscript.TestScript, method string, args []string) {
	request, err := http.NewRequest(method, s.page+args[0], nil)
	ts.Check(err)
	if len(args) > 2 {
		request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(ts.ReadFile(args[2])))
	}
	answer, err := http.DefaultClient.Do(request)
	ts.Check(err)
	defer answer.Body.Close()
	if got := strconv.Itoa(answer.StatusCode); got != args[1] {
		ts.Fatalf("%s %s: %s, want %s", method, args[0], answer.Status, args[1])
	}
}

// call [FILE]: begins a session, with the token in FILE.
func (s *stage) call(ts *testscript.TestScript, args []string) {
	ts.Check(s.dial(ts, args))
}

// turned away [FILE]: the same, and the server refuses.
func (s *stage) turned(ts *testscript.TestScript, args []string) {
	if s.dial(ts, args[1:]) == nil {
		ts.Fatalf("the server began a session")
	}
}

func (s *stage) dial(ts *testscript.TestScript, args []string) error {
	s.events = make(chan proto.Outbound, 64)
	o := client.Options{Events: s.events, Reconnect: client.Reconnect{Off: true}}
	if len(args) > 0 {
		o.Token = strings.TrimSpace(ts.ReadFile(args[0]))
	}
	session, err := client.Dial(context.Background(), s.ws, o)
	if err == nil {
		ts.Defer(session.Close)
	}
	return err
}

// told TYPE REASON: waits until the session is told so.
func (s *stage) told(ts *testscript.TestScript, args []string) {
	late := time.After(20 * time.Second)
	for {
		var m proto.Outbound
		select {
		case m = <-s.events:
		case <-late:
		}
		if m == nil {
			ts.Fatalf("the session ended, or 20 s passed, without %s %s", args[0], args[1])
		}
		kind, reason := "", ""
		switch m := m.(type) {
		case *proto.GoAway:
			kind, reason = "goaway", string(m.Reason)
		case *proto.SessionEnded:
			kind, reason = "session_ended", string(m.Reason)
		}
		if kind == args[0] && reason == args[1] {
			return
		}
	}
}
