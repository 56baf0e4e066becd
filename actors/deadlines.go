package actors

import (
	"time"

	"aila/proto"
)

// The deadlines that a session may have.
const (
	dueAck    = iota // what was taken must be acknowledged
	dueWindow        // nobody came back for the session
	dueIdle          // nobody said anything
	dueWarn          // the maximum duration is near
	dueMax           // the maximum duration
	dueToken         // the user's token is about to end
	dueEnd           // the voice takes too long to finish
	dueGate          // what waited for the socket may have drained
	dueGone          // the ended session is forgotten
	dueKinds
)

// deadlines are Unix nanoseconds; 0: none.
type deadlines [dueKinds]int64

func (d *deadlines) set(kind int, t time.Time) { d[kind] = t.UnixNano() }

// next is the soonest.
func (d *deadlines) next() int64 {
	next := int64(never)
	for _, t := range d {
		if t != 0 && t < next {
			next = t
		}
	}
	return next
}

// passed takes a deadline that is over.
func (d *deadlines) passed(kind int, now int64) bool {
	if d[kind] == 0 || d[kind] > now {
		return false
	}
	d[kind] = 0
	return true
}

// rearm tells the clock when to look in next.
func (c *client) rearm() { c.rec.slot.due.Store(c.due.next()) }

// tick does what is due.
func (c *client) tick(t time.Time) {
	now := t.UnixNano()
	if c.due.passed(dueAck, now) {
		c.ack()
	}
	if c.due.passed(dueGate, now) {
		c.regate()
		c.pump()
	}
	if c.due.passed(dueWarn, now) {
		left := time.Duration(c.due[dueMax] - now)
		c.send(&proto.GoAway{Reason: "max_duration", TimeLeftMS: max(0, left.Milliseconds()), Action: "end"}, kindEvent)
	}
	if c.due.passed(dueToken, now) {
		c.warn()
	}
	switch {
	case c.due.passed(dueGone, now):
		c.hub.system.Root.Stop(c.self)
	case c.due.passed(dueMax, now):
		c.end(proto.EndMaxDuration)
	case c.due.passed(dueEnd, now):
		c.end(proto.EndClient)
	case c.due.passed(dueWindow, now), c.due.passed(dueIdle, now):
		c.end(proto.EndIdle)
	}
	c.rearm()
}

// stir notes that somebody said something: the session is not idle.
func (c *client) stir(now int64) {
	if c.ended == "" {
		c.due[dueIdle] = now + int64(c.hub.opts.IdleTimeout)
	}
}
