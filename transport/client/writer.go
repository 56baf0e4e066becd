package client

import (
	"context"
	"sync"
	"time"

	"github.com/coder/websocket"

	"aila/proto"
)

// There is at most one writer for a socket, and none while there is nothing to write. Whoever
// has made work and finds no writer starts one; a writer that runs takes the new work along.
// The reading goroutine never writes, so that a server that waits for us to read before it
// reads on is not waited for.

// buffers hold messages while they are read or written.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

func putBuffer(p *[]byte) {
	if cap(*p) <= 64<<10 { // one long message must not pin its memory for ever
		buffers.Put(p)
	}
}

// startWriter claims the socket for the caller, who then calls write; nil: there is nothing to
// write, nothing to write to, or a writer already. The caller holds mu.
func (s *Session) startWriter() *socket {
	k := s.sock
	if k == nil || !k.attached || k.dead || k.writing || s.stopped || !s.work() {
		return nil
	}
	k.writing = true
	s.wg.Add(1)
	return k
}

// kick starts a writer if one is needed. The caller holds mu.
func (s *Session) kick() {
	if k := s.startWriter(); k != nil {
		go s.write(k) // ends when there is nothing to write, or with the socket; run waits for it
	}
}

// work tells whether there is anything to write. The caller holds mu.
func (s *Session) work() bool {
	if s.ackNow {
		return true
	}
	return s.ended == nil && (s.pingNow || len(s.extras) > 0 || s.mayGoOn())
}

// mayGoOn tells whether the next numbered message is there and may be written. The caller
// holds mu.
func (s *Session) mayGoOn() bool {
	if !s.hold.IsZero() || s.ring.at(s.cursor) == nil {
		return false
	}
	return s.o.Window < 0 || s.ring.between(s.ring.first, s.cursor) < int64(s.o.Window)
}

// write is the writer of k, which startWriter claimed.
func (s *Session) write(k *socket) {
	defer s.wg.Done()
	p := buffers.Get().(*[]byte)
	defer putBuffer(p)
	for {
		s.mu.Lock()
		if s.sock != k || k.dead || s.stopped || !s.work() {
			k.writing = false
			s.notify()
			s.mu.Unlock()
			return
		}
		b, binary := s.next((*p)[:0])
		s.mu.Unlock()
		*p = b
		if err := k.write(b, binary); err != nil {
			k.kill()
			s.mu.Lock()
			k.dead = true
			s.mu.Unlock()
		}
	}
}

// write puts one message on the socket. It may wait for the peer, and ends in an error when
// the socket is killed meanwhile.
func (k *socket) write(b []byte, binary bool) error {
	kind := websocket.MessageText
	if binary {
		kind = websocket.MessageBinary
	}
	return k.ws.Write(context.Background(), kind, b)
}

// next appends the next message to write. The caller holds mu and knows that there is work.
func (s *Session) next(b []byte) (_ []byte, binary bool) {
	switch {
	case s.ackNow:
		s.ackNow, s.ackAt, s.told = false, time.Time{}, s.heard
		return proto.AppendInbound(b, &proto.AckIn{Seq: s.heard}), false
	case s.pingNow:
		s.pingNow, s.pingedAt = false, time.Now()
		return proto.AppendInbound(b, &proto.Ping{}), false
	case len(s.extras) > 0:
		m := s.extras[0]
		s.extras[0] = nil
		s.extras = s.extras[1:]
		return proto.AppendInbound(b, m), false
	}
	return s.nextNumbered(b)
}

// frames are what audio is encoded from.
var frames = sync.Pool{New: func() any { return new(proto.AudioIn) }}

func (s *Session) nextNumbered(b []byte) (_ []byte, binary bool) {
	seq := s.cursor
	e := s.ring.at(seq)
	s.cursor++
	s.stats.Written++
	if seq <= s.written {
		s.stats.Again++
	}
	s.written = max(s.written, seq)
	if e.msg != nil {
		b = proto.AppendInbound(b, e.msg)
	} else {
		a := frames.Get().(*proto.AudioIn)
		a.Data = e.data
		if !s.o.Unnumbered {
			a.Seq = seq
		}
		// In a binary header the low bits of a seq that are all 0 would mean: not numbered.
		binary = s.o.Binary && (s.o.Unnumbered || uint32(seq) != 0)
		if binary {
			b = proto.AppendInboundBinary(b, a)
		} else {
			b = proto.AppendInbound(b, a)
		}
		*a = proto.AudioIn{}
		frames.Put(a)
	}
	if s.o.Unnumbered {
		s.ring.drop(seq) // nobody will acknowledge it
		s.notify()
	}
	return b, binary
}

// acked drops what the server has. The caller holds mu.
func (s *Session) acked(seq, pos int64) {
	if s.o.Unnumbered {
		s.stats.Acked, s.stats.AckedPos = max(s.stats.Acked, seq), max(s.stats.AckedPos, pos)
		s.notify()
		return
	}
	seq = min(seq, s.written) // a server cannot have what we never wrote
	if seq <= s.stats.Acked {
		return
	}
	s.stats.Acked = seq
	s.stats.AckedPos = max(s.stats.AckedPos, pos)
	s.ring.drop(seq)
	s.cursor = max(s.cursor, s.ring.first)
	s.kick() // the window may have let more wait
	s.notify()
}

// refused acts on an error that concerns a message of ours: what the server refused leaves a
// hole in its books, and what followed it was dropped in silence, so all is said again from
// there. The caller holds mu.
func (s *Session) refused(f *proto.Fault) {
	if s.o.Unnumbered {
		return
	}
	hole := f.ClientSeq
	if hole == 0 {
		hole = s.ring.first
	}
	switch f.Code {
	case proto.RateLimited:
		s.stats.Limited++
		s.hold = time.Now().Add(millis(f.RetryAfterMS))
		s.arm(s.hold)
	case proto.BadSeq:
		if s.rewound == s.ring.first {
			return // once is enough for each hole: we must not quarrel
		}
		s.rewound = s.ring.first
		hole = s.ring.first
	case proto.BadAudio, proto.BadField:
		e := s.ring.at(f.ClientSeq)
		if e == nil {
			return // not a numbered message
		}
		s.stats.Mended++
		gap := &proto.GapIn{Samples: max(1, e.samples), Reason: "overflow"}
		gap.Seq = hole
		s.ring.replace(hole, entry{msg: gap})
	default:
		return
	}
	if s.ring.at(hole) != nil {
		s.cursor = min(s.cursor, hole)
	}
	s.kick()
}
