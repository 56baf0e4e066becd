package actors

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aila/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wire is a socket as a session sees it: what is sent comes out decoded, in order.
type wire struct {
	mu     sync.Mutex
	said   []proto.Outbound
	raw    []string
	closes []proto.Close
	moved  chan struct{}
	queue  atomic.Int64 // what QueueBytes says
}

func newWire() *wire { return &wire{moved: make(chan struct{}, 1)} }

func (w *wire) Send(p []byte, binary bool) {
	var m proto.Outbound
	var err error
	if binary {
		m, err = proto.DecodeOutboundBinary(p, 1)
	} else {
		m, err = proto.DecodeOutbound(p)
	}
	if err != nil {
		panic(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.closes) > 0 {
		return
	}
	w.said = append(w.said, m)
	w.raw = append(w.raw, string(p))
	w.wake()
}

func (w *wire) Close(c proto.Close) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closes = append(w.closes, c)
	w.wake()
}

func (w *wire) QueueBytes() int64 { return w.queue.Load() }

func (w *wire) wake() {
	select {
	case w.moved <- struct{}{}:
	default:
	}
}

// closed waits for the close.
func (w *wire) closed(t *testing.T) proto.Close {
	t.Helper()
	var c proto.Close
	w.until(t, "a close", func() bool {
		if len(w.closes) == 0 {
			return false
		}
		c = w.closes[0]
		return true
	})
	return c
}

// until waits until cond, which is called with the lock held.
func (w *wire) until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	late := time.NewTimer(10 * time.Second)
	defer late.Stop()
	for {
		w.mu.Lock()
		ok := cond()
		w.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-w.moved:
		case <-late.C:
			w.mu.Lock()
			defer w.mu.Unlock()
			t.Fatalf("waited in vain for %s; said %.200q", what, w.raw)
		}
	}
}

// next takes the next message of type M; others stay.
func next[M proto.Outbound](t *testing.T, w *wire) M {
	t.Helper()
	var got M
	w.until(t, fmt.Sprintf("%T", got), func() bool {
		for i, m := range w.said {
			if typed, ok := m.(M); ok {
				got = typed
				w.said = slices.Delete(w.said, i, i+1)
				return true
			}
		}
		return false
	})
	return got
}

// rig is a server with one session on it.
type rig struct {
	t       *testing.T
	g       *Gateway
	w       *wire
	in      proto.Inlet
	started *proto.SessionStarted
	frame   []byte
	seq     int64
}

func startServer(t *testing.T, o Options) *Gateway {
	t.Helper()
	g := Start(o)
	t.Cleanup(func() {
		g.Stop()
		if n := g.hub.tally.unhandled.Load(); n != 0 {
			t.Errorf("%d messages had no handler", n)
		}
	})
	return g
}

func newRig(t *testing.T, o Options, start *proto.Start) *rig {
	t.Helper()
	return join(t, startServer(t, o), start)
}

func join(t *testing.T, g *Gateway, start *proto.Start) *rig {
	t.Helper()
	r := &rig{t: t, g: g, w: newWire(), frame: make([]byte, 960)}
	for i := range r.frame {
		r.frame[i] = byte(i)
	}
	in, fault := g.Open(context.Background(), proto.Hello{Start: start, Remote: "test"}, r.w)
	if fault != nil {
		t.Fatalf("Open: %v", fault)
	}
	r.in = in
	r.started = next[*proto.SessionStarted](t, r.w)
	return r
}

// audio delivers the next numbered frame; its first byte is the number's.
func (r *rig) audio() int64 {
	r.seq++
	r.deliverAudio(r.seq)
	return r.seq
}

func (r *rig) deliverAudio(seq int64) {
	a := proto.NewAudioIn()
	a.Seq, a.Data = seq, append(a.Data, r.frame...)
	a.Data[0] = byte(seq)
	r.deliver(a)
}

func (r *rig) deliver(m proto.Inbound) {
	r.t.Helper()
	if err := r.in.Deliver(m); err != nil {
		r.t.Fatalf("Deliver: %v", err)
	}
}

// head numbers the next message.
func (r *rig) head(id string) proto.Head {
	r.seq++
	return proto.Head{Seq: r.seq, ID: id}
}

// echoes takes the echoes of the given frames, in order and nothing between.
func (r *rig) echoes(seqs ...int64) {
	r.t.Helper()
	for _, seq := range seqs {
		a := next[*proto.AudioOut](r.t, r.w)
		if a.Re != seq || a.Data[0] != byte(seq) || len(a.Data) != len(r.frame) {
			r.t.Fatalf("echo of %d with %d bytes, want that of %d", a.Re, len(a.Data), seq)
		}
	}
}

// resume joins a new socket to the session.
func (r *rig) resume(token string, last int64) *proto.Fault {
	w := newWire()
	in, fault := r.g.Open(context.Background(), proto.Hello{Resume: &proto.Resume{SessionID: r.started.SessionID, Token: token, LastSeq: last}, Remote: "test"}, w)
	if fault != nil {
		return fault
	}
	r.w, r.in = w, in
	return nil
}
