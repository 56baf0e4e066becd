package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"aila/proto"
	"aila/transport/client"
)

// wantResumable takes the session of a socket that was closed up again and talks on.
func (v *survivor) wantResumable() {
	v.t.Helper()
	v.resume()
	v.end(0)
	if got := v.verdict(); got != (verdict{}) {
		v.t.Errorf("%v, want nothing lost", got)
	}
}

func TestBadFramesCloseTheSocketAndTheSessionWaits(t *testing.T) {
	s := startServer(t, nil)
	other := s.look(t)
	half := make([]byte, 200<<10)
	for i := range half {
		half[i] = 'x'
	}
	ping := frame(pingFrame, []byte("hi"))
	closing := func(code uint16, reason string) []byte {
		return frame(closeFrame, append(binary.BigEndian.AppendUint16(nil, code), reason...))
	}
	for _, row := range []struct {
		name string
		raw  []byte
		want proto.Close
	}{
		{"unmasked", []byte{textFrame, 2, '{', '}'}, proto.CloseProtocol},
		{"length with the top bit", []byte{textFrame, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4}, proto.CloseProtocol},
		{"RSV1", frame(textFrame|0x40, []byte("{}")), proto.CloseProtocol},
		{"RSV3", frame(textFrame|0x10, []byte("{}")), proto.CloseProtocol},
		{"reserved opcode", frame(0x83, []byte("{}")), proto.CloseProtocol},
		{"reserved control", frame(0x8B, nil), proto.CloseProtocol},
		{"continuation without a start", frame(0x80, []byte("{}")), proto.CloseProtocol},
		{"fragmented ping", frame(0x09, []byte("hi")), proto.CloseProtocol},
		{"ping of 126 bytes", frame(pingFrame, make([]byte, 126)), proto.CloseProtocol},
		{"close code 999", closing(999, ""), proto.CloseProtocol},
		{"close code 1005", closing(1005, ""), proto.CloseProtocol},
		{"close of one byte", frame(closeFrame, []byte{3}), proto.CloseProtocol},
		{"close reason not UTF-8", closing(1000, "bye \xff\xfe"), proto.CloseBadUTF8},
		{"text not UTF-8", frame(textFrame, []byte("{\"type\":\"ping\",\"id\":\"\xff\"}")), proto.CloseBadUTF8},
		{"message over the limit", frame(textFrame, append(half, half...)), proto.CloseTooBig},
		{"announced 2^62", []byte{textFrame, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, proto.CloseTooBig},
		{"fragments over the limit", append(frame(0x01, half), frame(0x80, half)...), proto.CloseTooBig},
		{"65 fragments", append(frame(0x01, []byte(" ")), bytes.Repeat(frame(0x00, []byte(" ")), 64)...), proto.CloseFragments},
		{"ping flood", bytes.Repeat(ping, 30), proto.ClosePingFlood},
	} {
		t.Run(row.name, func(t *testing.T) {
			v := survive(t, s.addr)
			v.t, v.p.t = t, t
			if err := v.speak(3); err != nil {
				t.Fatal(err)
			}
			v.must("3 echoes", echoed(3))
			// Much more waits unread behind it: the close frame must arrive all the same.
			v.p.raw(append(bytes.Clone(row.raw), bytes.Repeat(audioFrame(9), 100)...))
			v.p.wantClose(row.want)
			v.wantResumable()
			other.wantUndisturbed(t)
		})
	}
	if log := s.log.String(); !utf8.ValidString(log) || strings.Contains(log, "bye") {
		t.Error("a client's close reason is in the log")
	}
}

func TestBadBinaryIsAnsweredAndTheNextFrameServed(t *testing.T) {
	s := startServer(t, nil)
	other := s.look(t)
	good := proto.AppendInboundBinary(nil, &proto.AudioIn{Head: proto.Head{Seq: 2}, Data: tone(2)})
	spoilt := func(i int, b byte) []byte { p := bytes.Clone(good); p[i] = b; return p }
	for _, row := range []struct {
		name string
		b    []byte
	}{
		{"empty", nil},
		{"shorter than its header", good[:15]},
		{"a header and nothing", good[:16]},
		{"kind 0", spoilt(0, 0)},
		{"the server's kind", spoilt(0, 2)},
		{"unknown kind", spoilt(0, 9)},
		{"flags", spoilt(1, 1)},
		{"an item", spoilt(3, 1)},
		{"half a sample", good[:len(good)-1]},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := s.joined(t)
			p.raw(frame(binaryFrame, row.b))
			p.wantError(proto.BadAudio)
			p.raw(frame(binaryFrame, good))
			p.wantEcho(2)
			other.wantUndisturbed(t)
		})
	}
}

// What costs seconds by its nature runs side by side.
func TestWhoTakesTooLongIsCut(t *testing.T) {
	s := startServer(t, nil)
	type row struct {
		name string
		do   func(t *testing.T, p *peer)
		want proto.Close
		from time.Duration
		to   time.Duration
	}
	drip := func(t *testing.T, p *peer, b []byte) {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for i := range b {
			if p.write(b[i:i+1]) != nil {
				return
			}
			select {
			case <-tick.C:
			case <-t.Context().Done():
				return
			}
		}
	}
	for _, row := range []row{
		{"header of 60 kB, then silence", func(t *testing.T, p *peer) {
			p.raw([]byte{textFrame, 0xfe, 0xea, 0x60, 1, 2, 3, 4, '{'})
		}, proto.CloseUnfinished, 4 * time.Second, 7 * time.Second},
		{"half a header", func(t *testing.T, p *peer) { p.raw([]byte{textFrame}) }, proto.CloseUnfinished, 4 * time.Second, 7 * time.Second},
		{"one byte a second", func(t *testing.T, p *peer) { go drip(t, p, audioFrame(4)) }, proto.CloseUnfinished, 4 * time.Second, 7 * time.Second},
		{"nothing for 25 s", func(t *testing.T, p *peer) {}, proto.CloseHeartbeat, 24 * time.Second, 28 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			v := survive(t, s.addr)
			if err := v.speak(3); err != nil {
				t.Fatal(err)
			}
			v.must("3 echoes", echoed(3))
			began := time.Now()
			row.do(t, v.p)
			v.p.wantSilentClose(row.want)
			if took := time.Since(began); took < row.from || took > row.to {
				t.Errorf("closed after %v, want %v to %v", took, row.from, row.to)
			}
			v.wantResumable()
		})
	}
	t.Run("no first message for 10 s", func(t *testing.T) {
		t.Parallel()
		p := connect(t, s.addr)
		p.wantSilentClose(proto.CloseNoFirst)
	})
	t.Run("headers dripped", func(t *testing.T) {
		t.Parallel()
		p := dial(t, s.addr)
		began := time.Now()
		go drip(t, p, []byte("GET /ws HTTP/1.1\r\nHost: x\r\n"))
		p.wait()
		if answer, _ := io.ReadAll(p.br); len(answer) > 0 && !bytes.HasPrefix(answer, []byte("HTTP/1.1 400 ")) {
			t.Errorf("half a request is answered with %q, want 400 or nothing", answer)
		}
		if took := time.Since(began); took > 7*time.Second {
			t.Errorf("cut after %v, want 5 s", took)
		}
	})
	t.Run("another session beside them", func(t *testing.T) {
		t.Parallel()
		beside := sing(t, s.ws(), 1, 100*time.Millisecond, client.Options{})
		// It talks for as long as the slowest of them takes.
		p := connect(t, s.addr)
		p.text(`{"type":"session_control","action":"start"}`)
		p.wantSilentClose(proto.CloseHeartbeat)
		if v := beside.finish(); v != (verdict{}) {
			t.Errorf("%v beside, want nothing lost", v)
		}
	})
}

// wantSilentClose reads on to this close frame without ever answering a ping.
func (p *peer) wantSilentClose(c proto.Close) {
	p.t.Helper()
	p.within(3 * patience)
	for {
		head, b, err := p.read()
		if err != nil {
			p.t.Fatalf("waiting for close %d: %v", c.Code, err)
		}
		if head == closeFrame {
			if got := (proto.Close{Code: int(binary.BigEndian.Uint16(b)), Reason: string(b[2:])}); got != c {
				p.t.Fatalf("closed with %v, want %v", got, c)
			}
			return
		}
	}
}
