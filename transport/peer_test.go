package transport

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"aila/proto"
)

// peer is a client with raw access to its connection.
type peer struct {
	t   testing.TB
	c   net.Conn
	tcp *net.TCPConn
	br  *bufio.Reader
}

const aKey = "dGhlIHNhbXBsZSBub25jZQ=="

// request writes a request and reads the answer. An empty host leaves the header out.
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
	p.c.SetReadDeadline(time.Now().Add(patience))
	res, err := http.ReadResponse(p.br, nil)
	require.NoError(p.t, err)
	return res
}

// shake makes a good handshake with further headers.
func (p *peer) shake(host string, headers ...string) *http.Response {
	p.t.Helper()
	return p.request("GET /ws HTTP/1.1", host, append([]string{
		"Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + aKey,
	}, headers...)...)
}

func (p *peer) raw(b []byte) {
	p.t.Helper()
	p.c.SetWriteDeadline(time.Now().Add(patience))
	if _, err := p.c.Write(b); err != nil {
		p.t.Fatalf("write: %v", err)
	}
}

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

func (p *peer) text(s string) { p.t.Helper(); p.raw(frame(0x81, []byte(s))) }

// audio sends 10 ms of audio with an id.
func (p *peer) audio(id string) { p.t.Helper(); p.text(audioChunk(id)) }

func audioChunk(id string) string {
	return fmt.Sprintf(`{"type":"audio_chunk","id":%q,"data":"%s"}`, id, strings.Repeat("AAAA", 160))
}

// read reads one frame.
func (p *peer) read() (op byte, payload []byte, err error) {
	p.c.SetReadDeadline(time.Now().Add(patience))
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
		io.ReadFull(p.br, h[2:4])
		n = int(binary.BigEndian.Uint16(h[2:]))
	case 127:
		io.ReadFull(p.br, h[2:10])
		n = int(binary.BigEndian.Uint64(h[2:]))
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(p.br, payload)
	return h[0] & 0xf, payload, err
}

// message is what any message of the server may hold, as far as tests look.
type message struct {
	Type   string `json:"type"`
	Code   string `json:"code"`
	ID     string `json:"id"`
	Ref    string `json:"ref"`
	Text   string `json:"text"`
	ItemID string `json:"item_id"`
	Data   string `json:"data"`
	Fatal  bool   `json:"fatal"`
}

// want reads on to the next message and checks its type.
func (p *peer) want(kind string) message {
	p.t.Helper()
	for {
		op, b, err := p.read()
		require.NoError(p.t, err, "waiting for %s", kind)
		if op == opPing {
			continue
		}
		require.EqualValues(p.t, opText, op, "frame % x, want %s", b, kind)
		var m message
		require.NoError(p.t, json.Unmarshal(b, &m))
		require.Equal(p.t, kind, m.Type, "%s", b)
		return m
	}
}

// wantError reads on to an error and checks its code.
func (p *peer) wantError(code proto.Code) message {
	p.t.Helper()
	m := p.want("error")
	require.Equal(p.t, string(code), m.Code)
	return m
}

// wantClose reads on to the close frame and the end after it.
func (p *peer) wantClose(c proto.Close) {
	p.t.Helper()
	p.wantCloseCode(c.Code, c.Reason)
	if _, _, err := p.read(); !errors.Is(err, io.EOF) {
		p.t.Fatalf("after the close frame: %v, want EOF", err)
	}
}

func (p *peer) wantCloseCode(code int, reason string) {
	p.t.Helper()
	for {
		op, b, err := p.read()
		require.NoError(p.t, err, "waiting for close %d", code)
		if op != opClose {
			continue
		}
		require.GreaterOrEqual(p.t, len(b), 2)
		require.Equal(p.t, code, int(binary.BigEndian.Uint16(b)), "reason %q", b[2:])
		require.Equal(p.t, reason, string(b[2:]))
		return
	}
}

// wantServed checks that the connection still works, in any state.
func (p *peer) wantServed() {
	p.t.Helper()
	p.text(`{"type":"ping","id":"still there"}`)
	if m := p.want("pong"); m.ID != "still there" {
		p.t.Fatalf("pong %q, want still there", m.ID)
	}
}
