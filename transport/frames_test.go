package transport

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"aila/proto"
)

// closeFrame is a client's close frame.
func closeFrame(code int, reason string) []byte {
	return frame(0x88, append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...))
}

// repeat is n times b.
func repeat(n int, b []byte) []byte { return bytes.Repeat(b, n) }

// TestBadFramesAreClosed is the table "Frames": each input closes its own socket with its own
// code, and nobody else's.
func TestBadFramesAreClosed(t *testing.T) {
	part, next, last := frame(0x01, []byte("{")), frame(0x00, []byte(" ")), frame(0x80, []byte("}"))
	big := make([]byte, 256<<10+1)
	rows := []struct {
		name string
		send []byte
		want proto.Close
	}{
		{"unmasked", []byte{0x81, 1, 'x'}, proto.CloseProtocol},
		{"unmasked, the rest missing", []byte{0x81, 1}, proto.CloseProtocol},
		{"length with the top bit", append([]byte{0x82, 0xff, 0x80}, make([]byte, 11)...), proto.CloseProtocol},
		{"length with the top bit, mask missing", append([]byte{0x82, 0xff, 0x80}, make([]byte, 7)...), proto.CloseProtocol},
		{"rsv1", frame(0xc1, []byte("{}")), proto.CloseProtocol},
		{"rsv2", frame(0xa1, []byte("{}")), proto.CloseProtocol},
		{"rsv3", frame(0x91, []byte("{}")), proto.CloseProtocol},
		{"reserved data opcode", frame(0x83, nil), proto.CloseProtocol},
		{"reserved control opcode", frame(0x8b, nil), proto.CloseProtocol},
		{"continuation without a start", frame(0x80, []byte("x")), proto.CloseProtocol},
		{"a new message within a message", append(bytes.Clone(part), part...), proto.CloseProtocol},
		{"fragmented ping", frame(0x09, []byte("x")), proto.CloseProtocol},
		{"ping over 125 bytes", frame(0x89, make([]byte, 126)), proto.CloseProtocol},
		{"close code 999", closeFrame(999, ""), proto.CloseProtocol},
		{"close code 1005", closeFrame(1005, ""), proto.CloseProtocol},
		{"close code 1006", closeFrame(1006, ""), proto.CloseProtocol},
		{"close code 5000", closeFrame(5000, ""), proto.CloseProtocol},
		{"close code of one byte", frame(0x88, []byte{3}), proto.CloseProtocol},
		{"close reason not UTF-8", closeFrame(1000, "\xff\xfe"), proto.CloseBadUTF8},
		{"text not UTF-8", frame(0x81, []byte("{\"type\":\"ping\",\"id\":\"\xff\"}")), proto.CloseBadUTF8},
		{"message over the limit", frame(0x82, big), proto.CloseTooBig},
		{"only announced, 2^62 bytes", append([]byte{0x82, 0xff, 0x40}, make([]byte, 11)...), proto.CloseTooBig},
		{"fragments over the limit", bytes.Join([][]byte{frame(0x02, big[:200<<10]), frame(0x80, big[:57<<10])}, nil), proto.CloseTooBig},
		{"65 fragments", bytes.Join([][]byte{part, repeat(63, next), last}, nil), proto.CloseFragments},
		{"21 pings at once", repeat(21, frame(0x89, nil)), proto.ClosePingFlood},
	}
	r := newRig(t, Options{})
	bystander := r.started()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := r.started()
			p.t = t
			p.raw(row.send)
			p.wantClose(row.want)
			bystander.wantServed()
		})
	}
	require.Empty(t, r.log.String(), "the log stays clean")
}

func TestWhatLiesBeforeABadFrameIsServed(t *testing.T) {
	p := newRig(t, Options{}).started()
	p.raw(bytes.Join([][]byte{
		frame(0x81, []byte(audioChunk("a"))), frame(0x89, []byte("ping")), frame(0x81, []byte(audioChunk("b"))), {0x83, 0x80, 0, 0, 0, 0},
	}, nil))
	require.Equal(t, "a", p.want("audio_chunk").ItemID)
	op, b, err := p.read()
	require.NoError(t, err)
	require.EqualValues(t, opPong, op)
	require.Equal(t, "ping", string(b))
	require.Equal(t, "b", p.want("audio_chunk").ItemID)
	p.wantClose(proto.CloseProtocol)
}

func TestGoodFramesAreServed(t *testing.T) {
	chunk := []byte(audioChunk("a"))
	inHalves := bytes.Join([][]byte{frame(0x01, chunk[:9]), frame(0x89, []byte("mid")), frame(0x80, chunk[9:])}, nil)
	fragments := frame(0x01, nil)
	for range 62 {
		fragments = append(fragments, frame(0x00, nil)...)
	}
	fragments = append(fragments, frame(0x80, chunk)...)
	long := []byte(strings.Replace(string(chunk), `"id"`, `"padding":"`+strings.Repeat("x", 150<<10)+`","id"`, 1))
	rows := []struct {
		name string
		send []byte
	}{
		{"whole", frame(0x81, chunk)},
		{"a ping between two fragments", inHalves},
		{"64 fragments", fragments},
		{"150 KiB", frame(0x81, long)},
		{"150 KiB and another", append(frame(0x81, long), frame(0x81, chunk)...)},
		{"20 pings at once", append(repeat(20, frame(0x89, nil)), frame(0x81, chunk)...)},
		{"a pong nobody asked for", append(frame(0x8a, []byte("x")), frame(0x81, chunk)...)},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, Options{})
			p := r.started()
			p.raw(row.send)
			for {
				op, b, err := p.read()
				require.NoError(t, err)
				if op == opText {
					require.Contains(t, string(b), "audio_chunk")
					break
				}
			}
			if !strings.HasSuffix(row.name, "another") {
				p.wantServed()
				return
			}
			p.want("audio_chunk")
		})
	}
}

func TestBadBinaryMessagesAreBadAudio(t *testing.T) {
	audio := func(kind, flags byte) []byte {
		return append([]byte{kind, flags, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, make([]byte, 480)...)
	}
	r := newRig(t, Options{})
	for _, p := range []*peer{r.connect(), r.started()} {
		for name, b := range map[string][]byte{
			"shorter than its header": make([]byte, 15), "empty": {}, "kind 2": audio(2, 0), "kind 9": audio(9, 0), "flags": audio(1, 4),
		} {
			p.raw(frame(0x82, b))
			require.NotEmpty(t, p.wantError(proto.BadAudio), name)
			p.wantServed()
		}
	}
}

func TestFramesMayComeByteByByte(t *testing.T) {
	p := newRig(t, Options{}).started()
	p.tcp.SetNoDelay(true)
	for _, b := range append(frame(0x89, []byte("x")), frame(0x81, []byte(audioChunk("slow")))...) {
		p.raw([]byte{b})
	}
	op, b, err := p.read()
	require.NoError(t, err)
	require.EqualValues(t, opPong, op)
	require.Equal(t, "x", string(b))
	require.Equal(t, "slow", p.want("audio_chunk").ItemID)
}

func TestPingsAreCountedOverTime(t *testing.T) {
	var f inspector
	now := time.Duration(1)
	for i := range 20 {
		require.True(t, f.allowPing(now), "ping %d of the burst", i)
	}
	require.False(t, f.allowPing(now), "ping 21")
	now += time.Second
	for i := range pingRate {
		require.True(t, f.allowPing(now), "ping %d a second later", i)
	}
	require.False(t, f.allowPing(now), "one more")
}

func TestClientsCloseIsAnswered(t *testing.T) {
	for _, row := range []struct {
		name string
		send []byte
		want []byte
		code int
	}{
		{"with a code", closeFrame(1000, "bye"), append([]byte{0x03, 0xe8}, "bye"...), 1000},
		{"without", frame(0x88, nil), []byte{}, 1005},
		{"within a message", append(frame(0x01, []byte("{")), closeFrame(4999, "")...), []byte{0x13, 0x87}, 4999},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, Options{})
			r.echo.hangups = make(chan proto.Close, 1)
			p := r.started()
			p.raw(row.send)
			op, b, err := p.read()
			require.NoError(t, err)
			require.EqualValues(t, opClose, op)
			require.Equal(t, row.want, b)
			require.Equal(t, row.code, (<-r.echo.hangups).Code)
			_, _, err = p.read()
			require.Error(t, err)
		})
	}
}

func FuzzInspectorNeverShowsHalfAFrame(f *testing.F) {
	f.Add(frame(0x81, []byte("{}")), 1)
	f.Add(append(frame(0x01, []byte("{")), frame(0x80, []byte("}"))...), 3)
	f.Add(append(frame(0x01, []byte("{")), frame(0x89, []byte("x"))...), 5)
	f.Fuzz(func(t *testing.T, b []byte, step int) {
		step = max(1, step&0xff)
		slow, fast := inspector{maxMessage: 1 << 10}, inspector{maxMessage: 1 << 10}
		var bad proto.Close
		for n := step; bad.Code == 0 && n < len(b)+step; n += step {
			bad = slow.look(b[:min(n, len(b))], 1)
			if slow.whole > min(n, len(b)) {
				t.Fatalf("whole %d of %d bytes", slow.whole, n)
			}
		}
		if at := fast.look(b, 1); at != bad || fast.whole != slow.whole {
			t.Fatalf("in steps of %d: %v at %d; at once: %v at %d", step, bad, slow.whole, at, fast.whole)
		}
	})
}
