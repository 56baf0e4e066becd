package actors

import (
	"sync"
	"sync/atomic"
	"time"

	"aila/proto"
)

// inlet is a session as one socket's read loop sees it: the door from transport into the
// actors, and the one place between socket and voice that may wait. A message takes a credit
// here, which its session gives back when the message is through; that bounds every mailbox
// behind it.
type inlet struct {
	hub    *hub
	rec    *record
	once   sync.Once
	spoke  atomic.Bool   // a message came through it
	closed atomic.Bool   // gone is closed
	gone   chan struct{} // closed when the session ended or took another socket
}

func newInlet(h *hub, rec *record) *inlet {
	return &inlet{hub: h, rec: rec, gone: make(chan struct{})}
}

// Deliver implements proto.Inlet.
func (in *inlet) Deliver(msg proto.Inbound) error {
	if in.isGone() || !in.rec.credits.take() && !in.waitForCredit() {
		drop(msg)
		return proto.ErrClosed
	}
	if !in.spoke.Load() {
		in.spoke.Store(true)
	}
	in.rec.counts.in[kindIn(msg)].Add(1)
	in.rec.tellClient(msg)
	return nil
}

// waitForCredit tells whether a credit came before the inlet was closed.
func (in *inlet) waitForCredit() bool {
	since := time.Now()
	defer func() { in.hub.tally.backpressure.Add(int64(time.Since(since))) }()
	return in.rec.credits.wait(in.gone)
}

// Ready implements proto.Inlet.
func (in *inlet) Ready() bool { return in.rec.credits.left.Load() > 0 }

// Hangup implements proto.Inlet.
func (in *inlet) Hangup(c proto.Close) {
	if !in.isGone() {
		in.rec.tellClient(hangup{in: in, close: c})
	}
}

// shut makes Deliver return ErrClosed from now on.
func (in *inlet) shut() {
	in.once.Do(func() {
		in.closed.Store(true)
		close(in.gone)
	})
}

func (in *inlet) isGone() bool { return in.closed.Load() }

// credits are how many more messages of a session may be in flight.
type credits struct {
	left    atomic.Int64
	waiting atomic.Int64 // how many wait

	mu    sync.Mutex
	moved chan struct{} // guarded by mu: closed when a credit comes back; nil: nobody waits
}

// take takes a credit if there is one.
func (c *credits) take() bool {
	for {
		left := c.left.Load()
		if left <= 0 {
			return false
		}
		if c.left.CompareAndSwap(left, left-1) {
			return true
		}
	}
}

// giveBack gives a credit back.
func (c *credits) giveBack() {
	c.left.Add(1)
	if c.waiting.Load() == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.moved != nil {
		close(c.moved)
		c.moved = nil
	}
}

// wait takes a credit as soon as there is one; false: gone was closed before.
func (c *credits) wait(gone <-chan struct{}) bool {
	c.waiting.Add(1) // before the next look at left: giveBack looks the other way round
	defer c.waiting.Add(-1)
	for {
		c.mu.Lock()
		if c.moved == nil {
			c.moved = make(chan struct{})
		}
		moved := c.moved
		c.mu.Unlock()
		if c.take() {
			return true
		}
		select {
		case <-moved:
		case <-gone:
			return false
		}
	}
}

// drop gives back what a message holds.
func drop(msg proto.Inbound) {
	if a, ok := msg.(*proto.AudioIn); ok {
		a.Release()
	}
}
