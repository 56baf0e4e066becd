package main

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"aila/proto"
)

// oracle is the judge of every fault: the client's log of what it said, held against what came
// back. It may be told from any goroutine.
type oracle struct {
	mu    sync.Mutex
	said  [][]byte       // by client seq, from 1; nil: no audio
	at    []time.Time    // when it was said, by client seq
	times map[int64]int  // how often the echo of each came
	lost  map[int64]bool // frames that an actor_restarted named
	acked int64          // the highest client seq acknowledged
	last  int64          // the client seq echoed last
	heard int64          // the highest contiguous server seq

	different, doubled, disordered int

	errors  []proto.Fault
	gaps    []proto.GapOut
	ended   *proto.SessionEnded
	samples int64 // heard, of 16 bits
	lags    []time.Duration
}

func newOracle() *oracle { return &oracle{times: map[int64]int{}, lost: map[int64]bool{}} }

// say notes what is said next, audio or nil, and numbers it.
func (o *oracle) say(pcm []byte) (seq int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.said, o.at = append(o.said, pcm), append(o.at, time.Now())
	return int64(len(o.said))
}

// hear takes what the server says. It tells whether that is new: what comes twice under one
// number is the replay's right, and no client plays it again.
func (o *oracle) hear(m proto.Outbound) (fresh bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if q, ok := m.(proto.Sequenced); ok {
		seq := *q.Number()
		if seq <= o.heard {
			return false
		}
		if seq != o.heard+1 {
			o.disordered++
		}
		o.heard = seq
	}
	switch m := m.(type) {
	case *proto.AudioOut:
		o.echo(m)
	case *proto.AckOut:
		o.acked = max(o.acked, m.Seq)
	case *proto.SessionResumed:
		o.acked = max(o.acked, m.LastSeq)
	case *proto.GapOut:
		o.gaps = append(o.gaps, *m)
	case *proto.Fault:
		o.errors = append(o.errors, *m)
		if m.Code == proto.ActorRestarted && m.ClientSeq > 0 {
			o.lost[m.ClientSeq] = true
		}
	case *proto.SessionEnded:
		o.ended = m
		o.acked = int64(len(o.said))
	}
	return true
}

// echo judges one frame that came back. Binary audio names no frame: its order does.
func (o *oracle) echo(m *proto.AudioOut) {
	re := m.Re
	if re == 0 {
		for re = o.last + 1; re <= int64(len(o.said)) && (o.said[re-1] == nil || o.lost[re]); re++ {
		}
	}
	o.samples += int64(len(m.Data) / 2)
	if re < 1 || re > int64(len(o.said)) || !bytes.Equal(m.Data, o.said[re-1]) {
		o.different++
		return
	}
	if o.times[re]++; o.times[re] > 1 {
		o.doubled++
		return
	}
	if re < o.last {
		o.disordered++
	}
	o.last = re
	o.lags = append(o.lags, time.Since(o.at[re-1]))
}

// verdict is what a fault cost: L acknowledged frames missing or different, D heard twice, O
// out of order.
type verdict struct{ L, D, O int }

func (v verdict) String() string { return fmt.Sprintf("L=%d D=%d O=%d", v.L, v.D, v.O) }

func (v verdict) plus(w verdict) verdict { return verdict{v.L + w.L, v.D + w.D, v.O + w.O} }

// verdict counts. A frame announced as lost is no loss of ours.
func (o *oracle) verdict() verdict {
	o.mu.Lock()
	defer o.mu.Unlock()
	missing := 0
	for i, pcm := range o.said[:min(o.acked, int64(len(o.said)))] {
		if seq := int64(i + 1); pcm != nil && o.times[seq] == 0 && !o.lost[seq] {
			missing++
		}
	}
	return verdict{L: missing + o.different, D: o.doubled, O: o.disordered}
}

// spoken is how many samples of 16 bits were said.
func (o *oracle) spoken() (samples int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, pcm := range o.said {
		samples += int64(len(pcm) / 2)
	}
	return samples
}

// report states L, D and O of a fault and fails the test unless all are 0.
func report(t testing.TB, fault string, v verdict, format string, args ...any) {
	t.Helper()
	t.Logf("fault %s: %v %s", fault, v, fmt.Sprintf(format, args...))
	if v != (verdict{}) {
		t.Errorf("fault %s: %v, want L=0 D=0 O=0", fault, v)
	}
}
