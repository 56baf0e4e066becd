package actors

import (
	"testing"
	"testing/synctest"
	"time"

	"aila/proto"
)

// inBubble runs a test of time, which takes none.
func inBubble(t *testing.T, o Options, f func(r *rig)) {
	synctest.Test(t, func(t *testing.T) {
		g := Start(o)
		defer time.Sleep(time.Second) // of the bubble's time: the library's throttle lets go
		defer g.Stop()
		f(join(t, g, &proto.Start{}))
	})
}

func TestAckComesWithin250ms(t *testing.T) {
	inBubble(t, Options{}, func(r *rig) {
		r.audio()
		start := time.Now()
		if a := next[*proto.AckOut](r.t, r.w); a.Seq != 1 || time.Since(start) > 250*time.Millisecond {
			r.t.Errorf("ack of %d after %v", a.Seq, time.Since(start))
		}
	})
}

func TestSessionWaitsForItsWindowThenEnds(t *testing.T) {
	inBubble(t, Options{ResumeWindow: time.Minute}, func(r *rig) {
		r.in.Hangup(proto.Close{})
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if _, err := r.g.Session(r.started.SessionID); err != nil {
			r.t.Fatalf("gone before its window: %v", err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if _, err := r.g.Session(r.started.SessionID); err != proto.ErrNoSession {
			r.t.Errorf("still there after its window: %v", err)
		}
		ended, _ := r.g.Supervision(proto.EventQuery{Event: proto.EvSessionEnded})
		if len(ended) != 1 || ended[0].Reason != string(proto.EndIdle) {
			r.t.Errorf("events %+v", ended)
		}
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if r.g.hub.books.resumable(r.started.SessionID) != nil {
			r.t.Error("an ended session is kept for ever")
		}
	})
}

func TestIdleSessionEnds(t *testing.T) {
	inBubble(t, Options{IdleTimeout: time.Minute}, func(r *rig) {
		time.Sleep(50 * time.Second)
		r.echoes(r.audio())
		time.Sleep(50 * time.Second)
		r.echoes(r.audio())
		time.Sleep(61 * time.Second)
		if e := next[*proto.SessionEnded](r.t, r.w); e.Reason != proto.EndIdle {
			r.t.Errorf("session_ended %+v", e)
		}
		if c := r.w.closed(r.t); c != proto.CloseEnded {
			r.t.Errorf("closed with %v", c)
		}
	})
}

func TestMaxDurationIsAnnounced(t *testing.T) {
	inBubble(t, Options{MaxSession: 5 * time.Minute}, func(r *rig) {
		time.Sleep(4*time.Minute + time.Second)
		if g := next[*proto.GoAway](r.t, r.w); g.Reason != "max_duration" || g.Action != "end" || g.TimeLeftMS < 58000 || g.TimeLeftMS > 60000 {
			r.t.Errorf("goaway %+v", g)
		}
		time.Sleep(time.Minute)
		if e := next[*proto.SessionEnded](r.t, r.w); e.Reason != proto.EndMaxDuration {
			r.t.Errorf("session_ended %+v", e)
		}
		if c := r.w.closed(r.t); c != proto.CloseMaxDuration {
			r.t.Errorf("closed with %v", c)
		}
	})
}

func TestDrainSendsGoodbyeBeforeClose(t *testing.T) {
	inBubble(t, Options{}, func(r *rig) {
		done := make(chan struct{})
		go func() { defer close(done); r.g.Drain(r.t.Context(), 10*time.Second) }()
		if g := next[*proto.GoAway](r.t, r.w); g.Reason != "drain" || g.Action != "end" || g.TimeLeftMS != 10000 {
			r.t.Errorf("goaway %+v", g)
		}
		if r.g.Accepting() {
			r.t.Error("Accepting while draining")
		}
		if _, f := r.g.Open(r.t.Context(), proto.Hello{Start: &proto.Start{}}, newWire()); f == nil || f.Code != proto.Overloaded {
			r.t.Errorf("a start while draining: %v", f)
		}
		r.echoes(r.audio()) // the talk goes on
		r.in.Hangup(proto.Close{})
		if f := r.resume(r.started.Resume.Token, 1); f != nil {
			r.t.Errorf("a resume while draining: %v", f)
		}
		r.echoes(1)
		time.Sleep(10 * time.Second)
		if e := next[*proto.SessionEnded](r.t, r.w); e.Reason != proto.EndShutdown {
			r.t.Errorf("session_ended %+v", e)
		}
		if c := r.w.closed(r.t); c != proto.CloseGoingAway {
			r.t.Errorf("closed with %v", c)
		}
		<-done
	})
}

func TestDrainEndsWhenTheLastSessionDoes(t *testing.T) {
	inBubble(t, Options{}, func(r *rig) {
		start := time.Now()
		go func() {
			time.Sleep(3 * time.Second)
			_ = r.in.Deliver(&proto.End{Head: proto.Head{Seq: 1}})
		}()
		r.g.Drain(r.t.Context(), time.Minute)
		if d := time.Since(start); d > 4*time.Second {
			r.t.Errorf("the drain took %v though all were gone after 3 s", d)
		}
	})
}

func TestOperatorEndsASessionPolitely(t *testing.T) {
	r := newRig(t, Options{}, &proto.Start{})
	r.echoes(r.audio())
	if err := r.g.End(r.started.SessionID); err != nil {
		t.Fatal(err)
	}
	if e := next[*proto.SessionEnded](t, r.w); e.Reason != proto.EndOperator || e.SamplesIn != 480 {
		t.Errorf("session_ended %+v", e)
	}
	if c := r.w.closed(t); c != proto.CloseOperator {
		t.Errorf("closed with %v", c)
	}
	if err := r.g.End(r.started.SessionID); err != proto.ErrNoSession {
		t.Errorf("End of a session that ended: %v", err)
	}
}

// warnings counts how often the user was told of a token's end, once so much time has passed.
func (w *wire) warnings(after time.Duration) (n int) {
	time.Sleep(after)
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.said {
		if notice, ok := m.(*proto.Notice); ok && notice.Kind == "token_expiring" {
			n++
		}
	}
	return n
}

// TestUserIsToldThatTheTokenEnds: a minute before, or when half of a shorter time is over; not
// again for the same end, not when a fresh one came first, and not of an end out of sight.
func TestUserIsToldThatTheTokenEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := Start(Options{IdleTimeout: time.Hour})
		defer time.Sleep(time.Second) // of the bubble's time: the library's throttle lets go
		defer g.Stop()
		w := newWire()
		const never = time.Duration(1)
		in, fault := g.Open(t.Context(), proto.Hello{Start: &proto.Start{}, Expires: time.Now().Add(5 * time.Minute)}, w)
		if fault != nil {
			t.Fatalf("Open: %v", fault)
		}
		for _, step := range []struct {
			after   time.Duration
			want    int
			refresh time.Duration // then comes a token that lives so long; 0: none comes
		}{
			{after: 3*time.Minute + 58*time.Second, want: 0},
			{after: 3 * time.Second, want: 1, refresh: 5 * time.Minute},
			{after: 3 * time.Minute, want: 1, refresh: 5 * time.Minute},
			{after: 3 * time.Minute, want: 1},
			{after: 61 * time.Second, want: 2, refresh: 40 * time.Second},
			{after: 21 * time.Second, want: 3, refresh: 19 * time.Second}, // the same one again
			{after: 15 * time.Second, want: 3, refresh: never},
			{after: time.Minute, want: 3, refresh: -1},
			{after: 5 * time.Minute, want: 3},
		} {
			if n := w.warnings(step.after); n != step.want {
				t.Fatalf("told %d times, want %d, in step %+v", n, step.want, step)
			}
			if step.refresh == 0 {
				continue
			}
			m := &proto.Refresh{} // a token without an end
			switch {
			case step.refresh == never:
				m.Expires = time.Unix(253402300799, 0) // the end of the year 9999
			case step.refresh > 0:
				m.Expires = time.Now().Add(step.refresh)
			}
			if err := in.Deliver(m); err != nil {
				t.Fatalf("Deliver: %v", err)
			}
		}
	})
}

// TestTokenOfTheNextSocketCounts: nobody is told of the token of a socket that is gone, and a
// resume brings one of its own.
func TestTokenOfTheNextSocketCounts(t *testing.T) {
	inBubble(t, Options{ResumeWindow: time.Hour, IdleTimeout: time.Hour}, func(r *rig) {
		r.deliver(&proto.Refresh{Expires: time.Now().Add(2 * time.Minute)})
		r.in.Hangup(proto.Close{})
		time.Sleep(5 * time.Minute)
		w := newWire()
		_, fault := r.g.Open(r.t.Context(), proto.Hello{
			Resume:  &proto.Resume{SessionID: r.started.SessionID, Token: r.started.Resume.Token},
			Expires: time.Now().Add(5 * time.Minute),
		}, w)
		if fault != nil {
			r.t.Fatalf("resume: %v", fault)
		}
		if n := w.warnings(3*time.Minute + 58*time.Second); n != 0 {
			r.t.Errorf("told %d times before it was time", n)
		}
		if n := w.warnings(3 * time.Second); n != 1 {
			r.t.Errorf("told %d times, want once", n)
		}
	})
}
