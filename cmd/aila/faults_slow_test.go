package main

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"aila/proto"
	"aila/transport/client"
)

// Fault 6: clients that talk and never read. Each is cut, keeps its session, and nobody else
// notices.
func TestClientsThatNeverReadAreCut(t *testing.T) {
	aside(t)
	deaf, talking, calmFor := scale(60, 500), scale(20, 200), time.Duration(scale(1, 10))*time.Second
	e := startElsewhere(t)
	others := sing(t, e.ws, talking, 100*time.Millisecond, client.Options{})
	baseline := others.listenFor(calmFor)
	memory, kernel := e.rss(), kernelPages(t)
	heard := others.listen()

	var all sync.WaitGroup
	began, words := make(map[string]time.Time, deaf), deafening()
	every := time.NewTicker(10 * time.Millisecond)
	defer every.Stop()
	for range deaf {
		v := surviveOn(e.smallPeer(), e.addr())
		began[v.id] = time.Now()
		all.Go(func() { v.talkDeaf(words) })
		<-every.C
	}
	slowest, mostKernel := e.watchQueues(t, began, kernel)
	all.Wait()
	during := heard()
	baseline = max(baseline, others.listenFor(calmFor)) // of the same run, before and after

	for _, view := range e.sessions() {
		if view.ReplayBytes > 2<<20 { // 30 s of audio as JSON
			t.Errorf("session %s keeps %d bytes for replay, want at most 2 MiB", view.ID, view.ReplayBytes)
		}
	}
	grown := (e.rss() - memory) / int64(deaf)
	beside := others.finish()
	ratio := times(during, baseline)
	report(t, "6", beside, "%d deaf clients cut with 4002, the slowest %v after it began to talk; beside %d talkers: p99 %v, was %v (%.2f times); kernel %d bytes, process %d bytes for each",
		deaf, slowest.Round(10*time.Millisecond), talking, during, baseline, ratio, mostKernel/int64(deaf), grown)
	if slowest > 15*time.Second {
		t.Errorf("the slowest was cut after %v, want 15 s", slowest)
	}
	if thorough() && ratio > 2 {
		t.Errorf("the talkers' p99 is %.2f times its baseline, want at most 2", ratio)
	}
	// The race detector has memory of its own.
	if bound := int64(256<<10 + 2<<20); grown > bound && thorough() {
		t.Errorf("each deaf client costs %d bytes of memory, want at most %d", grown, bound)
	}
	if mostKernel/int64(deaf) > 100_000 && thorough() {
		t.Errorf("each deaf client costs %d bytes in the kernel, want at most 100 kB", mostKernel/int64(deaf))
	}
}

// smallPeer is a WebSocket that keeps next to nothing in the kernel on its own side.
func (e *elsewhere) smallPeer() *peer {
	e.t.Helper()
	small := &net.Dialer{Control: func(_, _ string, c syscall.RawConn) (err error) {
		return errors.Join(c.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10)
		}), err)
	}}
	p := dialWith(e.t, small, e.addr())
	if res := p.shake(e.addr()); res.StatusCode != http.StatusSwitchingProtocols {
		e.t.Fatalf("handshake: %s", res.Status)
	}
	return p
}

// talkDeaf says more than all buffers on the way hold of its echo, and never reads. It waits
// until the server lets go of the socket.
func (v *survivor) talkDeaf(words []byte) {
	v.p.tcp.SetWriteDeadline(time.Now().Add(time.Minute))
	_, _ = v.p.tcp.Write(words) // it is not all taken
}

// deafening is 10 s of audio in messages of a second.
func deafening() (b []byte) {
	for seq := int64(1); seq <= 10; seq++ {
		b = append(b, frame(textFrame, []byte(audioChunk(seq, "", toneOf(seq, 48000))))...)
	}
	return b
}

// watchQueues watches until the sockets of all these sessions are cut with 4002, and gives the
// longest time from when one began to talk, and the most memory in the kernel.
func (e *elsewhere) watchQueues(t *testing.T, began map[string]time.Time, before int64) (slowest time.Duration, kernel int64) {
	t.Helper()
	look := time.NewTicker(500 * time.Millisecond) // who asks more, or more often, disturbs the talkers
	defer look.Stop()
	for limit, done := time.Now().Add(time.Minute), false; !done; <-look.C {
		if time.Now().After(limit) {
			t.Fatalf("of %d deaf clients not all were cut within a minute", len(began))
		}
		kernel = max(kernel, kernelPages(t)-before)
		closes, _ := sample(t, e.page, tooSlowCloses) // none: it is there with the first
		done = closes >= float64(len(began))
	}
	cut := 0
	for _, ev := range e.supervision("event=session_detached") {
		if at, deaf := began[ev.Session]; deaf && ev.Code == proto.CloseTooSlow.Code {
			cut++
			slowest = max(slowest, ev.Time.Sub(at))
			if ev.Bytes > 256<<10 {
				t.Errorf("%d bytes waited for session %s, want 256 KiB at most", ev.Bytes, ev.Session)
			}
		}
	}
	if cut != len(began) {
		t.Errorf("%d of %d deaf clients were cut with 4002", cut, len(began))
	}
	return slowest, kernel
}

const tooSlowCloses = `aila_socket_closes_total{code="4002"}`

// kernelPages is how much memory the kernel uses for TCP, in bytes.
func kernelPages(t *testing.T) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/net/sockstat")
	if err != nil {
		t.Skip("needs /proc: ", err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); f[0] == "TCP:" {
			pages, err := strconv.ParseInt(f[len(f)-1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return pages * int64(os.Getpagesize())
		}
	}
	return 0
}

// Fault 7: a client that sends as fast as it can, with the limit on audio and without.
func TestFloodDisturbsNobody(t *testing.T) {
	for _, row := range []struct{ name, rate string }{{"limited", "2"}, {"unlimited", "0"}} {
		t.Run(row.name, func(t *testing.T) {
			aside(t)
			e := startElsewhere(t, "--max-audio-rate", row.rate)
			others := sing(t, e.ws, 20, 100*time.Millisecond, client.Options{})
			baseline, idle, memory := others.listenFor(2*time.Second), e.cpu(time.Second), e.rss()
			heard := others.listen()
			said, limited, most := flood(t, e, time.Duration(scale(2, 10))*time.Second)
			during := heard()
			var after float64
			eventually(t, patience, "the processor to be as idle as before", func() bool {
				after = e.cpu(time.Second)
				return after <= idle*1.5+0.05
			})
			beside := others.finish()
			if grown := most - memory; grown > 20<<20 && thorough() {
				t.Errorf("memory grew by %d bytes, want less than 20 MB", grown)
			}
			if row.rate != "0" && limited == 0 {
				t.Error("a flood was not limited")
			}
			report(t, "7", beside, "%d frames, %d rate_limited; memory grew by %d kB; p99 beside %v, was %v; processor %.0f %%, was %.0f %%",
				said, limited, (most-memory)>>10, during, baseline, 100*after, 100*idle)
		})
	}
}

// flood says unnumbered frames as fast as they are taken, hears what comes, and gives the most
// memory that the server had.
func flood(t *testing.T, e *elsewhere, long time.Duration) (said, limited, most int64) {
	t.Helper()
	p := connect(t, e.addr())
	over := time.Now().Add(long)
	var hearing sync.WaitGroup
	var errs atomic.Int64
	var gone atomic.Bool
	hearing.Go(func() { // ends when the socket does
		buf := make([]byte, 1<<20)
		for {
			p.within(patience)
			n, err := p.tcp.Read(buf)
			errs.Add(int64(bytes.Count(buf[:n], []byte(`"code":"rate_limited"`)))) // but for those between two reads
			if err != nil {
				if !gone.Load() {
					t.Errorf("the flood's socket ended: %v, the last it heard was %q", err, buf[max(0, n-30):n])
				}
				return
			}
		}
	})
	b := frame(textFrame, []byte(audioChunk(0, "", tone(1))))
	for time.Now().Before(over) {
		for range 200 {
			if err := p.write(b); err != nil {
				t.Errorf("say: %v", err)
				over = time.Now()
				break
			}
			said++
		}
		most = max(most, e.rss())
	}
	gone.Store(true)
	p.rst()
	hearing.Wait()
	return said, errs.Load(), most
}
