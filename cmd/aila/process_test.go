package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// process is an `aila serve` that runs beside the test.
type process struct {
	cmd  *exec.Cmd
	pipe io.Closer // its stderr
	log  *bufio.Reader
	page string // its URL without the slash at the end
	ws   string
}

// startProcess starts one on a free port and waits until it listens. TestMain put aila on the path.
func startProcess(dir string, flags ...string) (*process, error) {
	return startProcessWith(nil, dir, flags...)
}

// startProcessWith adds to its environment.
func startProcessWith(env []string, dir string, flags ...string) (*process, error) {
	p := &process{cmd: exec.Command("aila", append([]string{"serve", "--listen", "127.0.0.1:0"}, flags...)...)}
	p.cmd.Dir = dir
	p.cmd.Env = slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, envPrefix) })
	p.cmd.Env = append(p.cmd.Env, "GORACE=atexit_sleep_ms=0") // else an exit takes a second more under -race
	p.cmd.Env = append(p.cmd.Env, env...)
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.pipe, p.log = stderr, bufio.NewReader(stderr)
	for {
		line, err := p.log.ReadBytes('\n')
		if err != nil {
			p.kill()
			return nil, fmt.Errorf("aila serve ended before it listened: %s", line)
		}
		var said struct{ Message, Path string }
		if err := json.Unmarshal(line, &said); err != nil {
			p.kill()
			return nil, fmt.Errorf("aila serve logged %q: %w", line, err)
		}
		if said.Message == "listening" {
			p.ws = said.Path
			p.page = strings.TrimSuffix(strings.Replace(p.ws, "ws", "http", 1), "/ws")
			return p, nil
		}
	}
}

// wait gives the process's exit code and what it wrote since it listened.
func (p *process) wait() (code int, rest []byte, err error) {
	rest, err = io.ReadAll(p.log)
	if err != nil && !errors.Is(err, os.ErrClosed) {
		return 0, nil, err
	}
	_ = p.cmd.Wait() // the code is what counts
	return p.cmd.ProcessState.ExitCode(), rest, nil
}

// kill ends it for good; one that has ended is left alone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}
