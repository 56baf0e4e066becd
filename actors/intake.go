package actors

import (
	"fmt"
	"time"

	"aila/proto"
)

// What comes from the user: one message at a time is in a child's hands, the rest waits its
// turn. So a commit acts between the frames around it although another child carries it out,
// and when a child crashes it is known to the message what was lost.

// An ack is due after ackEvery messages, or ackAfter after the first one that waits for it;
// within ackWithFrame of that it goes out together with an answer, which saves a system call.
const (
	ackEvery     = 16
	ackAfter     = 200 * time.Millisecond
	ackWithFrame = 180 * time.Millisecond
)

// take lets a message from the socket in.
func (c *client) take(msg proto.Inbound) {
	switch m := msg.(type) {
	case *proto.AckIn:
		c.acknowledged(m.Seq)
		c.credit()
		return
	case *proto.Playback:
		c.playback(m)
		c.credit()
		return
	case *proto.Refresh:
		// Its socket trusts the fresh token already; the confirmation waits its turn.
		if c.ended == "" {
			c.trust(m.Expires)
		}
	}
	if c.ended != "" {
		drop(msg)
		c.credit()
		return
	}
	if c.line.len() > 0 || !c.idle() {
		c.line.push(msg)
	} else {
		c.admit(msg)
	}
	c.pump()
}

// idle tells whether a message may be handed out now.
func (c *client) idle() bool {
	return c.hand == nil && c.voice != opening && !c.ending && c.ended == "" && !c.choked()
}

// pump hands out what waits, as long as nothing is in hand.
func (c *client) pump() {
	for c.line.len() > 0 && c.idle() {
		c.admit(c.line.pop().(proto.Inbound))
	}
}

// admit hands one message out, unless it is not its turn or it was refused on the way in.
func (c *client) admit(msg proto.Inbound) {
	if r, ok := msg.(*proto.Refused); ok {
		c.refusedAtDoor(r)
		c.credit()
		return
	}
	if n, ok := msg.(proto.Numbered); ok && !c.expected(n.Header()) {
		drop(msg)
		c.credit()
		return
	}
	c.hand, c.tried = msg, false
	c.handOut()
}

// handOut gives the message in hand to the child whose it is.
func (c *client) handOut() {
	c.again = false
	switch m := c.hand.(type) {
	case *proto.Interrupt:
		if !c.aim(m) { // an item that is finished or was never there: no effect, no error
			c.taken(time.Now().UnixNano())
			c.free()
			return
		}
		c.rec.tell(controlChild, m)
	case *proto.AudioIn:
		if c.mem.Numbering == bare {
			m.Seq = c.mem.Frames + 1
		}
		c.rec.tell(audioChild, m)
	case proto.AudioInbound:
		c.rec.tell(audioChild, m)
	case proto.ControlInbound:
		c.rec.tell(controlChild, m)
	default: // a resume on a socket that has its session
		c.refuse(proto.Fault{Code: proto.AlreadyStarted, Message: "this socket has its session"})
	}
}

// expected tells whether it is this message's turn. It says why not where the protocol wants
// that said: when a hole opens, and whenever the number cannot be one.
func (c *client) expected(h *proto.Head) bool {
	c.decide(h.Seq != 0)
	if c.mem.Numbering == bare {
		if h.Seq == 0 {
			return true
		}
		c.fault(c.badSeq(h, "this session does not number its messages: expected none"))
		return false
	}
	if h.Wrapped {
		h.Seq, h.Wrapped = proto.Nearest(uint32(h.Seq), c.mem.Next), false
	}
	switch {
	case h.Seq == c.mem.Next:
		return true
	case h.Seq > 0 && h.Seq < c.mem.Next: // a duplicate: acknowledged again
		c.unacked++
		c.ackSoon(time.Now().UnixNano())
	case !c.mem.Hole:
		c.mem.Hole = true
		c.fault(c.badSeq(h, ""))
	}
	return false
}

// decide settles whether the session numbers: its first message says so.
func (c *client) decide(withSeq bool) {
	switch {
	case c.mem.Numbering != undecided:
	case withSeq:
		c.mem.Numbering = numbered
	default:
		c.mem.Numbering = bare
	}
}

// refusedAtDoor answers a message that the codec refused, if it is its place to be answered.
func (c *client) refusedAtDoor(r *proto.Refused) {
	switch {
	case !r.Numbered:
		c.fault(r.Fault)
	case r.BadSeq:
		c.decide(true)
		c.fault(c.badSeq(&r.Head, ""))
	case c.expected(&r.Head):
		c.hole()
		r.Fault.ClientSeq = r.Seq
		c.fault(r.Fault)
	}
}

// badSeq makes the error that names the expected number.
func (c *client) badSeq(h *proto.Head, message string) proto.Fault {
	if message == "" {
		message = fmt.Sprintf("expected seq %d", c.mem.Next)
	}
	return proto.Fault{Code: proto.BadSeq, Message: message, Ref: h.ID, ClientSeq: max(0, h.Seq)}
}

// hole notes that the expected message was refused, where there is a number to come again.
func (c *client) hole() {
	if c.mem.Numbering == numbered {
		c.mem.Hole = true
	}
}

// refuse answers the message in hand with an error: a child would not have it.
func (c *client) refuse(f proto.Fault) {
	if n, ok := c.hand.(proto.Numbered); ok {
		f.Ref, f.ClientSeq = n.Header().ID, n.Header().Seq
		c.hole()
	}
	c.fault(f)
	drop(c.hand)
	c.free()
}

// heard books a frame that the voice has heard.
func (c *client) heard(f *proto.AudioIn) {
	if c.hand != proto.Inbound(f) {
		return
	}
	c.readAt = f.ReadAt
	c.book(f)
}

// muffled books a frame that came while paused.
func (c *client) muffled(f *proto.AudioIn) {
	if c.hand == proto.Inbound(f) {
		c.book(f)
	}
}

// book takes the positions of the frame in hand and acknowledges it.
func (c *client) book(f *proto.AudioIn) {
	c.advance(f.Samples)
	c.mem.Frames++
	now := f.ReadAt
	if now == 0 {
		now = time.Now().UnixNano()
	}
	c.taken(now)
	f.Release()
	c.free()
}

// done books any other message that was carried out, and does the session's own part of it.
func (c *client) done(msg proto.Inbound) {
	if c.hand != msg {
		return
	}
	now := time.Now().UnixNano()
	if _, ok := msg.(proto.Numbered); ok {
		c.taken(now)
	}
	switch m := msg.(type) {
	case *proto.GapIn:
		c.advance(m.Samples)
	case *proto.Pause:
		c.pause(m.ID)
	case *proto.Continue:
		c.unpause(m.ID)
	case *proto.Interrupt:
		c.hush()
	case *proto.End:
		c.finish(now)
	}
	c.free()
}

// unheard has a message back that the voice could not take: it waits for a voice that is
// being opened, and without one it is acknowledged and lost, and that is said.
func (c *client) unheard(msg proto.Inbound) {
	if c.hand != msg {
		return
	}
	if c.voice == up { // it was lost and is not yet reported so
		c.voiceDown(voiceDown{c.rec.restarts[voiceChild].Load()})
	}
	switch m := msg.(type) {
	case *proto.AudioIn:
		if c.voice == opening {
			c.again = true
			return
		}
		c.lose(m, proto.GapUnavailable)
	case *proto.End:
		c.taken(time.Now().UnixNano())
		c.free()
		c.end(proto.EndClient)
	default:
		if c.voice == opening {
			c.again = true
			return
		}
		if n, ok := msg.(proto.Numbered); ok {
			c.fault(proto.Fault{Code: proto.VoiceUnavailable, Message: voiceAway, Ref: n.Header().ID, ClientSeq: n.Header().Seq})
		}
		c.done(msg)
	}
}

// voiceAway is what the user is told while the voice cannot be reached.
const voiceAway = "the voice cannot be reached; it is being retried"

// lose books the frame in hand as lost: acknowledged, and said aloud as a gap before that.
func (c *client) lose(f *proto.AudioIn, reason proto.GapReason) {
	if c.gap.Reason != reason || c.gap.ToPos != c.mem.Pos {
		c.sayGap()
		c.gap = proto.GapOut{FromPos: c.mem.Pos, ToPos: c.mem.Pos, Reason: reason}
	}
	c.gap.ToPos += f.Samples
	if reason == proto.GapRestarted {
		c.sayGap() // a crash is told at once; what a voice misses while away is told together
	}
	c.mem.Lost += f.Samples
	for i, known := range lostReasons {
		if known == reason {
			c.rec.counts.lost[i].Add(f.Samples)
		}
	}
	c.book(f)
}

// sayGap says what was lost, if something was and it is not said yet.
func (c *client) sayGap() {
	if g := c.gap; g.ToPos > g.FromPos {
		c.gap = proto.GapOut{}
		c.write(&g)
	}
}

func (c *client) advance(samples int64) {
	c.mem.Pos += samples
	c.rec.counts.samplesIn.Store(c.mem.Pos)
}

// taken counts a message that is through, and acknowledges when that is due.
func (c *client) taken(now int64) {
	if c.mem.Numbering == numbered {
		c.mem.Next++
		c.mem.Hole = false
	}
	c.stir(now)
	c.unacked++
	c.ackSoon(now)
}

// ackSoon acknowledges now or sets the time by which it is done.
func (c *client) ackSoon(now int64) {
	due := now + int64(ackAfter)
	if c.due[dueAck] == 0 {
		c.due[dueAck] = due
		if due < c.rec.slot.due.Load() {
			c.rec.slot.due.Store(due)
		}
	}
	if c.unacked >= ackEvery || due-c.due[dueAck] >= int64(ackWithFrame) {
		c.ack()
	}
}

// ack says what the server has: the one place where that is said.
func (c *client) ack() {
	c.sayGap()
	c.due[dueAck] = 0
	if c.unacked == 0 || c.ended != "" {
		return
	}
	c.unacked = 0
	c.send(&proto.AckOut{Seq: c.has(), Pos: c.mem.Pos}, kindAckOut)
}

// free takes the message in hand as dealt with.
func (c *client) free() {
	c.hand = nil
	c.credit()
	if c.dismissed != "" {
		c.end(c.dismissed)
	}
	c.pump()
}

// credit gives a message's credit back to the inlet.
func (c *client) credit() { c.rec.credits.giveBack() }

// acknowledged lets go of what the client has.
func (c *client) acknowledged(seq int64) {
	if seq > c.replay.last() {
		c.fault(proto.Fault{Code: proto.BadField, Message: "seq: beyond what was sent"})
		return
	}
	c.replay.forget(seq)
	c.rec.counts.replay.Store(c.replay.bytes)
	c.regate()
}
