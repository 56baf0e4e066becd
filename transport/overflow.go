package transport

import (
	"encoding/binary"
	"slices"
	"syscall"
)

// The overflow of a pipe: what was written and the kernel did not take.

// chunk is one write, or the rest of it.
type chunk struct {
	data []byte
	// begun is how much of data's beginning belongs to a frame that the kernel has begun to
	// take; not known under TLS.
	begun int
	// at is the clock when it was queued.
	at int64
}

// queue keeps what is left of b after n bytes, and has it drained. Held: mu.
func (p *pipe) queue(b []byte, n int) {
	now := p.server.clock.Load()
	c := chunk{data: slices.Clone(b[n:]), at: max(now, 1)}
	if n > 0 && !p.tls {
		c.begun = frameEnd(b, n) - n
	}
	p.chunks = append(p.chunks, c)
	p.queued.Add(int64(len(c.data)))
	if p.draining {
		return
	}
	p.draining = true
	p.oldest.Store(c.at)
	// It ends when the overflow is empty, given up, or the connection closed.
	p.server.spawn(&p.server.tasks, func() { p.raw.Write(p.drain) }, p.wake)
}

// drain writes from the overflow and says whether that is done. It is called whenever the
// kernel may take more.
func (p *pipe) drain(fd uintptr) (done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.chunks) > 0 {
		c := &p.chunks[0]
		n, err := writeSome(int(fd), c.data)
		p.queued.Add(-int64(n))
		if err != nil {
			p.broken = err
			p.forget()
			break
		}
		if n < len(c.data) {
			p.advance(c, n)
			return false
		}
		p.chunks[0] = chunk{}
		p.chunks = p.chunks[1:]
		if len(p.chunks) > 0 {
			p.oldest.Store(p.chunks[0].at)
		}
	}
	p.chunks = nil
	p.oldest.Store(0)
	p.draining = false
	if p.finishing && !p.shut.Load() {
		p.shutdown(int(fd))
		p.wake() // who lingers learns that the second begins
	}
	return true
}

// advance notes that n more bytes of c were written. Held: mu.
func (p *pipe) advance(c *chunk, n int) {
	if n == 0 {
		return
	}
	switch {
	case p.tls:
	case n <= c.begun:
		c.begun -= n
	default:
		c.begun += frameEnd(c.data[c.begun:], n-c.begun) - n
	}
	c.data = c.data[n:]
}

// forget drops the overflow. Held: mu.
func (p *pipe) forget() {
	p.chunks = nil
	p.queued.Store(0)
	p.oldest.Store(0)
}

// finish says that no more will be written: the writing side is shut once all is out.
func (p *pipe) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.finishing {
		return
	}
	p.finishing = true
	if !p.draining {
		p.raw.Control(func(fd uintptr) { p.shutdown(int(fd)) })
	}
}

// cut gives up a peer that reads too slowly: of what waits, only the rest of the frame that
// was begun goes out, then last, a close frame (nil under TLS, where nothing can be left
// out), then the writing side is shut. What of it the kernel does not take at once is lost.
func (p *pipe) cut(last []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.finishing {
		return
	}
	p.finishing = true
	var rest []byte
	if last != nil {
		if len(p.chunks) > 0 {
			rest = p.chunks[0].data[:p.chunks[0].begun]
		}
		rest = slices.Concat(rest, last)
	}
	p.forget()
	p.raw.Control(func(fd uintptr) {
		// Room for the little that still must go out.
		syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, sendBuffer*2)
		writeSome(int(fd), rest)
		p.shutdown(int(fd))
	})
	// Whoever drains finds nothing left.
	p.TCPConn.SetWriteDeadline(past)
}

// shutdown closes the writing side, and bounds how long the kernel keeps what the peer does
// not take. Held: mu.
func (p *pipe) shutdown(fd int) {
	setUserTimeout(fd)
	syscall.Shutdown(fd, syscall.SHUT_WR)
	p.shut.Store(true)
}

// frameEnd says where in b, which begins with the header of a frame of ours, the frame that
// byte n-1 belongs to ends.
func frameEnd(b []byte, n int) int {
	end := 0
	for end < n && len(b)-end >= 2 {
		size, header := int(b[end+1]&0x7f), 2
		switch size {
		case 126:
			header = 4
			if len(b)-end < header {
				return len(b)
			}
			size = int(binary.BigEndian.Uint16(b[end+2:]))
		case 127:
			header = 10
			if len(b)-end < header {
				return len(b)
			}
			size = int(binary.BigEndian.Uint64(b[end+2:]))
		}
		end += header + size
	}
	return min(max(end, n), len(b))
}
