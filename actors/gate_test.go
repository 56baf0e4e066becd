package actors

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aila/actors/voice"
	"aila/proto"
)

// chatter is a voice that talks without end, a second of audio at a time, as fast as its
// session lets it.
type chatter struct {
	voice.Echo
	talking sync.WaitGroup
}

type chat struct {
	voice.Stream
	stop context.CancelFunc
}

func (v *chatter) Open(ctx context.Context, s voice.Setup, a voice.Answer) (voice.Stream, error) {
	echo, _ := voice.NewEcho().Open(ctx, s, a)
	life, stop := context.WithCancel(context.Background())
	v.talking.Go(func() { // ends with life, which Close ends
		data := make([]byte, 2*s.SampleRate)
		for n := byte(1); a.Room(life) == nil && life.Err() == nil; n++ {
			data[0] = n
			a.Audio(voice.Audio{Item: "monologue", Data: data, Samples: int64(s.SampleRate)})
			time.Sleep(time.Millisecond) // of the bubble's time
		}
	})
	return &chat{Stream: echo, stop: stop}, nil
}

// Close does not wait: it may be called on the goroutine that talks.
func (c *chat) Close() { c.stop() }

// A voice that says a minute in a moment loses nothing and is not kept without bound: it is
// slowed while nobody hears it, while its socket is slow, and while it is paused.
func TestVoiceIsSlowedAndNothingIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := new(chatter)
		g := Start(Options{Voices: []NamedVoice{{"chatter", v}}})
		defer v.talking.Wait()
		defer time.Sleep(time.Second) // of the bubble's time: the library's throttle lets go
		defer g.Stop()
		r := join(t, g, &proto.Start{})
		session := func() proto.SessionView { v, _ := g.Session(r.started.SessionID); return v }
		still := func(what string) {
			t.Helper()
			synctest.Wait()
			before := session().SamplesOut
			time.Sleep(3 * time.Second)
			synctest.Wait()
			if after := session().SamplesOut; after != before {
				t.Fatalf("%s: %d samples more were said", what, after-before)
			}
		}
		next[*proto.AudioOut](t, r.w)
		r.w.queue.Store(slowQueue + 1)
		time.Sleep(100 * time.Millisecond)
		still("slow socket")
		r.w.queue.Store(0)
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		last := int64(len(r.w.raw))
		r.deliver(&proto.AckIn{Seq: last})
		r.in.Hangup(proto.Close{})
		time.Sleep(time.Minute)
		still("no socket")
		kept := session()
		if kept.ReplayBytes > 3<<20 {
			t.Errorf("%d bytes are kept for a client that is away", kept.ReplayBytes)
		}
		if f := r.resume(r.started.Resume.Token, last); f != nil {
			t.Fatal(f)
		}
		replayed := next[*proto.SessionResumed](t, r.w).Replay
		if replayed.To-replayed.From < 25 {
			t.Errorf("replayed %+v", replayed)
		}
		pos := next[*proto.AudioOut](t, r.w).Pos
		for range 40 {
			a := next[*proto.AudioOut](t, r.w)
			if a.Pos != pos+24000 || a.Data[0] != byte(a.Pos/24000+1) {
				t.Fatalf("at %d came %d, which holds %d", pos, a.Pos, a.Data[0])
			}
			pos = a.Pos
		}
	})
}

// An echo answers as fast as its user talks and cannot be slowed. Where its answers wait for the
// socket the user is made to wait, and then all is heard once, in order.
func TestUserWaitsWhileAnswersWaitForTheSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := Start(Options{Window: 8})
		defer time.Sleep(time.Second) // of the bubble's time: the library's throttle lets go
		defer g.Stop()
		r := join(t, g, &proto.Start{})
		r.echoes(r.audio())
		for range 3 {
			r.w.queue.Store(chokedQueue + 1)
			for range 8 {
				r.audio()
			}
			if r.in.Ready() {
				t.Error("more than the window is taken while the socket is full")
			}
			last := r.seq
			said := make(chan struct{})
			go func() { // ends when there is room again
				defer close(said)
				r.audio()
			}()
			time.Sleep(time.Minute)
			synctest.Wait()
			r.w.mu.Lock()
			for _, m := range r.w.said {
				if a, ok := m.(*proto.AudioOut); ok {
					t.Errorf("echo of %d for a socket that is full", a.Re)
				}
			}
			r.w.mu.Unlock()
			r.w.queue.Store(0)
			<-said
			for seq := last - 7; seq <= last+1; seq++ {
				r.echoes(seq)
			}
		}
		// A socket that is lost makes nobody wait any more.
		r.w.queue.Store(chokedQueue + 1)
		for range 8 {
			r.audio()
		}
		r.in.Hangup(proto.Close{})
		if f := r.resume(r.started.Resume.Token, 2); f != nil {
			t.Fatal(f)
		}
		if got := next[*proto.SessionResumed](t, r.w).LastSeq; got != r.seq {
			t.Errorf("last_seq %d, want %d", got, r.seq)
		}
	})
}
