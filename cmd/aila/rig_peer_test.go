package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"aila/proto"
)

// peer is the fault client's connection: a WebSocket with raw access to its socket.
type peer struct {
	t    testing.TB
	tcp  *net.TCPConn
	br   *bufio.Reader
	next int64 // the server seq expected next, for binary audio
}

const aKey = "dGhlIHNhbXBsZSBub25jZQ=="

// dial connects without a handshake.
func dial(t testing.TB, addr string) *peer {
	t.Helper()
	return dialWith(t, &net.Dialer{}, addr)
}

func dialWith(t testing.TB, d *net.Dialer, addr string) *peer {
	t.Helper()
	c, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { c.Close() })
	return &peer{t: t, tcp: c.(*net.TCPConn), br: bufio.NewReader(c), next: 1}
}

// dialQuietly is dial whose error is the network's, for use on any goroutine. Who calls it closes.
func dialQuietly(t testing.TB, addr string) (*peer, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &peer{t: t, tcp: c.(*net.TCPConn), br: bufio.NewReaderSize(c, 512), next: 1}, nil
}

// shakeQuietly makes a good handshake; its error is the network's, or a refusal.
func (p *peer) shakeQuietly(host string) error {
	err := p.write([]byte("GET /ws HTTP/1.1\r\nHost: " + host + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + aKey + "\r\n\r\n"))
	if err != nil {
		return err
	}
	p.wait()
	res, err := http.ReadResponse(p.br, nil)
	if err == nil && res.StatusCode != http.StatusSwitchingProtocols {
		err = errors.New(res.Status)
	}
	return err
}

// connect makes a WebSocket, with further headers in its handshake.
func connect(t testing.TB, addr string, headers ...string) *peer {
	t.Helper()
	p := dial(t, addr)
	if res := p.shake(addr, headers...); res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %s", res.Status)
	}
	return p
}

func (s *server) connect(headers ...string) *peer {
	s.t.Helper()
	return connect(s.t, s.addr, headers...)
}

// request writes a request as it is and reads the answer.
func (p *peer) request(line, host string, headers ...string) *http.Response {
	p.t.Helper()
	var b strings.Builder
	b.WriteString(line + "\r\n")
	if host != "" {
		b.WriteString("Host: " + host + "\r\n")
	}
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	b.WriteString("\r\n")
	p.raw([]byte(b.String()))
	p.wait()
	res, err := http.ReadResponse(p.br, nil)
	if err != nil {
		p.t.Fatalf("answer to %q: %v", line, err)
	}
	return res
}

// shake makes a good handshake with further headers.
func (p *peer) shake(host string, headers ...string) *http.Response {
	p.t.Helper()
	return p.request("GET /ws HTTP/1.1", host, append([]string{
		"Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + aKey,
	}, headers...)...)
}

// wait bounds the reads from now on.
func (p *peer) wait() { p.within(patience) }

func (p *peer) within(d time.Duration) { p.tcp.SetReadDeadline(time.Now().Add(d)) }

// write writes bytes as they are; the error is the network's.
func (p *peer) write(b []byte) error {
	p.tcp.SetWriteDeadline(time.Now().Add(patience))
	_, err := p.tcp.Write(b)
	return err
}

func (p *peer) raw(b []byte) {
	p.t.Helper()
	if err := p.write(b); err != nil {
		p.t.Fatalf("write: %v", err)
	}
}

// rst drops the connection with a reset, fin with an orderly end of the writing side.
func (p *peer) rst() { p.tcp.SetLinger(0); p.tcp.Close() }
func (p *peer) fin() { p.tcp.CloseWrite() }

// The first byte of a frame: final, and the opcode.
const (
	textFrame   = 0x81
	binaryFrame = 0x82
	closeFrame  = 0x88
	pingFrame   = 0x89
	pongFrame   = 0x8A
)

// frame makes a masked frame; head is its first byte.
func frame(head byte, payload []byte) []byte {
	b := []byte{head}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n <= 0xffff:
		b = append(b, 0x80|126)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b = append(b, 0x80|127)
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	mask := [4]byte{1, 2, 3, 4}
	b = append(b, mask[:]...)
	for i, c := range payload {
		b = append(b, c^mask[i&3])
	}
	return b
}

func (p *peer) text(s string)        { p.t.Helper(); p.raw(frame(textFrame, []byte(s))) }
func (p *peer) say(m proto.Inbound)  { p.t.Helper(); p.raw(encoded(m)) }
func (p *peer) audio(seq int64)      { p.t.Helper(); p.raw(audioFrame(seq)) }
func encoded(m proto.Inbound) []byte { return frame(textFrame, proto.AppendInbound(nil, m)) }

// audioFrame is 20 ms of audio under a number, which its samples repeat; 0: not numbered.
func audioFrame(seq int64) []byte { return frame(textFrame, []byte(audioChunk(seq, "", tone(seq)))) }

// audioChunk is an audio_chunk as JSON, with further fields.
func audioChunk(seq int64, fields string, pcm []byte) string {
	if seq != 0 {
		fields += fmt.Sprintf(`,"seq":%d`, seq)
	}
	return `{"type":"audio_chunk"` + fields + `,"data":"` + base64.StdEncoding.EncodeToString(pcm) + `"}`
}

// tone is 20 ms of audio at 24 kHz that is different for every n.
func tone(n int64) []byte { return toneOf(n, 960) }

func toneOf(n int64, size int) []byte {
	b := make([]byte, 0, size+8)
	for x := uint64(n)*0x9E3779B97F4A7C15 + 1; len(b) < size; x = x*6364136223846793005 + 1442695040888963407 {
		b = binary.LittleEndian.AppendUint64(b, x)
	}
	return b[:size]
}

// read reads one frame; wait or within says how long that may take.
func (p *peer) read() (op byte, payload []byte, err error) {
	var h [10]byte
	if _, err := io.ReadFull(p.br, h[:2]); err != nil {
		return 0, nil, err
	}
	if h[0]&0xf0 != 0x80 || h[1]&0x80 != 0 {
		return 0, nil, fmt.Errorf("frame header %x: fragmented, reserved or masked", h[:2])
	}
	n := int(h[1])
	switch n {
	case 126:
		_, err = io.ReadFull(p.br, h[2:4])
		n = int(binary.BigEndian.Uint16(h[2:]))
	case 127:
		_, err = io.ReadFull(p.br, h[2:10])
		n = int(binary.BigEndian.Uint64(h[2:]))
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(p.br, payload)
	return h[0], payload, err
}

// errClosed is how hear ends when the server closed.
type errClosed struct{ proto.Close }

func (e errClosed) Error() string { return fmt.Sprintf("closed with %d %q", e.Code, e.Reason) }

// hear reads on to the next message, answering pings. Its error is the network's or an errClosed.
func (p *peer) hear() (proto.Outbound, error) {
	p.wait()
	for {
		head, b, err := p.read()
		if err != nil {
			return nil, err
		}
		var m proto.Outbound
		switch head {
		case pingFrame:
			_ = p.write(frame(pongFrame, b)) // a peer that is gone is found by the next read
			continue
		case pongFrame:
			continue
		case closeFrame:
			return nil, errClosed{proto.Close{Code: int(binary.BigEndian.Uint16(b)), Reason: string(b[2:])}}
		case binaryFrame:
			m, err = proto.DecodeOutboundBinary(b, p.next)
		default:
			m, err = proto.DecodeOutbound(b)
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", b, err)
		}
		if q, ok := m.(proto.Sequenced); ok {
			p.next = *q.Number() + 1
		}
		return m, nil
	}
}

// want takes the next message, which must be an M. Acks that come before it, whose time is
// the server's affair, are skipped.
func want[M proto.Outbound](p *peer) M {
	p.t.Helper()
	for {
		m, err := p.hear()
		if err != nil {
			var none M
			p.t.Fatalf("waiting for %T: %v", none, err)
		}
		if got, ok := m.(M); ok {
			return got
		}
		if _, ok := m.(*proto.AckOut); !ok {
			var none M
			p.t.Fatalf("got %T %+v, want %T", m, m, none)
		}
	}
}

// seek takes the next M, whatever comes before it.
func seek[M proto.Outbound](p *peer) M {
	p.t.Helper()
	for {
		m, err := p.hear()
		if err != nil {
			var none M
			p.t.Fatalf("waiting for %T: %v", none, err)
		}
		if got, ok := m.(M); ok {
			return got
		}
	}
}

// wantError takes the next message, which must be this error and leave the connection open.
func (p *peer) wantError(code proto.Code) *proto.Fault {
	p.t.Helper()
	f := want[*proto.Fault](p)
	if f.Code != code || f.Fatal {
		p.t.Fatalf("error %+v, want %s, not fatal", f, code)
	}
	return f
}

// wantEcho takes the echo of a frame of audio, and the announcement of its item where that
// comes first.
func (p *peer) wantEcho(seq int64) {
	p.t.Helper()
	for {
		m, err := p.hear()
		if err != nil {
			p.t.Fatalf("waiting for the echo of %d: %v", seq, err)
		}
		switch m := m.(type) {
		case *proto.AckOut, *proto.SessionState:
		case *proto.AudioOut:
			if m.Re != seq || string(m.Data) != string(tone(seq)) {
				p.t.Fatalf("echo of %d with %d bytes, want that of %d", m.Re, len(m.Data), seq)
			}
			return
		default:
			p.t.Fatalf("got %T %+v, want the echo of %d", m, m, seq)
		}
	}
}

// wantServed says a good frame and hears it back.
func (p *peer) wantServed(seq int64) { p.t.Helper(); p.audio(seq); p.wantEcho(seq) }

// wantClose reads on to this close frame and the end of the stream behind it.
func (p *peer) wantClose(c proto.Close) {
	p.t.Helper()
	for {
		_, err := p.hear()
		var closed errClosed
		switch {
		case errors.As(err, &closed):
			if closed.Close != c {
				p.t.Fatalf("%v, want %v", closed, c)
			}
			if _, _, err := p.read(); !errors.Is(err, io.EOF) {
				p.t.Fatalf("after the close frame: %v, want the end of the stream", err)
			}
			return
		case err != nil:
			p.t.Fatalf("waiting for close %d: %v", c.Code, err)
		}
	}
}
