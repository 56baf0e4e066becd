package actors

import (
	"context"
	"sync"

	"aila/proto"
)

// gate slows a voice that has more to say than its session can keep: its backend waits here,
// on a goroutine of its own, before it reads more from its far side.
type gate struct {
	mu     sync.Mutex
	shut   bool          // guarded by mu
	closed bool          // guarded by mu: for ever
	moved  chan struct{} // guarded by mu: closed at the next change; nil: nobody waits
}

func newGate() *gate { return new(gate) }

// set opens or shuts the gate.
func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut == open {
		g.shut = !open
		g.wake()
	}
}

// close ends all waiting.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.wake()
}

func (g *gate) wake() {
	if g.moved != nil {
		close(g.moved)
		g.moved = nil
	}
}

// wait waits until the gate is open.
func (g *gate) wait(ctx context.Context) error {
	for {
		g.mu.Lock()
		if g.closed {
			g.mu.Unlock()
			return proto.ErrClosed
		}
		if !g.shut {
			g.mu.Unlock()
			return nil
		}
		if g.moved == nil {
			g.moved = make(chan struct{})
		}
		moved := g.moved
		g.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
