package main

import (
	"strings"
	"sync"
	"testing"
	"time"

	"aila/proto"
)

// Fault 8: peers that vanish without a word. A tunnel goes deaf: it takes whatever either side
// sends, acknowledges it as a kernel does, and passes on nothing, not even an end.
func TestVanishedPeersAreFoundAndTheirSessionsWait(t *testing.T) {
	t.Parallel()                   // it waits for the heartbeat
	const window = 6 * time.Second // longer than from the first peer that is found to the last
	peers := scale(3, 50)
	s := startServer(t, func(c *config) { c.ResumeWindow = window })
	x := dig(t, s.addr, func() cut { return cut{} })
	beside := survive(t, s.addr)
	vanished := make([]*survivor, peers)
	for i := range vanished {
		vanished[i] = survive(t, x.addr())
		vanished[i].converse(3)
	}

	x.deaf.Store(true)
	gone := time.Now()
	freed := s.watchFreed(t, beside, gone)
	if freed > 30*time.Second {
		t.Errorf("the last socket was freed after %v, want 30 s", freed)
	}
	if n := s.metric(`aila_socket_closes_total{code="4001"}`); n != float64(peers) {
		t.Errorf("%v sockets closed with 4001, want %d", n, peers)
	}

	// One of them comes back within the window, by a network that works.
	back := vanished[0]
	back.addr = s.addr
	back.resume()
	for _, v := range vanished[1:] {
		if view := s.view(t, v.id); view.Attached || view.State != proto.Waiting {
			t.Errorf("session %s: attached %v, %s, want it to wait", v.id, view.Attached, view.State)
		}
	}
	eventually(t, patience, "the other sessions to end", func() bool { return len(s.sessions()) == 2 })
	for _, v := range vanished[1:] {
		detached, ended := s.supervision("event=session_detached&session="+v.id), s.supervision("event=session_ended&session="+v.id)
		if len(detached) != 1 || detached[0].Code != proto.CloseHeartbeat.Code || len(ended) != 1 || ended[0].Reason != string(proto.EndIdle) {
			t.Errorf("events %+v and %+v, want detached by 4001 and ended idle, once", detached, ended)
			continue
		}
		if kept := ended[0].Time.Sub(detached[0].Time); kept < window || kept > window+time.Second {
			t.Errorf("session %s was kept for %v, want %v", v.id, kept, window)
		}
		if !strings.Contains(s.log.String(), `"event":"session_ended","session":"`+v.id) {
			t.Errorf("the end of session %s is not in the log", v.id)
		}
	}
	back.end(0)
	beside.end(0)
	total := beside.verdict()
	for _, v := range vanished {
		total = total.plus(v.verdict())
	}
	report(t, "8", total, "%d peers vanished; their sockets were freed within %v, their sessions kept for the window of %v, then ended and logged; one was resumed",
		peers, freed.Round(10*time.Millisecond), window)
}

// watchFreed talks on beside the vanished until only its own socket is open, and gives how long
// that took.
func (s *server) watchFreed(t *testing.T, beside *survivor, gone time.Time) (freed time.Duration) {
	t.Helper()
	over := make(chan struct{})
	var talk sync.WaitGroup
	talk.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			beside.converse(1)
			select {
			case <-tick.C:
			case <-over:
				return
			}
		}
	})
	eventually(t, time.Minute, "the vanished peers' sockets to be freed", func() bool { return s.house.server.Sockets() == 1 })
	freed = time.Since(gone)
	close(over)
	talk.Wait()
	return freed
}
