package client

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"aila/proto"
)

func TestResumeSendsAgainExactlyWhatIsMissing(t *testing.T) {
	for name, binary := range map[string]bool{"json": false, "binary": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				o := r.options()
				o.Binary = binary
				s, p := r.begin(o)
				defer over(s)
				send(t, s, 1, 4)
				s.Commit()
				send(t, s, 6, 5)
				p.frames(1, 4)
				if _, ok := p.take().(*proto.Commit); !ok {
					t.Fatal("want the commit between the frames around it")
				}
				p.frames(6, 5)
				p.say(&proto.AckOut{Seq: 4})
				synctest.Wait()
				if st := s.Stats(); st.Acked != 4 || st.Kept != 6 {
					t.Errorf("acked %d and kept %d, want 4 and 6", st.Acked, st.Kept)
				}
				r.down.Store(true)
				p.drop()
				synctest.Wait()
				send(t, s, 11, 3) // into the ring
				r.down.Store(false)

				p = <-r.peers
				m := p.resume(1, 6, "token-2")
				if m.Token != "token-1" || m.LastSeq != 1 {
					t.Errorf("resume with %q from %d, want token-1 from 1", m.Token, m.LastSeq)
				}
				p.frames(7, 7)
				p.quiet()
				send(t, s, 14, 1)
				p.frames(14, 1)
				p.say(&proto.AckOut{Seq: 14, Pos: 6240})
				p.quiet()
				st := s.Stats()
				if st.Acked != 14 || st.Kept != 0 || st.Resumes != 1 || st.Said != 14 || st.Again != 4 {
					t.Errorf("stats %+v, want all acknowledged, one resume, 4 messages again", st)
				}
			})
		})
	}
}

func TestLostAnswerIsAskedForAgainWithTheOldToken(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		s, p := r.begin(r.options())
		defer over(s)
		send(t, s, 1, 2)
		p.frames(1, 2)
		p.drop()

		p = <-r.peers
		if m := p.take().(*proto.Resume); m.Token != "token-1" {
			t.Errorf("resume with %q, want token-1", m.Token)
		}
		p.drop() // the answer is lost

		p = <-r.peers
		if m := p.resume(1, 0, "token-3"); m.Token != "token-1" {
			t.Errorf("resume after a lost answer with %q, want token-1 still", m.Token)
		}
		began := time.Now()
		p.frames(1, 2)
		if took := time.Since(began); took != 0 {
			t.Errorf("said again after %v, want at once", took)
		}
		p.drop()

		p = <-r.peers
		if m := p.resume(1, 2, "token-4"); m.Token != "token-3" {
			t.Errorf("resume with %q, want the newest, token-3", m.Token)
		}
		p.quiet()
	})
}

func TestTokenOfAReplayIsNotTaken(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		s, p := r.begin(r.options())
		defer over(s)
		p.drop()
		p = <-r.peers
		p.resume(2, 0, "token-2")
		p.say(&proto.SessionStarted{Serial: proto.Serial{Seq: 1}, SessionID: sessionID, Resume: proto.ResumeGrant{Token: "token-1"}})
		p.say(&proto.SessionState{Serial: proto.Serial{Seq: 2}, State: proto.Listening})
		p.quiet()
		p.drop()
		p = <-r.peers
		if m := p.resume(2, 0, "token-3"); m.Token != "token-2" || m.LastSeq != 2 {
			t.Errorf("resume with %q from %d, want token-2 from 2", m.Token, m.LastSeq)
		}
	})
}

func TestEndWithoutASocketIsSaidAfterTheResume(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		s, p := r.begin(r.options())
		r.down.Store(true)
		p.drop()
		synctest.Wait()
		send(t, s, 1, 1)
		if err := s.End(); err != nil {
			t.Errorf("end: %v", err)
		}
		if _, err := s.Send(pcm(2)); !errors.Is(err, ErrEnded) {
			t.Errorf("send after end: %v, want ErrEnded", err)
		}
		time.Sleep(time.Second)
		r.down.Store(false)
		p = <-r.peers
		p.resume(1, 0, "token-2")
		p.frames(1, 1)
		if _, ok := p.take().(*proto.End); !ok {
			t.Error("want end after the audio")
		}
		p.say(&proto.AckOut{Seq: 2}, &proto.SessionEnded{Reason: proto.EndClient, SamplesIn: 480}, proto.CloseEnded)
		if err := s.Wait(); err != nil {
			t.Errorf("wait: %v, want nil", err)
		}
		if s.Ended().SamplesIn != 480 || s.Stats().Acked != 2 {
			t.Errorf("ended %+v with %d acknowledged, want 480 samples and 2", s.Ended(), s.Stats().Acked)
		}
	})
}

func TestGoAwayResumeLeavesAndResumesAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		o := r.options()
		o.Reconnect.Jitter = func(limit time.Duration) time.Duration { return limit - 1 }
		s, p := r.begin(o)
		defer over(s)
		send(t, s, 1, 1)
		p.frames(1, 1)
		began := time.Now()
		p.say(&proto.GoAway{Reason: "drain", TimeLeftMS: 6000, Action: "resume"})
		p2 := <-r.peers
		if took := time.Since(began); took != 3*time.Second-1 {
			t.Errorf("left after %v, want within half of the time left", took)
		}
		p2.resume(1, 1, "token-2")
		<-p.dead // the old socket is gone
		p2.quiet()
	})
}

func TestGoAwayEndIsSaidAndNothingElse(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		l := &log{}
		o := r.options()
		o.OnEvent = l.hear
		s, p := r.begin(o)
		p.say(&proto.GoAway{Reason: "drain", TimeLeftMS: 6000, Action: "end"})
		time.Sleep(5 * time.Second)
		p.say(&proto.SessionEnded{Reason: proto.EndShutdown}, proto.CloseGoingAway)
		var closed *CloseError
		if err := s.Wait(); !errors.As(err, &closed) || closed.Close.Code != 1012 || closed.Ended == nil {
			t.Errorf("wait: %v, want CloseError 1012 with the server's account", err)
		}
		l.want(t, "SessionStarted 1", "GoAway", "SessionEnded 2")
		if len(r.dialed) != 1 {
			t.Errorf("%d connects, want 1", len(r.dialed))
		}
	})
}

func TestForgetfulServerIsNotSpokenToAgain(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		s, p := r.begin(r.options())
		send(t, s, 1, 4)
		p.frames(1, 4)
		p.say(&proto.AckOut{Seq: 3})
		p.quiet()
		p.drop()
		p = <-r.peers
		p.resume(1, 1, "token-2")
		if err := s.Wait(); !errors.Is(err, ErrForgotten) {
			t.Errorf("wait: %v, want ErrForgotten", err)
		}
	})
}
