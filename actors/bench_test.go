package actors

import (
	"testing"
	"time"

	"aila/proto"
)

// sink is a socket that takes everything.
type sink struct{ bytes int }

func (s *sink) Send(p []byte, _ bool) { s.bytes += len(p) }
func (s *sink) Close(proto.Close)     {}
func (s *sink) QueueBytes() int64     { return 0 }

// BenchmarkEcho is one 20 ms frame from the inlet through the actors and back to the outlet,
// with the client's acks.
func BenchmarkEcho(b *testing.B) {
	for name, binary := range map[string]bool{"json": false, "binary": true} {
		b.Run(name, func(b *testing.B) { benchmarkEcho(b, binary) })
	}
}

func benchmarkEcho(b *testing.B, binary bool) {
	g := Start(Options{})
	defer g.Stop()
	out := new(sink)
	in, fault := g.Open(b.Context(), proto.Hello{Start: &proto.Start{Binary: binary}}, out)
	if fault != nil {
		b.Fatal(fault)
	}
	frame := make([]byte, 960)
	ack := new(proto.AckIn)
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for seq := int64(1); b.Loop(); seq++ {
		a := proto.NewAudioIn()
		a.Seq, a.ReadAt, a.Data = seq, time.Now().UnixNano(), append(a.Data[:0], frame...)
		if err := in.Deliver(a); err != nil {
			b.Fatal(err)
		}
		if seq%16 == 0 {
			ack.Seq = seq // of the server's numbers: a little behind
			_ = in.Deliver(ack)
		}
	}
}
