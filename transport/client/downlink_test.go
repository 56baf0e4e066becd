package client

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"aila/proto"
)

func TestSequencedMessagesAreDeliveredOnceInOrder(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		l := &log{}
		o := r.options()
		o.OnEvent = l.hear
		s, p := r.begin(o)
		defer over(s)
		state := func(seq int64) *proto.SessionState {
			return &proto.SessionState{Serial: proto.Serial{Seq: seq}, State: proto.Listening}
		}
		p.say(state(2), state(2), state(1), state(3))
		synctest.Wait()
		p.drop()
		p = <-r.peers
		p.resume(4, 0, "token-2")
		p.say(state(3), state(4), state(5))
		synctest.Wait()
		l.want(t, "SessionStarted 1", "SessionState 2", "SessionState 3", "SessionResumed", "SessionState 4", "SessionState 5")
		if st := s.Stats(); st.Duplicates != 3 || st.Heard != 5 || st.Skips != 0 {
			t.Errorf("stats %+v, want 3 duplicates and 5 heard", st)
		}
	})
}

func TestBreakInTheNumbersIsMendedByAResume(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		l := &log{}
		o := r.options()
		o.OnEvent = l.hear
		s, p := r.begin(o)
		defer over(s)
		p.say(&proto.AudioEnd{Serial: proto.Serial{Seq: 3}})
		p = <-r.peers
		if m := p.resume(3, 0, "token-2"); m.LastSeq != 1 {
			t.Errorf("resume from %d, want 1", m.LastSeq)
		}
		p.say(&proto.AudioEnd{Serial: proto.Serial{Seq: 2}}, &proto.AudioEnd{Serial: proto.Serial{Seq: 3}})
		synctest.Wait()
		l.want(t, "SessionStarted 1", "SessionResumed", "AudioEnd 2", "AudioEnd 3")
		if n := s.Stats().Skips; n != 1 {
			t.Errorf("%d skips, want 1", n)
		}
	})
}

func TestMessagesOfALaterProtocolAreNoBreak(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		l := &log{}
		o := r.options()
		o.OnEvent = l.hear
		s, p := r.begin(o)
		defer over(s)
		p.say(`{"type":"applause","seq":2}`, `{"type":"weather"}`, `{"type":`)
		p.say(&proto.AudioEnd{Serial: proto.Serial{Seq: 3}})
		synctest.Wait()
		l.want(t, "SessionStarted 1", "AudioEnd 3")
		if n := s.Stats().Undecoded; n != 3 {
			t.Errorf("%d undecoded, want 3", n)
		}
	})
}

// acks gives what the client has acknowledged and forgets it.
func (p *peer) acks() []int64 {
	synctest.Wait()
	var all []int64
	for len(p.in) > 0 {
		if a, ok := (<-p.in).(*proto.AckIn); ok {
			all = append(all, a.Seq)
		}
	}
	return all
}

func TestAcknowledgesEvery16MessagesOr250Milliseconds(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		s, p := r.begin(r.options())
		defer over(s)
		steps := []struct {
			wait time.Duration
			say  int
			want string
		}{
			{ackAfter - 1, 0, "[]"},
			{1, 0, "[1]"}, // session_started
			{0, 15, "[]"},
			{0, 1, "[17]"},
			{ackAfter, 0, "[]"},
			{0, 40, "[33 49]"},
			{100 * time.Millisecond, 1, "[]"},
			{ackAfter - 100*time.Millisecond - 1, 1, "[]"},
			{1, 0, "[59]"},
			{time.Second, 0, "[]"},
		}
		// What comes again is acknowledged again.
		defer func() {
			p.say(&proto.AudioEnd{Serial: proto.Serial{Seq: 7}})
			time.Sleep(ackAfter)
			if got := fmt.Sprint(p.acks()); got != "[59]" {
				t.Errorf("acknowledged %s after a duplicate, want [59]", got)
			}
		}()
		for i, step := range steps {
			time.Sleep(step.wait)
			for range step.say {
				p.say(&proto.AudioEnd{})
				synctest.Wait()
			}
			if got := fmt.Sprint(p.acks()); got != step.want {
				t.Errorf("step %d: acknowledged %s, want %s", i, got, step.want)
			}
		}
	})
}

func TestAcknowledgingGoesOnAfterAResume(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		s, p := r.begin(r.options())
		defer over(s)
		for range 10 { // not yet acknowledged when the socket is lost
			p.say(&proto.AudioEnd{})
		}
		synctest.Wait()
		p.drop()
		p = <-r.peers
		p.resume(11, 0, "token-2") // its last_seq of 11 says it
		for range 15 {
			p.say(&proto.AudioEnd{})
		}
		if got := fmt.Sprint(p.acks()); got != "[]" {
			t.Errorf("acknowledged %s after 15 messages, want nothing yet", got)
		}
		time.Sleep(ackAfter)
		if got := fmt.Sprint(p.acks()); got != "[26]" {
			t.Errorf("acknowledged %s in time, want [26]", got)
		}
	})
}

func TestSessionEndedIsAcknowledgedBeforeTheCloseIsAnswered(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		s, p := r.begin(r.options())
		p.acks()
		s.End()
		p.take()
		p.say(&proto.SessionEnded{Reason: proto.EndClient}, proto.CloseEnded)
		if err := s.Wait(); err != nil {
			t.Errorf("wait: %v, want nil", err)
		}
		if got := p.acks(); len(got) != 1 || got[0] != 2 {
			t.Errorf("acknowledged %v before the close, want [2]", got)
		}
	})
}

func TestServerThatNeverClosesIsLeft(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		s, p := r.begin(r.options())
		s.End()
		p.say(&proto.SessionEnded{Reason: proto.EndClient})
		if err := s.Wait(); err != nil {
			t.Errorf("wait: %v, want nil", err)
		}
	})
}

func TestInterruptedItemIsThrownAway(t *testing.T) {
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprintf("keep %v", keep), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				l := &log{}
				o := r.options()
				o.OnEvent, o.KeepInterrupted, o.Binary = l.hear, keep, true
				s, p := r.begin(o)
				defer over(s)
				audio := func(item uint16) *proto.AudioOut { return &proto.AudioOut{Item: item, Data: pcm(1)} }
				p.say(&proto.SessionState{State: proto.Speaking, ItemID: "a", Item: 1}, audio(1))
				synctest.Wait()
				s.Interrupt("", -1)
				if m := p.take().(*proto.Interrupt); m.ItemID != "" || m.PlayedMS != nil {
					t.Errorf("interrupt %+v, want the current item", m)
				}
				p.say(audio(1), &proto.Interrupted{ItemID: "a"}, &proto.AudioEnd{ItemID: "a"})
				p.say(&proto.SessionState{State: proto.Speaking, ItemID: "b", Item: 2}, audio(2))
				synctest.Wait()
				want := []string{"SessionStarted 1", "SessionState 2", "audio 3 a f1030000"}
				if keep {
					want = append(want, "audio 4 a f1030000")
				}
				l.want(t, append(want, "Interrupted 5", "AudioEnd 6", "SessionState 7", "audio 8 b f1030000")...)
				if st := s.Stats(); !keep && st.Thrown != 1 {
					t.Errorf("%d thrown away, want 1", st.Thrown)
				}
			})
		})
	}
}

func TestEventsAreKeptAndTheChannelEnds(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		events := make(chan proto.Outbound, 8)
		o := r.options()
		o.Events = events
		var seen []byte
		o.OnEvent = func(_ *Session, m proto.Outbound) {
			if a, ok := m.(*proto.AudioOut); ok {
				seen = a.Data
			}
		}
		s, p := r.begin(o)
		p.say(&proto.AudioOut{ItemID: "a", Data: pcm(1)})
		synctest.Wait()
		clear(seen) // what OnEvent saw may be used again
		p.say(&proto.SessionEnded{Reason: proto.EndIdle}, proto.CloseEnded)
		if err := s.Wait(); err != nil {
			t.Errorf("wait: %v, want nil after idle", err)
		}
		var types []string
		for m := range events {
			types = append(types, fmt.Sprintf("%T", m)[7:])
			if a, ok := m.(*proto.AudioOut); ok && !bytes.Equal(a.Data, pcm(1)) {
				t.Error("audio over the channel is not a copy")
			}
		}
		if got := fmt.Sprint(types); got != "[SessionStarted AudioOut SessionEnded]" {
			t.Errorf("events %s", got)
		}
	})
}

func TestFullEventChannelDoesNotHoldUpClose(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		o := r.options()
		o.Events = make(chan proto.Outbound)
		dialed := make(chan *Session)
		go func() {
			s, err := Dial(context.Background(), "ws://aila.test/ws", o)
			if err != nil {
				t.Errorf("dial: %v", err)
			}
			dialed <- s
		}()
		(<-r.peers).start()
		over(<-dialed)
	})
}

func TestSilentServerIsAskedAndThenTakenForLost(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		s, p := r.begin(r.options())
		defer over(s)
		began := time.Now()
		pinged := false
		for m := range p.in {
			if _, ok := m.(*proto.Ping); ok && !pinged {
				pinged = true
				if took := time.Since(began); took != 10*time.Second {
					t.Errorf("pinged after %v of silence, want 10 s", took)
				}
			}
		}
		if took := time.Since(began); took != 25*time.Second || !pinged {
			t.Errorf("lost after %v (pinged: %v), want 25 s", took, pinged)
		}
		p = <-r.peers
		p.resume(1, 0, "token-2")
		for range 10 { // one that answers is kept
			time.Sleep(10 * time.Second)
			p.say(&proto.Pong{})
		}
		synctest.Wait()
		if n := s.Stats().Connects; n != 2 {
			t.Errorf("%d connects, want 2", n)
		}
	})
}

func TestServerThatDoesNotReadForAWhileIsHeard(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		l := &log{}
		o := r.options()
		o.OnEvent = l.hear
		s, p := r.begin(o)
		defer over(s)
		p.reading <- true
		send(t, s, 1, 3) // the first is read; the second waits on the way
		ping, stop := context.WithCancel(context.Background())
		defer stop()
		p.say(&proto.AudioEnd{}, func() { go p.ws.Ping(ping) })
		time.Sleep(9 * time.Second)
		p.say(&proto.AudioEnd{})
		synctest.Wait()
		l.want(t, "SessionStarted 1", "AudioEnd 2", "AudioEnd 3")
		<-p.reading
		p.frames(1, 3)
		if n := s.Stats().Connects; n != 1 {
			t.Errorf("%d connects, want 1", n)
		}
	})
}

func TestPingOfTheServerCountsAsHeard(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		s, p := r.begin(r.options())
		defer over(s)
		for range 10 {
			time.Sleep(9 * time.Second)
			if err := p.ws.Ping(context.Background()); err != nil {
				t.Fatalf("ping: %v", err)
			}
		}
		if n := s.Stats().Connects; n != 1 {
			t.Errorf("%d connects, want 1", n)
		}
	})
}
