package client

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"aila/proto"
)

// echoServer is a whole server for one session, as the protocol wants it: it takes numbered
// messages in order, acknowledges, echoes, keeps for replay. Every now and then it cuts.
type echoServer struct {
	t      *testing.T
	rand   *rand.Rand
	token  []string // those that are good
	tokens int
	got    [][]byte // the frames taken
	last   int64    // the last client seq taken
	kept   []proto.Sequenced
	said   int64
	ended  bool
}

// grant makes a new token. The one that was presented for it stays good until the client has
// shown that it has the new one: however often the answer is lost, it has no other.
func (e *echoServer) grant(presented string) proto.ResumeGrant {
	e.tokens++
	next := fmt.Sprint("token-", e.tokens)
	e.token = []string{presented, next}
	return proto.ResumeGrant{Token: next, WindowMS: 120_000}
}

// answer numbers m, keeps it and says it.
func (e *echoServer) answer(p *peer, m proto.Sequenced) {
	e.said++
	*m.Number() = e.said
	e.kept = append(e.kept, m)
	p.say(m)
}

// serve is the server's part of one socket, until it is gone or cut.
func (e *echoServer) serve(p *peer) {
	cut := 1 + e.rand.IntN(60)
	resuming := false
	for m := range p.in {
		if cut--; cut == 0 && !e.ended {
			p.drop()
			return
		}
		switch m := m.(type) {
		case *proto.Start:
			e.answer(p, &proto.SessionStarted{SessionID: sessionID, Resume: e.grant(""), Audio: proto.DefaultFormat})
		case *proto.Resume:
			resuming = true
			e.resume(p, m)
			continue
		case *proto.AckIn:
			for len(e.kept) > 0 && *e.kept[0].Number() <= m.Seq {
				e.kept = e.kept[1:]
			}
		case *proto.AudioIn, *proto.Commit, *proto.End:
			e.take(p, m.(proto.Numbered))
		}
		if resuming { // the first message after it was heard: the token before is used up
			resuming = false
			e.token = e.token[len(e.token)-1:]
		}
	}
}

func (e *echoServer) resume(p *peer, m *proto.Resume) {
	if !slices.Contains(e.token, m.Token) || m.LastSeq > e.said {
		e.t.Errorf("resume with %s from %d, want one of %v", m.Token, m.LastSeq, e.token)
	}
	if e.rand.IntN(4) == 0 {
		e.grant(m.Token) // the answer is lost on the way
		p.drop()
		return
	}
	p.say(&proto.SessionResumed{SessionID: sessionID, LastSeq: e.last, Replay: proto.Range{From: m.LastSeq + 1, To: e.said}, Resume: e.grant(m.Token)})
	for _, k := range e.kept {
		if *k.Number() > m.LastSeq {
			p.say(k)
		}
	}
}

func (e *echoServer) take(p *peer, m proto.Numbered) {
	seq := m.Header().Seq
	if seq > e.last+1 {
		e.t.Errorf("client said %d, want at most %d", seq, e.last+1)
	}
	if seq <= e.last {
		p.say(&proto.AckOut{Seq: e.last})
		return
	}
	e.last = seq
	switch m := m.(type) {
	case *proto.AudioIn:
		e.got = append(e.got, bytes.Clone(m.Data))
		e.answer(p, &proto.AudioOut{ItemID: "a", Data: bytes.Clone(m.Data), Re: seq})
	case *proto.End:
		e.ended = true
		p.say(&proto.AckOut{Seq: seq})
		e.answer(p, &proto.SessionEnded{Reason: proto.EndClient})
		p.say(proto.CloseEnded)
		return
	}
	if e.rand.IntN(8) == 0 {
		p.say(&proto.AckOut{Seq: seq})
	}
}

func TestNothingIsLostOrDoubledWhateverIsCut(t *testing.T) {
	const count = 200
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				rng := rand.New(rand.NewPCG(seed, 1))
				e := &echoServer{t: t, rand: rand.New(rand.NewPCG(seed, 2))}
				go func() {
					for p := range r.peers {
						e.serve(p)
					}
				}()
				defer close(r.peers)
				var heard [][]byte
				o := r.options()
				o.Reconnect.Jitter = func(limit time.Duration) time.Duration { return time.Duration(rng.Int64N(int64(limit))) }
				o.Reconnect.First = true
				o.OnEvent = func(_ *Session, m proto.Outbound) {
					if a, ok := m.(*proto.AudioOut); ok {
						heard = append(heard, bytes.Clone(a.Data))
					}
				}
				s, err := Dial(t.Context(), "ws://aila.test/ws", o)
				if err != nil {
					t.Fatalf("dial: %v", err)
				}
				for i := range count {
					send(t, s, i, 1)
					switch n := i % 50; {
					case n == 7:
						s.Commit()
					case n == 30 && seed%2 == 0:
						s.Cut()
					}
					time.Sleep(20 * time.Millisecond)
				}
				if err := s.Finish(t.Context()); err != nil {
					t.Fatalf("finish: %v", err)
				}
				synctest.Wait()
				for name, got := range map[string][][]byte{"server": e.got, "client": heard} {
					if len(got) != count {
						t.Errorf("%s heard %d frames, want %d", name, len(got), count)
						continue
					}
					for i := range got {
						if !bytes.Equal(got[i], pcm(i)) {
							t.Fatalf("%s heard something else as frame %d", name, i)
						}
					}
				}
				if st := s.Stats(); st.Acked != st.Said || st.Resumes == 0 || st.Skips != 0 {
					t.Errorf("stats %+v, want all acknowledged and some resumes", st)
				}
			})
		})
	}
}
