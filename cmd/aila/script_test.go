package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
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
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve":  serveInScript,
			"signal": signalInScript,
			"exits":  exitsInScript,
			"get":    getInScript,
		},
	})
}

// served is the server that a script has running.
type served struct {
	cmd  *exec.Cmd
	log  *bufio.Reader
	page string // its URL, with the slash at the end
}

// serve [flags]: starts `aila serve` on a free port, waits until it listens, and sets $WS.
func serveInScript(ts *testscript.TestScript, neg bool, args []string) {
	s := &served{cmd: exec.Command("aila", append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)}
	s.cmd.Dir = ts.MkAbs(".")
	log, err := s.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(s.cmd.Start())
	ts.Defer(func() { _ = s.cmd.Process.Kill() })
	s.log = bufio.NewReader(log)
	for {
		line, err := s.log.ReadBytes('\n')
		if err != nil {
			ts.Fatalf("aila serve ended before it listened: %s", line)
		}
		var said struct{ Message, Path string }
		ts.Check(json.Unmarshal(line, &said))
		if said.Message == "listening" {
			ts.Setenv("WS", said.Path)
			s.page = strings.TrimSuffix(strings.Replace(said.Path, "ws", "http", 1), "ws")
			break
		}
	}
	running[ts] = s
}

// running are the servers of the scripts, which testscript has no place for.
var running = map[*testscript.TestScript]*served{}

// signal TERM: sends a signal to the server.
func signalInScript(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT}
	ts.Check(running[ts].cmd.Process.Signal(signals[args[0]]))
}

// exits CODE: waits for the server to end, and writes what it logged to the file serve.log.
func exitsInScript(ts *testscript.TestScript, neg bool, args []string) {
	rest, err := io.ReadAll(running[ts].log)
	ts.Check(err)
	_ = running[ts].cmd.Wait() // the code is what counts
	if got := strconv.Itoa(running[ts].cmd.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("aila serve exits %s, want %s; it logged:\n%s", got, args[0], rest)
	}
}

// get PATH STATUS: asks the server over HTTP.
func getInScript(ts *testscript.TestScript, neg bool, args []string) {
	answer, err := http.Get(running[ts].page + strings.TrimPrefix(args[0], "/"))
	ts.Check(err)
	defer answer.Body.Close()
	if got := strconv.Itoa(answer.StatusCode); got != args[1] {
		ts.Fatalf("GET %s: %s, want %s", args[0], answer.Status, args[1])
	}
}
