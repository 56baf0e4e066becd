package client

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/coder/websocket"

	"aila/proto"
)

// items remembers the last few items' numbers in binary frames. A zero items is empty.
type items struct {
	list [4]struct {
		number uint16
		id     string
	}
	next int
}

func (t *items) add(number int, id string) {
	t.list[t.next].number, t.list[t.next].id = uint16(number), id
	t.next = (t.next + 1) % len(t.list)
}

func (t *items) name(number uint16) string {
	for i := range t.list {
		// newest first: numbers come again
		if e := t.list[(t.next+2*len(t.list)-1-i)%len(t.list)]; e.number == number && e.id != "" {
			return e.id
		}
	}
	return ""
}

// read takes one message from k and acts on it. An error ends the socket.
func (s *Session) read(ctx context.Context, k *socket) error {
	kind, r, err := k.ws.Reader(context.Background())
	if err != nil {
		return err
	}
	p := buffers.Get().(*[]byte)
	defer putBuffer(p)
	b, err := readAll(r, (*p)[:0])
	*p = b
	if err != nil {
		return err
	}
	s.hearNow()
	m, err := s.decode(kind, b)
	if err != nil {
		s.skipUnknown(b)
		return nil
	}
	return s.hear(ctx, k, m)
}

func readAll(r io.Reader, b []byte) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, make([]byte, max(2048, cap(b)))...)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

func (s *Session) decode(kind websocket.MessageType, b []byte) (proto.Outbound, error) {
	if kind == websocket.MessageText {
		return proto.DecodeOutbound(b)
	}
	a, err := proto.DecodeOutboundBinary(b, s.heard+1)
	if err != nil {
		return nil, err
	}
	a.ItemID = s.items.name(a.Item)
	return a, nil
}

// skipUnknown counts a message that cannot be read. One from a later version of the protocol
// may be sequenced; then it must not look like a break.
func (s *Session) skipUnknown(b []byte) {
	var head struct {
		Seq int64 `json:"seq"`
	}
	err := json.Unmarshal(b, &head)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Undecoded++
	if err == nil && head.Seq == s.heard+1 {
		s.took(head.Seq)
	}
}

// hear acts on one message. Only the reading goroutine changes heard, so it reads it freely.
func (s *Session) hear(ctx context.Context, k *socket, m proto.Outbound) error {
	q, sequenced := m.(proto.Sequenced)
	if !sequenced {
		if err := s.obey(k, m); err != nil {
			return err
		}
		s.trace(k, m)
		return s.deliver(ctx, m)
	}
	seq := *q.Number()
	if seq != s.heard+1 {
		return s.outOfOrder(k, seq)
	}
	if s.note(k, q) {
		if err := s.deliver(ctx, m); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.took(seq)
	last := s.ended != nil
	s.mu.Unlock()
	if last {
		s.lastAck(k)
	}
	return nil
}

// outOfOrder handles a sequenced message that is not the next: one that came before is
// dropped; after a break we leave the socket and let a resume bring what is missing.
func (s *Session) outOfOrder(k *socket, seq int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seq <= s.heard {
		s.stats.Duplicates++
		s.ackSoon() // it was sent again, so perhaps our ack was lost
		return nil
	}
	s.stats.Skips++
	return errSkip
}

// took counts a sequenced message as delivered and sees that it is acknowledged. The caller
// holds mu.
func (s *Session) took(seq int64) {
	s.heard = seq
	s.ackSoon()
	if s.heard-s.told >= ackEvery {
		s.ackNow = true
		s.kick()
	}
}

func (s *Session) ackSoon() {
	if s.ackAt.IsZero() {
		s.ackAt = time.Now().Add(ackAfter)
		s.arm(s.ackAt)
	}
}

// lastAck acknowledges session_ended before the next read, which would answer the close.
func (s *Session) lastAck(k *socket) {
	s.mu.Lock()
	s.ackNow = true
	s.kick()
	s.leaveAt = time.Now().Add(s.o.ConnectTimeout) // the server must close by then
	s.arm(s.leaveAt)
	s.mu.Unlock()
	// The writer stops when the ack is written or the socket is dead.
	s.await(context.Background(), func() bool { return !k.writing })
}

// trace tells the Trace of a message that was obeyed, without the lock, so that it may use its own.
func (s *Session) trace(k *socket, m proto.Outbound) {
	switch m := m.(type) {
	case *proto.AckOut:
		if t := s.o.Trace.Acked; t != nil {
			t(m.Seq, m.Pos, time.Now())
		}
	case *proto.SessionResumed:
		if t := s.o.Trace.Resumed; t != nil {
			t(k.resume.took, k.resume.again)
		}
	}
}

// deliver gives m to the user. An error says that the session was closed meanwhile.
func (s *Session) deliver(ctx context.Context, m proto.Outbound) error {
	if s.o.OnEvent != nil {
		s.o.OnEvent(s, m)
	}
	if s.o.Events == nil {
		return nil
	}
	if a, ok := m.(*proto.AudioOut); ok {
		kept := *a
		kept.Data = append([]byte(nil), a.Data...)
		m = &kept
	}
	select {
	case s.o.Events <- m:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// note acts on a sequenced message that is new, and tells whether it is to be delivered.
func (s *Session) note(k *socket, m proto.Sequenced) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m := m.(type) {
	case *proto.SessionStarted:
		s.start(k, m)
	case *proto.SessionState:
		if m.State == proto.Speaking {
			s.speaking = m.ItemID
			s.items.add(m.Item, m.ItemID)
		}
	case *proto.Interrupted:
		if !s.o.KeepInterrupted {
			s.throwing = m.ItemID
		}
	case *proto.AudioOut:
		if m.ItemID != "" && m.ItemID == s.throwing {
			s.stats.Thrown++
			return false
		}
		s.stats.HeardFrames++
		s.stats.HeardBytes += int64(len(m.Data))
	case *proto.SessionEnded:
		s.ended = m
		s.notify()
	}
	return true
}

func (s *Session) start(k *socket, m *proto.SessionStarted) {
	s.started = m
	if m.Audio.Supported() {
		s.format = m.Audio
	}
	if m.Seq > k.replayTo { // the token of a replay is an old one
		s.granted(m.Resume)
	}
	k.attached = true
	s.isReady()
	s.kick()
	s.arm(time.Now().Add(s.heartbeat()))
}

// granted takes what the next resume needs. The caller holds mu.
func (s *Session) granted(g proto.ResumeGrant) {
	s.token = g.Token
	if g.WindowMS > 0 {
		s.window = millis(g.WindowMS)
	}
}

// obey acts on a message that is not sequenced. An error ends the socket.
func (s *Session) obey(k *socket, m proto.Outbound) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m := m.(type) {
	case *proto.AckOut:
		s.acked(m.Seq, m.Pos)
	case *proto.SessionResumed:
		return s.resumed(k, m)
	case *proto.GoAway:
		if m.Action == "resume" && !s.o.Reconnect.Off {
			left := millis(m.TimeLeftMS)
			s.leaveAt = time.Now().Add(s.o.Reconnect.Jitter(min(left/2, s.o.Reconnect.Cap)))
			s.arm(s.leaveAt)
		}
	case *proto.Fault:
		if m.Fatal {
			s.fault = m
			return nil
		}
		s.refused(m)
	}
	return nil
}

// resumed takes the session up on k. The caller holds mu.
func (s *Session) resumed(k *socket, m *proto.SessionResumed) error {
	if k.attached || s.started == nil {
		return nil // not an answer to anything that we said
	}
	if m.LastSeq+1 < s.ring.first && !s.o.Unnumbered {
		return ErrForgotten
	}
	s.granted(m.Resume)
	k.attached = true
	k.replayTo = m.Replay.To
	s.acked(m.LastSeq, 0)
	s.cursor, s.hold, s.rewound = s.ring.first, time.Time{}, 0
	s.told = s.heard
	s.stats.Resumes++
	k.resume = resume{took: time.Since(s.lostAt), again: s.ring.n}
	s.kick()
	s.arm(time.Now().Add(s.heartbeat()))
	return nil
}
