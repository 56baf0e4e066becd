package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// bench builds the peers and starts them.
type bench struct {
	s    settings
	bin  string // where the built programs are
	node string // where node-ws and what it needs are
}

// newBench builds what is needed.
func newBench(s settings) (*bench, error) {
	dir, err := os.MkdirTemp("", "aila-bench")
	if err != nil {
		return nil, err
	}
	b := &bench{s: s, bin: dir, node: filepath.Join(dir, "node-ws")}
	if s.aila != "" {
		if b.s.aila, err = filepath.Abs(s.aila); err != nil {
			return nil, err
		}
	}
	if err := command("", "go", "build", "-o", dir+"/", "./loadgen", "./peers/...").Run(); err != nil {
		return nil, fmt.Errorf("build the peers, in the directory of their go.mod: %w", err)
	}
	if !slices.Contains(s.only, "node-ws") {
		return b, nil
	}
	if err := os.CopyFS(b.node, os.DirFS("peers/node-ws")); err != nil {
		return nil, err
	}
	if err := command(b.node, "npm", "install", "--silent", "--no-audit", "--no-fund").Run(); err != nil {
		return nil, fmt.Errorf("npm install, for node-ws (leave it out with -only): %w", err)
	}
	return b, nil
}

func (b *bench) close() { os.RemoveAll(b.bin) }

// command is one whose errors are seen.
func command(dir, name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir, c.Stderr = dir, os.Stderr
	return c
}

// pinned runs on one processor, where that is asked for.
func (b *bench) pinned(cpu int, dir, name string, args ...string) *exec.Cmd {
	if b.s.pin {
		return command(dir, "taskset", append([]string{"-c", strconv.Itoa(cpu), name}, args...)...)
	}
	return command(dir, name, args...)
}

// start starts a server on a free port and waits until it listens.
func (b *bench) start(name string, env ...string) (c *exec.Cmd, addr string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	addr = l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(addr) // as Listen gave it
	switch name {
	case "aila":
		c = b.pinned(0, "", b.s.aila, append(slices.Clone(b.s.ailaArgs), "--listen", addr)...)
	case "node-ws":
		c = b.pinned(0, b.node, "node", "server.js")
	default:
		c = b.pinned(0, "", filepath.Join(b.bin, name))
	}
	c.Env = append(append(os.Environ(), "PORT="+port), env...)
	c.Stderr = nil // what a server logs is none of the result
	if err := c.Start(); err != nil {
		return nil, "", err
	}
	for range 200 {
		conn, err := net.DialTimeout("tcp", addr, 100*time.Millisecond)
		if err == nil {
			conn.Close()
			return c, addr, nil
		}
		time.Sleep(25 * time.Millisecond)
	}
	stop(c)
	return nil, "", errors.New("did not start")
}

func stop(c *exec.Cmd) {
	c.Process.Kill()
	c.Wait() // it was killed: its error is that
}

// measure has a server do some work and gives the figures.
func (b *bench) measure(server string, m mode) (figures, error) {
	c, addr, err := b.start(server)
	if err != nil {
		return nil, err
	}
	defer stop(c)
	args := append(slices.Clone(m.args), "-addr", addr, "-pid", strconv.Itoa(c.Process.Pid), "-duration", b.s.duration.String())
	if server == "aila" {
		args = append(args, "-key", `"re":`, "-ack-every", "16")
	}
	out, err := b.pinned(1, "", filepath.Join(b.bin, "loadgen"), args...).Output()
	if err != nil {
		return nil, err
	}
	f := figures{}
	return f, json.Unmarshal(out, &f)
}

// findCapacity searches how many can talk to aila and to node-ws, server and load each on a
// processor of its own.
func findCapacity(s settings) error {
	if s.aila == "" {
		return errors.New("-capacity needs -aila")
	}
	s.pin = true
	if !slices.Contains(s.only, "node-ws") {
		s.only = nil
	} else {
		s.only = []string{"node-ws"}
	}
	b, err := newBench(s)
	if err != nil {
		return err
	}
	defer b.close()
	servers := append([]string{"aila"}, s.only...)
	least := math.MaxInt
	for _, server := range servers {
		n, err := b.search(server)
		if err != nil {
			return fmt.Errorf("%s: %w", server, err)
		}
		least = min(least, n)
	}
	for _, server := range servers {
		if err := b.spend(server, max(1, least)); err != nil {
			return fmt.Errorf("%s: %w", server, err)
		}
	}
	return nil
}

// spend prints what so many talking sessions cost a server: where the generator is the limit,
// its capacity says less than that.
func (b *bench) spend(server string, clients int) error {
	c, addr, err := b.start(server, "NUMBERED=1")
	if err != nil {
		return err
	}
	out, err := b.pinned(1, "", b.s.aila, "load", "--url", "ws://"+addr+"/ws", "--clients", strconv.Itoa(clients),
		"--duration", b.s.duration.String(), "--json", "-").Output()
	stop(c)
	if err != nil {
		return err
	}
	var report struct {
		Frames struct {
			Heard int64 `json:"heard"`
		} `json:"frames"`
		Echo struct {
			P50 float64 `json:"p50_ms"`
			P99 float64 `json:"p99_ms"`
		} `json:"echo"`
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return err
	}
	spent := c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	fmt.Printf("%s, %d talking sessions: %.1f µs of its processor a frame, round trip %.2f ms (median), %.2f ms (p99)\n", server, clients,
		float64(spent.Microseconds())/float64(max(1, report.Frames.Heard)), report.Echo.P50, report.Echo.P99)
	return nil
}

// search prints what `aila load --find-capacity` finds of a server, and gives the capacity.
func (b *bench) search(server string) (int, error) {
	c, addr, err := b.start(server, "NUMBERED=1")
	if err != nil {
		return 0, err
	}
	defer stop(c)
	out, err := b.pinned(1, "", b.s.aila, "load", "--find-capacity", "--url", "ws://"+addr+"/ws", "--clients", "200",
		"--duration", b.s.duration.String(), "--slo", "p99<20ms,lost=0,doubled=0,differing=0", "--json", "-").Output()
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) { // 1: the last run did not meet it
		return 0, err
	}
	var report struct {
		Capacity int `json:"capacity"`
		Trials   []struct {
			Clients  int     `json:"clients"`
			P99      float64 `json:"p99_ms"`
			Met      bool    `json:"met"`
			OwnFault bool    `json:"own_fault"`
		} `json:"trials"`
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return 0, err
	}
	var limits []string
	for _, t := range report.Trials {
		if !t.Met && t.OwnFault {
			limits = append(limits, strconv.Itoa(t.Clients))
		}
	}
	note := ""
	if len(limits) > 0 {
		note = " (the generator may have been the limit at " + strings.Join(limits, ", ") + ")"
	}
	fmt.Printf("%s: %d talking sessions with p99 under 20 ms and nothing lost%s\n", server, report.Capacity, note)
	return report.Capacity, nil
}
