package main

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"aila/proto"
	"aila/transport/client"
)

// withoutRaceDetector makes the servers that the test starts plain ones in make faults, where
// memory and times are measured.
func withoutRaceDetector(t *testing.T) {
	t.Helper()
	if !thorough() {
		return
	}
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "aila"), ".").CombinedOutput(); err != nil {
		t.Fatalf("build aila: %v\n%s", err, out)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// comings are the ways in which a visitor comes and goes; the odd ones are rude.
var comings = []struct {
	name string
	call func(t testing.TB, p *peer, host string)
}{
	{"start and end", func(t testing.TB, p *peer, host string) {
		p.greet(host)
		p.say(&proto.Start{})
		p.raw(audioFrame(1))
		p.text(`{"type":"session_control","action":"end","seq":2}`)
		p.wantClose(proto.CloseEnded)
		p.tcp.Close()
	}},
	{"no word at all", func(t testing.TB, p *peer, host string) { p.rst() }},
	{"a close frame", func(t testing.TB, p *peer, host string) {
		p.greet(host)
		p.raw(frame(closeFrame, []byte{0x03, 0xe8}))
		p.wait()
		if head, _, err := p.read(); err != nil || head != closeFrame {
			t.Errorf("answer to a close frame: %x, %v", head, err)
		}
		p.tcp.Close()
	}},
	{"half a handshake", func(t testing.TB, p *peer, host string) {
		p.raw([]byte("GET /ws HTTP/1.1\r\nHost: " + host + "\r\nUpgr"))
		p.rst()
	}},
	{"a session left to wait", func(t testing.TB, p *peer, host string) {
		p.greet(host)
		p.say(&proto.Start{})
		want[*proto.SessionStarted](p)
		p.fin()
		p.tcp.Close()
	}},
	{"half a frame", func(t testing.TB, p *peer, host string) {
		p.greet(host)
		p.say(&proto.Start{})
		p.raw(audioFrame(1)[:200])
		p.rst()
	}},
	{"a handshake, then an end", func(t testing.TB, p *peer, host string) {
		p.greet(host)
		p.fin()
		p.tcp.Close()
	}},
	{"answers unread", func(t testing.TB, p *peer, host string) {
		p.greet(host)
		p.say(&proto.Start{})
		for seq := range int64(5) {
			p.raw(audioFrame(seq + 1))
		}
		p.rst()
	}},
}

// greet makes the handshake.
func (p *peer) greet(host string) {
	p.t.Helper()
	if res := p.shake(host); res.StatusCode != 101 {
		p.t.Errorf("handshake: %s", res.Status)
	}
}

// Fault 11: 100 000 come and go, half of them rudely. They leave nothing behind. They come in
// two waves, and the second must leave the heap as it found it: the first one pays, once in the
// life of a server, for the library's registry of actors, which is 32 768 maps that are made as
// they are first used (14 MB in all), and for the room that maps keep.
func TestComingsAndGoingsLeaveNothingBehind(t *testing.T) {
	n := scale(500, 100_000) / 2
	withoutRaceDetector(t)
	e := startElsewhere(t, "--resume-window", "1s", "--max-per-address", "100000")
	beside := sing(t, e.ws, 10, 200*time.Millisecond, client.Options{})
	fresh, was := e.heap(), e.inventory()
	var took time.Duration
	var heap [2]float64
	for i := range heap {
		began := time.Now()
		byHand(n, func(i int) { comings[i%len(comings)].call(t, e.visitor(i), e.addr()) })
		took += time.Since(began)
		heap[i] = e.settle(was)
	}
	now := e.inventory()
	v := beside.finish()
	report(t, "11", v, "%d connects and hang-ups in %v, half of them rude: %+v, was %+v; heap %.1f MB, was %.1f MB after the first half and %.1f MB before it",
		2*n, took.Round(time.Second), now, was, heap[1]/1e6, heap[0]/1e6, fresh/1e6)
	if heap[1] > heap[0]*1.05+10e6 {
		t.Errorf("heap after a collection %.1f MB, was %.1f MB: want within 5 %% and 10 MB", heap[1]/1e6, heap[0]/1e6)
	}
}

// inventory is what a server has.
type inventory struct{ goroutines, files, sockets, sessions int }

func (e *elsewhere) inventory() inventory {
	e.t.Helper()
	return inventory{int(e.metric("go_goroutines")), openFiles(e.t, e.pid()), int(e.metric("aila_sockets")), len(e.sessions())}
}

// settle waits until the server has no more than it had, and gives its heap.
func (e *elsewhere) settle(was inventory) float64 {
	e.t.Helper()
	var now inventory
	defer func() {
		if e.t.Failed() {
			e.t.Logf("the server has %+v, had %+v", now, was)
		}
	}()
	eventually(e.t, 4*patience, "goroutines, open files, sockets and sessions to be as before", func() bool {
		now = e.inventory()
		return now.goroutines <= was.goroutines+5 && now.files <= was.files+3 && now.sockets == was.sockets && now.sessions == was.sessions
	})
	if thorough() { // what an ended session said last can be fetched for 30 s; of few sessions that is little
		<-time.After(32 * time.Second)
	}
	return e.heap()
}

// visitor connects from one of many addresses of this machine, since the ports of one run out.
func (e *elsewhere) visitor(i int) *peer {
	from := &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%200))}
	c, err := (&net.Dialer{LocalAddr: from, Timeout: patience}).Dial("tcp", e.addr())
	if err != nil {
		e.t.Fatalf("visitor %s: %v", strconv.Itoa(i), err)
	}
	return &peer{t: e.t, tcp: c.(*net.TCPConn), br: bufio.NewReader(c), next: 1}
}
