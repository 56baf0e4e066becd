package main

import (
	"slices"
	"sync"
	"testing"
	"time"

	"aila/transport/client"
)

// hands is how many of a crowd act at once: more than a server has processors, fewer than the
// race detector has room for goroutines.
const hands = 256

// byHand does something for each of n, hands of them at a time.
func byHand(n int, do func(i int)) {
	busy := make(chan struct{}, hands)
	var all sync.WaitGroup
	for i := range n {
		busy <- struct{}{}
		all.Go(func() {
			defer func() { <-busy }() // also where the test gives up in do
			do(i)
		})
	}
	all.Wait()
}

// Fault 10: thousands of sockets are dropped at once, in the middle of what they say, and all
// of them come back as soon as they can. The server is a process of its own, since both ends
// of them all are more files than one may open.
func TestCrowdWhoseSocketsAreDroppedAtOnceResumes(t *testing.T) {
	n := scale(200, 5000)
	withoutRaceDetector(t)
	e := startElsewhere(t, "--max-audio-rate", "0")
	crowd := make([]*survivor, n)
	byHand(n, func(i int) { crowd[i] = survive(t, e.addr()) })
	byHand(n, func(i int) {
		crowd[i].size = 480 // 10 ms
		crowd[i].converse(1)
		// Half of the crowd is dropped in the middle of a frame, all with answers on their way.
		if err := crowd[i].speak(3); err != nil {
			t.Error(err)
		}
		if i%2 == 0 {
			crowd[i].p.raw(crowd[i].half(i))
		}
	})
	files := openFiles(t, e.pid())

	dropped := time.Now()
	for i, v := range crowd {
		if i%4 < 2 {
			v.p.rst()
		} else {
			v.p.tcp.Close()
		}
	}
	took := make([]time.Duration, n)
	byHand(n, func(i int) {
		crowd[i].resume()
		took[i] = time.Since(dropped)
	})
	slices.Sort(took)
	early, last := took[n*95/100], took[n-1]
	if early > 10*time.Second {
		t.Errorf("95 %% were back after %v, want 10 s", early)
	}
	if resumes := e.metric(`aila_resumes_total{result="ok"}`); resumes != float64(n) {
		t.Errorf("%v resumes, want %d", resumes, n)
	}
	if refusedOnes := e.metric(`aila_resumes_total{result="refused"}`); refusedOnes != 0 {
		t.Errorf("%v resumes refused, want none", refusedOnes)
	}
	if now := openFiles(t, e.pid()); now > files+10 {
		t.Errorf("%d open files, was %d", now, files)
	}

	var total verdict
	byHand(n, func(i int) { crowd[i].end(0) })
	frames := 0
	for _, v := range crowd {
		total = total.plus(v.verdict())
		frames += len(v.said)
		v.p.tcp.Close()
	}
	report(t, "10", total, "%d sockets dropped at once, 95 %% back after %v, all after %v; %d frames", n, early.Round(time.Millisecond), last.Round(time.Millisecond), frames)
}

// The same with the real client and its jitter, which keeps on talking.
func TestClientsWhoseSocketsAreCutAtOnceTalkOn(t *testing.T) {
	n := scale(50, 1000)
	withoutRaceDetector(t)
	e := startElsewhere(t, "--max-audio-rate", "0")
	var mu sync.Mutex
	var took []time.Duration
	var dropped time.Time
	all := make(chan struct{})
	c := sing(t, e.ws, n, time.Second, client.Options{
		Binary: true,
		Trace: &client.Trace{Resumed: func(time.Duration, int) {
			mu.Lock()
			defer mu.Unlock()
			if took = append(took, time.Since(dropped)); len(took) == n {
				close(all)
			}
		}},
	})
	<-time.After(time.Second) // all talk by then
	mu.Lock()
	dropped = time.Now()
	mu.Unlock()
	for _, v := range c.singers {
		if !v.session.Cut() {
			t.Error("a session had no socket to be cut")
		}
	}
	select {
	case <-all:
	case <-time.After(6 * patience):
		t.Fatal("not all are back after a minute")
	}
	<-time.After(2 * time.Second) // they talk on
	v := c.finish()
	slices.Sort(took)
	early := took[n*95/100]
	if early > 10*time.Second {
		t.Errorf("95 %% were back after %v, want 10 s", early)
	}
	report(t, "10", v, "%d clients cut at once, 95 %% back after %v, all after %v", n, early.Round(time.Millisecond), took[n-1].Round(time.Millisecond))
}
