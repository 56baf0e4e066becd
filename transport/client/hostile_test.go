package client

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"aila/proto"
)

// TestServerMaySayAnything plays servers that say what they like, in any order and with any
// numbers in it: no such thing may be the client's end, or keep it from closing.
func TestServerMaySayAnything(t *testing.T) {
	for seed := range uint64(50) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				rng := rand.New(rand.NewPCG(seed, 3))
				go func() {
					for p := range r.peers {
						if rng.IntN(2) == 0 { // let Dial return
							p.say(&proto.SessionStarted{SessionID: sessionID, Audio: formats[rng.IntN(len(formats))], Resume: proto.ResumeGrant{Token: "token"}})
						}
						for range 30 {
							p.say(anything(rng))
						}
					}
				}()
				defer close(r.peers)
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				o := r.options()
				o.Reconnect.First = true
				s, err := Dial(ctx, "ws://aila.test/ws", o)
				if err != nil {
					return
				}
				for i := range 20 {
					s.Send(pcm(i))
					s.Interrupt("", 0)
					time.Sleep(20 * time.Millisecond)
				}
				over(s)
				synctest.Wait()
			})
		})
	}
}

var formats = []proto.Format{{}, proto.DefaultFormat, {Encoding: "pcm16"}, {Encoding: "opus", SampleRate: 48000, Channels: 2}}

// anything is a message with numbers that are small, wrong or enormous.
func anything(rng *rand.Rand) any {
	n := func() int64 {
		return []int64{0, 1, 2, 3, 5, 17, -1, 1 << 32, math.MaxInt64, math.MinInt64, rng.Int64N(30)}[rng.IntN(11)]
	}
	serial := proto.Serial{Seq: []int64{0, 0, 0, 1, 2, n()}[rng.IntN(6)]} // mostly the next
	grant := proto.ResumeGrant{Token: fmt.Sprint("token-", n()), WindowMS: n()}
	codes := proto.Codes
	switch rng.IntN(13) {
	case 0, 1:
		return &proto.SessionStarted{Serial: serial, SessionID: sessionID, Resume: grant, HeartbeatMS: n(),
			Audio: formats[rng.IntN(len(formats))]}
	case 2:
		return &proto.SessionResumed{SessionID: sessionID, LastSeq: n(), Replay: proto.Range{From: n(), To: n()}, Resume: grant}
	case 3:
		return &proto.AckOut{Seq: n(), Pos: n()}
	case 4, 5:
		return &proto.Fault{Code: codes[rng.IntN(len(codes))], ClientSeq: n(), RetryAfterMS: n(), Fatal: rng.IntN(4) == 0}
	case 6:
		return &proto.GoAway{Reason: "drain", TimeLeftMS: n(), Action: []string{"resume", "end", ""}[rng.IntN(3)]}
	case 7:
		return &proto.SessionState{Serial: serial, State: proto.Speaking, ItemID: fmt.Sprint(n()), Item: int(n())}
	case 8:
		return &proto.AudioOut{Serial: serial, Data: pcm(1), Item: uint16(n())}
	case 9:
		return &proto.Interrupted{Serial: serial, ItemID: fmt.Sprint(n())}
	case 10:
		return []string{"", "null", "[]", `{"type":7}`, `{"type":"ack","seq":1e300}`, `{"type":"audio_chunk","seq":2,"data":"A"}`, "\x00"}[rng.IntN(7)]
	case 11:
		if rng.IntN(3) == 0 {
			return &proto.SessionEnded{Serial: serial, Reason: proto.EndReason(fmt.Sprint(n()))}
		}
		return &proto.Pong{}
	default:
		if rng.IntN(4) > 0 {
			return &proto.AudioEnd{Serial: serial}
		}
		return proto.Close{Code: []int{1000, 1001, 1011, 1012, 1013, 3000, 4002, 4500, 4999}[rng.IntN(9)]}
	}
}
