package transport

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// sendBuffer is the kernel's buffer for what a peer has not taken, in bytes; Linux doubles
// it, and overshoots: a peer that takes nothing then holds up to 72 kB (113 kB with 32 KiB
// here). The default would be a minute of stale audio.
const sendBuffer = 24 << 10

// past is a deadline that wakes whoever waits.
var past = time.Unix(1, 0)

// listener hands out pipes.
type listener struct {
	net.Listener
	server *Server
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c, nil // it can serve HTTP and no sockets
	}
	p, err := newPipe(tcp, l.server)
	if err != nil { // the peer is gone already; net/http finds out
		return c, nil
	}
	return p, nil
}

// A pipe is the TCP connection of one peer. It passes through until upgrade; from then on
// Write never waits, what the kernel does not take waits in an overflow, and Read is only
// for turns of serve and does not wait either.
type pipe struct {
	*net.TCPConn
	// Set by newPipe.
	raw    syscall.RawConn
	server *Server

	tls bool // what is written is TLS records; set by upgrade

	upgraded atomic.Bool
	queued   atomic.Int64 // bytes in the overflow
	oldest   atomic.Int64 // clock when the overflow's first chunk was queued; 0: it is empty
	shut     atomic.Bool  // the writing side is closed, all was written or given up

	// Owned by the goroutine in serve.
	fd int

	mu        sync.Mutex
	chunks    []chunk
	draining  bool  // a goroutine drains chunks; until it is done, writers only append
	finishing bool  // no more writes; shut when drained
	broken    error // the peer cannot be written to
	out       []byte
	sent      int
	push      func(uintptr) // writes out without waiting; made once
}

// newPipe wraps a fresh connection.
func newPipe(c *net.TCPConn, s *Server) (*pipe, error) {
	if err := c.SetWriteBuffer(sendBuffer); err != nil {
		return nil, err
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &pipe{TCPConn: c, raw: raw, server: s}, nil
}

// upgrade ends the passing through. overTLS says that a tls.Conn lies above.
func (p *pipe) upgrade(overTLS bool) {
	p.tls = overTLS
	p.push = p.pushOut
	p.upgraded.Store(true)
}

// serve calls turn whenever the connection may be readable, and in between waits, until turn
// returns true (then it returns nil), or the read deadline passes.
func (p *pipe) serve(turn func() bool) error {
	return p.raw.Read(func(fd uintptr) bool {
		p.fd = int(fd)
		return turn()
	})
}

// Read reads what is there. Within a turn of serve it never waits: when nothing is there, it
// returns os.ErrDeadlineExceeded, which a tls.Conn takes for temporary.
func (p *pipe) Read(b []byte) (int, error) {
	if !p.upgraded.Load() {
		return p.TCPConn.Read(b)
	}
	for {
		n, err := read(p.fd, b)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return 0, os.ErrDeadlineExceeded
		case err != nil:
			return 0, err
		case n == 0 && len(b) > 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// Write takes all of b, unless the connection is broken.
func (p *pipe) Write(b []byte) (int, error) {
	if !p.upgraded.Load() {
		return p.TCPConn.Write(b)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken != nil {
		return 0, p.broken
	}
	if p.finishing {
		return 0, net.ErrClosed
	}
	n := 0
	if !p.draining {
		n = p.try(b)
		if p.broken != nil {
			return n, p.broken
		}
	}
	if n < len(b) {
		p.queue(b, n)
	}
	return len(b), nil
}

// try writes what the kernel takes without waiting and says how much that was. Held: mu.
func (p *pipe) try(b []byte) int {
	p.out, p.sent = b, 0
	if err := p.raw.Control(p.push); err != nil && p.broken == nil {
		p.broken = err
	}
	p.out = nil
	return p.sent
}

// pushOut is try's call on the descriptor, which does not wait.
func (p *pipe) pushOut(fd uintptr) {
	p.sent, p.broken = writeSome(int(fd), p.out)
}

// writeSome writes until all is written or the kernel takes no more.
func writeSome(fd int, b []byte) (n int, err error) {
	for n < len(b) {
		m, err := write(fd, b[n:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return n, nil
		case err != nil:
			return n, err
		}
		n += m
	}
	return n, nil
}

// SetWriteDeadline does nothing after the upgrade: tls.Conn sets one around its close_notify,
// and it would end the draining of the overflow.
func (p *pipe) SetWriteDeadline(t time.Time) error {
	if p.upgraded.Load() {
		return nil
	}
	return p.TCPConn.SetWriteDeadline(t)
}

// SetDeadline is as SetWriteDeadline.
func (p *pipe) SetDeadline(t time.Time) error {
	if p.upgraded.Load() {
		return nil
	}
	return p.TCPConn.SetDeadline(t)
}

// ended tells whether nothing more will come, and all that came was read.
func (p *pipe) ended() (yes bool) {
	var b [1]byte
	p.raw.Control(func(fd uintptr) {
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		yes = n == 0 && err == nil
	})
	return yes
}

// wake makes serve return.
func (p *pipe) wake() { p.TCPConn.SetReadDeadline(past) }

// Bounds on what the end of a connection may take.
const (
	lingerFor = time.Second      // input is discarded after the writing side was shut
	flushFor  = 10 * time.Second // what was written before finish may go out
)

// await sets the read deadline of a connection whose writes were finished: how long it may
// last from now. shut says that all is written; until it is, finish's shutdown wakes serve.
func (p *pipe) await() (deadline time.Time, shut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := flushFor
	if shut = p.shut.Load(); shut {
		wait = lingerFor
	}
	deadline = time.Now().Add(wait)
	p.SetReadDeadline(deadline)
	return deadline, shut
}
