package main

import (
	"fmt"
	"sync"
	"testing"

	"aila/proto"
)

// Thousands of sessions connect, start, hear a second of audio each come back, and leave. What
// they took is given back.
func TestThousandsComeTalkAndLeave(t *testing.T) {
	aside(t)
	many := scale(1000, 10_000)
	e := startElsewhere(t, "--max-audio-rate", "0")
	goroutines, files, heap := e.metric("go_goroutines"), openFiles(t, e.pid()), e.heap()

	all := make([]*survivor, many)
	e.inParallel(t, many, func(i int) error {
		p, err := e.open()
		if err != nil {
			return err
		}
		all[i] = &survivor{oracle: newOracle(), t: t, addr: e.addr(), p: p, size: 4800}
		return all[i].startQuietly()
	})
	if t.Failed() {
		t.FailNow()
	}
	if n := e.live(); n != many {
		t.Errorf("%d sessions live, want %d at once", n, many)
	}
	rss := e.rss()
	e.inParallel(t, many, func(i int) error { return all[i].secondAndEnd() })
	var v verdict
	for i, s := range all {
		if v = v.plus(s.verdict()); s.samples != 24000 {
			t.Errorf("session %d heard %d samples, want 24000", i, s.samples)
		}
		s.p.tcp.Close()
	}
	e.wantBack(goroutines, files)
	now := e.heap()
	report(t, "11", v, "in %d sessions at once, a second of audio each; %d kB of memory a session; heap %.1f MB, was %.1f MB",
		many, rss>>10/int64(many), now/1e6, heap/1e6)
	// Sessions that ended wait half a minute for who has not acknowledged their end.
	if bound := heap*1.05 + 10e6 + 20e3*float64(many); now > bound {
		t.Errorf("heap of %.1f MB afterwards, was %.1f MB", now/1e6, heap/1e6)
	}
}

// open is connect whose error is the network's, for use on any goroutine.
func (e *elsewhere) open() (p *peer, err error) {
	p, err = dialQuietly(e.t, e.addr())
	if err != nil {
		return nil, err
	}
	return p, p.shakeQuietly(e.addr())
}

// inParallel does something for each of n, 100 at a time.
func (e *elsewhere) inParallel(t *testing.T, n int, do func(i int) error) {
	t.Helper()
	next := make(chan int)
	var work sync.WaitGroup
	for range 100 {
		work.Go(func() {
			for i := range next {
				if err := do(i); err != nil {
					t.Errorf("session %d: %v", i, err)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	work.Wait()
}

// startQuietly is the beginning of survive, for use on any goroutine.
func (v *survivor) startQuietly() error {
	if err := v.p.write(encoded(&proto.Start{})); err != nil {
		return err
	}
	return v.listen(func(m proto.Outbound) bool { _, ok := m.(*proto.SessionStarted); return ok })
}

// secondAndEnd says a second of audio, acknowledges all that it heard, and ends.
func (v *survivor) secondAndEnd() error {
	if err := v.speak(10); err != nil {
		return err
	}
	if err := v.listen(echoed(10)); err != nil {
		return err
	}
	seq := v.say(nil)
	err := v.p.write(append(encoded(&proto.AckIn{Seq: v.heard}), encoded(&proto.End{Head: proto.Head{Seq: seq}})...))
	if err != nil {
		return err
	}
	if err := v.listen(func(proto.Outbound) bool { return false }); err != error(errClosed{proto.CloseEnded}) {
		return fmt.Errorf("the end: %w, want close 1000", err)
	}
	if e := v.ended; e == nil || e.SamplesIn != 24000 || e.SamplesOut != 24000 || e.SamplesLost != 0 {
		return fmt.Errorf("session_ended %+v, want 24000 samples in and out", e)
	}
	return nil
}
