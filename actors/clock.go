package actors

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// clock wakes sessions when one of their deadlines passes: one goroutine looks at all of them
// every tickEvery, in place of a timer each. A session costs it one comparison.
type clock struct {
	// wake is called from the clock's goroutine with a session whose deadline passed.
	wake func(*record)

	mu     sync.Mutex
	blocks []*block // guarded by mu: only ever grows
	free   []*slot  // guarded by mu
}

// tickEvery is how late a deadline may be seen.
const tickEvery = 50 * time.Millisecond

const blockSlots = 1024

// block keeps deadlines side by side, so that looking at thousands costs microseconds.
type block struct {
	due  [blockSlots]atomic.Int64 // Unix nanoseconds
	slot [blockSlots]slot
}

// slot is a session's place in the clock.
type slot struct {
	due *atomic.Int64
	rec atomic.Pointer[record]
}

const never = math.MaxInt64

// enter gives a session its slot.
func (c *clock) enter(rec *record) *slot {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.free) == 0 {
		b := new(block)
		for i := range b.slot {
			b.due[i].Store(never)
			b.slot[i].due = &b.due[i]
			c.free = append(c.free, &b.slot[blockSlots-1-i])
		}
		c.blocks = append(c.blocks, b)
	}
	s := c.free[len(c.free)-1]
	c.free = c.free[:len(c.free)-1]
	s.rec.Store(rec)
	return s
}

// leave takes the slot back; the session must not use it again.
func (c *clock) leave(s *slot) {
	s.due.Store(never)
	s.rec.Store(nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free = append(c.free, s)
}

// run looks at the deadlines until stop is closed.
func (c *clock) run(stop <-chan struct{}) {
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	for {
		select {
		case <-stop:
			return
		case now := <-t.C:
			c.sweep(now.UnixNano())
		}
	}
}

// sweep wakes every session whose deadline passed. Each sets its next one itself.
func (c *clock) sweep(now int64) {
	c.mu.Lock()
	blocks := c.blocks
	c.mu.Unlock()
	for _, b := range blocks {
		for i := range b.due {
			if due := b.due[i].Load(); due > now || !b.due[i].CompareAndSwap(due, never) {
				continue
			}
			if rec := b.slot[i].rec.Load(); rec != nil {
				c.wake(rec)
			}
		}
	}
}
