package proto

import (
	"bytes"
	"testing"
)

// 20 ms of pcm16 at 24 kHz.
var frame = bytes.Repeat([]byte{1, 2, 3, 250}, 240)

// The steady state of a call allocates nothing here: frames and buffers are used again.
func TestAudioDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools drop what they are given")
	}
	wire := AppendInbound(nil, &AudioIn{Head: Head{Seq: 123456}, Data: frame})
	binary := AppendInboundBinary(nil, &AudioIn{Head: Head{Seq: 123456}, Data: frame})
	out := &AudioOut{Serial: Serial{123456}, Data: frame, ItemID: "item_12", Pos: 48000, Re: 17}
	ack, buf := &AckOut{123456, 48000}, make([]byte, 0, 4096)
	for name, f := range map[string]func(){
		"decode":        func() { m, _ := Decode(wire); m.(*AudioIn).Release() },
		"decode binary": func() { DecodeBinary(binary).(*AudioIn).Release() },
		"encode":        func() { buf = Append(buf[:0], out) },
		"encode binary": func() { buf = AppendBinary(buf[:0], out) },
		"encode ack":    func() { buf = Append(buf[:0], ack) },
	} {
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func BenchmarkDecodeAudio(b *testing.B) {
	wire := AppendInbound(nil, &AudioIn{Head: Head{Seq: 123456}, Data: frame})
	b.ReportAllocs()
	for b.Loop() {
		m, _ := Decode(wire)
		m.(*AudioIn).Release()
	}
}

func BenchmarkDecodeAudioGeneral(b *testing.B) {
	wire := AppendInbound(nil, &AudioIn{Head: Head{Seq: 123456}, Data: frame})
	b.ReportAllocs()
	for b.Loop() {
		m, _ := decode(wire)
		m.(*AudioIn).Release()
	}
}

func BenchmarkDecodeBinary(b *testing.B) {
	wire := AppendInboundBinary(nil, &AudioIn{Head: Head{Seq: 123456}, Data: frame})
	b.ReportAllocs()
	for b.Loop() {
		DecodeBinary(wire).(*AudioIn).Release()
	}
}

func BenchmarkDecodeAck(b *testing.B) {
	wire := AppendInbound(nil, &AckIn{123456})
	b.ReportAllocs()
	for b.Loop() {
		Decode(wire)
	}
}

func BenchmarkAppendAudio(b *testing.B) {
	out := &AudioOut{Serial: Serial{123456}, Data: frame, ItemID: "item_12", Pos: 48000, Re: 17}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = Append(buf[:0], out)
	}
}

func BenchmarkAppendBinary(b *testing.B) {
	out := &AudioOut{Serial: Serial{123456}, Data: frame, Item: 12, Pos: 48000}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendBinary(buf[:0], out)
	}
}

func BenchmarkAppendAck(b *testing.B) {
	var buf []byte
	ack := &AckOut{123456, 48000}
	b.ReportAllocs()
	for b.Loop() {
		buf = Append(buf[:0], ack)
	}
}

func BenchmarkAppendState(b *testing.B) {
	var buf []byte
	m := &SessionState{Serial: Serial{123456}, State: Speaking, ItemID: "item_12", Item: 12}
	b.ReportAllocs()
	for b.Loop() {
		buf = Append(buf[:0], m)
	}
}

func BenchmarkDecodeOutboundAudio(b *testing.B) {
	wire := Append(nil, &AudioOut{Serial: Serial{123456}, Data: frame, ItemID: "item_12", Pos: 48000, Re: 17})
	b.ReportAllocs()
	for b.Loop() {
		DecodeOutbound(wire)
	}
}
