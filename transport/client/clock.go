package client

import (
	"errors"
	"time"
)

// A session has one timer for all that it must do on time. It is set to the earliest deadline;
// deadlines that move away leave it where it is, and tick finds nothing to do.

// errSkip ends a socket on which the server's numbers broke; a resume brings what is missing.
var errSkip = errors.New("server skipped a number")

// arm sees that tick runs at t. The caller holds mu.
func (s *Session) arm(t time.Time) {
	if s.stopped || !s.armed.IsZero() && !t.Before(s.armed) {
		return
	}
	s.armed = t
	if s.timer == nil {
		s.timer = time.AfterFunc(time.Until(t), s.tick)
		return
	}
	s.timer.Reset(time.Until(t))
}

// tick does what is due. The timer runs it on a goroutine of its own.
func (s *Session) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = time.Time{}
	k := s.sock
	if k == nil || s.stopped {
		return // connecting has its own bounds
	}
	now := time.Now()
	due := func(t time.Time) bool {
		if t.IsZero() {
			return false
		}
		if now.Before(t) {
			s.arm(t)
			return false
		}
		return true
	}
	switch {
	case !k.attached:
		if due(k.attachBy) {
			k.kill()
		}
		return
	case due(s.leaveAt):
		k.left = true
		k.kill()
		return
	case s.silent(now, due):
		k.kill()
		return
	}
	if due(s.ackAt) {
		s.ackNow = true
	}
	if due(s.hold) {
		s.hold = time.Time{}
	}
	s.kick()
}

// silent asks whether the server is there when nothing was heard for a heartbeat, and tells
// whether the socket is to be taken for lost: after 2.5 of them with our ping unanswered.
func (s *Session) silent(now time.Time, due func(time.Time) bool) bool {
	heard := s.born.Add(time.Duration(s.heardAt.Load()))
	beat := s.heartbeat()
	if !due(heard.Add(beat)) {
		return false
	}
	if !s.pingedAt.After(heard) {
		s.pingNow = true
	}
	return due(heard.Add(beat * 5 / 2))
}

// heartbeat is the bearable silence. The caller holds mu.
func (s *Session) heartbeat() time.Duration {
	switch {
	case s.o.Heartbeat > 0:
		return s.o.Heartbeat
	case s.started != nil && s.started.HeartbeatMS > 0:
		return millis(s.started.HeartbeatMS)
	}
	return 10 * time.Second
}

// millis is a time that the server names, at most a day: it may say anything.
func millis(ms int64) time.Duration {
	const day = 24 * time.Hour
	return time.Duration(max(0, min(ms, day.Milliseconds()))) * time.Millisecond
}

// hearNow notes that the server was heard.
func (s *Session) hearNow() { s.heardAt.Store(int64(time.Since(s.born))) }

// pinged is asked, on the reading goroutine, whether to answer a ping of the server. While a
// write waits for the server to read, a pong would wait with it and hold up reading.
func (s *Session) pinged(k *socket) bool {
	s.hearNow()
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.writing {
		s.pingNow = true // any message shows that we are there
		return false
	}
	return true
}
