package client

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"aila/proto"
)

// Send says audio: 10 to 1000 ms of whole samples in the session's format. It copies pcm. It
// gives the message's number (where the client does not number: which message it is), which
// an echo names in Re. Accepted is accepted: no lost socket loses it. Beyond the bounds of the
// ring it returns ErrFull, or with GapOnOverflow the number 0 and no error. Other errors are
// ErrEnded, ErrClosed, and audio that does not fit the format. It never waits for the network
// unless Inline.
func (s *Session) Send(pcm []byte) (seq int64, err error) { return s.send(pcm, true) }

// SendShared is Send without the copy: pcm must never change again. For sources whose audio
// many sessions say, so that what is not yet acknowledged costs next to nothing.
func (s *Session) SendShared(pcm []byte) (seq int64, err error) { return s.send(pcm, false) }

func (s *Session) send(pcm []byte, own bool) (int64, error) {
	s.mu.Lock()
	samples, err := s.format.Samples(pcm)
	if err != nil {
		s.mu.Unlock()
		return 0, fmt.Errorf("send audio: %w", err)
	}
	if err := s.open(); err != nil {
		s.mu.Unlock()
		return 0, err
	}
	if s.full() {
		defer s.mu.Unlock()
		if !s.o.GapOnOverflow || s.o.Unnumbered {
			return 0, ErrFull
		}
		s.overflow(samples)
		return 0, nil
	}
	e := entry{data: pcm, samples: samples, bytes: len(pcm)}
	if own {
		e = copied(pcm, samples)
	}
	s.stats.Frames++
	s.stats.Samples += samples
	s.said = s.ring.push(e)
	seq := s.said
	k := s.startWriter()
	s.mu.Unlock()
	if k != nil && s.o.Inline {
		s.write(k)
	} else if k != nil {
		go s.write(k) // ends when there is nothing to write, or with the socket; run waits for it
	}
	return seq, nil
}

// open tells whether the session takes more from its user. The caller holds mu.
func (s *Session) open() error {
	switch {
	case s.closed:
		return ErrClosed
	case s.ending, s.ended != nil, s.stopped:
		return ErrEnded
	}
	return nil
}

// full tells whether the ring has reached a bound, which it oversteps by one message at most.
// The caller holds mu.
func (s *Session) full() bool {
	return s.ring.bytes >= s.o.RingBytes || s.format.Duration(s.ring.samples) >= s.o.RingDuration
}

// overflow makes audio that the ring cannot take part of the gap at its end. The gap is a new
// message where the last one is none, is full, or was written before and so must not change.
// The caller holds mu.
func (s *Session) overflow(samples int64) {
	s.stats.Overflowed += samples
	longest := int64(proto.MaxGapSeconds * s.format.SampleRate)
	if s.said > s.written && s.ring.n > 0 {
		last := s.ring.at(s.said)
		if g, ok := last.msg.(*proto.GapIn); ok && g.Reason == "overflow" && g.Samples+samples <= longest {
			g.Samples += samples
			return // not counted as kept: gaps are not audio
		}
	}
	s.push(&proto.GapIn{Samples: samples, Reason: "overflow"}, 0)
}

// say accepts any other numbered message.
func (s *Session) say(m proto.Numbered, bytes int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(); err != nil {
		return err
	}
	if bytes > 0 && s.full() {
		return ErrFull
	}
	_, s.ending = m.(*proto.End)
	s.push(m, bytes)
	return nil
}

// push numbers and keeps a message and sees that it is written. The caller holds mu.
func (s *Session) push(m proto.Numbered, bytes int) {
	s.said = s.ring.push(entry{msg: m, bytes: bytes})
	if !s.o.Unnumbered {
		m.Header().Seq = s.said
	}
	s.kick()
}

// Gap says that there is no audio for so many samples per channel, at most 120 s of them,
// because the microphone is muted.
func (s *Session) Gap(samples int64) error {
	if longest := int64(proto.MaxGapSeconds * s.Format().SampleRate); samples < 1 || samples > longest {
		return fmt.Errorf("gap of %d samples: not 1 to %d", samples, longest)
	}
	return s.say(&proto.GapIn{Samples: samples, Reason: "muted"}, 0)
}

// Text says what the user typed, at most proto.MaxText bytes of UTF-8.
func (s *Session) Text(text string) error {
	if len(text) > proto.MaxText || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return errors.New("text is too long, not UTF-8, or holds a NUL")
	}
	return s.say(&proto.TextIn{Text: text}, len(text))
}

// Commit says that the user's turn is over.
func (s *Session) Commit() error { return s.say(&proto.Commit{}, 0) }

// Pause makes the voice stop hearing and holds its answer.
func (s *Session) Pause() error { return s.say(&proto.Pause{}, 0) }

// Continue ends a Pause.
func (s *Session) Continue() error { return s.say(&proto.Continue{}, 0) }

// End asks for the end: the server says what is pending, then session_ended. Afterwards Send
// and its like return ErrEnded. Without a socket it is said after the resume.
func (s *Session) End() error { return s.say(&proto.End{}, 0) }

// Interrupt drops what the voice has not yet said of an item, or of the current one if item is
// empty, and throws its remaining audio away unless KeepInterrupted. played is how much of it
// the user has heard; negative: not known.
func (s *Session) Interrupt(item string, played time.Duration) error {
	m := &proto.Interrupt{ItemID: item}
	if played >= 0 {
		ms := played.Milliseconds()
		m.PlayedMS = &ms
	}
	if err := s.say(m, 0); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if item == "" {
		item = s.speaking
	}
	if !s.o.KeepInterrupted {
		s.throwing = item
	}
	return nil
}

// Playback tells the server what the user has really heard of an item; state is playing, done
// or cleared. It is not numbered: it may be lost.
func (s *Session) Playback(item string, played time.Duration, state string) error {
	return s.aside(&proto.Playback{ItemID: item, PlayedMS: played.Milliseconds(), State: state})
}

// Refresh replaces the token that authorises the client, now and for sockets to come.
func (s *Session) Refresh(token string) error {
	s.mu.Lock()
	s.bearer = token
	s.mu.Unlock()
	return s.aside(&proto.Refresh{Token: token})
}

// Ping asks for a pong, which comes as an event with the same id and time. It is lost with
// its socket.
func (s *Session) Ping(id string, at time.Time) error {
	ms := at.UnixMilli()
	return s.aside(&proto.Ping{ID: id, TMS: &ms})
}

// aside accepts a message that is not numbered. Of those that wait for a socket the newest
// ones are kept.
func (s *Session) aside(m proto.Inbound) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(); err != nil {
		return err
	}
	if len(s.extras) >= 64 {
		s.extras = s.extras[1:]
	}
	s.extras = append(s.extras, m)
	s.kick()
	return nil
}

func (s *Session) authorization() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bearer
}

// Format is the session's audio format, never zero.
func (s *Session) Format() proto.Format {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.format
}
