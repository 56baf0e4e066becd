package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aila/transport/client"
)

// Fault 5: half of the sessions crash-loop, each replaced when it ends. The other half does
// not notice.
func TestCrashLoopsDisturbNobody(t *testing.T) {
	aside(t)
	half, long := scale(20, 250), time.Duration(scale(2, 10))*time.Second
	e := startElsewhere(t)
	others := sing(t, e.ws, half, 200*time.Millisecond, client.Options{})
	var ratios []float64
	var idle, after float64
	var crashes, replaced int64
	for range scale(1, 3) {
		doomed := e.doom(t, half)
		baseline := others.listenFor(long)
		idle = e.cpu(time.Second)
		heard := others.listen()
		crashes += doomed.loop(long)
		ratios = append(ratios, times(heard(), baseline))
		replaced += doomed.replaced.Load()
		doomed.end()
		eventually(t, 5*time.Second, "the processor to be as idle as before", func() bool {
			after = e.cpu(500 * time.Millisecond)
			return after <= idle*1.5+0.05
		})
	}
	beside := others.finish()
	eventually(t, patience, "no session to be left", func() bool { return e.live() == 0 })
	slices.Sort(ratios)
	report(t, "5", beside, "%d crashes in %d times %v, %d sessions replaced; p99 of the %d beside them %.2f times its baseline (median of %.2f); processor %.0f %%, was %.0f %%",
		crashes, len(ratios), long, replaced, half, ratios[len(ratios)/2], ratios, 100*after, 100*idle)
	if thorough() && ratios[len(ratios)/2] > 2 {
		t.Errorf("the p99 beside is %.2f times its baseline, want at most 2", ratios[len(ratios)/2])
	}
	if crashes < int64(half) || replaced == 0 {
		t.Errorf("%d crashes and %d replaced sessions: that was no crash loop", crashes, replaced)
	}
}

// doomed are sessions that talk, crash, end and are replaced.
type doomed struct {
	e        *elsewhere
	stop     context.CancelFunc
	work     sync.WaitGroup
	replaced atomic.Int64

	mu  sync.Mutex
	ids []string // guarded by mu: of the sessions that live now
}

// doom starts n of them; they do not crash yet.
func (e *elsewhere) doom(t *testing.T, n int) *doomed {
	t.Helper()
	life, stop := context.WithCancel(context.Background())
	d := &doomed{e: e, stop: stop, ids: make([]string, n)}
	var born sync.WaitGroup
	born.Add(n)
	for i := range n {
		var once sync.Once
		d.work.Go(func() {
			for life.Err() == nil {
				s, err := client.Dial(life, e.ws, client.Options{Reconnect: client.Reconnect{Off: true}})
				if err != nil {
					once.Do(born.Done)
					continue // it is replaced by the next
				}
				d.mu.Lock()
				d.ids[i] = s.Started().SessionID
				d.mu.Unlock()
				once.Do(born.Done)
				d.talk(life, s)
			}
		})
	}
	born.Wait()
	t.Cleanup(d.end)
	return d
}

// talk says 200 ms of audio at a time until the session or life ends.
func (d *doomed) talk(life context.Context, s *client.Session) {
	defer s.Close()
	every := time.NewTicker(200 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			_, _ = s.SendShared(toneOf(1, 9600)) // a session that crashed is seen by Done
		case <-s.Done():
			d.replaced.Add(1)
			return
		case <-life.Done():
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			_ = s.Finish(ctx) // it may just have crashed
			return
		}
	}
}

// loop crashes one actor of each of them again and again, so often that each is over its budget
// before the time is, and gives how often it did. Where an order takes long, so does the loop.
func (d *doomed) loop(long time.Duration) (crashes int64) {
	orders := &http.Transport{}
	defer orders.CloseIdleConnections()
	by := &http.Client{Timeout: patience, Transport: orders}
	actors := []string{"audio", "control", "voice"}
	d.mu.Lock()
	n := len(d.ids)
	d.mu.Unlock()
	every := time.NewTicker(long / time.Duration(8*n))
	defer every.Stop()
	begun := time.Now()
	looped := func() bool { return crashes >= int64(n) && d.replaced.Load() > 0 }
	for i := 0; time.Since(begun) < long || !looped() && time.Since(begun) < patience; i++ {
		<-every.C
		d.mu.Lock()
		id := d.ids[i%n]
		d.mu.Unlock()
		// A session that ended and is not yet replaced is not there to crash.
		if d.e.tryCrash(by, id, actors[i%n%3], []string{"", "frame"}[rand.IntN(2)]) {
			crashes++
		}
	}
	return crashes
}

func (d *doomed) end() {
	d.stop()
	d.work.Wait()
}
