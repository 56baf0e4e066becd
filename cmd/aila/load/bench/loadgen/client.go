package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// client is one connection.
type client struct {
	conn    net.Conn
	in      *bufio.Reader
	credits chan struct{} // one for each frame that may be sent, in mode flood; nil for the idle

	// guarded by mu
	mu  sync.Mutex
	seq uint64
	buf []byte

	sent []int64 // when each of the last frames was sent, by number; atomically
}

// remembered is how many frames a client remembers the time of.
const remembered = 1024

// connect has all clients join, so many a second, 64 at a time.
func (l *load) connect() {
	n := l.s.clients + l.s.idle
	all := make([]*client, n)
	var wg sync.WaitGroup
	slots := make(chan struct{}, 64)
	began := time.Now()
	for i := range n {
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(max(1, l.s.ramp)))))
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			c, err := dial(l.s.addr, i)
			if err != nil {
				if l.failed.Add(1) <= 3 {
					log.Printf("client %d: %v", i, err)
				}
				return
			}
			if l.s.mode != "idle" && i < l.s.clients {
				c.sent = make([]int64, remembered)
				c.credits = make(chan struct{}, l.s.window)
			}
			all[i] = c
		})
	}
	wg.Wait()
	for _, c := range all {
		if c != nil {
			l.clients = append(l.clients, c)
		}
	}
}

// perSource is how many clients share a source address, which has about 28 000 ports.
const perSource = 20_000

// dial opens a WebSocket, starts a session and waits until it has started.
func dial(addr string, i int) (*client, error) {
	d := net.Dialer{Timeout: 10 * time.Second}
	if k := i / perSource; k > 0 {
		d.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(k))}
	}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn, in: bufio.NewReaderSize(conn, 2048)}
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if err := c.upgrade(addr); err != nil {
		conn.Close()
		return nil, err
	}
	if err := c.start(); err != nil {
		conn.Close()
		return nil, err
	}
	conn.SetDeadline(time.Time{})
	return c, nil
}

func (c *client) upgrade(addr string) error {
	var key [16]byte
	rand.Read(key[:]) // never fails
	_, err := fmt.Fprintf(c.conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n",
		addr, base64.StdEncoding.EncodeToString(key[:]))
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		line, err := c.in.ReadString('\n')
		switch {
		case err != nil:
			return err
		case first && !strings.Contains(line, " 101"):
			return errors.New("handshake: " + strings.TrimSpace(line))
		case line == "\r\n":
			return nil
		}
	}
}

func (c *client) start() error {
	const hello = `{"type":"session_control","action":"start","audio":{"encoding":"pcm16","sample_rate":24000,"channels":1}}`
	if _, err := c.conn.Write(appendFrame(nil, opText, []byte(hello))); err != nil {
		return err
	}
	for {
		op, p, err := readFrame(c.in, nil)
		if err != nil {
			return fmt.Errorf("wait for session_started: %w", err)
		}
		if op == opClose {
			return fmt.Errorf("closed before session_started: %q", p)
		}
		if bytes.Contains(p, []byte("session_started")) {
			return nil
		}
	}
}

// write sends one message.
func (c *client) write(op byte, p []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buf = appendFrame(c.buf[:0], op, p)
	_, err := c.conn.Write(c.buf)
	return err
}

// say sends the next frame of audio.
func (c *client) say(b64 string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	var scratch [2048]byte
	p := append(scratch[:0], `{"type":"audio_chunk","seq":`...)
	p = strconv.AppendUint(p, c.seq, 10)
	p = append(p, `,"data":"`...)
	p = append(p, b64...)
	p = append(p, `"}`...)
	c.buf = appendFrame(c.buf[:0], opText, p)
	atomic.StoreInt64(&c.sent[c.seq%remembered], time.Now().UnixNano())
	_, err := c.conn.Write(c.buf)
	return err
}

// listen reads until the socket ends.
func (l *load) listen(c *client, t *trips) {
	var buf []byte
	unacked := 0
	for {
		op, p, err := readFrame(c.in, buf)
		buf = p
		if err == nil && op == opClose {
			err = fmt.Errorf("close frame %q", p)
		}
		if err != nil {
			if !l.stopping.Load() && l.closed.Add(1) <= 3 {
				log.Printf("client closed: %v", err)
			}
			return
		}
		if op == opPing {
			c.write(opPong, p) // a lost socket is seen by the next read
			continue
		}
		head := p[:min(len(p), 200)]
		if l.s.ackEvery > 0 && !bytes.Contains(head, []byte(`"ack"`)) {
			if seq := number(p, `"seq":`); seq > 0 {
				if unacked++; unacked >= l.s.ackEvery {
					unacked = 0
					c.write(opText, fmt.Appendf(nil, `{"type":"ack","seq":%d}`, seq))
				}
			}
		}
		if bytes.Contains(head, []byte(`"audio_chunk"`)) {
			l.echo(c, t, number(p, l.s.key))
		}
	}
}

// echo counts the echo of a frame.
func (l *load) echo(c *client, t *trips, seq uint64) {
	if seq > 0 && c.sent != nil && l.measuring.Load() {
		us := (time.Now().UnixNano() - atomic.LoadInt64(&c.sent[seq%remembered])) / 1000
		l.heard.Add(1)
		t.mu.Lock()
		t.us = append(t.us, int32(min(us, math.MaxInt32)))
		t.mu.Unlock()
	}
	select {
	case c.credits <- struct{}{}:
	default: // nobody takes them: the mode is not flood
	}
}

// number reads the number after key, which stands near the end of a message or its beginning.
func number(p []byte, key string) uint64 {
	end := max(0, len(p)-200)
	i := bytes.LastIndex(p[end:], []byte(key))
	if i >= 0 {
		i += end
	} else if i = bytes.Index(p[:min(len(p), 200)], []byte(key)); i < 0 {
		return 0
	}
	rest := bytes.TrimLeft(p[i+len(key):], " ")
	n := 0
	for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
		n++
	}
	seq, err := strconv.ParseUint(string(rest[:n]), 10, 64)
	if err != nil {
		return 0
	}
	return seq
}

// The kinds of WebSocket frames.
const (
	opText  = 1
	opClose = 8
	opPing  = 9
	opPong  = 10
)

// appendFrame appends a client's frame. Its mask is zero: that is legal and leaves the
// payload as it is, so that masking costs neither side.
func appendFrame(b []byte, op byte, p []byte) []byte {
	b = append(b, 0x80|op)
	if n := len(p); n < 126 {
		b = append(b, 0x80|byte(n))
	} else {
		b = append(b, 0x80|126, byte(n>>8), byte(n)) // nothing of ours is longer than 64 KiB
	}
	b = append(b, 0, 0, 0, 0)
	return append(b, p...)
}

// readFrame reads a server's frame into buf.
func readFrame(in *bufio.Reader, buf []byte) (op byte, p []byte, err error) {
	var h [8]byte
	if _, err := io.ReadFull(in, h[:2]); err != nil {
		return 0, buf, err
	}
	op = h[0] & 15
	n, more := int(h[1]&0x7f), 0
	switch n {
	case 126:
		more = 2
	case 127:
		more = 8
	}
	if more > 0 {
		if _, err := io.ReadFull(in, h[:more]); err != nil {
			return 0, buf, err
		}
		n = 0
		for _, b := range h[:more] {
			n = n<<8 | int(b)
		}
	}
	if n < 0 || n > 16<<20 {
		return 0, buf, fmt.Errorf("a frame of %d bytes", n)
	}
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	_, err = io.ReadFull(in, buf)
	return op, buf, err
}
