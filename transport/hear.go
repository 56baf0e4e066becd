package transport

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/coder/websocket"

	"aila/proto"
)

// What the read loop does with messages.

var messageBuffers = sync.Pool{New: func() any { b := make([]byte, intakeSize); return &b }}

// frame handles a message of one frame, or a ping or pong.
func (s *socket) frame(ctx context.Context, op byte, p []byte) {
	switch op {
	case opText, opBinary:
		s.take(ctx, p, op == opBinary)
	case opPing:
		var room [10 + maxControl]byte
		s.control(appendFrame(room[:0], opPong, p))
	}
}

// message reads one message from the library and handles it. Its error is the library's.
func (s *socket) message(ctx context.Context, kind websocket.MessageType, r io.Reader) error {
	buf := messageBuffers.Get().(*[]byte)
	b, err := readAll(r, *buf)
	if err == nil {
		s.take(ctx, b, kind == websocket.MessageBinary)
	}
	messageBuffers.Put(buf)
	return err
}

// readAll reads one message into buf and returns it, in a larger one where it must be.
func readAll(r io.Reader, buf []byte) ([]byte, error) {
	n := 0
	for {
		if n == len(buf) {
			buf = append(buf, make([]byte, len(buf))...)
		}
		m, err := r.Read(buf[n:])
		n += m
		if err == io.EOF {
			return buf[:n], nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// take decodes one message and gives it to whom it is for.
func (s *socket) take(ctx context.Context, b []byte, binary bool) {
	if binary {
		s.sort(ctx, proto.DecodeBinary(b))
		return
	}
	in, err := proto.Decode(b)
	if err != nil {
		s.Close(proto.CloseBadUTF8)
		return
	}
	s.sort(ctx, in)
}

// sort gives a message to whom it is for.
func (s *socket) sort(ctx context.Context, in proto.Inbound) {
	switch m := in.(type) {
	case *proto.Ping:
		s.greeted.Store(true)
		s.say(&proto.Pong{ID: m.ID, TMS: m.TMS, ServerMS: time.Now().UnixMilli()})
		return
	case *proto.AudioIn:
		m.ReadAt = time.Now().UnixNano()
	case *proto.Refresh:
		if s.joined != nil && !s.stale && !s.refresh(m) {
			return
		}
	}
	switch {
	case s.resume != nil:
		s.refuse(in)
	case s.stale:
		s.stale = false
		s.refuse(in)
	case s.joined != nil:
		s.deliver(in)
	default:
		s.first(ctx, in)
	}
}

// deliver hands a message to the session. It may wait.
func (s *socket) deliver(in proto.Inbound) {
	if s.deserted.Load() != 0 {
		return
	}
	wait := !s.joined.Ready()
	if wait {
		// What was said so far must not wait along, nor what others say meanwhile.
		s.uncork()
		s.waiting.Store(true)
	}
	err := s.joined.Deliver(in)
	if wait {
		s.wentOn()
		s.cork()
	}
	if err != nil {
		// The session ended, or another socket took it over; it is about to close this one.
		s.deserted.Store(max(1, s.server.clock.Load()))
	}
}

// wentOn ends a time in which the session, not the client, held up the read loop.
func (s *socket) wentOn() {
	s.lastRead.Store(s.server.clock.Load())
	s.waiting.Store(false)
}

// first handles a message of a socket that has no session yet.
func (s *socket) first(ctx context.Context, in proto.Inbound) {
	switch m := in.(type) {
	case *proto.Start:
		s.join(ctx, proto.Hello{Start: m})
	case *proto.Resume:
		s.greeted.Store(true)
		s.resume = m
	case *proto.AudioIn:
		if s.join(ctx, proto.Hello{Start: &proto.Start{Binary: m.Binary}}) {
			s.deliver(m)
			return
		}
		m.Release()
	default:
		s.refuse(in)
	}
}

// takeUp resumes a session, now that nothing more lies behind the client's resume.
func (s *socket) takeUp(ctx context.Context) {
	m := s.resume
	s.resume = nil
	// What is on its way was sent too early, too.
	s.stale = s.in.partial()
	s.cork()
	if !s.join(ctx, proto.Hello{Resume: m}) {
		s.stale = false
	}
	s.uncork()
}

// join asks the Opener for a session and tells whether there is one.
func (s *socket) join(ctx context.Context, h proto.Hello) bool {
	s.greeted.Store(true)
	h.Remote, h.Subject, h.Expires = s.hello.Remote, s.hello.Subject, s.hello.Expires
	s.waiting.Store(true)
	s.setOpening(true)
	inlet, fault := s.server.opener.Open(ctx, h, s)
	s.setOpening(false)
	s.wentOn()
	if fault != nil {
		s.fail(*fault)
		return false
	}
	s.joined, s.deep = inlet, true
	s.patience = nil // the session has its own
	s.mu.Lock()
	s.inlet = inlet
	closing := s.closing
	s.mu.Unlock()
	if closing {
		s.hangup()
	}
	return true
}

// refuse answers a message that comes before there is a session.
func (s *socket) refuse(in proto.Inbound) {
	f := proto.Fault{Code: proto.NotStarted, Message: "no session has started on this connection"}
	switch m := in.(type) {
	case *proto.Refused:
		if s.resume == nil && !s.stale {
			f = m.Fault
		}
	case *proto.AudioIn:
		f.Ref = m.ID
		m.Release()
	case *proto.Start:
		f.Ref = m.ID
	case *proto.Resume:
		f.Ref = m.ID
	case *proto.Refresh:
		f.Ref = m.ID
	case proto.Numbered:
		f.Ref = m.Header().ID
	}
	s.fail(f)
}

// fail says an error, and closes where the error demands it or patience is over.
func (s *socket) fail(f proto.Fault) {
	c := f.Code.Close()
	f.Fatal = c.Code != 0
	s.say(&f)
	s.server.metrics.failed(f.Code)
	if s.patience == nil {
		s.patience = new(proto.Patience)
	}
	switch {
	case f.Fatal:
		s.Close(c)
	case s.patience.Spend(f.Code, time.Now()):
		s.Close(proto.CloseTooManyErrors)
	}
}

// refresh takes a fresh token and tells whether the session should hear of it.
func (s *socket) refresh(m *proto.Refresh) bool {
	token := m.Token
	m.Token = ""
	auth := s.server.opt.Auth
	if auth == nil {
		return true
	}
	subject, expires, err := auth.Authenticate(token)
	if err != nil || subject != s.hello.Subject {
		s.Close(proto.CloseUnauthorized)
		return false
	}
	s.setExpires(expires)
	m.Expires = expires
	return true
}

// setExpires notes when the token ends.
func (s *socket) setExpires(t time.Time) {
	s.hello.Expires = t
	if t.IsZero() {
		s.expires.Store(0)
		return
	}
	s.expires.Store(t.Unix())
}

// hangup tells the session, once, that the socket is gone.
func (s *socket) hangup() {
	s.mu.Lock()
	inlet, how := s.inlet, s.how
	tell := inlet != nil && s.closing && !s.hungUp
	s.hungUp = s.hungUp || tell
	s.mu.Unlock()
	if tell {
		inlet.Hangup(how)
	}
}
