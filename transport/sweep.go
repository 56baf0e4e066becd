package transport

import (
	"time"

	"aila/proto"
)

// Time. One sweep over all sockets stands for a timer in each.
const (
	sweepEvery = 500 * time.Millisecond
	pingEvery  = 10 * time.Second
	silence    = 25 * time.Second       // nothing was read
	unfinished = 5 * time.Second        // since a message's first byte
	firstBy    = 10 * time.Second       // a first message
	tooSlow    = 10 * time.Second       // since the oldest byte that waits was written
	desertion  = 10 * time.Second       // the session is closed and has not closed the socket
	quiet      = 750 * time.Millisecond // nothing was read since the sweep before the last
)

// sweepLoop sweeps until Shutdown.
func (s *Server) sweepLoop() {
	t := time.NewTicker(s.every)
	defer t.Stop()
	var all []*socket
	for {
		select {
		case <-s.swept:
			return
		case now := <-t.C:
			all = s.sweep(now.Sub(s.born), all)
		}
	}
}

// sweep moves the clock and lets every socket look at it. It returns scratch, grown.
func (s *Server) sweep(now time.Duration, scratch []*socket) []*socket {
	s.clock.Store(int64(now))
	s.mu.Lock()
	scratch = append(scratch[:0], s.sockets...)
	s.mu.Unlock()
	for i, sock := range scratch {
		s.look(sock, int64(now))
		scratch[i] = nil
	}
	return scratch
}

// look runs one socket's tick; a bug in it closes that socket only.
func (s *Server) look(sock *socket, now int64) {
	defer s.recovered(func() { sock.Close(proto.CloseFailed) })
	sock.tick(now)
}

// tick does what is due.
func (s *socket) tick(now int64) {
	if s.isClosing() {
		s.hangup() // the read loop may be held up by the session
		return
	}
	switch c := s.due(now); c {
	case proto.Close{}:
	case proto.CloseTooSlow:
		s.mu.Lock()
		if !s.closing {
			s.cut()
		}
		s.mu.Unlock()
		s.hangup()
		return
	default:
		s.Close(c)
		s.hangup()
		return
	}
	if s.unsure.Load() && !s.waiting.Load() && now-s.lastRead.Load() > int64(quiet) {
		s.unsure.Store(false)
		if s.pipe.ended() {
			s.pipe.wake()
		}
	}
	if now >= s.nextPing {
		s.nextPing = now + int64(pingEvery)
		s.control([]byte{0x80 | opPing, 0})
	}
}

// due is the close for which time has run out, or none.
func (s *socket) due(now int64) proto.Close {
	since := func(at int64, limit time.Duration) bool { return now-at > int64(limit) }
	if oldest := s.pipe.oldest.Load(); oldest != 0 && since(oldest, tooSlow) {
		return proto.CloseTooSlow
	}
	if expires := s.expires.Load(); expires != 0 && time.Now().Unix() >= expires {
		return proto.CloseExpired
	}
	if at := s.deserted.Load(); at != 0 && since(at, desertion) {
		return proto.CloseFailed
	}
	if !s.greeted.Load() && since(s.opened, firstBy) {
		return proto.CloseNoFirst
	}
	if s.waiting.Load() {
		return proto.Close{}
	}
	if at := s.partial.Load(); at != 0 && since(at, unfinished) {
		return proto.CloseUnfinished
	}
	if at := s.lastRead.Load(); since(at, silence) {
		return proto.CloseHeartbeat
	}
	return proto.Close{}
}
