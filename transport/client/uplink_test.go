package client

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aila/proto"
)

func TestRingBound(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		o := r.options()
		o.RingDuration = 100 * time.Millisecond
		s, p := r.begin(o)
		defer over(s)
		send(t, s, 1, 5)
		if _, err := s.Send(pcm(6)); !errors.Is(err, ErrFull) {
			t.Errorf("send beyond the bound: %v, want ErrFull", err)
		}
		if err := s.Text("hello"); !errors.Is(err, ErrFull) {
			t.Errorf("text beyond the bound: %v, want ErrFull", err)
		}
		if err := s.Commit(); err != nil {
			t.Errorf("commit beyond the bound of audio: %v, want nil", err)
		}
		short, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := s.Room(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("room: %v, want the context's error", err)
		}
		p.frames(1, 5)
		p.take()
		room := make(chan error)
		go func() { room <- s.Room(context.Background()) }()
		p.say(&proto.AckOut{Seq: 1})
		if err := <-room; err != nil {
			t.Errorf("room: %v, want nil", err)
		}
		send(t, s, 7, 1)
		p.frames(7, 1) // numbered 7: what was refused has no number
	})
}

func TestOverflowBecomesOneGap(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		o := r.options()
		o.RingBytes, o.GapOnOverflow = 2*960, true
		s, p := r.begin(o)
		defer over(s)
		r.down.Store(true)
		p.drop()
		send(t, s, 1, 2)
		for range 10 {
			if seq, err := s.Send(pcm(3)); seq != 0 || err != nil {
				t.Errorf("send beyond the bound: %d, %v, want 0 and no error", seq, err)
			}
		}
		r.down.Store(false)
		p = <-r.peers
		p.resume(1, 0, "token-2")
		p.frames(1, 2)
		g, ok := p.take().(*proto.GapIn)
		if !ok || g.Samples != 10*480 || g.Reason != "overflow" {
			t.Errorf("got %+v, want one gap of 4800 samples", g)
		}
		p.say(&proto.AckOut{Seq: 2})
		p.quiet()
		send(t, s, 4, 1)
		p.frames(4, 1)
		if st := s.Stats(); st.Overflowed != 4800 || st.Frames != 3 {
			t.Errorf("stats %+v, want 4800 samples overflowed and 3 frames", st)
		}
	})
}

func TestBacklogIsWrittenNoFasterThanItIsAcknowledged(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		o := r.options()
		o.Window = 10 * 960
		s, p := r.begin(o)
		defer over(s)
		send(t, s, 1, 100)
		p.frames(1, 10)
		p.quiet()
		p.say(&proto.AckOut{Seq: 3})
		p.frames(11, 3)
		p.quiet()
		p.drop()
		p = <-r.peers
		p.resume(1, 5, "token-2")
		began := time.Now()
		for i := 6; i <= 96; i += 10 {
			n := min(10, 101-i)
			p.frames(i, n)
			p.quiet()
			p.say(&proto.AckOut{Seq: int64(i + n - 1)})
		}
		if err := s.Flush(t.Context()); err != nil || !began.Equal(time.Now()) {
			t.Errorf("flush: %v after %v, want nil at once", err, time.Since(began))
		}
	})
}

func TestRateLimitedAudioIsSaidAgainLater(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		s, p := r.begin(r.options())
		defer over(s)
		send(t, s, 1, 5)
		p.frames(1, 5)
		// The server refuses 3 and drops 4 and 5 in silence.
		p.say(&proto.AckOut{Seq: 2}, &proto.Fault{Code: proto.RateLimited, ClientSeq: 3, RetryAfterMS: 400})
		p.quiet()
		send(t, s, 6, 1)
		time.Sleep(399 * time.Millisecond)
		p.quiet()
		p.next = 3
		time.Sleep(time.Millisecond)
		p.frames(3, 4)
		p.quiet()
		if st := s.Stats(); st.Limited != 1 || st.Again != 3 {
			t.Errorf("stats %+v, want 1 limited and 3 again", st)
		}
	})
}

func TestAckDuringAHoldIsNotWaitedFor(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		s, p := r.begin(r.options())
		defer over(s)
		send(t, s, 1, 5)
		p.frames(1, 5)
		p.say(&proto.Fault{Code: proto.RateLimited, ClientSeq: 3, RetryAfterMS: 400}, &proto.AckOut{Seq: 5})
		send(t, s, 6, 1)
		p.frames(6, 1)
		p.quiet()
	})
}

func TestRefusedMessageIsMendedByAGap(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		s, p := r.begin(r.options())
		defer over(s)
		send(t, s, 1, 3)
		p.frames(1, 3)
		p.say(&proto.Fault{Code: proto.BadAudio, ClientSeq: 2})
		p.next = 2
		if g, ok := p.take().(*proto.GapIn); !ok || g.Samples != 480 {
			t.Errorf("got %+v, want a gap of 480 samples in place of frame 2", g)
		}
		p.frames(3, 1)
		p.quiet()
	})
}

func TestBadSeqIsAnsweredOnceFromTheHole(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		s, p := r.begin(r.options())
		defer over(s)
		send(t, s, 1, 3)
		p.frames(1, 3)
		p.say(&proto.Fault{Code: proto.BadSeq, ClientSeq: 3})
		p.next = 1
		p.frames(1, 3)
		p.say(&proto.Fault{Code: proto.BadSeq, ClientSeq: 3})
		p.quiet()
	})
}

func TestUnnumberedClient(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		o := r.options()
		o.Unnumbered = true
		s, err := Dial(context.Background(), "ws://aila.test/ws", o)
		if err != nil {
			t.Fatalf("dial: %v", err)
		}
		p := <-r.peers
		p.quiet() // no start
		send(t, s, 1, 2)
		for i := 1; i <= 2; i++ {
			if a := p.take().(*proto.AudioIn); a.Seq != 0 {
				t.Errorf("seq %d, want none", a.Seq)
			}
		}
		p.say(&proto.SessionStarted{SessionID: sessionID, Resume: proto.ResumeGrant{Token: "token-1"}, Audio: proto.DefaultFormat})
		p.say(&proto.AckOut{Seq: 2})
		synctest.Wait()
		if st := s.Stats(); st.Acked != 2 || st.Kept != 0 {
			t.Errorf("stats %+v, want 2 acknowledged and none kept", st)
		}
		p.drop()
		p = <-r.peers
		p.resume(1, 2, "token-2")
		p.next = 0
		send(t, s, 3, 1)
		p.frames(3, 1)
		over(s)
	})
}

func TestBadInputIsNotAccepted(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		s, p := r.begin(r.options())
		defer over(s)
		for name, err := range map[string]error{
			"odd audio":   second(s.Send(make([]byte, 961))),
			"no audio":    second(s.Send(nil)),
			"short audio": second(s.Send(make([]byte, 2*239))),
			"long audio":  second(s.Send(make([]byte, 2*24001))),
			"no gap":      s.Gap(0),
			"long gap":    s.Gap(120*24000 + 1),
			"long text":   s.Text(strings.Repeat("x", proto.MaxText+1)),
			"bad text":    s.Text("\xff"),
			"text of NUL": s.Text("\x00"),
		} {
			if err == nil {
				t.Errorf("%s was accepted", name)
			}
		}
		p.quiet()
		if n := s.Stats().Said; n != 0 {
			t.Errorf("%d numbers used, want 0", n)
		}
	})
}

func second(_ int64, err error) error { return err }

func TestEveryKindIsNumberedInOneRow(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		s, p := r.begin(r.options())
		defer over(s)
		s.SendShared(pcm(1))
		for _, err := range []error{
			s.Gap(480), s.Text("hello"), s.Commit(), s.Pause(), s.Continue(), s.Interrupt("item", 2*time.Second),
			s.Playback("item", time.Second, "done"), s.Refresh("fresh"), s.Ping("id", time.Now()), s.End(),
		} {
			if err != nil {
				t.Errorf("%v", err)
			}
		}
		asides := 0
		for p.next <= 8 {
			if _, ok := p.take().(proto.Numbered); !ok {
				asides++
			}
		}
		if asides != 2 { // pings are not taken
			t.Errorf("%d messages without a number, want playback and refresh", asides)
		}
		p.say(&proto.AckOut{Seq: 8})
		if err := s.Flush(context.Background()); err != nil {
			t.Errorf("flush: %v", err)
		}
	})
}

func TestServerThatNamesNoFormatHasOurs(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		go func() {
			p := <-r.peers
			p.take()
			p.say(&proto.SessionStarted{SessionID: sessionID, Resume: proto.ResumeGrant{Token: "token-1"}})
		}()
		o := r.options()
		o.Audio = proto.Format{Encoding: "pcmu", SampleRate: 8000, Channels: 1}
		s, err := Dial(t.Context(), "ws://aila.test/ws", o)
		if err != nil {
			t.Fatalf("dial: %v", err)
		}
		defer over(s)
		if got := s.Format(); got != o.Audio {
			t.Errorf("format %+v, want %+v", got, o.Audio)
		}
		if _, err := s.Send(make([]byte, 160)); err != nil {
			t.Errorf("send 20 ms of mu-law: %v", err)
		}
	})
}
