package client

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"aila/proto"
)

// Session is one session and whatever socket it has at the moment. Its methods may be called
// from any goroutine.
type Session struct {
	// set by Dial
	o      Options
	url    string
	cancel context.CancelFunc
	born   time.Time
	ready  chan struct{} // closed when Dial may return
	done   chan struct{} // closed when nothing of the session runs any more
	wg     sync.WaitGroup

	heardAt atomic.Int64 // nanoseconds since born: when the server was last heard

	// owned by run
	items items
	fault *proto.Fault // the fatal error of this socket

	// guarded by mu
	mu      sync.Mutex
	changed chan struct{} // closed when something that await looks at has changed; nil: nobody waits
	sock    *socket       // nil while there is none
	closed  bool          // Close was called
	stopped bool          // nothing may be started any more
	err     error         // how it ended

	started  *proto.SessionStarted
	ended    *proto.SessionEnded
	format   proto.Format
	bearer   string        // the token for the server
	token    string        // the token for the next resume
	window   time.Duration // for which the server keeps the session without a socket
	lostAt   time.Time     // when the last socket was lost; zero: never
	leaveAt  time.Time     // when to leave the socket, after a goaway
	throwing string        // audio of this item is thrown away
	speaking string        // the item that the voice speaks

	// the way up
	said    int64 // the last number given
	ring    ring
	cursor  int64 // the next number to write to this socket
	written int64 // the highest number written to any
	ending  bool  // End was accepted
	hold    time.Time
	rewound int64 // the hole for which a bad_seq was answered last
	extras  []proto.Inbound

	// the way down
	heard   int64     // the last sequenced message delivered
	told    int64     // up to where it was acknowledged
	ackNow  bool      // an ack is due
	ackAt   time.Time // when an ack is due; zero: nothing is to be acknowledged
	pingNow bool      // a ping is due

	pingedAt time.Time // when our last ping was written

	timer *time.Timer
	armed time.Time // when the timer fires; zero: it does not
	stats Stats
}

// Dial connects to the server at url (ws, wss, http or https), starts a session and returns it
// when the server has answered. ctx bounds Dial only. An error is *CloseError, *HandshakeError,
// the network's, or ctx's.
func Dial(ctx context.Context, url string, o Options) (*Session, error) {
	o = o.withDefaults()
	s := &Session{
		o: o, url: url, born: time.Now(), bearer: o.Token, window: defaultWindow,
		ready: make(chan struct{}), done: make(chan struct{}), format: o.Audio,
	}
	if s.format == (proto.Format{}) || o.Unnumbered {
		s.format = proto.DefaultFormat
	}
	s.ring.first, s.cursor = 1, 1
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	go s.run(life) // ends with the session; done tells
	select {
	case <-s.ready:
		return s, nil
	case <-s.done:
		select {
		case <-s.ready: // it was short, but it was a session
			return s, nil
		default:
			return nil, s.err
		}
	case <-ctx.Done():
		s.Close()
		<-s.done
		return nil, ctx.Err()
	}
}

// run is the session's goroutine: one socket after the other.
func (s *Session) run(ctx context.Context) {
	err := s.live(ctx)
	s.mu.Lock()
	if s.closed && s.ended == nil {
		err = ErrClosed
	}
	s.err, s.stopped = err, true
	if s.timer != nil {
		s.timer.Stop()
	}
	s.ring.drop(proto.MaxSeq)
	s.notify()
	s.mu.Unlock()
	s.cancel()
	s.wg.Wait()
	if s.o.Events != nil {
		close(s.o.Events)
	}
	close(s.done)
}

// live serves sockets until the session is over and says how it ended.
func (s *Session) live(ctx context.Context) error {
	for attempt := 0; ; {
		resumed, end := s.serve(ctx)
		if resumed {
			attempt = 0
		}
		attempt++
		wait, err := s.judge(end, attempt)
		if wait < 0 {
			return err
		}
		if t := s.o.Trace.Retry; t != nil {
			t(attempt, wait)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ErrClosed
		}
	}
}

// serve has one socket from its connect to its end; resumed says that the session was on it.
func (s *Session) serve(ctx context.Context) (resumed bool, end ending) {
	k, err := s.connect(ctx)
	if err != nil {
		return false, ending{err: err}
	}
	s.fault = nil
	if s.attach(k) {
		err = s.greet(k)
		for err == nil {
			err = s.read(ctx, k)
		}
	}
	end = s.detach(k, err)
	k.ws.CloseNow() // an error means that it is closed already
	if t := s.o.Trace.Lost; t != nil {
		t(end.close, end.err)
	}
	return end.attached, end
}

// attach makes k the session's socket; false: the session was closed meanwhile.
func (s *Session) attach(k *socket) bool {
	s.hearNow()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Connects++
	s.sock, s.pingNow, s.leaveAt = k, false, time.Time{}
	k.attachBy = time.Now().Add(s.o.ConnectTimeout)
	s.arm(k.attachBy)
	return !s.closed
}

// greet says the first message on a new socket, if the session says one.
func (s *Session) greet(k *socket) error {
	s.mu.Lock()
	var hello proto.Inbound
	switch {
	case s.token != "":
		hello = &proto.Resume{SessionID: s.started.SessionID, Token: s.token, LastSeq: s.heard}
	case s.o.Unnumbered:
		k.attached = true
		s.isReady()
	default:
		hello = &proto.Start{Audio: s.o.Audio, Voice: s.o.Voice, Binary: s.o.Binary, Metadata: s.o.Metadata}
	}
	s.mu.Unlock()
	if hello == nil {
		return nil
	}
	return k.write(proto.AppendInbound(nil, hello), false)
}

// detach takes the socket away from the session after err ended it.
func (s *Session) detach(k *socket, err error) ending {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := ending{attached: k.attached, left: k.left, fault: s.fault}
	end.close, end.err = closeOf(err)
	if k.attached {
		s.lostAt = time.Now()
	}
	k.attached = false
	s.sock = nil
	s.ackNow, s.ackAt = false, time.Time{} // the resume will say it
	s.notify()
	return end
}

// isReady lets Dial return. The caller holds mu.
func (s *Session) isReady() {
	select {
	case <-s.ready:
	default:
		close(s.ready)
	}
}

// Close lets the session go at once: the socket is closed, and the server keeps the session
// for its resume window. It does not wait; Wait does. After the first call it does nothing.
func (s *Session) Close() {
	s.mu.Lock()
	s.closed = true
	k := s.sock
	s.mu.Unlock()
	s.cancel()
	if k != nil {
		k.kill()
	}
}

// Wait waits until the session is over and says how it ended: nil after session_ended for
// client or idle; *CloseError, ErrResumeRefused, ErrReplayGone, ErrGaveUp, ErrForgotten,
// *HandshakeError or ErrClosed else.
func (s *Session) Wait() error {
	<-s.done
	return s.err
}

// Done is closed when the session is over and nothing of it runs any more.
func (s *Session) Done() <-chan struct{} { return s.done }

// Finish says End, and waits for what the server still has to say until ctx ends, whose error
// it then returns after closing the session. Otherwise it returns what Wait returns.
func (s *Session) Finish(ctx context.Context) error {
	if err := s.End(); err != nil {
		return err
	}
	select {
	case <-s.done:
		return s.err
	case <-ctx.Done():
		s.Close()
		<-s.done
		return ctx.Err()
	}
}

// Cut kills the session's socket, as a failing network would: the server sees a connection
// reset, and the session resumes. It tells whether there was a socket.
func (s *Session) Cut() bool {
	s.mu.Lock()
	k := s.sock
	s.mu.Unlock()
	if k == nil {
		return false
	}
	k.reset()
	return true
}

// Started is what the server said when the session began; nil: it has not, which is so after
// Dial only where the client is Unnumbered. The caller must not change it.
func (s *Session) Started() *proto.SessionStarted {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.started
}

// Ended is the server's account of the session; nil: it has not ended.
func (s *Session) Ended() *proto.SessionEnded {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// Attached tells whether the session has a socket and may talk on it.
func (s *Session) Attached() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sock != nil && s.sock.attached
}

// notify wakes whoever awaits something. The caller holds mu.
func (s *Session) notify() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// await waits until ok, which is asked under mu whenever something changed, or until ctx ends.
func (s *Session) await(ctx context.Context, ok func() bool) error {
	for {
		s.mu.Lock()
		if ok() {
			s.mu.Unlock()
			return nil
		}
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
