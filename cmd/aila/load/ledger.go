package load

import "bytes"

// fate is what became of a numbered message.
type fate uint8

const (
	aside   fate = iota // no audio: nothing echoes it
	pending             // said, not yet echoed
	missing             // passed over by the echo of a later one
	heard
	gapped // the server said that it is lost
)

// utterance is one numbered message of a session.
type utterance struct {
	due   int64 // when it should have been sent, in nanoseconds of the run
	pos   int64 // its first sample in the session
	frame int32 // which frame of the recording it is
	fate  fate
}

// maxOpen bounds a ledger. Beyond it the oldest entry is judged as it stands.
const maxOpen = 1 << 13

// ledger holds what one session said until it is both echoed and acknowledged. The zero
// ledger is empty. It belongs to whoever holds the call's lock.
type ledger struct {
	slots []utterance // a power of two long
	head  int         // where the oldest lies
	n     int
	first int64 // the number of the oldest, less 1: so that zero is right
	pos   int64 // the position after the last
	acked int64
	top   int64 // the highest number that was echoed
	said  int64 // frames of audio
	frame int32 // the last one's place in the recording
}

// last is the number of the last message said.
func (l *ledger) last() int64 { return l.first + int64(l.n) }

// at gives the message with that number; nil: it is not open.
func (l *ledger) at(seq int64) *utterance {
	if seq <= l.first || seq > l.last() {
		return nil
	}
	return &l.slots[(l.head+int(seq-l.first-1))&(len(l.slots)-1)]
}

// say enters a message of so many samples. It tells whether that pushed out one that is still
// pending: it counts as lost from now on.
func (l *ledger) say(u utterance, samples int64) (lost bool) {
	if l.n == len(l.slots) && l.n >= maxOpen {
		lost = l.slots[l.head].fate == pending
		l.pop()
	}
	if l.n == len(l.slots) {
		slots := make([]utterance, max(32, 2*l.n))
		for i := range l.n {
			slots[i] = l.slots[(l.head+i)&(len(l.slots)-1)]
		}
		l.slots, l.head = slots, 0
	}
	u.pos = l.pos
	l.slots[(l.head+l.n)&(len(l.slots)-1)] = u
	l.n++
	l.pos += samples
	if u.fate == pending {
		l.said++
		l.frame = u.frame
	}
	return lost
}

// unsay takes back the last message, which the client did not accept.
func (l *ledger) unsay(samples int64) {
	l.n--
	l.said--
	l.pos -= samples
}

func (l *ledger) pop() {
	l.head = (l.head + 1) & (len(l.slots) - 1)
	l.n--
	l.first++
}

// settle drops what nothing more can become of.
func (l *ledger) settle() {
	for l.n > 0 && l.first < l.acked {
		if f := l.slots[l.head].fate; f == pending || f == missing {
			return
		}
		l.pop()
	}
}

// verdict judges an echo.
type verdict uint8

const (
	right   verdict = iota
	late            // right, but after the echo of a later one
	differs         // not the samples that were said, or an echo of nothing
	doubled         // an echo of what was echoed before
)

// hear judges an echo of the message re with these samples, by the recording. It gives when
// the frame was due, below 0 where there is none, and how many frames it passed over; -1: it
// is one that had been passed over.
func (l *ledger) hear(re int64, data []byte, rec *recording) (v verdict, due int64, passed int) {
	u := l.at(re)
	switch {
	case u == nil && re != 0 && re <= l.first, u != nil && u.fate == heard:
		return doubled, -1, 0
	case u == nil, u.fate == aside, u.fate == gapped:
		return differs, -1, 0
	}
	v = right
	if u.fate == missing {
		v = late
	}
	if !bytes.Equal(data, rec.frames[u.frame]) {
		v = differs
	}
	wasMissing := u.fate == missing
	u.fate, due = heard, u.due
	for seq := max(l.top, l.first) + 1; seq < re; seq++ {
		if w := l.at(seq); w.fate == pending {
			w.fate = missing
			passed++
		}
	}
	if wasMissing {
		passed = -1
	}
	l.top = max(l.top, re)
	l.settle()
	return v, due, passed
}

// find tells of which message an echo is that names none: by its samples, the next one
// expected first. -1: of one that was settled already; 0: of none.
func (l *ledger) find(data []byte, rec *recording) int64 {
	next := max(l.top, l.first) + 1
	for ; next <= l.last() && l.at(next).fate != pending; next++ {
	}
	if u := l.at(next); u != nil && bytes.Equal(data, rec.frames[u.frame]) {
		return next
	}
	frame, known := rec.find(data)
	if !known {
		if next > l.last() {
			return 0
		}
		return next // a damaged echo of what was to come
	}
	// What is to come is nearer than what has passed, and of that the latest.
	for seq := next; seq <= l.last(); seq++ {
		if u := l.at(seq); u.fate == pending && u.frame == frame {
			return seq
		}
	}
	for seq := next - 1; seq > l.first; seq-- {
		if u := l.at(seq); u.fate != aside && u.frame == frame {
			return seq
		}
	}
	// Nobody says the recording in less than no time: what lies just behind was said before.
	behind := int64(len(rec.frames)) + int64(l.frame) - int64(frame)
	if behind%int64(len(rec.frames)) < min(l.said, int64(len(rec.frames)/2)) {
		return -1
	}
	return 0
}

// ack marks all up to seq as acknowledged and calls f with when each frame among them was due.
func (l *ledger) ack(seq int64, f func(due int64)) {
	seq = min(seq, l.last())
	for l.acked < seq {
		l.acked++
		if u := l.at(l.acked); u != nil && u.fate != aside {
			f(u.due)
		}
	}
	l.settle()
}

// gap marks what lies in the positions as lost by the server's own word. It tells how many
// frames that are, and how many of them had been passed over before.
func (l *ledger) gap(from, to int64) (announced, passed int) {
	for i := range l.n {
		u := &l.slots[(l.head+i)&(len(l.slots)-1)]
		if u.pos < from || u.pos >= to || u.fate != pending && u.fate != missing {
			continue
		}
		if u.fate == missing {
			passed++
		}
		u.fate = gapped
		announced++
	}
	l.settle()
	return announced, passed
}

// close gives how many frames will never be echoed that nobody has passed over, and how many
// of all that are lost were acknowledged.
func (l *ledger) close() (lost, acked int) {
	for i := range l.n {
		u := &l.slots[(l.head+i)&(len(l.slots)-1)]
		if u.fate != pending && u.fate != missing {
			continue
		}
		if u.fate == pending {
			lost++
		}
		if l.first+int64(i)+1 <= l.acked {
			acked++
		}
	}
	l.n = 0
	return lost, acked
}
