package load

import (
	"context"
	"math/rand/v2"
	"time"
)

// profiles starts what happens to the clients besides talking.
func (r *run) profiles() {
	o := &r.o
	steady := o.Ramp
	r.spawn(func() { r.crowd(r.slots[:o.Clients], 0, o.Ramp) })
	if o.Churn > 0 {
		r.spawn(func() { r.every(steady, o.Churn, 'h', r.replace) })
	}
	if o.CutRate > 0 {
		r.spawn(func() { r.every(steady, o.CutRate, 'c', r.cut) })
	}
	if o.CrashRate > 0 {
		c := newCrasher(r)
		r.spawn(func() { r.every(steady, o.CrashRate, 'x', c.crash) })
	}
	if o.Spike.Clients > 0 {
		r.spawn(r.spike)
	}
}

// crowd has clients join, spread over a time that begins at from.
func (r *run) crowd(slots []*slot, from, over time.Duration) {
	for i, s := range slots {
		due := from + over*time.Duration(i)/time.Duration(len(slots))
		if !r.until(due) {
			return
		}
		s.wanted.Store(true)
		r.spawn(func() { s.join(r.talking, int64(due)) })
	}
}

// spike lets the crowd in at once, and out at once.
func (r *run) spike() {
	s := r.o.Spike
	begins := r.o.Ramp + s.At
	extra := r.slots[r.o.Clients:]
	r.crowd(extra, begins, 0)
	if !r.until(begins + s.For) {
		return // finish ends them
	}
	for _, s := range extra {
		s.wanted.Store(false)
		r.spawn(func() { s.dismiss(r.ending) })
	}
}

// until waits for a time of the run; false: the run is over.
func (r *run) until(at time.Duration) bool {
	return pause(r.talking, at-time.Since(r.began))
}

// every does f so many times a second from a time of the run on, each time with a client that
// has a session, drawn from a stream of random numbers of its own.
func (r *run) every(from time.Duration, rate float64, stream uint64, f func(*slot, *rand.Rand)) {
	rng := rand.New(rand.NewPCG(r.o.Seed, stream))
	for n := 1; r.until(from + time.Duration(float64(n)/rate*float64(time.Second))); n++ {
		if s := r.draw(rng); s != nil {
			f(s, rng)
		}
	}
}

// draw gives a client of the load that has a session; nil: hardly anybody has.
func (r *run) draw(rng *rand.Rand) *slot {
	for range 50 {
		s := r.slots[rng.IntN(r.o.Clients)]
		if s.call.Load() != nil {
			return s
		}
	}
	return nil
}

// replace ends a client's session and starts its next one.
func (r *run) replace(s *slot, _ *rand.Rand) {
	r.spawn(func() {
		due := r.now()
		ctx, cancel := context.WithTimeout(r.ending, r.o.Grace)
		defer cancel()
		s.dismiss(ctx)
		s.join(r.talking, max(due, r.now()))
	})
}

// cut kills a client's socket.
func (r *run) cut(s *slot, _ *rand.Rand) {
	if c := s.call.Load(); c != nil && c.cutSocket() {
		r.events.add(func(e *Events) { e.Cut++ })
	}
}
