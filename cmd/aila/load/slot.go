package load

import (
	"context"
	"sync/atomic"
	"time"

	"aila/transport/client"
)

// slot is one client: it has one session after the other, for as long as it is wanted.
type slot struct {
	// set by newRun
	run   *run
	tally *tally
	i     int
	phase time.Duration // of its frames within the period

	call   atomic.Pointer[call] // nil: no session, or none that may be spoken to
	wanted atomic.Bool
	rounds atomic.Int64 // how many sessions it began
}

// retry is how long a client waits before it calls again after it was refused or dropped, the
// first time; each time it waits twice as long, at most retryMost.
const (
	retry     = 500 * time.Millisecond
	retryMost = 8 * time.Second
)

// join starts sessions until one is up, the first of which should begin at due.
func (s *slot) join(ctx context.Context, due int64) {
	wait := retry
	for s.wanted.Load() && ctx.Err() == nil {
		if s.connect(ctx, due) {
			return
		}
		pause(ctx, s.run.jitter(wait)) // the loop asks whether ctx is over
		wait = min(2*wait, retryMost)
		due = s.run.now()
	}
}

// connect tells whether a session was had.
func (s *slot) connect(ctx context.Context, due int64) bool {
	r := s.run
	round := s.rounds.Add(1)
	// Spread by the golden ratio, so that any first so many are spread evenly.
	part := fraction(float64(s.i)*0.6180339887 + float64(round)*0.3819660113)
	c := newCall(r, s, int(part*float64(len(r.rec.frames))), int64(part*float64(r.o.Turns.Talk+r.o.Turns.Listen)))
	r.joining.Add(1)
	sess, err := client.Dial(ctx, r.o.URL, c.options())
	r.joining.Add(-1)
	if err != nil {
		if ctx.Err() == nil {
			r.events.refused(err)
		}
		return false
	}
	r.events.connected(time.Duration(r.now() - due))
	c.mu.Lock()
	c.sess = sess
	c.mu.Unlock()
	r.active.Add(1)
	s.call.Store(c)
	if !s.wanted.Load() {
		s.dismiss(s.run.ending)
	}
	return true
}

// turn is the slot's turn to say a frame.
func (s *slot) turn(due int64) {
	c := s.call.Load()
	if c == nil || c.speak(due) {
		return
	}
	// The session is over, and nobody of ours ended it.
	if !s.call.CompareAndSwap(c, nil) {
		return
	}
	r := s.run
	r.active.Add(-1)
	r.spawn(func() {
		c.mu.Lock()
		sess := c.sess
		c.mu.Unlock()
		<-sess.Done()
		c.close()
		r.events.dropped(sess.Wait(), c.bad.Load())
		if pause(r.talking, r.jitter(retry)) {
			s.join(r.talking, r.now())
		}
	})
}

// dismiss ends the session, if there is one, and waits for its end until ctx ends.
func (s *slot) dismiss(ctx context.Context) {
	c := s.call.Load()
	if c == nil || !s.call.CompareAndSwap(c, nil) {
		return
	}
	s.run.active.Add(-1)
	c.leave(ctx)
	s.run.events.add(func(e *Events) { e.Left++ })
}

func fraction(x float64) float64 { return x - float64(int64(x)) }
