package actors

import (
	"time"

	"aila/proto"
)

// What goes to the user: every sequenced message is numbered, kept for replay and released
// here and nowhere else.

// write numbers a message, keeps it and sends it.
func (c *client) write(m proto.Sequenced) {
	*m.Number() = c.replay.last() + 1
	c.ship(c.replay.keep(m), kindEvent)
	c.trim()
}

// writeAudio is write for audio, which may go out as binary.
func (c *client) writeAudio(a *proto.AudioOut, samples int64) {
	a.Seq = c.replay.last() + 1
	c.ship(c.replay.keepAudio(a, samples, c.mem.Binary), kindAudioOut)
	c.trim()
}

// ship hands an encoded message to the socket, if there is one.
func (c *client) ship(e entry, kind int) {
	c.rec.counts.out[kind].Add(1)
	c.rec.counts.replay.Store(c.replay.bytes)
	if c.out == nil {
		return
	}
	c.out.Send(e.data, e.binary)
	c.mindQueue()
}

// mindQueue slows the voice once too much waits for the socket.
func (c *client) mindQueue() {
	if c.due[dueGate] == 0 && c.out.QueueBytes() > slowQueue {
		c.regate()
	}
}

// choked tells whether so much waits for the socket that the user must wait, too.
func (c *client) choked() bool { return c.out != nil && c.out.QueueBytes() > chokedQueue }

// send sends a message that carries no number: who is not there does not get it.
func (c *client) send(m proto.Outbound, kind int) {
	if c.out == nil {
		return
	}
	var room [512]byte
	c.rec.counts.out[kind].Add(1)
	c.out.Send(proto.Append(room[:0], m), false)
	c.mindQueue()
}

// fault says an error. Too many of them and the socket is closed.
func (c *client) fault(f proto.Fault) {
	c.hub.tally.fault(f.Code)
	c.send(&f, kindError)
	if c.out == nil {
		return
	}
	if c.patience == nil {
		c.patience = new(proto.Patience)
	}
	if c.patience.Spend(f.Code, time.Now()) {
		in, out := c.in, c.out
		out.Close(proto.CloseTooManyErrors)
		c.detach(hangup{in: in, close: proto.CloseTooManyErrors})
	}
}

// trim bounds what is kept: with a live reader the oldest are forgotten, without one the voice
// is slowed.
func (c *client) trim() {
	if !c.replay.over(c.rec.format) {
		return
	}
	if c.out == nil {
		c.regate()
		return
	}
	for c.replay.over(c.rec.format) {
		c.replay.forget(c.replay.first)
	}
}

// slowQueue is how many bytes may wait for the socket before the voice is slowed: well below
// what gets the socket cut, since a voice may say in a second what takes a minute to hear.
const slowQueue = 64 << 10

// chokedQueue is how many bytes may wait before the session takes no more from its user. A
// slowed voice stays below it; one that answers from within Write, as an echo does, cannot be
// slowed in another way.
const chokedQueue = 2 * slowQueue

// regate lets the voice go on, or slows it, as what waits for the user allows.
func (c *client) regate() {
	c.due[dueGate] = 0
	open := c.ended == "" && c.heldMem < replayBytes
	switch {
	case c.out == nil:
		open = open && !c.replay.over(c.rec.format)
	case c.out.QueueBytes() > slowQueue: // nobody tells when that has drained: look again
		open = false
		c.due.set(dueGate, time.Now().Add(tickEvery))
		c.rearm()
	}
	c.gate.set(open)
}

// setState says what the session does, to the user and in the books.
func (c *client) setState(s *proto.SessionState) {
	c.rec.state.Store(&s.State)
	c.write(s)
}
