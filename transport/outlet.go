package transport

import (
	"crypto/tls"
	"encoding/binary"
	"slices"
	"sync"

	"aila/proto"
)

// The socket as its session's Outlet. Whatever is written goes through mu: frames come out
// in the order in which they took it.

// corkBytes is how much may wait for the end of a turn of the read loop.
const corkBytes = 64 << 10

var outBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 8<<10); return &b }}

// Send implements proto.Outlet.
func (s *socket) Send(p []byte, binary bool) {
	op := byte(opText)
	if binary {
		op = opBinary
	}
	s.mu.Lock()
	if !s.closing {
		s.put(op, p)
	}
	s.mu.Unlock()
}

// QueueBytes implements proto.Outlet.
func (s *socket) QueueBytes() int64 { return s.pipe.queued.Load() }

// Close implements proto.Outlet.
func (s *socket) Close(c proto.Close) {
	var frame [2 + maxControl]byte
	s.closeWith(c, appendClose(frame[:0], c))
}

// say sends one message of the socket's own.
func (s *socket) say(m proto.Outbound) {
	var room [512]byte
	s.Send(proto.Append(room[:0], m), false)
}

// control sends one control frame, header and all.
func (s *socket) control(frame []byte) {
	s.mu.Lock()
	if !s.closing {
		s.grab()
		*s.out = append(*s.out, frame...)
		s.sent()
	}
	s.mu.Unlock()
}

// closeWith closes after last, the close frame; nil: the library has sent it.
func (s *socket) closeWith(c proto.Close, last []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	s.closing, s.how = true, c
	if last != nil {
		s.grab()
		*s.out = append(*s.out, last...)
	}
	s.flush()
	if secure, ok := s.conn.(*tls.Conn); ok {
		secure.CloseWrite()
	}
	s.pipe.finish()
	s.pipe.wake()
}

// cut closes a socket whose client reads too slowly, and drops what waits. Held: mu.
func (s *socket) cut() {
	s.closing, s.how = true, proto.CloseTooSlow
	s.drop()
	if _, ok := s.conn.(*tls.Conn); ok {
		s.pipe.cut(nil)
	} else {
		s.pipe.cut(appendClose(nil, proto.CloseTooSlow))
	}
	s.pipe.wake()
}

// lost notes that the connection is gone.
func (s *socket) lost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	s.closing = true
	s.drop()
}

// isClosing tells whether the socket has been closed or lost.
func (s *socket) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// saidGoodbye tells whether the socket was closed, and not lost.
func (s *socket) saidGoodbye() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing && !s.gone
}

// setOpening tells Send whether Open runs: a replay may be larger than the queue's bound.
func (s *socket) setOpening(on bool) {
	s.mu.Lock()
	s.opening = on
	s.mu.Unlock()
}

// cork makes what is sent wait for uncork, so that the answers to what was read at once are
// written at once.
func (s *socket) cork() {
	s.mu.Lock()
	s.corked = true
	s.mu.Unlock()
}

// uncork tells whether the kernel took all of what had waited, and there was something.
func (s *socket) uncork() (out bool) {
	s.mu.Lock()
	s.corked = false
	out = s.flush()
	s.mu.Unlock()
	return out
}

// put adds one frame. Held: mu.
func (s *socket) put(op byte, p []byte) {
	s.grab()
	*s.out = appendFrame(*s.out, op, p)
	if s.opening {
		s.allow += int64(len(p))
	}
	s.sent()
}

// grab makes sure that there is a buffer for frames. Held: mu.
func (s *socket) grab() {
	if s.out == nil {
		s.out = outBuffers.Get().(*[]byte)
	}
}

// sent writes, unless corked. Held: mu.
func (s *socket) sent() {
	if !s.corked || len(*s.out) >= corkBytes {
		s.flush()
	}
}

// flush writes what waits for the end of the turn, and tells whether there was something and
// the kernel took all of it. Held: mu.
func (s *socket) flush() (out bool) {
	if s.out == nil {
		return false
	}
	_, err := s.conn.Write(*s.out) // an error is the read loop's to find
	s.drop()
	queued := s.pipe.queued.Load()
	if queued == 0 {
		s.allow = 0
	}
	if queued > s.server.opt.MaxQueueBytes+s.allow && !s.closing {
		s.cut()
	}
	return err == nil && queued == 0
}

// drop forgets what waits for the end of the turn. Held: mu.
func (s *socket) drop() {
	if s.out == nil {
		return
	}
	if cap(*s.out) <= corkBytes {
		*s.out = (*s.out)[:0]
		outBuffers.Put(s.out)
	}
	s.out = nil
}

// appendFrame appends one unfragmented, unmasked frame (RFC 6455, section 5.2).
func appendFrame(dst []byte, op byte, p []byte) []byte {
	dst = slices.Grow(dst, len(p)+10)
	dst = append(dst, 0x80|op)
	switch n := len(p); {
	case n <= maxControl:
		dst = append(dst, byte(n))
	case n <= 0xffff:
		dst = append(dst, 126)
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	default:
		dst = append(dst, 127)
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	}
	return append(dst, p...)
}

// appendClose appends a close frame.
func appendClose(dst []byte, c proto.Close) []byte {
	dst = append(dst, 0x80|opClose, byte(2+len(c.Reason)))
	dst = binary.BigEndian.AppendUint16(dst, uint16(c.Code))
	return append(dst, c.Reason...)
}
