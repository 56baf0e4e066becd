package transport

import (
	"slices"
	"time"

	"aila/proto"
)

// Time. One sweep over all sockets stands for a timer in each. It goes share by share, so that
// the pings of thousands do not go out at once while others talk.
const (
	sweepEvery = 500 * time.Millisecond // the same socket
	shares     = 25
	pingEvery  = 10 * time.Second
	silence    = 25 * time.Second       // nothing was read
	unfinished = 5 * time.Second        // since a message's first byte
	firstBy    = 10 * time.Second       // a first message
	tooSlow    = 10 * time.Second       // since the oldest byte that waits was written
	desertion  = 10 * time.Second       // the session is closed and has not closed the socket
	quiet      = 750 * time.Millisecond // nothing was read since the sweep before
)

// sweepLoop sweeps until Shutdown.
func (s *Server) sweepLoop() {
	t := time.NewTicker(s.every / shares)
	defer t.Stop()
	var some []*socket
	for share := 0; ; share = (share + 1) % shares {
		select {
		case <-s.swept:
			return
		case now := <-t.C:
			some = s.sweep(now.Sub(s.born), share, some)
		}
	}
}

// sweep moves the clock and lets every socket of a share look at it. It returns scratch, grown.
func (s *Server) sweep(now time.Duration, share int, scratch []*socket) []*socket {
	s.clock.Store(int64(now))
	s.mu.Lock()
	scratch = append(scratch[:0], s.sockets.shares[share]...)
	s.mu.Unlock()
	for i, sock := range scratch {
		s.look(sock, int64(now))
		scratch[i] = nil
	}
	return scratch
}

// roster is the open sockets. Each knows its share and its place there.
type roster struct {
	shares [shares][]*socket
	next   int // the share of the next socket
	n      int
}

func (r *roster) add(sock *socket) {
	sock.share, r.next = r.next, (r.next+1)%shares
	sock.place = len(r.shares[sock.share])
	r.shares[sock.share] = append(r.shares[sock.share], sock)
	r.n++
}

func (r *roster) remove(sock *socket) {
	share := r.shares[sock.share]
	last := len(share) - 1
	share[sock.place] = share[last]
	share[sock.place].place = sock.place
	share[last] = nil
	r.shares[sock.share] = share[:last]
	r.n--
}

func (r *roster) all() []*socket { return slices.Concat(r.shares[:]...) }

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
