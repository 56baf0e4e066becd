package load

import (
	"context"
	"slices"
	"time"
)

// quantum is to what the clients' phases are rounded, so that one wake-up serves several.
const quantum = 500 * time.Microsecond

// batch is the clients of one shard that are due at the same time of each period.
type batch struct {
	phase time.Duration
	slots []*slot
}

// pacer gives each of its clients a turn every period. It never skips a turn: what it is late
// with, it sends late, and the frame's time still counts from when it was due.
type pacer struct {
	period  time.Duration
	exact   time.Duration // for so long the kernel is to sleep
	batches []batch
}

func newPacer(period, exact time.Duration, slots []*slot) *pacer {
	p := &pacer{period: period, exact: exact}
	slices.SortStableFunc(slots, func(a, b *slot) int { return int(a.phase - b.phase) })
	for _, s := range slots {
		if n := len(p.batches); n == 0 || p.batches[n-1].phase != s.phase {
			p.batches = append(p.batches, batch{phase: s.phase})
		}
		last := &p.batches[len(p.batches)-1]
		last.slots = append(last.slots, s)
	}
	return p
}

// run paces from began until ctx ends.
func (p *pacer) run(ctx context.Context, began time.Time) {
	if len(p.batches) == 0 {
		return
	}
	short := newSleeper()
	defer short.close()
	for due := time.Duration(0); ; due += p.period {
		for _, b := range p.batches {
			at := due + b.phase
			if !pause(ctx, at-p.exact-time.Since(began)) {
				return
			}
			for d := at - time.Since(began); d > 0; d = at - time.Since(began) {
				short.sleep(d)
			}
			for _, s := range b.slots {
				s.turn(int64(at))
			}
		}
	}
}

// patience is how long anything here sleeps before it looks whether it is still wanted.
const patience = 50 * time.Millisecond

// pause waits for d; false: ctx is over. It sleeps rather than selects on a timer's channel:
// that costs less, and in a test's bubble the race detector of Go 1.26 fails over many such
// channels (golang/go#78156).
func pause(ctx context.Context, d time.Duration) bool {
	for until := time.Now().Add(d); d > 0 && ctx.Err() == nil; d = time.Until(until) {
		time.Sleep(min(d, patience))
	}
	return ctx.Err() == nil
}

// phaseOf spreads clients over the period, wherever one stops counting.
func phaseOf(i int, period time.Duration) time.Duration {
	at := time.Duration(fraction(float64(i)*0.6180339887) * float64(period))
	return at.Truncate(quantum)
}
