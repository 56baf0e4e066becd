package transport

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"aila/proto"
)

// A socket is one WebSocket: its read loop, and the Outlet of its session.
type socket struct {
	// Set by newSocket and upgrade, before the read loop.
	server *Server
	pipe   *pipe
	conn   net.Conn // pipe, or the tls.Conn over it
	ws     *websocket.Conn
	hello  proto.Hello // without Start and Resume
	seat   seat
	opened int64 // clock

	// Owned by the read loop.
	in       intake
	br       *bufio.Reader   // the library's, over in
	patience *proto.Patience // nil: nothing was refused yet
	resume   *proto.Resume   // waits until everything sent behind it was refused
	stale    bool            // the message on its way was sent before session_resumed
	joined   proto.Inlet     // what inlet is, for the read loop
	deep     bool            // opening the session has left a deep stack

	// Owned by the sweep.
	nextPing int64 // clock

	// Read by the sweep, times by the clock.
	lastRead atomic.Int64 // when anything was read
	partial  atomic.Int64 // when the message on its way began; 0: none is
	unsure   atomic.Bool  // the stream may have ended unseen
	waiting  atomic.Bool  // the read loop is held up by the session, not by the client
	greeted  atomic.Bool  // a first message came
	deserted atomic.Int64 // when the session was found closed; 0: it was not
	expires  atomic.Int64 // Unix seconds at which the token ends; 0: never
	over     atomic.Bool  // abandon was called

	// Guarded by mu.
	mu      sync.Mutex
	inlet   proto.Inlet // nil: no session yet
	hungUp  bool        // the inlet was told
	corked  bool        // what is sent waits in out
	out     *[]byte     // frames not yet written; nil: none
	opening bool        // Open runs: what it sends may exceed the bound
	allow   int64       // bytes that Open sent and that still may wait beyond the bound
	closing bool        // nothing more is sent
	gone    bool        // the connection was lost: nothing can be said any more
	how     proto.Close // the close that was said or heard; zero: lost without one

	share, place int // in Server.sockets, guarded by its mu
}

func newSocket(s *Server, conn net.Conn, p *pipe) *socket {
	now := s.clock.Load()
	sock := &socket{server: s, pipe: p, conn: conn, opened: now, nextPing: now + int64(pingEvery)}
	sock.in.maxMessage = s.opt.MaxMessageBytes
	sock.lastRead.Store(now)
	return sock
}

// live is the socket's goroutine after the upgrade. Opening a session takes four times the
// stack that waiting for a message does, and the runtime halves an idle stack only at a
// collection: so the read loop goes on with a stack of its own, and thousands of idle sockets
// keep 2 KiB each.
func (s *socket) live(ctx context.Context) {
	if s.run(ctx) {
		s.server.spawn(&s.server.tasks, func() { s.live(ctx) }, func() {})
	}
}

// run is the life of the socket, or tells that it goes on elsewhere.
func (s *socket) run(ctx context.Context) (elsewhere bool) {
	defer func() {
		if !elsewhere {
			s.free()
		}
	}()
	s.hear(ctx)
	if s.deep && !s.isClosing() {
		s.deep = false
		return true
	}
	s.hangup()
	s.linger()
	return false
}

// hear is the read loop. It returns when the client is gone, the socket is closing, or the
// stack is deep.
func (s *socket) hear(ctx context.Context) {
	defer s.server.recovered(func() { s.Close(proto.CloseFailed) })
	// The upgrade may have brought bytes along.
	if over, _ := s.turnTo(ctx); over {
		return
	}
	err := s.pipe.serve(func() bool { return s.turn(ctx) })
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		s.lost()
	}
}

// turn reads and handles what is there. It returns true when the loop is over.
func (s *socket) turn(ctx context.Context) bool {
	for {
		n, err := s.in.fill(s.conn, time.Duration(s.server.clock.Load()))
		if n > 0 {
			s.lastRead.Store(s.server.clock.Load())
			over, answered := s.turnTo(ctx)
			if over {
				return true
			}
			if answered && s.in.short && !s.pipe.tls && s.resume == nil {
				// A read that gave less than it could has emptied the kernel's queue, and what
				// comes now wakes us, since a FD is polled for edges: the read that would find
				// nothing (1.2 µs of 26) is not needed. Only the stream's end may have come
				// along unseen. If the client is gone, our answer meets a reset, which wakes
				// us; if it only ended its side, the sweep sees it. (TCP's urgent data makes a
				// read short, too; who sends that is heard when more comes.)
				if !s.unsure.Load() {
					s.unsure.Store(true)
				}
				break
			}
			continue
		}
		switch {
		case !wouldBlock(err):
			s.lost()
			return true
		case s.isClosing():
			return true
		case s.resume != nil:
			s.takeUp(ctx)
			continue // it may have taken a while
		}
		break
	}
	s.in.rest()
	return s.deep
}

// wouldBlock tells whether a read found nothing, or (nil) only what TLS keeps for itself.
func wouldBlock(err error) bool { return err == nil || errors.Is(err, os.ErrDeadlineExceeded) }

// turnTo handles what was read: every message that is whole, with one write for all their
// answers, which answered tells of. It returns true when the loop is over.
func (s *socket) turnTo(ctx context.Context) (over, answered bool) {
	some := s.in.ready()
	if some {
		s.cork()
		over = s.messages(ctx)
		answered = s.uncork()
		if over || s.isClosing() {
			return true, answered
		}
	}
	if s.in.bad.Code != 0 {
		s.Close(s.in.bad)
		return true, answered
	}
	switch {
	case !s.in.partial():
		s.partial.Store(0)
	case some || s.partial.Load() == 0:
		s.partial.Store(max(1, s.server.clock.Load()))
	}
	return false, answered
}

// messages handles every message that is whole. It returns true when the loop is over.
func (s *socket) messages(ctx context.Context) bool {
	for s.in.ready() || s.br.Buffered() > 0 {
		if s.br.Buffered() == 0 {
			if op, p, ok := s.in.single(); ok {
				s.frame(ctx, op, p)
				if s.isClosing() {
					return true
				}
				continue
			}
		}
		kind, r, err := s.ws.Reader(context.Background())
		if errors.Is(err, errDry) {
			return false // there were only control frames
		}
		if err == nil {
			err = s.message(ctx, kind, r)
		}
		if err != nil {
			s.ended(err)
			return true
		}
		if s.isClosing() {
			return true
		}
	}
	return false
}

// ended notes why the library stopped: the client's close frame, which it has answered.
func (s *socket) ended(err error) {
	var c websocket.CloseError
	if !errors.As(err, &c) {
		s.Close(proto.CloseProtocol) // the inspector should have seen it
		return
	}
	s.closeWith(proto.Close{Code: int(c.Code)}, nil)
}

// linger discards what the client still sends, so that the close frame is not lost to a
// reset, until it hangs up, or for a second after everything was written.
func (s *socket) linger() {
	for s.saidGoodbye() {
		deadline, shut := s.pipe.await()
		if s.over.Load() {
			return
		}
		err := s.pipe.serve(func() bool { return s.discard(deadline) })
		if !errors.Is(err, os.ErrDeadlineExceeded) || shut || !s.pipe.shut.Load() {
			return
		}
	}
}

// discard reads and forgets what is there. It returns true when the client hung up, or
// never stops.
func (s *socket) discard(deadline time.Time) bool {
	buf := intakeBuffers.Get().(*[]byte)
	defer intakeBuffers.Put(buf)
	for {
		if _, err := s.pipe.Read(*buf); err != nil {
			return !wouldBlock(err)
		}
		if time.Now().After(deadline) {
			return true
		}
	}
}

// abandon cuts a socket that must go now.
func (s *socket) abandon() {
	s.over.Store(true)
	s.lost()
	s.pipe.wake()
	s.hangup()
}

// free lets everything go. The read loop calls it last.
func (s *socket) free() {
	s.lost()
	s.hangup()
	s.in.release()
	s.ws.CloseNow()
	s.pipe.Close()
	s.server.limits.leave(s.seat)
	s.server.metrics.closed(s.how)
	s.server.remove(s)
}
